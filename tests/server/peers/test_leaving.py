"""Profiles that change, objects that are deleted, actors that leave."""

from datetime import timedelta
from typing import Any

import pytest

from models import people
from models.follows import Follow
from models.peers import Tombstone
from models.people import Actor
from server import remote
from tests.server.peers.talk import create, note, ours, reactions, replies
from tests.server.peers.world import Person, Stranger, World, rsa_key

OAK = "http://oak.test/c/oak"


async def remembered(world: World, uri: str) -> Actor:
    async with world.database().READ() as session:
        found = await people.actor_by_uri(session, uri)
    assert found is not None
    return found


async def following(world: World, by: Person) -> None:
    assert await world.tell(by, by.activity("Follow", object=OAK)) == "done"


async def test_a_changed_profile_is_fetched_from_where_it_lives_not_believed(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    ana.changed["name"] = "Ana B."
    told = {**ana.document(), "name": "What was told", "inbox": "http://evil.test/inbox"}
    assert await world.tell(ana, ana.activity("Update", object=told)) == "done"
    now = await remembered(world, ana.uri)
    assert (now.name, now.inbox) == ("Ana B.", f"{ana.uri}/inbox")


async def test_a_profile_update_without_an_id_is_understood(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    ana.changed["name"] = "Ana B."
    update = {k: v for k, v in ana.activity("Update", object=ana.document()).items() if k != "id"}
    assert await world.post(ana, update) == 202
    await world.settle()
    assert (await remembered(world, ana.uri)).name == "Ana B."


async def test_a_profile_update_twice_or_late_leaves_what_the_server_says(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    ana.changed["name"] = "Newer"
    late = ana.activity("Update", object={**ana.document(), "name": "Older"})
    for update in (ana.activity("Update", object=ana.document()), late):
        assert await world.tell(ana, update) == "done"
    assert (await remembered(world, ana.uri)).name == "Newer"


async def test_nobody_updates_the_profile_of_another(world: World, masto: Stranger) -> None:
    ana, eve = masto.person("ana"), masto.person("eve")
    await following(world, ana)
    await following(world, eve)
    asked = len(masto.gets("/users/ana"))
    told = {**ana.document(), "inbox": f"{masto.url}/users/eve/inbox"}
    assert await world.tell(eve, eve.activity("Update", object=told)) == "refused"
    assert await world.tell(eve, eve.activity("Update", object=ana.uri)) == "ignored"
    assert len(masto.gets("/users/ana")) == asked
    assert (await remembered(world, ana.uri)).inbox == f"{ana.uri}/inbox"


async def test_a_profile_that_cannot_be_fetched_now_is_fetched_later(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    masto.is_down = True
    assert await world.tell(ana, ana.activity("Update", object=ana.uri)) is None
    masto.is_down = False
    ana.changed["name"] = "Ana B."
    await world.advance(timedelta(minutes=2))
    assert (await remembered(world, ana.uri)).name == "Ana B."


async def test_a_new_record_key_is_an_event(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    masto.person("ana", key=0)
    assert await world.tell(ana, ana.activity("Update", object=ana.uri)) == "done"
    assert [e.actor for e in await world.events("actor key changed")] == [ana.uri]


async def test_who_leaves_follows_nobody_any_more(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    assert await world.tell(ana, ana.activity("Follow", object="http://oak.test/c/assembly")) == "done"
    assert await world.tell(ana, ana.activity("Delete", object=ana.uri)) == "done"
    assert await world.count(Follow) == 0
    assert (await remembered(world, ana.uri)).gone_at == world.clock.now()


async def test_who_left_and_came_back_is_known_again(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    await world.tell(ana, ana.activity("Delete", object=ana.uri))
    assert await world.post(ana, ana.activity("Delete", object=ana.uri)) == 202
    await following(world, ana)
    assert (await remembered(world, ana.uri)).gone_at is None


async def test_nobody_makes_another_leave(world: World, masto: Stranger) -> None:
    ana, eve = masto.person("ana"), masto.person("eve")
    await following(world, ana)
    mallory = (await world.stranger("evil")).person("mallory")
    await following(world, mallory)
    assert await world.tell(mallory, mallory.activity("Delete", object=ana.uri)) == "refused"
    await following(world, eve)
    assert await world.tell(eve, eve.activity("Delete", object=ana.uri)) == "done"
    assert await world.count(Follow) == 3
    assert (await remembered(world, ana.uri)).gone_at is None


@pytest.mark.parametrize("twice", [False, True])
async def test_a_deleted_object_leaves_a_tombstone_of_who_deleted_it(
    world: World, masto: Stranger, twice: bool
) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    note = f"{ana.uri}/notes/1"
    for thing in ({"id": note, "type": "Tombstone"}, note)[: 2 if twice else 1]:
        assert await world.tell(ana, ana.activity("Delete", object=thing)) == "done"
    async with world.database().READ() as session:
        stone = await session.get_one(Tombstone, (note, ana.uri))
    assert stone.owner == ana.uri


@pytest.mark.parametrize(
    "what",
    [
        "http://other.test/notes/1",
        {
            "id": "http://masto.test/users/ben/1",
            "type": "Note",
            "attributedTo": "http://masto.test/users/ben",
        },
        None,
        "nonsense",
        7,
    ],
)
async def test_nobody_deletes_what_is_not_theirs(world: World, masto: Stranger, what: Any) -> None:
    ana = masto.person("ana")
    await following(world, ana)
    assert await world.tell(ana, ana.activity("Delete", object=what)) == "refused"
    assert await world.count(Tombstone) == 0


@pytest.mark.parametrize("kind", ["Delete", "Undo"])
async def test_what_somebody_buries_of_a_neighbour_stays_the_neighbours(
    world: World, masto: Stranger, kind: str
) -> None:
    """By id alone nobody can tell whose it is: it says something of the one who sent it, and nothing of the owner."""
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world)
    said, like = note(ana, post), ana.activity("Like", object=post)
    await following(world, eve)
    for thing in (said["id"], like["id"]):
        await world.tell(eve, eve.activity(kind, object=thing))
    assert await world.tell(ana, create(ana, said)) == "done"
    assert await world.tell(ana, like) == "done"
    for thing in (said["id"], like["id"]):
        await world.tell(eve, eve.activity(kind, object=thing))
    assert (await replies(world))[0].content == said["content"]
    assert await reactions(world) == [("like", "ana", "")]
    later, dislike = note(ana, post), ana.activity("Announce", object=post)
    await world.tell(eve, eve.activity("Delete", object=later["id"]))
    await world.tell(ana, ana.activity("Delete", object=later["id"]))
    await world.tell(eve, eve.activity("Undo", object=dislike["id"]))
    await world.tell(ana, ana.activity("Undo", object=dislike))
    assert await world.tell(ana, create(ana, later)) == await world.tell(ana, dislike) == "ignored"
    assert len(await replies(world)) == len(await reactions(world)) == 1


async def test_a_refused_activity_says_why_in_its_row(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    delete = ana.activity("Delete", object="http://other.test/1")
    await following(world, ana)
    await world.tell(ana, delete)
    item = await world.item(delete["id"])
    assert item.reason == "foreign-object: The activity speaks of something on another server."
    assert (item.body, item.done_at, item.lease_until) == (None, world.clock.now(), None)


# What remote actors are remembered by


async def test_an_inbox_elsewhere_or_no_inbox_makes_no_actor(world: World, masto: Stranger) -> None:
    for changed in ({"inbox": "http://other.test/inbox"}, {"inbox": None}, {"type": "Note"}):
        ana = masto.person("ana", **changed)
        assert await world.post(ana, ana.activity("Follow", object=OAK)) == 401
        world.clock.advance(remote.MISS_LASTS)
    assert await world.count(Actor, Actor.kind == "remote") == 0


async def test_an_actor_with_several_keys_is_known_by_the_one_it_signs_with(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    old = ana.document()["publicKey"]
    ana.rsa = rsa_key(1)
    new = {**ana.document()["publicKey"], "id": f"{ana.uri}#second-key"}
    ana.changed["publicKey"] = [old, new]
    ana.rsa = rsa_key(0)
    await following(world, ana)
    assert (await remembered(world, ana.uri)).key_id == ana.key_id
