"""A collective decides by itself: the assembly, dealt circles, drafts and confirmations, states by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from activitypub.errors import NotAuthentic
from models import decisions, ledger
from models.events import Event
from models.ledger import RecordRow
from models.people import Actor
from models.posts import Activity, Post
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, TooEarly, TooLate
from server.actions import aftermath, balloting, convening
from server.actions import people as joining
from server.actions.balloting import Words
from server.actions.convening import Plan
from server.actions.hearing import verified
from server.actions.telling import us
from server.home import Home

from .conftest import Place

REASON = "It is what we need most, and we can pay it."
PLAN = Plan(
    "Shall we buy a kettle?",
    proposals=(("Buy a kettle", "A red one."),),
    window=timedelta(hours=1),
    grace=timedelta(minutes=1),
    challenge=timedelta(),
    max_wait=timedelta(hours=2),
)


async def draft(place: Place, login: str, name: str, words: Words, base: int = 0) -> int:
    async with place.acting(login) as (session, viewer):
        scope = await place.scope(session, name)
        return (await balloting.save_draft(session, viewer, scope, words, base, place.now)).number


async def confirm(place: Place, login: str, name: str, number: int) -> str | None:
    async with place.acting(login) as (session, viewer):
        scope = await place.scope(session, name)
        return await balloting.confirm(session, place.home, viewer, scope, number, place.now)


async def test_one_person_alone_decides_and_it_is_final_without_anybody_else(place: Place):
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    assert (await place.work(name)).state == "voting"
    number = await draft(place, "ana", name, Words({"position": "consent"}))
    assert await confirm(place, "ana", name, number) is not None
    place.later(hours=1, seconds=1)
    assert (await place.work(name)).state == "closing"
    place.later(minutes=2)
    view = await place.work(name)
    assert (view.state, view.outcome) == ("final", "adopted")
    async with place.database.READ() as session:
        row = await session.get(decisions.Decision, (await place.scope(session, name)).id)
        assert row is not None
        assert (row.state, row.outcome, row.count_root) == ("final", "adopted", view.count_root)


async def test_nobody_convenes_without_a_mandate_in_force(place: Place):
    await place.join("ana", "bo")
    with pytest.raises(NotAllowed):
        await place.convene("bo", PLAN)
    place.later(days=31)
    with pytest.raises(NotAllowed):
        await place.convene("ana", PLAN)
    async with place.database.READ() as session:
        assert (await session.scalars(select(RecordRow))).all() == []


async def test_a_ballot_goes_out_with_the_confirmation_that_makes_two_thirds_and_not_before(place: Place):
    await place.join("ana", "bo", "cem", "dara")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    number = await draft(place, "bo", name, Words({"position": "concern"}, REASON))
    assert await confirm(place, "bo", name, number) is None
    assert await confirm(place, "bo", name, number) is None
    assert await confirm(place, "cem", name, number) is None
    digest = await confirm(place, "dara", name, number)
    assert digest is not None
    entry = (await place.view(name)).entries[0]
    assert (entry.ballot.digest, entry.ballot["confirmed"], entry.ballot["position"]) == (
        digest,
        3,
        "concern",
    )


async def test_a_changed_draft_needs_new_confirmations_and_a_stale_one_overwrites_nobody(place: Place):
    await place.join("ana", "bo", "cem")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    first = await draft(place, "ana", name, Words({"position": "consent"}))
    await confirm(place, "ana", name, first)
    second = await draft(place, "bo", name, Words({"position": "stand-aside"}, REASON), base=first)
    with pytest.raises(Conflict):
        await draft(place, "cem", name, Words({"position": "consent"}), base=first)
    with pytest.raises(Conflict):
        await confirm(place, "cem", name, first)
    assert await confirm(place, "cem", name, second) is None
    assert await confirm(place, "ana", name, second) is not None


async def test_a_confirmation_can_be_taken_back_until_the_ballot_is_cast(place: Place):
    await place.join("ana", "bo", "cem")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    number = await draft(place, "ana", name, Words({"position": "consent"}))
    await confirm(place, "ana", name, number)
    async with place.acting("ana") as (session, viewer):
        await balloting.unconfirm(session, viewer, await place.scope(session, name), number)
    assert await confirm(place, "bo", name, number) is None
    assert await confirm(place, "cem", name, number) is not None
    async with place.acting("bo") as (session, viewer):
        with pytest.raises(Conflict):
            await balloting.unconfirm(session, viewer, await place.scope(session, name), number)


async def test_until_the_close_a_ballot_can_be_replaced_and_the_last_one_counts(place: Place):
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    one = await confirm(place, "ana", name, await draft(place, "ana", name, Words({"position": "consent"})))
    words = Words(
        {"position": "object"},
        "It would cost us all that we have saved.",
        "A smaller one, second hand, would do.",
    )
    two = await confirm(place, "ana", name, await draft(place, "ana", name, words, base=1))
    entry = (await place.view(name)).entries[0]
    assert [b.digest for b in entry.ballots] == [one, two]
    assert (entry.ballot.digest, entry.ballot["seq"], entry.ballot["prev"]) == (two, 2, one)


async def test_a_ballot_needs_an_open_voting(place: Place):
    await place.join("ana")
    plan = Plan(
        "Shall we wait?", proposals=(("Wait", ""),), gather=timedelta(hours=1), window=timedelta(hours=1)
    )
    name = await place.convene("ana", plan)
    await place.work(name)
    number = await draft(place, "ana", name, Words({"position": "consent"}))
    with pytest.raises(TooEarly):
        await confirm(place, "ana", name, number)
    place.later(hours=3)
    await place.work(name)
    with pytest.raises(TooLate):
        await confirm(place, "ana", name, number)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (Words({"position": "maybe"}, REASON), "position"),
        (Words({"position": "concern"}, "too short"), "reason"),
        (Words({"position": "object"}, REASON, "short"), "resolve"),
    ],
)
async def test_a_draft_says_what_it_lacks(place: Place, words: Words, field: str):
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    with pytest.raises(Invalid) as refused:
        await draft(place, "ana", name, words)
    assert field in refused.value.fields


async def test_from_six_members_on_circles_are_dealt_and_each_sees_only_its_own(place: Place):
    await place.join("m1", "m2", "m3", "m4", "m5", "m6", "m7")
    name = await place.convene("m1", PLAN)
    view = await place.work(name)
    assert sorted(entry.place.size for entry in view.entries) == [3, 4]
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        seats = {m: (await decisions.seat_of(session, scope.id, m)).circle_id for m in range(1, 8)}
    assert len(set(seats.values())) == 2


async def test_who_joined_after_the_roll_was_frozen_has_no_seat(place: Place):
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    token = joining.new_token()
    async with place.acting("ana") as (session, viewer):
        await joining.invite(session, viewer, joining.token_digest(token), 1, place.now)
        await joining.join(session, token, "bo", "Bo", "x", place.now)
    async with place.acting("bo") as (session, viewer):
        with pytest.raises(NotFound):
            await balloting.seat(session, viewer, await place.scope(session, name))


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan("?", proposals=(("Yes", ""),)), "question"),
        (Plan("Which one?", method="approval", proposals=(("One", ""),)), "proposals"),
        (Plan("Which one?", proposals=(("One", ""), ("Two", ""))), "proposals"),
        (Plan("Now?", proposals=(("Now", ""),), window=timedelta(minutes=4)), "window"),
        (Plan("How?", method="lots", proposals=(("One", ""),)), "method"),
    ],
)
async def test_a_plan_says_what_is_to_be_mended(place: Place, plan: Plan, field: str):
    await place.join("ana")
    with pytest.raises(Invalid) as refused:
        await place.convene("ana", plan)
    assert field in refused.value.fields


async def test_a_removed_text_goes_from_the_ledger_the_posts_and_the_draft_and_the_count_stays(place: Place):
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    secret = "My neighbour at number nine never pays her share."
    number = await draft(place, "ana", name, Words({"position": "concern"}, secret))
    await confirm(place, "ana", name, number)
    before = (await place.view(name)).entries
    async with place.acting("ana") as (session, viewer):
        scope = await place.scope(session, name)
        digest = before[0].ballot["reason"]
        await aftermath.redact(session, place.home, viewer, scope, digest, "personal", place.now)
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        stored = [post.body for post in (await session.scalars(select(Post))).all()]
        stored += [activity.body for activity in (await session.scalars(select(Activity))).all()]
        assert not any(b"number nine" in body for body in stored)
        text = (await ledger.texts(session, scope.id, [digest]))[digest]
        assert (text.text, text.salt, text.redaction_code) == (None, None, "personal")
        left = await decisions.latest_draft(session, scope.id, 1)
        assert left is not None
        assert left.reason == ""
    after = (await place.view(name)).entries
    assert after[0].ballot == before[0].ballot
    async with place.acting("ana") as (session, viewer):
        with pytest.raises(NotFound):
            await aftermath.redact(
                session, place.home, viewer, await place.scope(session, name), digest, "personal", place.now
            )


async def test_a_removed_title_goes_from_the_poll_and_removed_words_from_every_draft(place: Place):
    await place.join("ana")
    title = "Buy it from the thief at number nine"
    plan = replace(PLAN, method="approval", proposals=((title, ""), ("Buy a new one", "")))
    name = await place.convene("ana", plan)
    view = await place.work(name)
    [option] = [o for o in view.options if (await said(place, name, o["title"])) == title]
    first = await draft(place, "ana", name, Words({"choices": ["status-quo"]}, title))
    second = await draft(place, "ana", name, Words({"choices": [option.digest]}, title), base=first)
    await confirm(place, "ana", name, second)
    reason = (await place.view(name)).entries[0].ballot["reason"]
    async with place.acting("ana") as (session, viewer):
        scope = await place.scope(session, name)
        for digest in (option["title"], reason):
            await aftermath.redact(session, place.home, viewer, scope, digest, "personal", place.now)
    async with place.database.READ() as session:
        stored = [post.body for post in (await session.scalars(select(Post))).all()]
        stored += [activity.body for activity in (await session.scalars(select(Activity))).all()]
        assert not any(b"number nine" in body for body in stored)
        drafts = (await session.scalars(select(decisions.Draft))).all()
        assert [each.reason for each in drafts] == ["", ""]


async def said(place: Place, name: str, digest: str) -> str | None:
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        return (await ledger.texts(session, scope.id, [digest]))[digest].text


async def test_the_log_never_says_who_sat_where_or_stood_for_what(place: Place):
    await place.join("ana", "bo", "cem")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    async with place.acting("bo") as (session, viewer):
        scope = await place.scope(session, name)
        await balloting.note_position(
            session, viewer, scope, {"position": "object"}, "not so fast", place.now
        )
    number = await draft(place, "bo", name, Words({"position": "consent"}))
    await confirm(place, "bo", name, number)
    await confirm(place, "cem", name, number)
    async with place.database.READ() as session:
        events = (await session.scalars(select(Event))).all()
    assert any(event.kind == "ballot cast" for event in events)
    for event in events:
        assert not {"member", "circle", "position", "login"} & set(event.detail)
        assert not any(word in str(event.detail) for word in ("bo", "cem", "object", "not so fast"))


async def test_nothing_of_an_action_stays_if_it_ends_in_a_refusal(place: Place):
    await place.join("ana")
    with pytest.raises(Invalid):
        await place.convene("ana", Plan("No", proposals=(("One", ""), ("Two", ""))))
    async with place.database.READ() as session:
        assert (await session.scalars(select(ledger.Scope))).all() == []
        assert (await session.scalars(select(Activity))).all() == []


async def test_a_decision_of_the_collective_alone_can_be_withdrawn_before_it_opens(place: Place):
    await place.join("ana")
    plan = Plan("Shall we wait?", proposals=(("Wait", ""),), gather=timedelta(hours=1))
    name = await place.convene("ana", plan)
    async with place.acting("ana") as (session, viewer):
        await convening.withdraw(
            session, place.home, viewer, await place.scope(session, name), "Not now.", place.now
        )
    assert (await place.work(name)).state == "withdrawn"
    other = await place.convene("ana", PLAN)
    async with place.acting("ana") as (session, viewer):
        with pytest.raises(TooLate):
            await convening.withdraw(
                session, place.home, viewer, await place.scope(session, other), "", place.now
            )


async def test_nobody_can_list_a_circle_that_does_not_sit_for_it_and_so_strike_it_off_the_roll(place: Place):
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        collective, instance = await us(session)
        answers = [d for d in await ledger.documents(session, scope.id, place.now) if d["type"] == "Answer"]
    assert verified(answers)[0].record.by == collective.ed25519
    theirs = answers[0]["circles"][0]
    others = Answering(place.home, instance)
    with pytest.raises(NotAuthentic):
        verified([others.answer(name, [theirs], place.now)])
    with pytest.raises(NotAuthentic):
        verified([others.answer(name, [{**theirs, "key": instance.ed25519}], place.now)])


@dataclass(frozen=True)
class Answering:
    """Somebody who answers with circles of their choice (the instance's key stands in for a second collective's)."""

    home: Home
    by: Actor

    def answer(self, name: str, circles: list[dict[str, object]], now: datetime) -> Mapping[str, object]:
        return self.home.sign(
            self.by,
            "Answer",
            name,
            now,
            takes="binding",
            circles=circles,
            keeps=True,
            instance=self.by.ed25519,
            actor="https://elm.example/c/elm",
            round=1,
        ).document
