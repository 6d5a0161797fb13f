"""Attack 11: floods of Delete and Update by actors whom nobody here ever met."""

import pytest

from models import tables
from tests.server.peers.world import Stranger, World


async def everything(world: World) -> dict[str, int]:
    """How many rows each table has."""
    return {name: await world.count(table) for name, table in tables.metadata.tables.items()}


@pytest.mark.parametrize("kind", ["Delete", "Update"])
async def test_attack_11_goodbyes_of_somebody_unknown_are_taken_without_a_look(
    world: World, masto: Stranger, kind: str
) -> None:
    ana = masto.person("ana")
    before = await everything(world)
    for _ in range(3):
        assert await world.post(ana, ana.activity(kind, object=ana.uri)) == 202
    assert await everything(world) == before
    assert masto.asked == []


async def test_attack_11_what_a_stranger_says_of_others_things_is_no_goodbye_that_costs_us(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    before = await everything(world)
    for number in range(5):
        gone = ana.activity("Delete", object=f"{ana.uri}/notes/{number}")
        assert await world.post(ana, gone) == 202
    assert await everything(world) == before
    assert masto.asked == []
