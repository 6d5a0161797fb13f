"""Rows that are jobs: claimed by one worker at a time, given back by time, never lost; on both databases."""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import incoming, queues
from models.base import Database, open_database
from models.people import Actor
from models.posts import Activity
from models.queues import Delivery, Destination, InboxItem

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LEASE, MINUTE = timedelta(minutes=5), timedelta(minutes=1)


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """An empty database with one actor and one activity, each of id 1."""
    opened = open_database(migrated_url)
    async with opened.ACT.begin() as session:
        texts = {name: name for name in ("uri", "handle", "authority", "inbox", "key_id", "rsa_pem")}
        session.add(Actor(kind="collective", type="Group", created_at=NOW, **texts))
        await session.flush()
        row = {"uri": "a", "actor_id": 1, "type": "Create", "is_public": True, "body": b"{}"}
        session.add(Activity(**row, published_at=NOW))
    yield opened
    await opened.close()


async def accept(database: Database, uri: str, body: bytes = b"{}", signer: str | None = None) -> bool:
    async with database.ACT.begin() as session:
        return await queues.accept(session, uri, signer or f"signer of {uri}", body, NOW)


async def claim(
    database: Database, now: datetime = NOW, most: int = 10, held: Collection[int] = ()
) -> list[str]:
    async with database.ACT.begin() as session:
        return [item.activity_uri for item in await incoming.claim_inbox(session, now, LEASE, most, held)]


async def enqueue(database: Database, *inboxes: tuple[str, str], now: datetime = NOW) -> None:
    async with database.ACT.begin() as session:
        await queues.enqueue(session, 1, 1, inboxes, now)


async def claim_hosts(database: Database, now: datetime = NOW, most: int = 10) -> list[str]:
    async with database.ACT.begin() as session:
        return [host.host for host in await queues.claim_hosts(session, now, LEASE, most)]


async def destination(database: Database, host: str = "elm") -> Destination:
    async with database.READ() as session:
        return await session.get_one(Destination, host)


# What comes in


async def test_the_first_of_one_id_wins_however_many_come_at_once(database: Database) -> None:
    taken = await asyncio.gather(*(accept(database, "x", f"{n}".encode()) for n in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    async with database.READ() as session:
        [item] = (await session.scalars(select(InboxItem))).all()
    assert item.body == f"{taken.index(True)}".encode()


async def test_a_handled_item_is_still_known(database: Database) -> None:
    await accept(database, "x")
    async with database.ACT.begin() as session:
        [item] = await incoming.claim_inbox(session, NOW, LEASE, 1)
        item.outcome, item.body = "done", None
    assert await accept(database, "x") is False
    assert await claim(database, NOW + LEASE * 2) == []


async def test_items_are_claimed_oldest_first_and_each_by_one_worker(database: Database) -> None:
    for name in "abcdef":
        await accept(database, name)
    assert await claim(database, most=2) == ["a", "b"]
    taken = await asyncio.gather(*(claim(database, most=2) for _ in range(4)))
    assert sorted(name for some in taken for name in some) == ["c", "d", "e", "f"]


async def settle(database: Database, uri: str, **values: Any) -> None:
    async with database.ACT.begin() as session:
        item = (await session.scalars(select(InboxItem).where(InboxItem.activity_uri == uri))).one()
        assert await incoming.settle_inbox(session, [(item, values)])


async def test_what_one_says_is_taken_by_one_worker_at_a_time_in_its_order(database: Database) -> None:
    for name, by in (("a1", "ana"), ("a2", "ana"), ("b1", "ben"), ("a3", "ana")):
        await accept(database, name, signer=by)
    assert await claim(database, most=1) == ["a1"]
    assert await claim(database) == ["b1"]
    assert await claim(database, held=[1], most=1) == ["a2"], "whoever has the one may have the next"
    assert await claim(database, held=[2]) == []
    await settle(database, "a2", outcome="done")
    assert await claim(database) == []
    await settle(database, "a1", due_at=NOW + MINUTE)  # put off: nothing waits for it
    assert await claim(database) == ["a3"]
    assert await claim(database, NOW + MINUTE) == [], "and when it is due, it waits for what came later"
    assert await claim(database, NOW + LEASE + MINUTE) == ["b1", "a3", "a1"]


async def test_who_claims_at_the_same_moment_takes_nothing_out_of_turn(database: Database) -> None:
    for name, by in (("a1", "ana"), ("a2", "ana"), ("b1", "ben")):
        await accept(database, name, signer=by)
    async with database.ACT.begin() as session:
        assert len(await incoming.claim_inbox(session, NOW, LEASE, 1)) == 1
        if database.is_postgresql:  # elsewhere one waits for the other
            assert await claim(database) == ["b1"]
    assert await claim(database) == ([] if database.is_postgresql else ["b1"])
    await settle(database, "a1", outcome="done")
    assert await claim(database) == ["a2"]


async def test_a_lease_that_ended_frees_the_item_and_its_attempts_are_counted(database: Database) -> None:
    await accept(database, "x")
    assert await claim(database) == ["x"]
    assert await claim(database, NOW + LEASE) == []
    assert await claim(database, NOW + LEASE + MINUTE) == ["x"]
    async with database.READ() as session:
        assert (await session.scalars(select(InboxItem.attempts))).one() == 2


async def test_what_was_rolled_back_was_neither_accepted_nor_claimed(database: Database) -> None:
    await accept(database, "x")
    for half in (queues.accept(session := database.ACT(), "y", "signer", b"{}", NOW),):
        await half
        await session.rollback()
        await session.close()
    async with database.ACT() as dying:
        await incoming.claim_inbox(dying, NOW, LEASE, 10)
    assert await claim(database) == ["x"]


async def test_accepting_wakes_the_worker_once_it_is_committed(database: Database) -> None:
    woken = database.woken("inbox")
    async with database.ACT.begin() as session:
        await queues.accept(session, "x", "signer", b"{}", NOW)
        assert not woken.is_set()
    assert woken.is_set()


# What goes out


async def test_one_delivery_per_inbox_however_often_it_is_named(database: Database) -> None:
    await enqueue(database, ("elm", "http://elm/1"), ("elm", "http://elm/2"), ("elm", "http://elm/1"))
    async with database.READ() as session:
        assert sorted((await session.scalars(select(Delivery.inbox))).all()) == [
            "http://elm/1",
            "http://elm/2",
        ]


async def test_a_host_is_claimed_by_one_worker_until_its_lease_ends(database: Database) -> None:
    await enqueue(database, ("elm", "http://elm/1"), ("ash", "http://ash/1"))
    taken = await asyncio.gather(*(claim_hosts(database, most=1) for _ in range(4)))
    assert sorted(host for some in taken for host in some) == ["ash", "elm"]
    assert await claim_hosts(database, NOW + LEASE) == []
    assert sorted(await claim_hosts(database, NOW + LEASE + MINUTE)) == ["ash", "elm"]


async def due(database: Database, *hosts: str, now: datetime = NOW, most: int = 10) -> list[tuple[str, int]]:
    """Inbox and attempts of what is due, host by host."""
    async with database.ACT.begin() as session:
        found = await queues.deliveries_for(session, hosts, now, most)
    return [(inbox, attempts) for host in hosts for _, inbox, attempts, _, _ in found[host]]


async def test_deliveries_come_oldest_first_with_all_that_sending_takes_and_are_counted(
    database: Database,
) -> None:
    await enqueue(database, ("elm", "http://elm/1"), ("ash", "http://ash/1"))
    await enqueue(database, ("elm", "http://elm/2"))
    async with database.ACT.begin() as session:
        found = await queues.deliveries_for(session, ["elm"], NOW, 1)
    [(_, inbox, attempts, body, signer)] = found["elm"]
    assert (inbox, attempts, body, signer.uri) == ("http://elm/1", 1, b"{}", "uri")
    counted = [("http://elm/1", 2), ("http://elm/2", 1), ("http://ash/1", 1)]
    assert await due(database, "elm", "ash", "nobody") == counted


async def test_what_waits_and_what_is_dead_is_not_due(database: Database) -> None:
    await enqueue(database, ("elm", "http://elm/1"), ("elm", "http://elm/2"))
    async with database.ACT.begin() as session:
        rows = (await session.scalars(select(Delivery).order_by(Delivery.inbox))).all()
        rows[0].due_at, rows[1].dead_at = NOW + MINUTE, NOW
    assert await due(database, "elm") == []
    assert await due(database, "elm", now=NOW + MINUTE) == [("http://elm/1", 1)]
    async with database.READ() as session:
        assert await queues.next_due(session, ["elm", "nobody"]) == {"elm": NOW + MINUTE}


async def test_a_failing_host_keeps_its_pause_and_a_resting_one_is_due_at_once(database: Database) -> None:
    await enqueue(database, ("elm", "http://elm/1"), ("ash", "http://ash/1"))
    async with database.ACT.begin() as session:
        elm, ash = [await session.get_one(Destination, name) for name in ("elm", "ash")]
        elm.fails, elm.due_at, ash.due_at = 2, NOW + LEASE, None
    await enqueue(database, ("elm", "http://elm/2"), ("ash", "http://ash/2"), now=NOW + MINUTE)
    assert (await destination(database, "elm")).due_at == NOW + LEASE
    assert (await destination(database, "ash")).due_at == NOW + MINUTE


async def test_two_who_publish_to_the_same_hosts_do_not_wait_for_each_other_in_a_ring(
    database: Database,
) -> None:
    hosts = [(name, f"http://{name}/1") for name in ("ash", "elm", "fir", "oak")]
    async with asyncio.timeout(30):
        await asyncio.gather(*(enqueue(database, *hosts[:: 1 if n % 2 else -1]) for n in range(10)))
    async with database.READ() as session:
        assert len((await session.scalars(select(Delivery.id))).all()) == 40


async def test_who_publishes_twice_waits_for_nobody_in_a_ring(database: Database) -> None:
    """Nor does who settles several hosts: an act that publishes more than once touches all its hosts in one order."""
    ash, elm = ("ash", "http://ash/1"), ("elm", "http://elm/1")
    await enqueue(database, ash, elm)

    async def publish(*targets: tuple[str, str]) -> None:
        async with database.ACT.begin() as session:
            for target in targets:
                await queues.enqueue(session, 1, 1, [target], NOW)
                await asyncio.sleep(0.1)

    async def settle() -> None:
        async with database.ACT.begin() as session:
            await queues.locked_hosts(session, ["ash"])
            await asyncio.sleep(0.1)
            await queues.locked_hosts(session, ["elm"])

    async with asyncio.timeout(30):
        await asyncio.gather(publish(ash, elm), publish(elm, ash), settle())
    async with database.READ() as session:
        assert len((await session.scalars(select(Delivery.id))).all()) == 6


async def test_what_is_old_is_given_up_for_its_host_only(database: Database) -> None:
    await enqueue(database, ("elm", "http://elm/1"), ("ash", "http://ash/1"))
    async with database.ACT.begin() as session:
        await queues.give_up_old(session, "elm", NOW, NOW + LEASE)
    async with database.ACT.begin() as session:
        assert await queues.next_due(session, ["elm"]) == {"elm": NOW}
        await queues.give_up_old(session, "elm", NOW + MINUTE, NOW + LEASE)
    async with database.READ() as session:
        assert await queues.next_due(session, ["elm", "ash"]) == {"ash": NOW}


async def test_a_revived_dead_letter_begins_anew(database: Database) -> None:
    await enqueue(database, ("elm", "http://elm/1"))
    async with database.ACT.begin() as session:
        row = (await session.scalars(select(Delivery))).one()
        row.dead_at, row.attempts = NOW, 16
        (await session.get_one(Destination, "elm")).due_at = None
        id_ = row.id
    async with database.ACT.begin() as session:
        await queues.revive(session, [id_], NOW + MINUTE)
    assert await claim_hosts(database, NOW + MINUTE) == ["elm"]
    assert await due(database, "elm", now=NOW + MINUTE) == [("http://elm/1", 1)]


async def test_a_delivery_belongs_to_an_activity_that_is_there(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.ACT.begin() as session:
            await queues.enqueue(session, 99, 1, [("elm", "http://elm/1")], NOW)
