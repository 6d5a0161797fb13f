"""What others pin or put into collections of theirs: their own affair; nothing is kept, and nothing of others is moved."""

import pytest

from models.talk import Reaction, Reply
from tests.server.peers.talk import note, ours
from tests.server.peers.world import Stranger, World


@pytest.mark.parametrize("kind", ["Add", "Remove"])
async def test_what_others_pin_is_passed_over(world: World, masto: Stranger, kind: str) -> None:
    ana, post = masto.person("ana"), await ours(world)
    before = (await world.get("http://oak.test/c/oak/featured"))[2]
    for what in (post, f"{ana.uri}/notes/1", note(ana, post)):
        said = ana.activity(kind, object=what, target=f"{ana.uri}/collections/featured")
        assert await world.tell(ana, said) == "ignored"
    assert await world.count(Reply) == await world.count(Reaction) == 0
    assert (await world.get("http://oak.test/c/oak/featured"))[2] == before


@pytest.mark.parametrize("kind", ["Add", "Remove"])
@pytest.mark.parametrize("target", ["http://oak.test/c/oak/featured", "http://other.test/featured", None, 7])
async def test_nobody_pins_elsewhere(world: World, masto: Stranger, kind: str, target: object) -> None:
    ana, post = masto.person("ana"), await ours(world)
    before = (await world.get("http://oak.test/c/oak/featured"))[2]
    assert await world.tell(ana, ana.activity(kind, object=post, target=target)) == "refused"
    assert (await world.get("http://oak.test/c/oak/featured"))[2] == before
