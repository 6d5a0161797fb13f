"""Attack 27: stamps for quotes that are not there, or by others than who asks; and stamps that are not ours."""

from typing import Any

import pytest

from models.talk import Quote
from server.workers.delivery import deliveries_due
from tests.server.peers.talk import note, ours
from tests.server.peers.test_moves_and_quotes import quote_request
from tests.server.peers.world import Stranger, World


@pytest.mark.parametrize(
    ("where", "whole"),
    [
        *(
            (where, False)
            for where in ("not there", "of another", "another post", "quotes another", "elsewhere")
        ),
        *((where, True) for where in ("of another", "quotes another", "elsewhere")),
    ],
)
async def test_attack_27_only_the_author_gets_a_stamp_for_a_quote_that_is_one(
    world: World, masto: Stranger, where: str, whole: bool
) -> None:
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world)
    quoting: dict[str, Any] = note(eve, quote=post) | {"id": "http://masto.test/notes/1"}
    if where == "of another":
        quoting["attributedTo"] = ana.uri
    elif where == "quotes another":
        quoting["quote"] = "http://masto.test/notes/2"
    elif where == "elsewhere":
        quoting["id"] = "http://evil.test/notes/1"
    if where != "not there":
        shown = quoting | ({"id": "http://masto.test/notes/9"} if where == "another post" else {})
        masto.says("/notes/1", shown)
    asked = quote_request(eve, post, quoting if whole else quoting["id"])
    assert await world.tell(eve, asked) != "done"
    await deliveries_due(world.of().app)
    assert await world.count(Quote) == 0
    assert masto.posts("Accept") == []


async def test_attack_27_who_knows_of_a_quote_early_does_not_spoil_it(world: World, masto: Stranger) -> None:
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world)
    quoting = note(ana, quote=post)
    stolen = quoting | {"attributedTo": eve.uri}
    await world.tell(eve, quote_request(eve, post, stolen))
    assert await world.tell(ana, quote_request(ana, post, quoting)) == "done"


@pytest.mark.parametrize("what", ["0" * 64, "1", "%00", "stamps"])
async def test_attack_27_there_are_no_stamps_but_ours(world: World, masto: Stranger, what: str) -> None:
    assert (await world.get(f"http://oak.test/stamps/{what}"))[0] == 404
    assert masto.asked == []
