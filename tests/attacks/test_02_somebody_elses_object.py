"""Attack 2: the right actor, around an object of somebody else, of several, or of another server."""

from typing import Any

import pytest

from models.talk import PulseVote, Reply
from tests.server.peers.talk import create, note, ours, vote
from tests.server.peers.world import Stranger, World

OTHER = "http://masto.test/users/ben"


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(OTHER, id="another"),
        pytest.param(["http://masto.test/users/ana", OTHER], id="two"),
        pytest.param([], id="none in a list"),
        pytest.param(None, id="none"),
        pytest.param(7, id="a number"),
        pytest.param({"id": OTHER}, id="an object"),
        pytest.param("http://evil.test/users/ana", id="of another server"),
    ],
)
async def test_attack_02_the_object_of_another_is_refused(
    world: World, masto: Stranger, kind: str, owner: Any
) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    said = note(ana, post) | {"attributedTo": owner}
    assert await world.tell(ana, ana.activity(kind, object=said)) == "refused"
    voted = vote(ana, post, attributedTo=owner)
    assert await world.tell(ana, {**voted, "type": kind}) == "refused"
    assert await world.count(Reply) == await world.count(PulseVote) == 0


@pytest.mark.parametrize(
    "uri", ["http://evil.test/notes/1", "http://oak.test/o/1", "nonsense", "https://masto.test/1"]
)
async def test_attack_02_an_id_of_another_server_is_refused(world: World, masto: Stranger, uri: str) -> None:
    ana, post = masto.person("ana"), await ours(world)
    assert await world.tell(ana, create(ana, note(ana, post) | {"id": uri})) == "refused"
    assert await world.tell(ana, ana.activity("Delete", object=uri)) == "refused"
    assert await world.count(Reply) == 0
