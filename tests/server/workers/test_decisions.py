"""The decisions pass: one decision that cannot be looked at keeps no other from its turn."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activitypub import proofs
from models.decisions import Decision
from models.ledger import Scope
from models.rules import records
from server.actions.keeping import advance
from server.workers import decisions
from server.workers.decisions import decisions_due
from tests.server.peers.joint import Joint
from tests.server.peers.world import Stranger, World


@pytest.fixture
async def elm(world: World) -> Stranger:
    """Another instance of our kind."""
    return await world.stranger("elm")


async def offered(world: World, elm: Stranger, handle: str, ahead: timedelta = timedelta()) -> Joint:
    """A decision that somebody at elm offers to oak, dated that far ahead of now."""
    ours = (await world.collective()).ed25519 or ""
    joint = Joint(world, elm.kin(handle), [ours])
    if ahead:
        fields = {
            key: value for key, value in joint.offer.items() if key not in {"v", "type", "by", "at", "proof"}
        }
        at = world.clock.now().replace(microsecond=0) + ahead
        draft = records.draft("Offer", joint.convener.key, None, at, **fields)
        joint.offer = proofs.sign_record(draft, joint.convener.ed25519)
        joint.name = joint.digest(joint.offer)
    await world.tell(joint.convener, joint.offering())
    return joint


async def looked_at(world: World) -> set[str]:
    """The decisions of which there is a row for lists."""
    query = select(Scope.name).join(Decision, Decision.scope_id == Scope.id)
    async with world.database().READ() as session:
        return set((await session.scalars(query)).all())


async def test_an_offer_dated_ahead_waits_for_its_time_and_holds_up_nobody(
    world: World, elm: Stranger
) -> None:
    ahead = await offered(world, elm, "ahead", timedelta(minutes=30))
    joint = await offered(world, elm, "elm")
    await decisions_due(world.of().app)
    assert await looked_at(world) == {joint.name}
    assert await decisions_due(world.of().app) == 0
    world.pass_time(timedelta(minutes=26))
    await decisions_due(world.of().app)
    assert await looked_at(world) == {joint.name, ahead.name}


async def test_a_decision_that_nobody_can_compute_holds_up_no_other(
    world: World, elm: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, joint = await offered(world, elm, "bad"), await offered(world, elm, "elm")

    async def fail(session: Any, home: Any, name: str, now: Any) -> None:
        if name == bad.name:
            raise RuntimeError("nobody expected this")
        await advance(session, home, name, now)

    monkeypatch.setattr(decisions, "advance", fail)
    for _ in range(2):
        await decisions_due(world.of().app)
        world.pass_time(decisions.LEASE + timedelta(seconds=1))
    assert await looked_at(world) == {joint.name}
