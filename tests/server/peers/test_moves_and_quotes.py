"""Accounts that move, and quotes with their stamps."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models.feeds import FeedSource, Following
from models.posts import Post
from models.talk import Quote
from server.workers.delivery import deliveries_due
from tests.server.peers.talk import actor, note, ours
from tests.server.peers.world import Person, Stranger, World

OAK = "http://oak.test/c/oak"


async def followed(world: World, who: Person) -> None:
    """Our collective follows somebody."""
    oak = await actor(world, OAK)
    async with world.database().ACT.begin() as session:
        row = {"follower_id": oak.id, "followed": who.uri, "activity_uri": f"http://oak.test/a/{who.handle}"}
        session.add(Following(**row, state="accepted", at=world.clock.now()))


async def we_follow(world: World) -> list[tuple[str, str]]:
    async with world.database().READ() as session:
        rows = (await session.scalars(select(Following).order_by(Following.id))).all()
        return [(row.followed.rpartition("/")[2], row.state) for row in rows]


def move(old: Person, new: Person) -> dict[str, Any]:
    return old.activity("Move", object=old.uri, target=new.uri)


async def test_whom_we_follow_is_followed_to_where_both_accounts_say(world: World, masto: Stranger) -> None:
    snac = await world.stranger("snac")
    old, new = masto.person("old"), snac.person("new")
    old.changed["movedTo"], new.changed["alsoKnownAs"] = new.uri, [old.uri]
    await followed(world, old)
    first = move(old, new)
    assert await world.tell(old, first) == "done"
    await deliveries_due(world.of().app)
    assert [one["object"] for one in snac.posts("Follow")] == [new.uri]
    assert [one["object"]["object"] for one in masto.posts("Undo")] == [old.uri]
    assert await we_follow(world) == [("new", "asked")]
    assert (await actor(world, old.uri)).moved_to == new.uri
    assert await world.tell(old, move(old, new)) == "ignored"
    assert await world.count(FeedSource) == 0


async def test_a_follower_of_ours_that_moves_follows_anew_by_itself(world: World, masto: Stranger) -> None:
    old, new = masto.person("old"), masto.person("new")
    old.changed["movedTo"], new.changed["alsoKnownAs"] = new.uri, old.uri
    await world.tell(old, old.activity("Follow", object=OAK))
    masto.asked.clear()
    assert await world.tell(old, move(old, new)) == "ignored"
    assert masto.gets() == []


def quote_request(by: Person, post: str, quoting: Any) -> dict[str, Any]:
    return by.activity("QuoteRequest", object=post, instrument=quoting)


async def test_a_public_post_may_be_quoted_and_the_stamp_is_served(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    quoting = note(ana, quote=post)
    asked = quote_request(ana, post, quoting)
    assert await world.tell(ana, asked) == "done"
    await deliveries_due(world.of().app)
    [accept] = masto.posts("Accept")
    assert accept["object"] == {
        "id": asked["id"],
        "type": "QuoteRequest",
        "actor": ana.uri,
        "object": post,
        "instrument": quoting["id"],
    }
    assert accept["actor"] == OAK
    assert accept["result"].startswith("http://oak.test/stamps/")
    status, headers, stamp = await world.get(accept["result"])
    assert (status, headers["Content-Type"]) == (200, "application/activity+json")
    assert {key: stamp[key] for key in stamp if key != "@context"} == {
        "id": accept["result"],
        "type": "QuoteAuthorization",
        "attributedTo": OAK,
        "interactingObject": quoting["id"],
        "interactionTarget": post,
    }
    assert await world.tell(ana, quote_request(ana, post, quoting)) == "done"
    await deliveries_due(world.of().app)
    assert [one["result"] for one in masto.posts("Accept")] == [accept["result"]] * 2
    assert await world.count(Quote) == 1


async def test_a_post_that_quotes_is_fetched_where_the_request_only_names_it(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world)
    quoting = {**note(ana, quoteUrl=post), "id": "http://masto.test/notes/1"}
    masto.says("/notes/1", quoting)
    assert await world.tell(ana, quote_request(ana, post, quoting["id"])) == "done"


@pytest.mark.parametrize("is_there", [True, False])
async def test_what_is_not_public_may_not_be_quoted_and_says_the_same_as_what_is_not_there(
    world: World, masto: Stranger, is_there: bool
) -> None:
    ana, post = masto.person("ana"), "http://oak.test/o/" + "0" * 64
    if is_there:
        post = await ours(world, public=False)
    assert await world.tell(ana, quote_request(ana, post, note(ana, quote=post))) == "refused"
    await deliveries_due(world.of().app)
    [reject] = masto.posts("Reject")
    assert "result" not in reject
    assert reject["actor"] == OAK
    assert await world.count(Quote) == 0


async def test_a_stamp_is_void_once_either_post_is_deleted(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    for number in range(2):
        quoting = note(ana, quote=post)
        asked = quote_request(ana, post, quoting)
        await world.tell(ana, asked)
        await deliveries_due(world.of().app)
        stamp = masto.posts("Accept")[-1]["result"]
        assert (await world.get(stamp))[0] == 200
        if number == 0:
            await world.tell(ana, ana.activity("Delete", object=quoting["id"]))
            assert await world.tell(ana, quote_request(ana, post, quoting)) == "refused"
        else:
            async with world.database().ACT.begin() as session:
                await session.execute(update(Post).values(deleted_at=world.clock.now()))
        assert (await world.get(stamp))[0] == 404


async def test_a_post_that_was_deleted_before_it_asked_gets_no_stamp(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    quoting = note(ana, quote=post)
    await world.tell(ana, ana.activity("Like", object=post))  # else nobody here knows who deletes something
    await world.tell(ana, ana.activity("Delete", object=quoting["id"]))
    assert await world.tell(ana, quote_request(ana, post, quoting)) == "refused"
    assert await world.count(Quote) == 0


async def test_stamps_for_one_author_are_bounded(world: World, masto: Stranger, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.actions.quoting.PER_HOUR", 1)
    ana, post = masto.person("ana"), await ours(world)
    words = [await world.tell(ana, quote_request(ana, post, note(ana, quote=post))) for _ in range(2)]
    assert words == ["done", "refused"]
    world.pass_time(timedelta(hours=1, seconds=1))
    assert await world.tell(ana, quote_request(ana, post, note(ana, quote=post))) == "done"
