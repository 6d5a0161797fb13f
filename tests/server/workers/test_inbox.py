"""What waits in the inbox is handled once, whatever happens in between."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.errors import Unreachable
from models.events import log
from models.follows import Follow
from models.incoming import claim_inbox
from models.queues import Delivery, InboxItem
from models.rules import backoff
from models.talk import Reaction, Reply
from server import fetching
from server.home import Home
from server.peers import handlers
from server.peers.handlers import HANDLERS, table
from server.peers.received import Received, Word, one_by_one
from server.workers import inbox
from server.workers.inbox import inbox_due
from tests.server.peers.talk import create, note, ours
from tests.server.peers.world import Person, Stranger, World

OAK = "http://oak.test/c/oak"


def follow(by: Person) -> dict[str, Any]:
    return by.activity("Follow", object=OAK)


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A type of activity, "Test", whose check and act a test gives itself."""
    told: dict[str, Any] = {"check": None, "act": None}

    async def check(app: web.Application, item: Received) -> Any:
        return await told["check"](app, item) if told["check"] else None

    async def act(session: AsyncSession, home: Home, item: Received, checked: Any, now: datetime) -> Word:
        return await told["act"](session, now) if told["act"] else "done"

    extended = table([*HANDLERS.items(), ("Test", (check, one_by_one(act)))])
    monkeypatch.setattr("server.workers.inbox.HANDLERS", extended)
    monkeypatch.setattr("server.peers.inbox.HANDLERS", extended)
    return told


def test_no_type_has_two_handlers() -> None:
    with pytest.raises(ValueError, match="two handlers"):
        handlers.table([*HANDLERS.items(), ("Follow", HANDLERS["Undo"])])


async def test_the_row_keeps_the_word_and_the_id_and_loses_the_body(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    assert await world.tell(ana, wish) == "done"
    item = await world.item(wish["id"])
    assert (item.body, item.reason, item.due_at, item.lease_until) == (None, None, None, None)
    assert (item.attempts, item.done_at) == (1, world.clock.now())
    assert await inbox_due(world.of().app) == 0


async def test_killed_before_acting_it_is_done_when_the_lease_ends(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    await world.post(ana, wish)
    async with world.database().ACT.begin() as session:  # claimed by a worker that died
        await claim_inbox(session, world.clock.now(), inbox.LEASE, 10)
    assert await inbox_due(world.of().app) == 0
    world.clock.advance(inbox.LEASE + timedelta(seconds=1))
    assert await inbox_due(world.of().app) == 1
    item = await world.item(wish["id"])
    assert (item.outcome, item.attempts) == ("done", 2)
    assert await world.count(Follow) == 1


async def test_what_was_said_later_waits_for_a_worker_who_was_killed(world: World, masto: Stranger) -> None:
    """An Undo that names no id finds nothing to undo before the Follow is done."""
    ana, ben = masto.person("ana"), masto.person("ben")
    wish = follow(ana)
    undo = ana.activity("Undo", object={key: wish[key] for key in ("type", "actor", "object")})
    await world.post(ana, wish)
    async with world.database().ACT.begin() as session:  # claimed by a worker that died
        await claim_inbox(session, world.clock.now(), inbox.LEASE, 10)
    assert await world.tell(ana, undo) is None
    assert await world.tell(ben, follow(ben)) == "done"
    world.clock.advance(inbox.LEASE + timedelta(seconds=1))
    assert await inbox_due(world.of().app) == 2
    assert [(await world.item(one["id"])).outcome for one in (wish, undo)] == ["done", "done"]
    assert await world.count(Follow, Follow.follower == ana.uri) == 0


async def test_killed_while_acting_nothing_is_half_done(
    world: World, masto: Stranger, doing: dict[str, Any]
) -> None:
    async def dies(session: AsyncSession, now: datetime) -> Word:
        session.add(Follow(follower="x", followed_id=1, activity_uri="y", inbox="z", at=now))
        await session.flush()
        raise asyncio.CancelledError

    doing["act"] = dies
    ana = masto.person("ana")
    await world.post(ana, ana.activity("Test"))
    with pytest.raises(asyncio.CancelledError):
        await inbox_due(world.of().app)
    assert await world.count(Follow) == 0
    doing["act"] = None
    world.clock.advance(inbox.LEASE + timedelta(seconds=1))
    assert await inbox_due(world.of().app) == 1
    assert await world.count(InboxItem, InboxItem.outcome == "done") == 1


async def test_what_a_worker_does_after_it_lost_its_lease_has_no_effect(
    world: World, masto: Stranger, doing: dict[str, Any]
) -> None:
    async def slow(app: web.Application, _: Received) -> None:
        doing["check"] = None
        world.clock.advance(inbox.LEASE + timedelta(seconds=1))
        await inbox_due(app)  # another worker takes over and is done first

    async def act(session: AsyncSession, now: datetime) -> Word:
        log(session, "acted", now)
        return "done"

    doing.update(check=slow, act=act)
    ana = masto.person("ana")
    test = ana.activity("Test")
    assert await world.tell(ana, test) == "done"
    assert len(await world.events("acted")) == 1
    assert (await world.item(test["id"])).attempts == 2


async def test_what_may_pass_is_tried_again_later_and_in_the_end_not_any_more(
    world: World, masto: Stranger, doing: dict[str, Any]
) -> None:
    async def check(_app: web.Application, _: Received) -> None:
        raise Unreachable("not-now", "Not now.")

    doing["check"] = check
    ana = masto.person("ana")
    test = ana.activity("Test")
    assert await world.tell(ana, test) is None
    tries, start = 1, world.clock.now()
    while (item := await world.item(test["id"])).outcome is None:
        assert item.due_at is not None
        world.clock.advance(item.due_at - world.clock.now())
        assert await inbox_due(world.of().app) == 1
        tries += 1
    assert (item.outcome, item.reason, tries) == ("dead", "not-now: Not now.", backoff.MOST_ATTEMPTS)
    assert timedelta(days=3) < world.clock.now() - start < timedelta(days=4)


async def test_the_wish_to_come_later_is_heard_within_reason(
    world: World, masto: Stranger, doing: dict[str, Any]
) -> None:
    async def check(_app: web.Application, _: Received) -> None:
        raise Unreachable("not-now", "Not now.", retry_after="99999999")

    doing["check"] = check
    ana = masto.person("ana")
    test = ana.activity("Test")
    await world.tell(ana, test)
    assert (await world.item(test["id"])).due_at == world.clock.now() + backoff.LONGEST


async def test_a_mistake_of_ours_is_logged_and_tried_again(
    world: World, masto: Stranger, doing: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def check(_app: web.Application, _: Received) -> None:
        raise KeyError("a mistake")

    doing["check"] = check
    ana = masto.person("ana")
    test = ana.activity("Test")
    assert await world.tell(ana, test) is None
    assert "a mistake" in caplog.text
    doing["check"] = None
    await world.advance(timedelta(minutes=2))
    assert (await world.item(test["id"])).outcome == "done"


async def test_what_kills_its_worker_each_time_ends_as_dead(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    await world.post(ana, wish)
    for _ in range(backoff.MOST_ATTEMPTS):
        async with world.database().ACT.begin() as session:
            assert len(await claim_inbox(session, world.clock.now(), inbox.LEASE, 10)) == 1
        world.clock.advance(inbox.LEASE + timedelta(seconds=1))
    await inbox_due(world.of().app)
    item = await world.item(wish["id"])
    assert (item.outcome, item.body) == ("dead", None)
    assert await world.count(Follow) == 0


async def test_a_slow_check_holds_up_nobody_else(
    world: World, masto: Stranger, doing: dict[str, Any]
) -> None:
    go_on, seen = asyncio.Event(), asyncio.Event()

    async def check(_app: web.Application, _: Received) -> None:
        seen.set()
        await go_on.wait()

    doing["check"] = check
    ana = masto.person("ana")
    await world.post(ana, ana.activity("Test"))
    working = asyncio.create_task(inbox_due(world.of().app))
    await seen.wait()
    wish = follow(ana)
    await world.post(ana, wish)
    async with asyncio.timeout(20):
        while (await world.item(wish["id"])).outcome is None:
            assert not working.done()
    go_on.set()
    assert await working == 2


async def test_many_follows_at_once_are_each_handled_and_answered(world: World, masto: Stranger) -> None:
    people = [masto.person(f"p{number}") for number in range(12)]
    assert await asyncio.gather(*(world.post(p, follow(p)) for p in people)) == [202] * 12
    assert await inbox_due(world.of().app) == 12
    assert await world.count(Follow) == 12
    assert await world.count(Delivery) == 12


async def test_a_follow_and_its_undo_at_the_same_time_leave_no_follow(world: World, masto: Stranger) -> None:
    for number in range(6):
        ana = masto.person(f"ana{number}")
        wish = follow(ana)
        await world.post(ana, wish)
        await world.post(ana, ana.activity("Undo", object=wish))
    await inbox_due(world.of().app)
    assert await world.count(Follow) == 0


async def test_a_server_that_is_slow_with_its_profiles_holds_up_nobody_elses_activities(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "AT_ONCE", 6)
    monkeypatch.setattr(fetching, "OF_A_SITE", 4)
    crowd = [masto.person(f"p{number}") for number in range(6)]
    cy = (await world.stranger("other")).person("cy")
    assert [await world.tell(who, follow(who)) for who in crowd] == ["done"] * 6
    held, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        held.release()
        await go_on.wait()
        return web.json_response(
            masto.people[request.path.removeprefix("/users/")].document(),
            content_type="application/activity+json",
        )

    changes = [who.activity("Update", object=who.document()) for who in crowd]
    for who, change in zip(crowd, changes, strict=True):
        masto.answers[f"/users/{who.handle}"] = slow
        assert await world.post(who, change) == 202
    wish = follow(cy)
    assert await world.post(cy, wish) == 202
    working = asyncio.create_task(inbox_due(world.of().app))
    for _ in range(fetching.OF_A_SITE):
        await held.acquire()
    async with asyncio.timeout(10):
        while (await world.item(wish["id"])).outcome != "done":  # noqa: ASYNC110 - nobody is told that a row changed
            await asyncio.sleep(0)
    go_on.set()
    await working
    done = [(await world.item(change["id"])).outcome for change in changes]
    assert (done.count("done"), done.count(None)) == (4, 2)
    world.clock.advance(2 * backoff.FIRST)
    assert await inbox_due(world.of().app) == 2
    assert {(await world.item(change["id"])).outcome for change in changes} == {"done"}
    assert len(world.of().app[fetching.WORKER]) == 0


@pytest.mark.parametrize("when", ["in one go", "put off"])
async def test_what_somebody_said_before_they_deleted_themselves_does_not_stay(
    world: World, masto: Stranger, when: str
) -> None:
    parent = await ours(world)
    ana, bo = masto.person("ana"), masto.person("bo")
    assert [await world.tell(who, follow(who)) for who in (ana, bo)] == ["done"] * 2
    said = [follow(ana), create(ana, note(ana, parent)), ana.activity("Like", object=parent)]
    goodbyes = [who.activity("Delete", object=who.uri) for who in (bo, ana)]
    for who, activity in ((bo, goodbyes[0]), *((ana, one) for one in said), (ana, goodbyes[1])):
        assert await world.post(who, activity) == 202
    if when == "put off":
        async with world.database().ACT.begin() as session:
            waiting = update(InboxItem).where(InboxItem.activity_uri.in_([one["id"] for one in said]))
            await session.execute(waiting.values(due_at=world.clock.now() + timedelta(minutes=1)))
        assert await inbox_due(world.of().app) == 2
        world.clock.advance(timedelta(minutes=1))
    await inbox_due(world.of().app)
    assert {(await world.item(one["id"])).outcome for one in goodbyes} == {"done"}
    for kept in (Follow, Reaction):
        assert await world.count(kept) == 0
    assert await world.count(Reply, Reply.content != "") == 0
