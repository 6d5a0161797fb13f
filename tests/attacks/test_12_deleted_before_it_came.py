"""Attack 12: what was deleted before it arrived stays deleted, if its author was known by then (see attack 11)."""

from datetime import timedelta

import pytest

from models.talk import Reply
from tests.server.peers.talk import create, note, ours
from tests.server.peers.world import Stranger, World


@pytest.mark.parametrize("hours", [0, 6, 24 * 30])
async def test_attack_12_a_delete_of_what_nobody_saw_keeps_it_away(
    world: World, masto: Stranger, hours: int
) -> None:
    ana, ben, post = masto.person("ana"), masto.person("ben"), await ours(world)
    await world.tell(ana, ana.activity("Like", object=post))
    said = note(ana, post)
    assert await world.tell(ana, ana.activity("Delete", object=said["id"])) == "done"
    world.pass_time(timedelta(hours=hours))
    assert await world.tell(ana, create(ana, said)) == "ignored"
    later = said | {"updated": "2027-01-01T00:00:00Z"}
    assert await world.tell(ana, ana.activity("Update", object=later)) == "ignored"
    assert await world.count(Reply) == 0
    await world.tell(ben, ben.activity("Like", object=post))
    kept = note(ana, post)
    await world.tell(ben, ben.activity("Delete", object=kept["id"]))
    assert await world.tell(ana, create(ana, kept)) == "done", "only its author keeps it away"
