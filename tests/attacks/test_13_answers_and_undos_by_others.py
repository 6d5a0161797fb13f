"""Attack 13: Undo, Accept and Reject by somebody whom they do not concern. Offers: tests/server/peers/test_carriers.py."""

from typing import Any

import pytest
from sqlalchemy import select

from models.feeds import Following
from models.follows import Follow
from models.talk import Reaction
from tests.server.peers.talk import actor, ours
from tests.server.peers.world import Stranger, World

OAK = "http://oak.test/c/oak"


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
async def test_attack_13_an_answer_to_a_follow_that_we_never_sent_is_ignored(
    world: World, masto: Stranger, kind: str
) -> None:
    ana = masto.person("ana")
    follow = {
        "type": "Follow",
        "id": "http://oak.test/f/1",
        "actor": "http://oak.test/c/oak",
        "object": ana.uri,
    }
    assert await world.tell(ana, ana.activity(kind, object=follow)) in ("ignored", "refused")
    assert await world.count(Following) == 0


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
@pytest.mark.parametrize("form", ["id", "whole"])
async def test_attack_13_only_who_is_asked_answers_our_follow(
    world: World, masto: Stranger, kind: str, form: str
) -> None:
    ana, eve = masto.person("ana"), masto.person("eve")
    for who in (ana, eve):
        await world.tell(who, who.activity("Follow", object=OAK))
    oak = await actor(world, OAK)
    follow: dict[str, Any] = {"id": "http://oak.test/a/1", "type": "Follow", "actor": OAK, "object": ana.uri}
    async with world.database().ACT.begin() as session:
        row = {"follower_id": oak.id, "followed": ana.uri, "activity_uri": follow["id"], "state": "asked"}
        session.add(Following(**row, at=world.clock.now()))
    said = follow["id"] if form == "id" else follow
    assert await world.tell(eve, eve.activity(kind, object=said)) in ("ignored", "refused")
    async with world.database().READ() as session:
        assert (await session.scalars(select(Following.state))).all() == ["asked"]


@pytest.mark.parametrize("form", ["id", "whole", "as mine"])
async def test_attack_13_nobody_takes_back_what_another_said(
    world: World, masto: Stranger, form: str
) -> None:
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world)
    follow, like = ana.activity("Follow", object=OAK), ana.activity("Like", object=post)
    for one in (follow, like):
        await world.tell(ana, one)
        said = {"id": one["id"], "whole": one, "as mine": {**one, "actor": eve.uri}}[form]
        assert await world.tell(eve, eve.activity("Undo", object=said)) in ("ignored", "refused")
    assert await world.count(Follow) == await world.count(Reaction) == 1
