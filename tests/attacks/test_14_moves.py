"""Attack 14: a Move to an account that knows nothing of it, in a chain, or twice within a week."""

from datetime import timedelta
from typing import Any

import pytest

from tests.server.peers.test_moves_and_quotes import followed, move, we_follow
from tests.server.peers.world import Stranger, World


@pytest.mark.parametrize(
    ("old_says", "new_says"),
    [
        pytest.param("new", [], id="the new one names nobody"),
        pytest.param("new", ["http://masto.test/users/other"], id="the new one names another"),
        pytest.param("", ["http://masto.test/users/old"], id="the old one says nothing"),
        pytest.param("third", ["http://masto.test/users/old"], id="the old one names another"),
    ],
)
async def test_attack_14_both_accounts_have_to_say_it(
    world: World, masto: Stranger, old_says: str, new_says: list[str]
) -> None:
    snac = await world.stranger("snac")
    old, new = masto.person("old"), snac.person("new")
    old.changed["movedTo"] = f"{snac.url}/users/{old_says}" if old_says else None
    new.changed["alsoKnownAs"] = new_says
    await followed(world, old)
    assert await world.tell(old, move(old, new)) == "refused"
    assert await we_follow(world) == [("old", "accepted")]


async def test_attack_14_nobody_is_followed_through_a_chain(world: World, masto: Stranger) -> None:
    old, new, third = masto.person("old"), masto.person("new"), masto.person("third")
    old.changed["movedTo"] = new.uri
    new.changed |= {"alsoKnownAs": [old.uri], "movedTo": third.uri}
    await followed(world, old)
    assert await world.tell(old, move(old, new)) == "refused"
    assert await we_follow(world) == [("old", "accepted")]


async def test_attack_14_who_moved_moves_again_only_after_a_week(world: World, masto: Stranger) -> None:
    one, two = masto.person("one"), masto.person("two")

    def agree(old: Any, new: Any) -> None:
        old.changed = {"movedTo": new.uri}
        new.changed = {"alsoKnownAs": [old.uri]}

    await followed(world, one)
    agree(one, two)
    assert await world.tell(one, move(one, two)) == "done"
    await followed(world, one)
    third = masto.person("third")
    one.changed, third.changed = {"movedTo": third.uri}, {"alsoKnownAs": [one.uri]}
    assert await world.tell(one, move(one, third)) == "ignored"
    world.pass_time(timedelta(days=7, seconds=1))
    assert await world.tell(one, move(one, third)) == "done"


async def test_attack_14_nobody_moves_another(world: World, masto: Stranger) -> None:
    old, eve = masto.person("old"), masto.person("eve")
    old.changed["movedTo"], eve.changed["alsoKnownAs"] = eve.uri, [old.uri]
    await followed(world, old)
    stolen = eve.activity("Move", object=old.uri, target=eve.uri)
    assert await world.tell(eve, stolen) == "refused"
    assert await we_follow(world) == [("old", "accepted")]
