"""Activities that are written down, or handled, together: each has its own effect and its own end, as if it had come alone."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.events import log
from models.follows import Follow
from models.ledger import TextRow
from models.posts import Activity
from models.queues import InboxItem
from models.rules.refusals import NotAllowed
from server.home import Home
from server.peers.handlers import HANDLERS, table
from server.peers.received import Received, Word, one_by_one
from server.workers import inbox
from server.workers.inbox import inbox_due
from tests.server.peers.joint import Joint
from tests.server.peers.world import Stranger, World

OAK = "http://oak.test/c/oak"


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A type of activity, "Test", for which a test says what is done, by the last word of the activity's id."""
    told: dict[str, Any] = {}

    async def check(app: web.Application, item: Received) -> str:
        word = item.activity.id.rsplit("/", 1)[1]
        if "check" in told:
            await told["check"](app, word)
        return word

    async def act(session: AsyncSession, home: Home, item: Received, word: str, now: datetime) -> Word:
        log(session, "acted", now, word=word)
        await told.get(word, nothing)(session)
        return "done"

    extended = table([*HANDLERS.items(), ("Test", (check, one_by_one(act)))])
    monkeypatch.setattr("server.workers.inbox.HANDLERS", extended)
    monkeypatch.setattr("server.peers.inbox.HANDLERS", extended)
    return told


async def nothing(session: AsyncSession) -> None:
    pass


async def refuse(session: AsyncSession) -> None:
    raise NotAllowed("participant", "Only participants may.")


async def fail(session: AsyncSession) -> None:
    raise RuntimeError("nobody expected this")


async def outcomes(world: World, *words: str) -> list[str | None]:
    return [(await world.item(f"http://masto.test/a/{word}")).outcome for word in words]


async def acted(world: World) -> list[str]:
    return sorted(event.detail["word"] for event in await world.events("acted"))


async def arrive(world: World, masto: Stranger, *words: str) -> None:
    ana = masto.person("ana")
    tests = [ana.activity("Test", id=f"http://masto.test/a/{word}") for word in words]
    assert await asyncio.gather(*(world.post(ana, test) for test in tests)) == [202] * len(words)


async def test_one_that_is_refused_or_fails_leaves_the_others_as_if_it_had_not_been_there(
    world: World, masto: Stranger, acts: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    acts.update(b=refuse, d=fail)
    await arrive(world, masto, "a", "b", "c", "d", "e")
    assert await inbox_due(world.of().app) == 5
    assert await outcomes(world, "a", "b", "c", "d", "e") == ["done", "refused", "done", None, "done"]
    assert await acted(world) == ["a", "c", "e"]
    assert "nobody expected this" in caplog.text


async def test_one_whose_lease_was_lost_has_no_effect_and_the_others_have_theirs_once(
    world: World, masto: Stranger, acts: dict[str, Any]
) -> None:
    async def slow(app: web.Application, word: str) -> None:
        if word == "b":
            del acts["check"]
            world.clock.advance(inbox.LEASE + timedelta(seconds=1))
            await inbox_due(app)  # another worker takes all three over and is done first

    acts["check"] = slow
    await arrive(world, masto, "a", "b", "c")
    await inbox_due(world.of().app)
    assert await outcomes(world, "a", "b", "c") == ["done"] * 3
    assert await acted(world) == ["a", "b", "c"]


async def test_one_that_waits_long_for_its_check_keeps_no_other_waiting(
    world: World, masto: Stranger, acts: dict[str, Any]
) -> None:
    go_on = asyncio.Event()

    async def slow(_app: web.Application, word: str) -> None:
        if word == "a":
            await go_on.wait()

    acts["check"] = slow
    await arrive(world, masto, "a", "b", "c")
    handling = asyncio.create_task(inbox_due(world.of().app))
    async with asyncio.timeout(10):
        while await outcomes(world, "a", "b", "c") != [None, "done", "done"]:
            pass
        go_on.set()
        assert await handling == 3
    assert await acted(world) == ["a", "b", "c"]


async def test_follows_that_are_handled_together_each_have_their_own_end(
    world: World, masto: Stranger
) -> None:
    ana, ben, cem, dan = (masto.person(name) for name in ("ana", "ben", "cem", "dan"))
    first, again = ana.activity("Follow", object=OAK), ana.activity("Follow", object=OAK)
    undone, whole = ben.activity("Follow", object=OAK), dan.activity("Follow", object=OAK)
    nobody = cem.activity("Follow", object="http://oak.test/c/nobody")
    instance = cem.activity("Follow", object="http://oak.test/c/instance")
    assert await world.tell(ben, ben.activity("Undo", object=undone["id"])) == "ignored"
    assert await world.tell(dan, dan.activity("Follow", object=OAK)) == "done"
    said = [(ana, first), (ana, again), (ben, undone), (cem, nobody), (cem, instance), (dan, whole)]
    assert await asyncio.gather(*(world.post(by, one) for by, one in said)) == [202] * 6
    assert await inbox_due(world.of().app) == 6
    ends = [(await world.item(one["id"])).outcome for _, one in said]
    assert ends == ["done", "done", "ignored", "refused", "refused", "done"]
    assert len(await world.events("follow")) == 2  # each of ana and dan once
    assert await world.count(Follow) == 2
    assert await world.count(Follow, Follow.activity_uri == whole["id"]) == 1
    types = [document["type"] for document in await published(world)]
    assert sorted(types) == ["Accept"] * 4 + ["Reject"]


async def published(world: World) -> list[dict[str, Any]]:
    async with world.database().READ() as session:
        return [json.loads(body) for body in (await session.scalars(select(Activity.body))).all()]


async def test_what_one_actor_says_is_done_in_its_order_whatever_others_say_beside_it(
    world: World, masto: Stranger
) -> None:
    ana, ben, cem, dan = (masto.person(name) for name in ("ana", "ben", "cem", "dan"))
    for by, type_ in (
        (cem, "Follow"),
        (dan, "Block"),
        (ana, "Block"),
        (ben, "Follow"),
        (ana, "Follow"),
        (ben, "Block"),
    ):
        assert await world.post(by, by.activity(type_, object=OAK)) == 202
    assert await inbox_due(world.of().app) == 6
    async with world.database().READ() as session:
        assert set(await session.scalars(select(Follow.follower))) == {ana.uri, cem.uri}


async def test_a_record_that_several_bring_together_counts_once_and_a_false_text_keeps_out_no_true_one(
    world: World,
) -> None:
    elm = await world.stranger("elm")
    joint = Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or ""])
    await world.tell(joint.convener, joint.offering())
    (van, texts), (bus, _) = joint.option(joint.convener), joint.option(joint.convener, "Rent a bus")
    lies = {digest: {**text, "text": "other words"} for digest, text in texts.items()}
    told = [
        joint.adding(joint.convener, van, texts=texts),
        joint.adding(joint.convener, van, bus, texts=lies),
        joint.adding(joint.convener, joint.answer(joint.convener), bus),
        joint.adding(joint.convener, van, bus),
    ]
    assert await asyncio.gather(*(world.post(joint.convener, one) for one in told)) == [202] * 4
    assert await inbox_due(world.of().app) == 4
    assert {(await world.item(one["id"])).outcome for one in told} <= {"done", "ignored"}
    counted = [event.detail["records"] for event in await world.events("records received")]
    assert sum(counted) == 1 + 3  # the offer, two options, an answer
    async with world.database().READ() as session:
        assert "Buy the blue van" in (await session.scalars(select(TextRow.text))).all()


async def test_many_at_the_door_at_once_are_each_let_in_or_turned_away_by_their_own_merits(
    world: World, masto: Stranger
) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")
    eve = (await world.stranger("evil")).person("eve")
    wish = ana.activity("Follow", object=OAK)
    foreign = {**ben.activity("Follow", object=OAK), "actor": ana.uri}
    posts = [
        *(world.post(ana, wish) for _ in range(3)),
        *(world.post(ben, ben.activity("Follow", object=OAK)) for _ in range(3)),
        world.post(ben, foreign),
        world.post(eve, {**wish, "id": f"{wish['id']}/2"}),
        world.post(ana, ana.activity("Dance")),
    ]
    assert await asyncio.gather(*posts) == [202] * 6 + [401, 401, 202]
    assert await world.count(InboxItem) == 4
    kinds = [(await world.events(f"activity {word}")) for word in ("received", "repeated", "ignored")]
    assert [len(events) for events in kinds] == [4, 2, 1]
    assert await inbox_due(world.of().app) == 4
    assert await world.count(Follow) == 2
