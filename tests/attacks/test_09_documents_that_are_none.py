"""Attack 9: what is served with another content type is no document, whatever it says. All types: tests/activitypub/test_fetch.py.
What people upload is never served as one: tests of uploads."""

from models.people import Actor
from tests.server.peers.world import Stranger, World

OAK = "http://oak.test/c/oak"
TYPES = [
    "text/html",
    "application/json",
    "application/ld+json",
    "",
    "image/png",
    "application/ld+json; profile=x",
]


async def test_attack_09_an_actor_served_as_something_else_is_nobody(world: World, masto: Stranger) -> None:
    for number, type_ in enumerate(TYPES):
        ana = masto.person(f"ana{number}")
        masto.says(f"/users/ana{number}", ana.document(), type_=type_)
        assert await world.post(ana, ana.activity("Follow", object=OAK)) == 401, type_
        assert await world.post(ana, ana.proved(ana.activity("Follow", object=OAK))) == 401, type_
    assert await world.count(Actor, Actor.kind == "remote") == 0
    ana = masto.person("ana")
    masto.says(
        "/users/ana",
        ana.document(),
        type_='application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
    )
    assert await world.post(ana, ana.activity("Follow", object=OAK)) == 202
