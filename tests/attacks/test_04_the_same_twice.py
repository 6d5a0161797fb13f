"""Attack 4: one activity id several times: in parallel, through several inboxes, with another body."""

import asyncio
from typing import Any

import orjson

from models.queues import InboxItem
from tests.server.peers.world import Person, Stranger, World

INBOX = "http://oak.test/inbox"
OAK = "http://oak.test/c/oak"


def follow(by: Person) -> dict[str, Any]:
    return by.activity("Follow", object=OAK)


async def test_attack_04_many_at_once_through_both_inboxes_are_one(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    to = [INBOX, "http://oak.test/c/oak/inbox"] * 5
    assert await asyncio.gather(*(world.post(ana, wish, to=url) for url in to)) == [202] * 10
    await world.settle()
    assert await world.count(InboxItem) == 1
    assert len(masto.posts("Accept")) == 1
    assert len(masto.gets("/users/ana")) == 1


async def test_attack_04_of_two_bodies_with_one_id_the_first_wins_and_the_other_is_logged(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    await world.post(ana, wish)
    await world.post(ana, {**wish, "object": "http://oak.test/c/assembly"})
    assert orjson.loads((await world.item(wish["id"])).body or b"") == wish
    assert len(await world.events("activity repeated")) == 1
