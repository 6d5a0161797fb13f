"""Our charter: asked of this collective, in force when that is final and adopted, and binding whatever is convened then."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models import decisions, ledger
from models.charters import ProposedCharter
from models.choices import choose
from models.ledger import Scope
from models.rules.charters import SOFTWARE, STRICTEST
from models.rules.refusals import Conflict, Invalid, NotAllowed, TooLate
from server.actions import aftermath, balloting, chartering, charters, convening, proposing, removals
from server.actions.chartering import Change
from server.actions.charters import History

from .conftest import Place
from .test_accounts import ALONE, member
from .test_removals import WHY as WHY_REMOVED
from .test_removals import ask as ask_about
from .test_removals import cast, vote

WHY = "Two days were too short for those who work at night."
DAY = 86_400
WEEK = {**SOFTWARE, "window": 7 * DAY}
CHANGE = Change(WEEK, WHY, "consent", timedelta(hours=24), "public", 1)
NO = balloting.Words(
    {"position": "object"}, reason="A week is too long for us all.", resolve="Three days would do."
)


async def ask(place: Place, by: str, change: Change = CHANGE) -> str:
    async with place.acting(by) as (session, viewer):
        scope = await chartering.ask(session, place.home, viewer, change, [], place.now)
        return scope.name


async def known(place: Place) -> History:
    async with place.database.READ() as session:
        return await charters.history(session, place.now)


async def adopt(place: Place, change: Change) -> None:
    assert await vote(place, await ask(place, "ana", change), "ana", "bo") == "adopted"


async def test_as_long_as_nothing_was_decided_the_charter_is_that_of_the_software_and_changes_nothing(
    place: Place,
):
    await place.join("ana", "bo")
    found = await known(place)
    assert (found.current.number, found.current.charter, found.underway) == (1, SOFTWARE, None)
    short = replace(
        ALONE,
        gather=timedelta(),
        window=timedelta(minutes=5),
        grace=timedelta(minutes=1),
        challenge=timedelta(),
        rule={"quorum": [0, 1]},
    )
    await place.convene("ana", short)


async def test_it_is_in_force_from_the_instant_at_which_it_is_final_and_not_before(place: Place):
    await place.join("ana", "bo")
    name = await ask(place, "ana")
    found = await known(place)
    assert (found.current.number, found.underway and found.underway.number) == (1, 2)
    await cast(place, name, "ana", "bo")
    times = (await place.view(name)).times
    for moment in (times.closes, times.grace_ends, times.challenge_ends - timedelta(seconds=1)):
        place.now = moment
        await place.work(name)
        assert (await known(place)).current.number == 1
        await place.convene("ana", replace(ALONE, question=f"Until {moment}?"))
    place.now = times.challenge_ends
    found = await known(place)
    assert (found.current.number, found.underway) == (2, None)
    assert (found.current.charter, found.current.since) == (WEEK, times.challenge_ends)
    assert found.current.scope is not None
    assert (found.current.scope.name, found.current.changed) == (name, ["window"])
    with pytest.raises(Invalid) as refused:
        await place.convene("ana", ALONE)
    assert refused.value.fields == {"window": "Our charter says: at least 7 days."}


async def test_what_is_running_keeps_its_terms(place: Place):
    await place.join("ana", "bo")
    running = await place.convene("ana", replace(ALONE, gather=timedelta(days=20)))
    before = (await place.view(running)).times
    await adopt(place, CHANGE)
    assert (await place.view(running)).times == before
    await place.work(running)
    assert (await place.view(running)).state == "gathering"


async def test_less_than_the_charter_asks_is_refused_field_by_field_and_as_much_is_taken(place: Place):
    await place.join("ana", "bo")
    await adopt(place, replace(CHANGE, charter=STRICTEST))
    with pytest.raises(Invalid) as refused:
        await place.convene("ana", replace(ALONE, rule={"quorum": [1, 2]}))
    assert set(refused.value.fields) == set(SOFTWARE)
    async with place.database.READ() as session:
        charter = await charters.charter_at(session, place.now)
    await place.convene("ana", convening.as_chartered(ALONE, charter))
    almost = convening.as_chartered(ALONE, charter)
    with pytest.raises(Invalid) as refused:
        await place.convene("ana", replace(almost, window=almost.window - timedelta(seconds=1)))
    assert set(refused.value.fields) == {"window"}
    with pytest.raises(Invalid) as refused:
        await place.convene(
            "ana", replace(almost, rule={**almost.rule, "strict": False, "threshold": [2, 3]})
        )
    assert set(refused.value.fields) == {"threshold"}


async def test_a_change_of_the_charter_and_a_removal_obey_the_charter_in_force(place: Place):
    await place.join("ana", "bo", "cem")
    await adopt(place, replace(CHANGE, charter=STRICTEST))
    back = replace(CHANGE, charter=SOFTWARE, seen=2)
    with pytest.raises(Invalid) as refused:
        await ask(place, "ana", back)
    assert refused.value.fields == {"talk": "Our charter says: at least 7 days."}
    name = await ask(place, "ana", replace(back, talk=timedelta(days=7)))
    view = await place.view(name)
    assert view.closes - view.opens == timedelta(days=7)
    assert (view.rule.quorum, view.rule.threshold, view.rule.strict) == ((2, 3), (3, 4), False)
    assert view.times.challenge_ends - view.offer.at == timedelta(days=22)
    async with place.acting("ana") as (session, viewer):
        bo = await member(place, "bo")
        bo = await session.get_one(type(bo), bo.id)
        with pytest.raises(Invalid) as refused:
            await removals.ask(
                session, place.home, viewer, bo, WHY_REMOVED, "consent", timedelta(hours=48), [], place.now
            )
        assert set(refused.value.fields) == {"talk"}
        scope = await removals.ask(
            session, place.home, viewer, bo, WHY_REMOVED, "consent", timedelta(days=7), [], place.now
        )
        removal = scope.name
    view = await place.view(removal)
    assert view.closes - view.opens == timedelta(days=7)


async def test_what_is_not_adopted_is_withdrawn_or_lapses_changes_nothing(place: Place):
    await place.join("ana", "bo")
    assert await vote(place, await ask(place, "ana"), "ana", "bo", said=NO) == "rejected"
    name = await ask(place, "ana")
    async with place.acting("ana") as (session, viewer):
        await convening.withdraw(session, place.home, viewer, await place.scope(session, name), "", place.now)
    assert (await place.view(name)).state == "withdrawn"
    name = await ask(place, "ana")
    place.later(days=4)  # nobody looked while it could be counted
    assert (await place.view(name)).state == "lapsed"
    found = await known(place)
    assert (len(found.versions), found.underway) == (1, None)
    await place.convene("ana", ALONE)


async def test_what_is_counted_late_is_in_force_late_and_no_other_change_is_asked_before(place: Place):
    await place.join("ana", "bo")
    name = await ask(place, "ana")
    await cast(place, name, "ana", "bo")
    place.now = (await place.view(name)).times.wait_ends + timedelta(days=1)  # the instance was away
    assert (await place.view(name)).state == "contested"
    found = await known(place)
    assert (found.current.number, found.underway is not None) == (1, True)
    with pytest.raises(Conflict):
        await ask(place, "ana")
    await place.work(name)
    found = await known(place)
    assert (found.current.number, found.current.since, found.underway) == (2, place.now, None)


async def test_what_only_those_heard_adopted_is_no_charter_until_it_is_final_after_all(place: Place):
    people = [f"m{n}" for n in range(1, 7)]
    await place.join(*people)
    keys = [place.pairs.pop() for _ in range(2)]
    async with place.acting("m1") as (session, viewer):
        name = (await chartering.ask(session, place.home, viewer, CHANGE, keys, place.now)).name
    await cast(place, name, *(await circle_of(place, name, "m1"))[:2])
    place.now = (await place.view(name)).times.wait_ends
    assert (await place.view(name)).state == "heard", "the instance was away since the voting"
    found = await known(place)
    assert (found.current.number, found.underway is not None) == (1, True)
    with pytest.raises(Conflict):
        await ask(place, "m1", replace(CHANGE, charter=STRICTEST))
    assert (await place.work(name)).state == "final"
    found = await known(place)
    assert (found.current.number, found.underway) == (2, None)


async def circle_of(place: Place, name: str, login: str) -> list[str]:
    """Who sits with them in this decision."""
    one = await member(place, login)
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        seat = await decisions.seat_of(session, scope.id, one.id)
        assert seat is not None
        return [each.login for each in await decisions.seats(session, scope.id, seat.circle_id)]


async def test_the_latest_that_became_final_holds_and_the_earlier_ones_stay_told(place: Place):
    await place.join("ana", "bo")
    await adopt(place, CHANGE)
    await adopt(place, replace(CHANGE, charter=STRICTEST, seen=2))
    await adopt(place, replace(CHANGE, charter=SOFTWARE, seen=3, talk=timedelta(days=7)))
    found = await known(place)
    assert [one.number for one in found.versions] == [1, 2, 3, 4]
    assert [one.charter for one in found.versions] == [SOFTWARE, WEEK, STRICTEST, SOFTWARE]
    since = [one.since for one in found.versions]
    assert since == sorted(since)
    assert found.versions[3].changed == [*SOFTWARE]


async def test_a_charter_outlives_the_words_in_which_it_was_asked(place: Place):
    """Texts can be removed, records and numbers stay: what is in force does not hang on who may moderate."""
    await place.join("ana", "bo")
    name = await ask(place, "ana")
    assert await vote(place, name, "ana", "bo") == "adopted"
    before = await known(place)
    view = await place.view(name)
    words = {view.offer["question"], view.offer["details"], *(view.options[0].texts())}
    for digest in sorted(words):
        async with place.acting("ana") as (session, viewer):
            scope = await place.scope(session, name)
            await aftermath.redact(session, place.home, viewer, scope, digest, "other", place.now)
    place.later(minutes=1)
    assert (await place.work(name)).outcome == "adopted"
    assert [one.charter for one in (await known(place)).versions] == [SOFTWARE, WEEK]
    assert (await known(place)).current.since == before.current.since


async def test_while_the_clock_was_put_back_a_change_that_was_asked_is_being_decided_and_others_can_convene(
    place: Place,
):
    """It was ahead by an hour when this was asked: the records are held back, the collective goes on."""
    await place.join("ana", "bo", "cem")
    place.later(hours=1)
    await ask(place, "ana")
    about = await ask_about(place, "ana", "bo")
    place.later(hours=-1)
    found = await known(place)
    assert (found.current.number, found.underway is not None) == (1, True)
    with pytest.raises(Conflict):
        await ask(place, "ana", replace(CHANGE, charter=STRICTEST))
    async with place.database.READ() as session:
        asked = await removals.asked_about(session, await member(place, "bo"), place.now)
    assert asked is not None
    assert (asked.scope.name, asked.is_open(place.now), asked.is_due(place.now)) == (about, True, False)
    await place.convene("ana", ALONE)


async def test_one_change_is_asked_at_a_time_by_who_may_and_about_what_they_saw(place: Place):
    await place.join("ana", "bo")
    for by, change, refusal, code in (
        ("bo", CHANGE, NotAllowed, "convene"),
        ("ana", replace(CHANGE, seen=2), Conflict, "charter-changed"),
    ):
        with pytest.raises(refusal) as refused:
            await ask(place, by, change)
        assert refused.value.code == code
    wrong = Change({**SOFTWARE, "window": 7}, "Because.", "approval", timedelta(), "federation", 1)
    with pytest.raises(Invalid) as invalid:
        await ask(place, "ana", wrong)
    assert set(invalid.value.fields) == {"window", "why", "method", "talk", "visibility"}
    with pytest.raises(Invalid, match="in force already"):
        await ask(place, "ana", replace(CHANGE, charter=SOFTWARE))
    async with place.database.READ() as session:
        assert await session.scalar(select(func.count()).select_from(Scope)) == 0
    await ask(place, "ana")
    with pytest.raises(Conflict) as refused:
        await ask(place, "ana", replace(CHANGE, charter=STRICTEST))
    assert refused.value.code == "charter-asked"


async def test_nobody_changes_what_is_proposed(place: Place):
    """Not even the collective that made it: what would be in force stands beside the records."""
    await place.join("ana", "bo")
    name = await ask(place, "ana")
    (option,) = (await place.view(name)).options
    for instant in (place.now, place.now + timedelta(hours=1)):
        place.now = instant
        async with place.acting("ana") as (session, viewer):
            scope = await place.scope(session, name)
            with pytest.raises(TooLate):
                await proposing.amend(
                    session, place.home, viewer, scope, option.digest, "Something else", "", place.now
                )


async def test_of_two_who_ask_at_once_one_is_first(place: Place):
    await place.join("ana", "bo")
    changes = [CHANGE, replace(CHANGE, charter=STRICTEST)]
    ends = await asyncio.gather(*(ask(place, "ana", one) for one in changes), return_exceptions=True)
    assert sorted(type(end) for end in ends if isinstance(end, BaseException)) == [Conflict]
    async with place.database.READ() as session:
        assert await session.scalar(select(func.count()).select_from(ProposedCharter)) == 1
        assert await session.scalar(select(func.count()).select_from(Scope)) == 1


async def test_the_signed_proposal_says_every_parameter_in_the_language_of_the_collective(place: Place):
    await place.join("ana", "bo")
    async with place.database.ACT.begin() as session:
        await choose(session, "language", "es", place.now, None)
    name = await ask(place, "ana", replace(CHANGE, visibility="collective"))
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        assert scope.visibility == "collective"
        (option,) = await ledger.of_types(session, scope.id, ("Option",))
        texts = await ledger.texts(session, scope.id)
        row = texts[option["details"]]
    assert row.lang == "es"
    lines = (row.text or "").split("\n")
    assert len(lines) == 1 + len(SOFTWARE)
    assert [line for line in lines[1:] if "7 días" in line and "5 minutos" in line] == [lines[2]]
