"""What is old enough goes, and nothing else: no repeat passes, and no act under a mandate is forgotten."""

from datetime import timedelta

import pytest

from models.accounts import JoinRequest, Lost, Spent, spend
from models.events import Event, log
from models.peers import Tombstone, bury
from models.people import Login, LoginFailure, Member
from models.posts import Activity
from models.queues import Delivery, InboxItem
from server.actions import lost, people, requests
from server.actions.outbox import publish
from server.keys import HOME
from server.workers import retention
from server.workers.delivery import deliveries_due
from server.workers.retention import pruning_due
from tests.server.peers.world import Stranger, World

DAY = timedelta(days=1)
OAK = "http://oak.test/c/oak"


async def test_what_was_handled_is_known_for_a_month_and_then_forgotten(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    said = ana.activity("Block", object=OAK)
    assert await world.tell(ana, said) == "done"
    world.clock.advance(29 * DAY)
    await pruning_due(world.of().app)
    assert await world.post(ana, said) == 202
    assert await world.count(InboxItem) == len(await world.events("activity repeated")) == 1
    waiting = ana.activity("Block", object=OAK)
    assert await world.post(ana, waiting) == 202
    world.clock.advance(2 * DAY)
    assert await pruning_due(world.of().app) == 1
    assert (await world.item(waiting["id"])).outcome is None


async def test_it_is_done_once_an_hour_in_small_batches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    monkeypatch.setattr(retention, "MOST_BATCHES", 2)
    async with world.database().ACT.begin() as session:
        for number in range(8):
            await bury(
                session, f"http://masto.test/o/{number}", "http://masto.test/users/ana", world.clock.now()
            )
    world.clock.advance(366 * DAY)
    assert await pruning_due(world.of().app) == 6
    assert await pruning_due(world.of().app) == 0
    world.clock.advance(timedelta(hours=1))
    assert await pruning_due(world.of().app) == 2
    assert await world.count(Tombstone) == 0


async def test_traffic_is_forgotten_and_what_was_done_stays(world: World) -> None:
    async with world.database().ACT.begin() as session:
        for kind in ("activity received", "server blocked", "ballot cast"):
            log(session, kind, world.clock.now())
    before = await world.count(Event)
    world.clock.advance(91 * DAY)
    await pruning_due(world.of().app)
    assert before - await world.count(Event) == 1
    assert await world.events("server blocked")
    assert await world.events("activity received") == []


async def test_what_was_given_up_goes_after_a_quarter_and_what_waits_does_not(
    world: World, masto: Stranger
) -> None:
    masto.inbox_status = 403
    oak = await world.collective()
    for name in ("dead", "waiting"):
        async with world.database().ACT.begin() as session:
            note = {"id": f"http://oak.test/a/{name}", "type": "Create", "actor": OAK}
            home, inbox = world.of().app[HOME], "http://masto.test/inbox"
            await publish(session, home, oak, note, [inbox], world.clock.now())
        if name == "dead":
            await deliveries_due(world.of().app)
    world.clock.advance(91 * DAY)
    assert await pruning_due(world.of().app) >= 1
    assert await world.count(Delivery) == await world.count(Delivery, Delivery.dead_at.is_(None)) == 1


async def test_an_answer_goes_after_a_month_once_it_was_sent_and_what_was_said_to_all_stays(
    world: World, masto: Stranger
) -> None:
    """Who follows again and again fills nobody's disk for ever."""
    ana, ben = masto.person("ana"), masto.person("ben")
    oak = await world.collective()
    async with world.database().ACT.begin() as session:
        note = {"id": "http://oak.test/a/said", "type": "Create", "actor": OAK}
        await publish(session, world.of().app[HOME], oak, note, [], world.clock.now(), is_public=True)
        answer = {"id": "http://oak.test/a/joins", "type": "Accept", "actor": OAK}
        await publish(session, world.of().app[HOME], oak, answer, [], world.clock.now(), scope="0" * 64)
    await world.tell(ana, ana.activity("Follow", object=OAK))
    await deliveries_due(world.of().app)
    await world.tell(ben, ben.activity("Follow", object=OAK))
    assert await world.count(Activity) == 4
    world.clock.advance(31 * DAY)
    await pruning_due(world.of().app)
    assert await world.count(Activity) == 3
    assert await world.count(Activity, Activity.scope.is_not(None)) == 1
    assert await world.count(Activity, Activity.type == "Create") == 1
    assert await world.count(Delivery) == 1


async def test_what_was_left_at_the_door_goes_when_its_time_is_over(world: World) -> None:
    now = world.clock.now()
    async with world.database().ACT.begin() as session:
        ana = Member(login="ana", name="Ana", password_hash="x", joined_at=now)
        session.add(ana)
        await session.flush()
        await people.log_in(session, ana, "0" * 64, now)
        await people.note_failure(session, "ana", "192.0.2.1", now)
        await spend(session, "1" * 64, now + timedelta(minutes=10), now)
        await requests.ask_to_join(session, requests.Asked("zoe", "Zoe", "Hello"), "x", "p", now)
        await lost.ask(session, "ana", now)
    tables = (Login, LoginFailure, Spent, JoinRequest, Lost)
    assert [await world.count(table) for table in tables] == [1, 3, 1, 1, 1]
    world.clock.advance(timedelta(minutes=16))
    await pruning_due(world.of().app)
    assert [await world.count(table) for table in tables] == [1, 0, 0, 1, 1]
    world.clock.advance(30 * DAY)
    await pruning_due(world.of().app)
    assert [await world.count(table) for table in tables] == [0, 0, 0, 0, 0]
