"""Somebody elsewhere follows an actor of ours, or no longer does: twice, late, before its cause, and by an impostor."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.follows import Follow
from server.workers.delivery import deliveries_due
from tests.server.peers.world import Person, Stranger, World

OAK = "http://oak.test/c/oak"


def follow(by: Person, whom: str = OAK) -> dict[str, Any]:
    return by.activity("Follow", object=whom)


async def test_a_follow_is_answered_with_an_accept_that_repeats_it_with_plain_ids(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    assert await world.tell(ana, wish) == "done"
    await deliveries_due(world.of().app)
    [accept] = masto.posts("Accept")
    assert accept["actor"] == OAK
    assert accept["to"] == [ana.uri]
    assert accept["object"]["id"] == wish["id"]
    assert (accept["object"]["actor"], accept["object"]["object"]) == (ana.uri, OAK)
    assert accept["id"].startswith("http://oak.test/a/")
    assert await world.count(Follow) == 1


async def test_a_circle_can_be_followed_too(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    assert await world.tell(ana, follow(ana, "http://oak.test/c/assembly")) == "done"


async def test_the_instance_itself_is_not_followed_and_says_so(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    assert await world.tell(ana, follow(ana, "http://oak.test/c/instance")) == "refused"
    await deliveries_due(world.of().app)
    [reject] = masto.posts("Reject")
    assert reject["object"]["type"] == "Follow"
    assert await world.count(Follow) == 0


@pytest.mark.parametrize(
    "whom", ["http://oak.test/c/nobody", "http://masto.test/users/ben", "nonsense", None, {}]
)
async def test_a_follow_of_somebody_who_is_not_here_is_refused(
    world: World, masto: Stranger, whom: Any
) -> None:
    ana = masto.person("ana")
    assert await world.tell(ana, follow(ana, whom)) == "refused"
    assert await world.count(Follow) == 0


async def test_the_same_follow_twice_has_one_effect_and_one_answer(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    await world.tell(ana, wish)
    assert await world.post(ana, wish) == 202
    await world.settle()
    assert len(masto.posts("Accept")) == 1
    assert await world.count(Follow) == 1


async def test_a_repeated_follow_with_a_new_id_is_answered_again(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await world.tell(ana, follow(ana))
    again = follow(ana)
    assert await world.tell(ana, again) == "done"
    await world.settle()
    assert [a["object"]["id"] for a in masto.posts("Accept")][-1] == again["id"]
    assert await world.count(Follow) == 1


async def test_undo_ends_a_follow_named_by_id_or_repeated_inside(world: World, masto: Stranger) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")
    for who, as_id in ((ana, True), (ben, False)):
        wish = follow(who)
        await world.tell(who, wish)
        undo = who.activity("Undo", object=wish["id"] if as_id else wish)
        assert await world.tell(who, undo) == "done"
    assert await world.count(Follow) == 0


async def test_undo_of_a_follow_whose_id_its_server_forgot_is_matched_by_who_and_whom(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await world.tell(ana, follow(ana))
    assert await world.tell(ana, ana.activity("Undo", object=follow(ana))) == "done"
    without_id = {k: v for k, v in follow(ana).items() if k != "id"}
    await world.tell(ana, follow(ana))
    assert await world.tell(ana, ana.activity("Undo", object=without_id)) == "done"
    assert await world.count(Follow) == 0


async def test_undo_twice_is_ignored_the_second_time(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    await world.tell(ana, wish)
    assert await world.tell(ana, ana.activity("Undo", object=wish)) == "done"
    assert await world.tell(ana, ana.activity("Undo", object=wish)) == "ignored"


async def test_an_undo_that_comes_before_its_follow_still_undoes_it(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    assert await world.tell(ana, ana.activity("Undo", object=wish["id"])) == "ignored"
    assert await world.tell(ana, wish) == "ignored"
    assert await world.count(Follow) == 0
    assert await world.tell(ana, follow(ana)) == "done"


async def test_a_late_undo_of_an_older_follow_does_not_end_the_newer_one(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    old, new = follow(ana), follow(ana)
    await world.tell(ana, old)
    await world.tell(ana, new)
    assert await world.tell(ana, ana.activity("Undo", object=old)) == "ignored"
    assert await world.count(Follow) == 1


async def test_nobody_undoes_the_follow_of_another(world: World, masto: Stranger) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")
    wish = follow(ana)
    await world.tell(ana, wish)
    assert await world.tell(ben, ben.activity("Undo", object=wish)) == "refused"
    assert await world.tell(ben, ben.activity("Undo", object=wish["id"])) == "ignored"
    eve = (await world.stranger("evil")).person("eve")
    assert await world.tell(eve, eve.activity("Undo", object=wish["id"])) == "refused"
    assert await world.count(Follow) == 1


async def test_a_tombstone_by_another_does_not_keep_a_follow_away(world: World, masto: Stranger) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")
    wish = follow(ana)
    await world.tell(ben, ben.activity("Undo", object=wish["id"]))
    assert await world.tell(ana, wish) == "done"


@pytest.mark.parametrize("kind", ["Like", "Announce", "Block"])
async def test_undo_of_anything_else_means_nothing_here(world: World, masto: Stranger, kind: str) -> None:
    ana = masto.person("ana")
    assert await world.tell(ana, ana.activity("Undo", object=ana.activity(kind, object=OAK))) == "ignored"


async def test_the_answer_goes_to_the_followers_own_inbox_and_posts_later_to_the_shared_one(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana", endpoints={"sharedInbox": "http://masto.test/inbox"})
    await world.tell(ana, follow(ana))
    await world.settle()
    assert [a.target for a in masto.asked if a.method == "POST"] == ["/users/ana/inbox"]
    async with world.database().READ() as session:
        [inbox] = (await session.scalars(select(Follow.inbox))).all()
    assert inbox == "http://masto.test/inbox"


async def test_who_follows_undoes_and_follows_by_the_same_ids_again_is_heard_each_time(
    world: World, masto: Stranger
) -> None:
    """As people on Misskey do."""
    ana, minute = masto.person("ana"), timedelta(minutes=1)
    wish = follow(ana) | {"id": "http://masto.test/follows/1/2"}
    undo = ana.activity("Undo", object=wish) | {"id": f"{wish['id']}/undo"}
    for said, following in ((wish, 1), (undo, 0), (wish, 1), (undo, 0), (undo, 0), (wish, 1), (wish, 1)):
        world.clock.advance(minute)
        assert await world.tell(ana, said) in ("done", "ignored")
        assert await world.count(Follow) == following
    await deliveries_due(world.of().app)
    assert len({accept["id"] for accept in masto.posts("Accept")}) == 4
    other = (await world.stranger("other")).person("mallory")
    world.clock.advance(minute)
    assert await world.tell(other, ana.proved(undo)) == "ignored", (
        "as it ended before: nobody else says it anew"
    )
    assert await world.count(Follow) == 1
