"""Repair: what one participant lacks it pulls from another, and a hostile one gives it nothing but what is proved."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activitypub import vocabulary
from models import ledger
from models.ledger import Participant, RecordRow, Scope, TextRow
from models.rules import merkle, records
from server.actions import signers
from server.workers import repair
from server.workers.repair import next_repair, repairs_due
from tests.models.rules import builders
from tests.server.peers.joint import Joint
from tests.server.peers.world import Person, Stranger, World

Json = dict[str, Any]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def key_of(world: World, name: str = "oak") -> str:
    return (await world.collective(name)).ed25519 or ""


async def held(world: World, name: str = "oak") -> list[str]:
    """The types of all records that an instance holds, sorted."""
    async with world.database(name).READ() as session:
        return sorted((await session.scalars(select(RecordRow.type))).all())


async def scope_of(world: World, joint: Joint, name: str = "oak") -> Scope:
    async with world.database(name).READ() as session:
        found = await ledger.scope_named(session, joint.name)
    assert found is not None
    return found


async def participant(world: World, key: str, name: str = "oak") -> Participant:
    async with world.database(name).READ() as session:
        return (await session.scalars(select(Participant).where(Participant.key == key))).one()


def head(joint: Joint, server: Stranger, carried: Sequence[Json], **changed: Any) -> Json:
    """What a participant says it holds."""
    digests = [records.digest(record) for record in carried]
    said: Json = {
        "v": 1,
        "type": "Head",
        "scope": joint.name,
        "root": merkle.set_root(digests),
        "count": len(digests),
        "buckets": {digit: list(entry) for digit, entry in merkle.buckets(digests).items()},
        **changed,
    }
    return vocabulary.ordered_collection(f"{server.url}/scopes/{joint.name}", record=said)


def holds(joint: Joint, server: Stranger, *carried: Json, texts: Json | None = None, **changed: Any) -> None:
    """From now on the stranger shows these records in its scope, one page per bucket."""
    path = f"/scopes/{joint.name}"
    server.says(path, head(joint, server, carried, **changed))
    for digit in merkle.HEX:
        mine = [record for record in carried if records.digest(record).startswith(digit)]
        items = [vocabulary.quiet_object([record], texts) for record in sorted(mine, key=records.digest)]
        url = f"{server.url}{path}"
        page = vocabulary.ordered_collection_page(f"{url}?bucket={digit}", url, items)
        server.says(f"{path}?bucket={digit}", page)


@pytest.fixture
async def elm(world: World) -> Stranger:
    """Another instance of our kind."""
    return await world.stranger("elm")


@pytest.fixture
async def joint(world: World, elm: Stranger) -> Joint:
    """A decision of elm's collective that has arrived at oak."""
    made = Joint(world, elm.kin("elm"), [await key_of(world)])
    assert await world.tell(made.convener, made.offering()) == "done"
    return made


async def test_what_two_of_three_hold_the_third_pulls_from_either(two: World) -> None:
    ash = await two.stranger("ash")
    joint = Joint(two, ash.kin("ash"), [await key_of(two, "oak"), await key_of(two, "elm")])
    to = ["http://oak.test/c/oak", "http://elm.test/c/elm"]
    for name in ("oak", "elm"):
        assert await two.tell(joint.convener, joint.offering(to=to), to=name) == "done"
    ash.is_down = True
    option, texts = joint.option(joint.convener)
    two_circles = [joint.answer(joint.convener), option]
    assert await two.tell(joint.convener, joint.adding(joint.convener, *two_circles, texts=texts)) == "done"
    assert await held(two, "elm") == ["Offer"]
    await repairs_due(two.of("elm").app)
    assert await held(two, "elm") == ["Answer", "Offer", "Option"]
    async with two.database("elm").READ() as session:
        assert "Buy the blue van" in (await session.scalars(select(TextRow.text))).all()
    assert (await participant(two, await key_of(two, "oak"), "elm")).agreed_at == two.clock.now()
    assert (await participant(two, joint.convener.key, "elm")).failures == 1


async def test_equal_sets_cost_one_signed_get(world: World, elm: Stranger, joint: Joint) -> None:
    holds(joint, elm, joint.offer)
    elm.asked.clear()
    assert await repairs_due(world.of().app) == 1
    [asked] = elm.asked
    assert asked.target == f"/scopes/{joint.name}"
    assert 'keyId="http://oak.test/c/instance#main-key"' in asked.headers["Signature"]
    row = await scope_of(world, joint)
    assert (row.repaired_at, row.repair_lease) == (world.clock.now(), None)
    assert row.repair_at is not None
    assert row.repair_at > world.clock.now()
    assert (await participant(world, joint.convener.key)).agreed_at == world.clock.now()
    assert await repairs_due(world.of().app) == 0


async def test_only_buckets_that_differ_are_pulled(world: World, elm: Stranger, joint: Joint) -> None:
    option, texts = joint.option(joint.convener)
    holds(joint, elm, joint.offer, option, texts=texts)
    elm.asked.clear()
    await repairs_due(world.of().app)
    assert await held(world) == ["Offer", "Option"]
    same = records.digest(option)[0] == joint.name[0]
    assert elm.gets("/scopes") == [
        f"/scopes/{joint.name}",
        f"/scopes/{joint.name}?bucket={records.digest(option)[0]}",
    ]
    assert same or f"/scopes/{joint.name}?bucket={joint.name[0]}" not in elm.gets()


async def test_an_answer_that_came_before_its_offer_is_there_after_the_repair(
    world: World, elm: Stranger
) -> None:
    ash = (await world.stranger("ash")).kin("ash")
    joint = Joint(world, elm.kin("elm"), [await key_of(world), ash.key])
    answer = joint.answer(ash)
    assert await world.tell(ash, ash.activity("Accept", object="x", **{"jura:record": answer})) == "ignored"
    assert await world.tell(joint.convener, joint.offering(to=[ash.uri])) == "done"
    holds(joint, elm, joint.offer, answer)
    await repairs_due(world.of().app)
    assert await held(world) == ["Answer", "Offer"]


async def test_a_decision_of_our_own_alone_is_not_repaired(world: World, elm: Stranger, joint: Joint) -> None:
    async with world.database().ACT.begin() as session:
        row = await session.get_one(Participant, (await participant(world, joint.convener.key)).id)
        await session.delete(row)
    assert await repairs_due(world.of().app) == 1
    assert (await scope_of(world, joint)).repair_at is None


async def test_where_nothing_was_gained_nothing_is_pulled_again_until_something_changes(
    world: World, elm: Stranger, joint: Joint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are full of records by keys that nobody named, each of others."""
    monkeypatch.setattr(signers, "MOST_UNNAMED", 0)
    answer, (option, texts) = joint.answer(joint.convener), joint.option(elm.kin("passer-by"))
    holds(joint, elm, joint.offer, option, texts=texts)

    async def asked() -> int:
        elm.asked.clear()
        world.clock.advance(repair.INTERVAL)
        assert await repairs_due(world.of().app) == 1
        return len(elm.gets("/scopes"))

    assert [await asked() for _ in range(3)] == [2, 1, 1]
    assert (await participant(world, joint.convener.key)).agreed_at is None
    monkeypatch.setattr(signers, "MOST_UNNAMED", 500)
    assert await world.tell(joint.convener, joint.adding(joint.convener, answer)) == "done"
    assert await held(world) == ["Answer", "Offer"]
    assert await asked() > 1
    assert await held(world) == ["Answer", "Offer", "Option"]
    holds(joint, elm, joint.offer, option, answer, texts=texts)
    await asked()
    assert (await participant(world, joint.convener.key)).agreed_at == world.clock.now()


async def test_after_the_end_who_gained_nothing_looks_again_as_seldom_as_who_agrees(
    world: World, elm: Stranger, joint: Joint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signers, "MOST_UNNAMED", 0)
    option, texts = joint.option(elm.kin("passer-by"))
    holds(joint, elm, joint.offer, option, texts=texts)
    world.clock.advance(4 * DAY)
    await repairs_due(world.of().app)
    due = (await scope_of(world, joint)).repair_at
    assert due is not None
    assert due >= world.clock.now() + repair.LONGEST


def test_what_is_remembered_of_those_who_gave_nothing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "REMEMBERED", 2)
    table = repair.InVain()
    for key in ("a", "b", "a", "c"):
        table.add("scope", key, "theirs", "ours")
    assert [("scope", key, "theirs", "ours") in table for key in "abc"] == [True, False, True]


# Those who cannot be reached


async def test_who_cannot_be_reached_is_asked_less_often_and_counted(
    world: World, elm: Stranger, joint: Joint
) -> None:
    elm.is_down = True
    for failures in (1, 2, 3):
        await repairs_due(world.of().app)
        assert (await participant(world, joint.convener.key)).failures == failures
        due = (await scope_of(world, joint)).repair_at
        assert due is not None
        world.clock.advance(due - world.clock.now())
    elm.is_down = False
    holds(joint, elm, joint.offer)
    world.clock.advance(HOUR)
    await repairs_due(world.of().app)
    back = await participant(world, joint.convener.key)
    assert (back.failures, back.agreed_at) == (0, world.clock.now())


async def test_one_dead_participant_keeps_nothing_from_the_living(world: World, elm: Stranger) -> None:
    dead = (await world.stranger("dead")).kin("dead")
    joint = Joint(world, elm.kin("elm"), [await key_of(world), dead.key])
    await world.tell(joint.convener, joint.offering(to=[dead.uri]))
    world.strangers["dead"].is_down = True
    answer = joint.answer(joint.convener)
    holds(joint, elm, joint.offer, answer)
    await repairs_due(world.of().app)
    assert await held(world) == ["Answer", "Offer"]


# Those who mean harm


BAD_HEADS: list[Json] = [
    {"type": "Tail"},
    {"scope": "0" * 64},
    {"root": 7},
    {"buckets": []},
    {"buckets": {"x": [1, "0" * 64]}},
    {"buckets": {"a": [1]}},
    {"buckets": {"a": ["1", "0" * 64]}},
    {"buckets": {"a": [True, "0" * 64]}},
    {"buckets": {"ab": [1, "0" * 64]}},
]


@pytest.mark.parametrize("changed", BAD_HEADS, ids=repr)
async def test_a_head_that_makes_no_sense_is_a_failure_and_nothing_more(
    world: World, elm: Stranger, joint: Joint, changed: Json
) -> None:
    holds(joint, elm, joint.offer, joint.answer(joint.convener), **changed)
    await repairs_due(world.of().app)
    assert await held(world) == ["Offer"]
    assert (await participant(world, joint.convener.key)).failures == 1


async def test_forged_and_foreign_records_on_a_page_are_passed_over(
    world: World, elm: Stranger, joint: Joint
) -> None:
    good, (option, texts) = joint.answer(joint.convener), joint.option(joint.convener)
    forged = {**option, "at": "2026-11-22T09:00:00Z"}
    other = Joint(world, joint.convener, [await key_of(world)], changed={"grace": 7200})
    rubbish = {"type": "Poem", "by": 7, "scope": joint.name}
    holds(joint, elm, joint.offer, forged, other.answer(joint.convener), rubbish, good, texts=texts)
    await repairs_due(world.of().app)
    assert await held(world) == ["Answer", "Offer"]
    assert await world.count(Scope) == 1
    assert (await participant(world, joint.convener.key)).agreed_at is None


async def test_pages_that_go_round_in_circles_are_left(world: World, elm: Stranger, joint: Joint) -> None:
    holds(joint, elm, joint.offer, joint.answer(joint.convener))
    path = f"/scopes/{joint.name}"
    forged = {**joint.option(joint.convener)[0], "at": "2026-11-22T09:00:00Z"}
    page = {"orderedItems": [vocabulary.quiet_object([forged])], "next": "http://elm.test/again"}
    digit, digest = records.digest(forged)[0], records.digest(forged)
    elm.says(path, head(joint, elm, [], buckets={digit: [9, "0" * 64]}))
    for target in (f"{path}?bucket={digit}", f"{path}?bucket={digit}&after={digest}"):
        elm.says(target, {**page, "id": f"{elm.url}{target}"})
    elm.asked.clear()
    await repairs_due(world.of().app)
    assert len(elm.gets("/scopes")) == 3
    assert (await participant(world, joint.convener.key)).failures == 1


async def test_a_page_of_too_many_records_is_not_read(world: World, elm: Stranger, joint: Joint) -> None:
    answer = joint.answer(joint.convener)
    digit = records.digest(answer)[0]
    path = f"/scopes/{joint.name}"
    elm.says(path, head(joint, elm, [joint.offer, answer]))
    items = [vocabulary.quiet_object([answer])] * (repair.PAGE_RECORDS + 1)
    url = f"{elm.url}{path}?bucket={digit}"
    elm.says(f"{path}?bucket={digit}", vocabulary.ordered_collection_page(url, path, items))
    await repairs_due(world.of().app)
    assert await held(world) == ["Offer"]


async def test_an_actor_that_names_no_scopes_is_looked_up_again_and_then_given_up_for_now(
    world: World, elm: Stranger, joint: Joint
) -> None:
    holds(joint, elm, joint.offer)
    who: Person = joint.convener
    record = who.changed.pop("jura:record")
    async with world.database().ACT.begin() as session:
        known = await session.get_one(Participant, (await participant(world, who.key)).id)
        assert known.actor_uri == who.uri
    await world.tell(who, who.activity("Update", object=who.uri))
    await repairs_due(world.of().app)
    assert (await participant(world, who.key)).failures == 1
    who.changed["jura:record"] = record
    world.clock.advance(HOUR)
    await repairs_due(world.of().app)
    assert (await participant(world, who.key)).failures == 0


# When


def decision(**changed: Any) -> builders.Joint:
    """A decision with all that its voting needs."""
    return builders.Joint(("oak", "elm"), changed=changed).prepare()


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (timedelta(), timedelta(minutes=10)),
        (HOUR - MINUTE, HOUR),
        (2 * HOUR - MINUTE, 2 * HOUR),
        (50 * HOUR - MINUTE, 50 * HOUR),
    ],
)
def test_a_living_decision_is_compared_every_ten_minutes_and_at_its_instants(
    at: timedelta, due: timedelta
) -> None:
    found = next_repair(decision().records, True, 0, builders.START + at)
    assert found == builders.START + due


def test_a_short_decision_is_compared_more_often() -> None:
    changed = {
        "gatherUntil": builders.START + 2 * MINUTE,
        "respondBy": builders.START + 2 * MINUTE,
        "opensAt": builders.START + 2 * MINUTE,
        "closesAt": builders.START + 7 * MINUTE,
        "grace": 60,
        "challenge": 0,
        "maxWait": 3600,
    }
    short = builders.Joint(("oak", "elm"), changed=changed)
    found = next_repair(short.records, True, 0, builders.START)
    assert found == builders.START + repair.SHORTEST


def ended(all_agree: bool, failures: int, after: timedelta) -> datetime | None:
    """For a decision that lapsed, as nobody proposed anything."""
    return next_repair(
        builders.Joint(("oak", "elm")).records, all_agree, failures, builders.START + 50 * HOUR + after
    )


def test_after_the_end_it_is_compared_less_and_less_often_and_not_for_ever() -> None:
    agreed = [ended(True, 0, after) for after in (HOUR, 4 * DAY)]
    assert agreed == [builders.START + 51 * HOUR + repair.LONGEST, builders.START + 50 * HOUR + 5 * DAY]
    assert ended(True, 0, 60 * DAY) is None
    pauses = []
    for after in (HOUR, DAY, 3 * DAY):
        due = ended(False, 0, after)
        assert due is not None
        pauses.append(due - builders.START - 50 * HOUR - after)
    assert pauses == sorted(pauses)
    assert pauses[0] >= repair.INTERVAL
    assert pauses[-1] == repair.LONGEST
    assert ended(False, 3, 60 * DAY) is None
    assert next_repair([], False, 0, builders.START) is None
