"""Attack 1: a valid signature by one actor over an activity of another. Finer cases: tests/server/peers/test_speakers.py."""

from typing import Literal

import pytest

from models.queues import InboxItem
from tests.server.peers.world import Stranger, World

OAK = "http://oak.test/c/oak"


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
@pytest.mark.parametrize("server", ["masto", "other"])
async def test_attack_01_who_signs_for_another_is_refused_and_nothing_is_kept(
    world: World, masto: Stranger, server: str, scheme: Literal["cavage", "rfc9421"]
) -> None:
    ana = masto.person("ana")
    home = masto if server == "masto" else await world.stranger(server)
    mallory = home.person("mallory", key=1)
    assert await world.post(ana, ana.activity("Follow", object=OAK), scheme=scheme) == 202
    before = await world.count(InboxItem)
    wish = ana.activity("Follow", object=OAK)
    assert await world.post(mallory, wish, scheme=scheme) == 401
    assert await world.post(mallory, mallory.proved(wish), scheme=scheme) == 401, "a proof by another is none"
    for actor in ([ana.uri, mallory.uri], [], {"id": [mallory.uri]}):
        assert await world.post(mallory, {**wish, "actor": actor}, scheme=scheme) == 400
    assert await world.count(InboxItem) == before
