"""Whether somebody is a member any longer: asked about one person, carried out for that person only, on both databases."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update

from models import decisions, ledger, people
from models.events import Event
from models.ledger import Scope
from models.mandates import MandateRow
from models.people import Member
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound
from server.actions import (
    accounts,
    aftermath,
    balloting,
    concerned,
    convening,
    departing,
    exporting,
    hearing,
    hushing,
    noticing,
    recovering,
    remarks,
    removals,
)

from .conftest import Place
from .test_accounts import ALONE, SAID, member, sitting

WHY = "They shout at meetings, and three talks changed nothing."
DAY = timedelta(days=1)


async def ask(
    place: Place, by: str, whom: str, why: str = WHY, method: str = "consent", talk: timedelta = DAY
) -> str:
    async with place.acting(by) as (session, viewer):
        found = await session.get_one(Member, (await member(place, whom)).id)
        scope = await removals.ask(session, place.home, viewer, found, why, method, talk, [], place.now)
        return scope.name


async def cast(place: Place, name: str, *logins: str, said: balloting.Words = SAID) -> None:
    """These confirm one ballot, as soon as the voting is open."""
    await place.work(name)
    place.now = (await place.view(name)).opens
    await place.work(name)
    for login in logins:
        async with place.acting(login) as (session, viewer):
            scope = await place.scope(session, name)
            if login == logins[0]:
                await balloting.save_draft(session, viewer, scope, said, 0, place.now)
            await balloting.confirm(session, place.home, viewer, scope, 1, place.now)


async def vote(place: Place, name: str, *logins: str, said: balloting.Words = SAID) -> str:
    """These confirm one ballot; then the decision runs to its end. Returns what came of it."""
    await cast(place, name, *logins, said=said)
    times = (await place.view(name)).times
    place.now = max(times.closes + 4 * DAY, times.challenge_ends)
    for _ in range(3):
        await place.work(name)
    view = await place.view(name)
    assert view.state == "final"
    return str(view.outcome)


async def remove(place: Place, by: str, whom: str, *, erased: bool = False) -> None:
    async with place.acting(by) as (session, viewer):
        found = await session.get_one(Member, (await member(place, whom)).id)
        await removals.remove(session, place.home, viewer, found, place.now, erased=erased)


async def test_who_is_removed_is_whom_the_decision_is_about_and_nobody_else(place: Place):
    await place.join("ana", "bo", "cem")
    other = await place.convene("ana", ALONE)  # adopted too, and about nobody: it says “Shall Bo leave us?”
    assert await vote(place, other, "ana", "cem") == "adopted"
    with pytest.raises(Conflict):
        await remove(place, "ana", "bo")
    name = await ask(place, "ana", "bo")
    with pytest.raises(Conflict):
        await remove(place, "ana", "bo")
    assert await vote(place, name, "ana", "cem") == "adopted"
    for by, whom, refusal in (("ana", "cem", Conflict), ("bo", "bo", NotAllowed), ("bo", "cem", Conflict)):
        with pytest.raises(refusal):
            await remove(place, by, whom)
    await remove(place, "cem", "bo")  # who holds no power at all
    bo = await member(place, "bo")
    assert (bo.removed_by, bo.left_at, bo.name) == (name, place.now, "Bo")
    assert await sitting(place) == 2
    with pytest.raises(NotFound):
        await remove(place, "ana", "bo")
    async with place.database.READ() as session:
        event = await session.scalar(select(Event).where(Event.kind == "member removed"))
        assert event is not None
        assert (event.mandate_id, event.scope, event.detail["member"]) == (None, name, bo.id)


async def test_even_who_holds_all_powers_is_removed_and_their_mandates_end(place: Place):
    await place.join("ana", "bo", "cem")
    await lend(place, "bo", "convene")
    assert await vote(place, await ask(place, "bo", "ana"), "bo", "cem") == "adopted"
    with pytest.raises(NotAllowed):
        await remove(place, "cem", "ana", erased=True)
    await remove(place, "cem", "ana")
    async with place.database.READ() as session:
        assert not [one.login for one in await people.members(session) if one.login == "ana"]
        row = await session.scalar(select(MandateRow).where(MandateRow.source == "founding"))
        assert row is not None
        assert row.recalled_at == place.now


async def test_whom_it_is_about_cannot_take_the_question_back_and_others_can(place: Place):
    await place.join("ana", "bo")
    name = await ask(place, "ana", "bo")
    await lend(place, "bo", "convene")
    async with place.acting("bo") as (session, viewer):
        with pytest.raises(NotAllowed, match="about you"):
            await convening.withdraw(
                session, place.home, viewer, await place.scope(session, name), "", place.now
            )
    async with place.acting("ana") as (session, viewer):
        await convening.withdraw(session, place.home, viewer, await place.scope(session, name), "", place.now)
    assert (await place.view(name)).state == "withdrawn"


async def test_whom_it_is_about_hides_no_remark_about_it_and_others_can(place: Place):
    await place.join("ana", "bo", "cem")
    name = await ask(place, "ana", "bo")
    await lend(place, "bo", "moderate")
    other = await place.convene("ana", ALONE)
    for where in (name, other):
        async with place.acting("cem") as (session, viewer):
            scope = await place.scope(session, where)
            said = await remarks.say(
                session, viewer, scope, "It is so.", where[:32], place.now, in_circle=False
            )
        for who, is_refused in (("bo", where == name), ("ana", False)):
            for act in (partial(hushing.hide, why="Rude."), hushing.show):
                async with place.acting(who) as (session, viewer):
                    doing = act(session, viewer, await place.scope(session, where), said.id, now=place.now)
                    if is_refused:
                        with pytest.raises(NotAllowed, match="about you"):
                            await doing
                    else:
                        await doing


async def test_whom_it_is_about_cannot_remove_why_it_was_asked_and_others_can(place: Place):
    await place.join("ana", "bo")
    name = await ask(place, "ana", "bo")
    other = await place.convene("ana", replace(ALONE, details="The courtyard, as every year."))
    await lend(place, "bo", "moderate")
    for who, where, is_refused in (("bo", name, True), ("ana", name, False), ("bo", other, False)):
        async with place.acting(who) as (session, viewer):
            scope = await place.scope(session, where)
            (offer,) = await ledger.of_types(session, scope.id, ("Offer",))
            redacting = aftermath.redact(
                session, place.home, viewer, scope, offer["details"], "personal", place.now
            )
            if is_refused:
                with pytest.raises(NotAllowed, match="about you"):
                    await redacting
                assert await removals.reason_of(session, scope) == WHY
            else:
                await redacting
                assert await removals.reason_of(session, scope) == ""


async def test_whom_it_is_about_cannot_keep_their_circle_from_confirming_a_draft(place: Place):
    """Each save needs new confirmations: by saving over and over, one alone would keep all the others from voting."""
    await place.join("ana", "bo", "cem")
    name = await ask(place, "ana", "bo")
    other = await place.convene("ana", ALONE)
    for where in (name, other):
        for who, base, is_refused in (("bo", 0, False), ("cem", 1, False), ("bo", 2, where == name)):
            async with place.acting(who) as (session, viewer):
                saving = balloting.save_draft(
                    session, viewer, await place.scope(session, where), SAID, base, place.now
                )
                if is_refused:
                    with pytest.raises(NotAllowed, match="about you"):
                        await saving
                else:
                    await saving


async def test_whom_it_is_about_gets_into_no_account_of_those_who_vote_and_others_still_help(place: Place):
    await place.join("ana", "bo", "cem")
    await lend(place, "bo", "convene")

    async def help_cem(by: str, token: str) -> None:
        async with place.acting(by) as (session, viewer):
            cem = await session.get_one(Member, (await member(place, "cem")).id)
            await recovering.make_link(session, viewer, cem, token * 64, place.now, resets_second=True)

    async def operator_helps() -> None:
        async with place.database.ACT.begin() as session:
            cem = await session.get_one(Member, (await member(place, "cem")).id)
            await recovering.make_operators_link(session, cem, "9" * 64, place.now)

    await help_cem("ana", "1")
    with pytest.raises(Conflict):
        await operator_helps()
    name = await ask(place, "bo", "ana")
    with pytest.raises(NotAllowed, match="whether you stay a member"):
        await help_cem("ana", "2")
    await operator_helps()
    async with place.acting("bo") as (session, viewer):
        await convening.withdraw(session, place.home, viewer, await place.scope(session, name), "", place.now)
    await help_cem("ana", "3")


async def test_who_has_left_meanwhile_is_asked_about_no_more(place: Place):
    await place.join("ana", "bo")
    async with place.acting("ana") as (session, viewer):
        bo = await session.get_one(Member, (await member(place, "bo")).id)
        gone = update(Member).where(Member.id == bo.id).values(left_at=place.now)
        await session.execute(gone.execution_options(synchronize_session=False))
        assert bo.left_at is None, "as it was looked up"
        with pytest.raises(NotFound):
            await removals.ask(session, place.home, viewer, bo, WHY, "consent", DAY, [], place.now)
        assert not await decisions.removals_of(session, bo.id)


async def lend(place: Place, to: str, power: str) -> None:
    holder = await member(place, to)
    days = {"starts_at": place.now, "ends_at": place.now + 30 * DAY, "accepted_at": place.now}
    async with place.acting("ana") as (session, _):
        session.add(
            MandateRow(member_id=holder.id, powers=[power], instruction="Ask.", source="test", **days)
        )


async def test_what_was_declined_or_is_long_ago_removes_nobody(place: Place):
    await place.join("ana", "bo", "cem")
    no = balloting.Words(
        {"position": "object"},
        reason="They were never asked what they think.",
        resolve="Ask them first, and listen.",
    )
    assert await vote(place, await ask(place, "ana", "bo"), "cem", "bo", said=no) != "adopted"
    with pytest.raises(Conflict):
        await remove(place, "ana", "bo")
    assert await vote(place, await ask(place, "ana", "bo"), "ana", "cem") == "adopted"
    with pytest.raises(Conflict):
        await ask(place, "ana", "bo")
    place.later(days=30)
    with pytest.raises(Conflict):
        await remove(place, "ana", "bo")


async def test_what_is_counted_late_is_not_over_before(place: Place):
    await place.join("ana", "bo", "cem")
    name = await ask(place, "ana", "bo")
    await cast(place, name, "ana", "cem")
    place.now = (await place.view(name)).times.wait_ends  # the instance was away
    assert (await place.view(name)).state == "contested"
    async with place.database.READ() as session:
        asked = await concerned.asked_about(session, await member(place, "bo"), place.now)
    assert asked is not None
    assert (asked.is_running(), asked.is_due(place.now)) == (True, False)
    with pytest.raises(Conflict):
        await ask(place, "ana", "bo", "Another reason, and long enough.")
    await place.work(name)
    await remove(place, "cem", "bo")


async def test_it_is_asked_once_with_a_reason_by_who_may_and_not_about_oneself(place: Place):
    await place.join("ana", "bo", "cem")
    for by, whom, wrong, refusal in (
        ("bo", "cem", {}, NotAllowed),
        ("ana", "ana", {}, NotAllowed),
        ("ana", "bo", {"why": "Because."}, Invalid),
        ("ana", "bo", {"why": "x" * 10_001}, Invalid),
        ("ana", "bo", {"method": "approval"}, Invalid),
        ("ana", "bo", {"talk": timedelta()}, Invalid),
    ):
        with pytest.raises(refusal):
            await ask(place, by, whom, **wrong)  # type: ignore[arg-type]
    async with place.database.READ() as session:
        assert await session.scalar(select(func.count()).select_from(Scope)) == 0
    await ask(place, "ana", "bo")
    with pytest.raises(Conflict):
        await ask(place, "ana", "bo", "Another reason, and long enough.")
    await ask(place, "ana", "cem")


async def test_nothing_that_is_signed_or_published_says_who_and_members_only_see_it(place: Place):
    await place.join("ana", "bobolink", "cem")
    name = await ask(place, "ana", "bobolink")
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        texts = await ledger.texts(session, scope.id)
        assert scope.visibility == "collective"
        assert WHY in {row.text for row in texts.values()}
        assert not [row.text for row in texts.values() if row.text and "bobolink" in row.text.lower()]
        found = await decisions.removal_in(session, scope.id)
        assert found is not None
        assert found.login == "bobolink"


async def test_whom_it_is_about_is_told_and_finds_it_in_the_file_about_themselves(place: Place):
    await place.join("ana", "bo", "cem")
    name = await ask(place, "ana", "bo")
    bo = await member(place, "bo")
    async with place.database.ACT.begin() as session:
        await hearing.refresh(session, await place.scope(session, name), place.now)
    async with place.database.READ() as session:
        told = [one for one in await noticing.find(session, place.now) if one.kind == "removal"]
    assert [(one.to, one.always) for one in told] == [([bo.id], True)]
    async with place.acting("bo") as (session, viewer):
        file = await exporting.everything(session, place.home, viewer, place.now)
        assert [one["decision"] for one in file["questions whether you stay a member"]] == [name]
        await departing.leave(session, place.home, viewer, place.now, erased=True)


async def test_whom_it_is_about_keeps_their_name_until_it_is_over(place: Place):
    """Under another one the circles would vote about somebody else."""

    async def called(name: str, about: str = "") -> str:
        async with place.acting("bo") as (session, viewer):
            await accounts.describe(session, place.home, viewer, name, about, place.now)
        return (await member(place, "bo")).name

    await place.join("ana", "bo", "cem")
    assert await called("Bo Silva") == "Bo Silva"
    name = await ask(place, "ana", "bo")
    with pytest.raises(Invalid) as refused:
        await called("Ana")
    assert set(refused.value.fields) == {"name"}
    assert await called("Bo Silva", "I garden.") == "Bo Silva"
    assert await vote(place, name, "ana", "cem") == "adopted"
    with pytest.raises(Invalid):
        await called("Ana")
    place.later(days=31)  # nobody carried it out
    assert await called("Bo") == "Bo"
