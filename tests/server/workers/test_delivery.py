"""Deliveries reach every inbox once, and one that is down slows nobody else."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from activitypub import keypairs, proofs, signatures
from models import people, queues
from models.peers import Peer
from models.posts import Activity
from models.queues import Delivery, Destination
from models.rules import backoff
from server.actions import outbox
from server.keys import HOME
from server.workers import delivery, slow
from server.workers.delivery import deliveries_due
from tests.server.peers.world import Stranger, World, numbers

OAK = "http://oak.test/c/oak"


async def publish(world: World, *inboxes: str, times: int = 1) -> list[str]:
    """The collective publishes something to these inboxes; returns the ids."""
    uris = []
    for _ in range(times):
        async with world.database().ACT.begin() as session:
            oak = await people.local_actor(session, "collective")
            assert oak is not None
            uris.append(f"http://oak.test/a/{next(numbers):064x}")
            activity = {"id": uris[-1], "type": "Create", "actor": oak.uri}
            await outbox.publish(session, world.of().app[HOME], oak, activity, inboxes, world.clock.now())
    return uris


async def waiting(world: World) -> list[Delivery]:
    async with world.database().READ() as session:
        return list((await session.scalars(select(Delivery).order_by(Delivery.id))).all())


async def host(world: World, name: str = "masto") -> Destination:
    async with world.database().READ() as session:
        return await session.get_one(Destination, f"{name}.test")


def ids(activities: Iterable[dict[str, Any]]) -> list[str]:
    return [activity["id"] for activity in activities]


async def test_an_activity_is_posted_once_to_each_inbox_signed_by_its_actor(
    world: World, masto: Stranger
) -> None:
    await publish(world, "http://masto.test/inbox", "http://masto.test/users/ana/inbox")
    assert await deliveries_due(world.of().app) == 2
    assert sorted(a.target for a in masto.asked) == ["/inbox", "/users/ana/inbox"]
    oak = await world.collective()
    for asked in masto.asked:
        claim = signatures.read_signature(asked.headers)
        key = keypairs.public_from_pem(oak.rsa_pem)
        arguments = (
            claim,
            "POST",
            asked.target,
            asked.headers,
            asked.body,
            "masto.test",
            world.clock.now(),
            key,
        )
        assert signatures.verify_request(*arguments) == f"{OAK}#main-key"
    assert await waiting(world) == []
    row = await host(world)
    assert (row.due_at, row.lease_until, row.fails, row.delivered_at) == (None, None, 0, world.clock.now())
    assert await deliveries_due(world.of().app) == 0


async def test_what_goes_out_carries_a_proof_by_its_actor_and_is_served_as_it_was_sent(
    world: World, masto: Stranger
) -> None:
    [uri] = await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    [asked] = masto.asked
    oak = await world.collective()
    assert proofs.verification_method(asked.activity) == f"{OAK}#ed25519-key"
    proofs.verify(asked.activity, keypairs.public_from_multikey(oak.ed25519 or ""), world.clock.now())
    assert asked.activity["proof"]["@context"] == asked.activity["@context"]
    assert isinstance(asked.activity["@context"], list)
    async with world.database().READ() as session:
        stored = await session.scalar(select(Activity.body).where(Activity.uri == uri))
    assert stored == asked.body


async def test_more_than_a_batch_goes_out_in_order(world: World, masto: Stranger) -> None:
    uris = await publish(world, "http://masto.test/inbox", times=delivery.BATCH + 5)
    assert await deliveries_due(world.of().app) == delivery.BATCH + 5
    assert ids(masto.posts()) == uris


@pytest.mark.parametrize("status", [400, 403, 404, 410, 501])
async def test_a_final_no_is_a_dead_letter_at_once(world: World, masto: Stranger, status: int) -> None:
    masto.inbox_status = status
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    [row] = await waiting(world)
    assert row.dead_at == world.clock.now()
    assert row.reason is not None
    assert str(status) in row.reason
    assert (await host(world)).due_at is None
    world.clock.advance(timedelta(days=1))
    assert await deliveries_due(world.of().app) == 0


@pytest.mark.parametrize("status", [302, 401, 408, 500])
async def test_what_may_pass_is_tried_again_and_does_not_hold_up_the_rest(
    world: World, masto: Stranger, status: int
) -> None:
    masto.says("/users/ana/inbox", {}, status=status)
    await publish(world, "http://masto.test/users/ana/inbox")
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    [row] = await waiting(world)
    assert (row.attempts, row.dead_at) == (1, None)
    assert row.due_at == world.clock.now() + (backoff.next_attempt(1, str(row.id)) or timedelta())
    assert (await host(world)).due_at == row.due_at
    del masto.answers["/users/ana/inbox"]
    await world.advance(timedelta(minutes=2))
    assert await waiting(world) == []


@pytest.mark.parametrize("status", [429, 502, 503, 504, None])
async def test_a_host_in_trouble_is_left_alone_and_only_one_attempt_is_counted(
    world: World, masto: Stranger, status: int | None
) -> None:
    masto.inbox_status, masto.is_down = status or 202, status is None
    await publish(world, "http://masto.test/inbox", times=5)
    assert await deliveries_due(world.of().app) == 1
    assert [row.attempts for row in await waiting(world)] == [1, 0, 0, 0, 0]
    row = await host(world)
    assert (row.fails, row.lease_until, row.failed_at) == (1, None, world.clock.now())
    assert row.due_at is not None
    assert row.due_at >= world.clock.now() + timedelta(minutes=1)
    assert await deliveries_due(world.of().app) == 0
    masto.inbox_status, masto.is_down = 202, False
    await world.advance(timedelta(minutes=3))
    assert await waiting(world) == []
    assert (await host(world)).fails == 0


async def test_a_host_that_stays_away_is_asked_less_and_less_often(world: World, masto: Stranger) -> None:
    masto.is_down = True
    await publish(world, "http://masto.test/inbox", times=30)
    pauses = []
    while len(pauses) < 12:
        before = world.clock.now()
        due = (await host(world)).due_at
        assert due is not None
        world.clock.advance(due - before)
        await deliveries_due(world.of().app)
        pauses.append(due - before)
    assert pauses[1:] == sorted(pauses[1:])
    assert pauses[-1] >= timedelta(hours=6)
    assert masto.tried == 12


async def test_after_days_in_vain_what_is_old_is_given_up(world: World, masto: Stranger) -> None:
    masto.is_down = True
    await publish(world, "http://masto.test/inbox", times=30)
    world.clock.advance(timedelta(days=3))
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    world.clock.advance(timedelta(days=2))
    await deliveries_due(world.of().app)
    rows = await waiting(world)
    assert [row.dead_at is not None for row in rows] == [True] * 30 + [False]


async def test_one_dead_host_slows_nobody(world: World, masto: Stranger) -> None:
    dead = await world.stranger("dead")
    hanging, go_on = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        hanging.set()
        await go_on.wait()
        return web.Response(status=202)

    dead.answers["/inbox"] = hang
    await publish(world, "http://dead.test/inbox")
    working = asyncio.create_task(deliveries_due(world.of().app))
    await hanging.wait()
    for number in range(3):  # published while the other host hangs
        uris = await publish(world, "http://masto.test/inbox")
        async with asyncio.timeout(20):
            await masto.heard.wait()
        masto.heard.clear()
        assert ids(masto.posts())[number:] == uris
    assert not working.done()
    go_on.set()
    assert await working == 4


async def test_a_crowd_of_slow_servers_below_one_name_slows_nobody_else(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, number in (
        (delivery, "HOSTS_AT_ONCE", 2),
        (delivery, "HOSTS_AHEAD", 0),
        (slow, "LONG", 0.0),
        (slow, "SERVERS", 2),
        (slow, "AT_ONCE", 1),
    ):
        monkeypatch.setattr(module, name, number)
    crowd = [await world.stranger(f"s{number}.evil") for number in range(4)]
    inboxes = [f"{one.url}/inbox" for one in crowd]
    await publish(world, *inboxes)
    while await waiting(world):
        await deliveries_due(world.of().app)
        world.clock.advance(slow.LATER)
    held, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def tarpit(_: web.Request) -> web.Response:
        held.release()
        await go_on.wait()
        return web.Response(status=202)

    for one in crowd:
        one.asked.clear()
        one.answers["/inbox"] = tarpit
    await publish(world, *inboxes)
    world.clock.advance(timedelta(seconds=1))
    await publish(world, f"{masto.url}/inbox")
    sending = asyncio.create_task(deliveries_due(world.of().app))
    await asyncio.wait_for(masto.heard.wait(), 10)
    await held.acquire()
    assert sum(len(one.asked) for one in crowd) == 1
    go_on.set()
    assert await sending == 2
    assert {one.due_at for one in [await host(world, one.name) for one in crowd]} == {
        None,
        world.clock.now() + slow.LATER,
    }
    while await waiting(world):
        world.clock.advance(slow.LATER)
        await deliveries_due(world.of().app)
    assert [len(one.asked) for one in crowd] == [1] * 4
    assert world.of().app[slow.SLOW].sending == 0


async def test_behind_a_crowd_for_which_there_is_no_room_others_are_sent_to_in_the_same_pass(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "HOSTS_AT_ONCE", 2)
    monkeypatch.setattr(delivery, "HOSTS_AHEAD", 0)
    crowd, slowly = [f"s{number}.evil.test" for number in range(slow.SERVERS)], world.of().app[slow.SLOW]
    for name in crowd:
        slowly.took(name, slow.LONG)
    slowly.sending = slow.AT_ONCE
    await publish(world, *(f"http://{name}/inbox" for name in crowd))
    world.clock.advance(timedelta(seconds=1))
    await publish(world, f"{masto.url}/inbox")
    assert await deliveries_due(world.of().app) == 1
    assert [asked.target for asked in masto.asked] == ["/inbox"]
    async with world.database().READ() as session:
        put_off = set(await session.scalars(select(Destination.due_at).where(Destination.host.in_(crowd))))
    assert put_off == {world.clock.now() + slow.LATER}


def test_only_so_much_is_remembered_of_slow_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = slow.Slow()
    monkeypatch.setattr(slow, "REMEMBERED", 2)
    for site in ("one.example", "two.example", "three.example"):
        for number in range(2 * slow.SERVERS):
            kept.took(f"s{number}.{site}", slow.LONG)
            kept.took(f"s{number}.fast.example", slow.LONG / 2)
    assert [kept.is_slow(f"new.{name}.example") for name in ("one", "two", "three")] == [False, True, True]
    assert not kept.is_slow("new.fast.example")
    kept.took("a.single.example", 2 * slow.LONG)
    assert not kept.is_slow("a.single.example")


async def test_retry_after_is_honoured_within_reason(world: World, masto: Stranger) -> None:
    masto.inbox_status, masto.inbox_headers = 503, {"Retry-After": "1800"}
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    assert (await host(world)).due_at == world.clock.now() + timedelta(minutes=30)
    masto.inbox_headers = {"Retry-After": "99999999"}
    world.clock.advance(timedelta(minutes=30))
    await deliveries_due(world.of().app)
    assert (await host(world)).due_at == world.clock.now() + backoff.LONGEST


async def test_what_is_published_to_a_failing_host_waits_for_its_pause(world: World, masto: Stranger) -> None:
    masto.is_down = True
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    due = (await host(world)).due_at
    await publish(world, "http://masto.test/inbox")
    assert (await host(world)).due_at == due
    assert await deliveries_due(world.of().app) == 0


async def test_a_worker_that_died_keeps_its_host_no_longer_than_its_lease(
    world: World, masto: Stranger
) -> None:
    await publish(world, "http://masto.test/inbox")
    async with world.database().ACT.begin() as session:
        [claimed] = await queues.claim_hosts(session, world.clock.now(), delivery.LEASE, 5)
        await queues.deliveries_for(session, [claimed.host], world.clock.now(), 20)
    assert await deliveries_due(world.of().app) == 0
    world.clock.advance(delivery.LEASE + timedelta(seconds=1))
    assert await deliveries_due(world.of().app) == 1
    assert len(masto.posts()) == 1
    assert await waiting(world) == []


async def test_whose_lease_ended_settles_its_own_deliveries_and_leaves_the_host_to_the_other(
    world: World, masto: Stranger
) -> None:
    await publish(world, "http://masto.test/inbox")

    async def slow(_: web.Request) -> web.Response:
        world.clock.advance(delivery.LEASE + timedelta(seconds=1))
        async with world.database().ACT.begin() as session:
            await queues.claim_hosts(session, world.clock.now(), delivery.LEASE, 5)
        return web.Response(status=202)

    masto.answers["/inbox"] = slow
    await deliveries_due(world.of().app)
    assert await waiting(world) == []
    assert (await host(world)).lease_until == world.clock.now() + delivery.LEASE


async def test_nothing_is_sent_to_a_blocked_server_and_nothing_waits_for_it(
    world: World, masto: Stranger
) -> None:
    async with world.database().ACT.begin() as session:
        session.add(Peer(authority="masto.test", is_blocked=True))
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    assert await waiting(world) == []
    assert (await host(world)).delivered_at is None
    assert masto.asked == []


@pytest.mark.parametrize("inbox", ["http://127.0.0.1/inbox", "http://[::1]/inbox", "ftp://masto.test/inbox"])
async def test_an_inbox_where_we_do_not_go_is_a_dead_letter(world: World, inbox: str) -> None:
    await publish(world, inbox)
    await deliveries_due(world.of().app)
    [row] = await waiting(world)
    assert row.dead_at is not None


async def test_dead_letters_can_be_revived(world: World, masto: Stranger) -> None:
    masto.inbox_status = 403
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    masto.inbox_status = 202
    async with world.database().ACT.begin() as session:
        await queues.revive(session, [row.id for row in await waiting(world)], world.clock.now())
    assert await deliveries_due(world.of().app) == 1
    assert await waiting(world) == []
