"""A feed of three collectives, followed from elsewhere: what each publishes arrives once, busy hours end in a digest, and what is
taken back is taken back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import select

from models.events import Event
from models.feeds import FeedItem, Following, claim_feeds, feeds_due_now, note_items
from models.follows import Follow
from models.peers import Peer
from models.posts import Post
from server.actions.feed_items import MOST_WAITING
from server.actions.passing import advance
from server.keys import CLOCK, DATABASE, HOME
from server.workers.feeds import feeds_due
from tests.federation import feeding
from tests.federation.feeding import FEED, digests, post, shown, three
from tests.federation.harness import DAY, HOUR, MINUTE
from tests.federation.stock import Stock
from tests.server.peers.world import PUBLIC, World


@pytest.fixture
async def world(tmp_path: Path, stock: Stock) -> AsyncIterator[World]:
    async with World("oak", "elm", "ash", folder=tmp_path, stock=stock) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, tmp_path: Path, stock: Stock) -> AsyncIterator[World]:
    """The same on each kind of database."""
    with ExitStack() as databases:
        database = None
        if request.param == "postgresql":
            new_database = request.getfixturevalue("migrated_postgresql")
            database = lambda _name: databases.enter_context(new_database())  # noqa: E731
        async with World("oak", "elm", "ash", folder=tmp_path, stock=stock, database=database) as made:
            yield made


async def test_what_three_collectives_decide_reaches_a_follower_once_each(either: World) -> None:
    world = either
    ana = await three(world)
    await world.oak.convene("elm", "ash", method="approval", proposals=("Monday",))
    await world.settle()
    for name in ("elm", "ash"):
        await world[name].answer("binding")
    await world.elm.propose("Friday")
    await world.ash.propose("Sunday")
    await world.settle()
    await world.reach("opens")
    for one in world.present:
        await one.ballot(("Friday",))
    await world.settle()
    await world.finish()
    assert await world.agree() == "final adopted"
    expected = {}
    for one in world.present:
        async with one.session() as session:
            query = select(Post).where(Post.kind.in_(["option", "round", "result"]))
            expected |= {row.uri: row.kind for row in (await session.scalars(query)).all()}
    counted = Counter(expected.values())
    assert (counted["option"], counted["round"], counted["result"] >= 3) == (3, 1, True)
    assert Counter(shown(ana.server)) == Counter(list(expected))
    assert digests(ana.server) == []
    for announce in ana.server.posts("Announce"):
        assert (announce["actor"], announce["to"]) == (FEED, [PUBLIC])
        author = "/".join([*announce["object"].split("/")[:3], "c", announce["object"].split("/")[2][:3]])
        assert announce["cc"] == [f"{FEED}/followers", author]
        assert (await world.get(announce["id"]))[0] == 200
    outbox = (await world.get(f"{FEED}/outbox?page=1"))[2]
    assert {item["object"] for item in outbox["orderedItems"]} == set(expected)


async def test_a_feed_is_found_followed_and_counts_whom_it_follows(world: World) -> None:
    ana = await three(world)
    [accept] = ana.server.posts("Accept")
    assert accept["object"]["object"] == FEED
    _, _, document = await world.get(FEED)
    assert (document["type"], document["jura:record"]) == ("Group", {"v": 1, "type": "Feed"})
    finger = (await world.get("http://oak.test/.well-known/webfinger?resource=acct:valley@oak.test"))[2]
    assert finger["subject"] == "acct:valley@oak.test"
    assert FEED in [link["href"] for link in finger["links"]]
    totals = {
        n: (await world.get(f"{FEED}/{n}"))[2]["totalItems"] for n in ("followers", "following", "featured")
    }
    assert totals == {"followers": 1, "following": 2, "featured": 0}
    async with world.oak.session() as session:
        asked = (await session.scalars(select(Following))).all()
    assert {row.state for row in asked} == {"accepted"}
    for row in asked:
        _, _, follow = await world.get(row.activity_uri)
        assert (follow["type"], follow["actor"], follow["object"]) == ("Follow", FEED, row.followed)


async def test_a_busy_hour_ends_in_a_digest_and_nothing_is_told_twice(either: World) -> None:
    world = either
    ana = await three(world)
    await feeding.set_budget(world.oak, 3)
    uris = [await post(world["elm" if n % 2 else "oak"], f"Number {n} &lt;b&gt;") for n in range(28)]
    await world.settle()
    first = shown(ana.server)
    assert len(first) == 3
    assert set(first) < set(uris)
    await world.advance(59 * MINUTE)
    assert (shown(ana.server), digests(ana.server)) == (first, [])
    await world.advance(2 * MINUTE)
    [note] = digests(ana.server)
    assert shown(ana.server) == first
    assert (note["type"], note["attributedTo"], note["to"]) == ("Note", FEED, [PUBLIC])
    assert note["content"].count("<li>") == 20
    assert "25 posts that found no room" in note["content"]
    assert "And 5 more." in note["content"]
    assert "Elm Collective: <a href=" in note["content"]
    assert "&lt;b&gt;</a>" in note["content"]
    assert (await world.get(note["id"]))[0] == 200
    await post(world.ash, "After the rush")
    await world.settle()
    for number, uri in enumerate(uris[:6]):
        await post(world["elm" if number % 2 else "oak"], f"Number {number}", again=uri)
    await world.advance(3 * HOUR)
    assert len(shown(ana.server)) == 4
    assert len(digests(ana.server)) == 1
    async with world.oak.session() as session:
        told = (await session.scalars(select(Event.detail).where(Event.kind == "posts passed on"))).all()
    assert sum(one["posts"] for one in told) == 29


async def test_what_its_author_deletes_is_undone_left_out_of_the_digest_or_never_shown(world: World) -> None:
    ana = await three(world)
    await feeding.set_budget(world.oak, 1)
    seen, listed, other, waiting = [await post(world.elm, f"Post {word}") for word in "abcd"]
    await world.settle()
    await feeding.delete(world.ash, other)  # not theirs
    await feeding.delete(world.elm, waiting)
    await world.settle()
    assert shown(ana.server) == [seen]
    [announced] = ana.server.posts("Announce")
    await feeding.delete(world.elm, seen)
    await world.settle()
    [undo] = [a for a in ana.server.posts("Undo") if a["actor"] == FEED]
    assert undo["object"] == {k: v for k, v in announced.items() if k not in ("@context", "proof")}
    assert (undo["to"], undo["cc"]) == (announced["to"], announced["cc"])
    assert (await world.get(announced["id"]))[0] == 404
    await world.advance(61 * MINUTE)
    [note] = digests(ana.server)
    assert ("Post b" in note["content"], "Post c" in note["content"], "Post d" in note["content"]) == (
        True,
        True,
        False,
    )
    await feeding.delete(world.elm, listed)
    await world.settle()
    [told] = [a["object"] for a in ana.server.posts("Update") if a["actor"] == FEED]
    assert told["id"] == note["id"]
    assert ("Post b" in told["content"], "Post c" in told["content"]) == (False, True)
    assert told["updated"] >= told["published"]
    assert "Post b" not in (await world.get(note["id"]))[2]["content"]
    assert len(shown(ana.server)) == 1
    await post(world.elm, "Post a", again=seen)  # told once more, long after
    await world.advance(3 * HOUR)
    assert len(shown(ana.server)) == 1


async def test_what_members_post_edit_and_delete_goes_through_a_feed(world: World) -> None:
    ana = await three(world)
    uris = [await feeding.speak(one, "News") for one in (world.oak, world.elm)]
    await world.settle()
    assert shown(ana.server) == uris
    for one, uri in zip((world.oak, world.elm), uris, strict=True):
        await feeding.speak_anew(one, uri, "Other news")
        await world.settle()
        await feeding.withdraw(one, uri)
        await world.settle()
    assert shown(ana.server) == uris
    assert [a["object"]["object"] for a in ana.server.posts("Undo") if a["actor"] == FEED] == uris


async def test_only_new_public_posts_of_sources_are_passed_on(world: World) -> None:
    ana = await three(world)
    uri = await post(world.elm, "For everybody")
    mine = await post(world.oak, "Ours, for everybody")
    await post(world.elm, "For followers", to="followers")
    await post(world.elm, "For who has the link", to="unlisted")
    await post(world.elm, "A reply", inReplyTo=f"{ana.uri}/notes/1")
    await post(world.elm, "Somebody else’s", attributedTo="http://elm.test/c/assembly")
    answer = await post(world.ash, "An answer to Elm", inReplyTo=uri)
    await world.settle()
    await feeding.edit(world.elm, uri, "For everybody, edited")
    await post(world.elm, "For everybody", again=uri)
    await world.settle()
    assert sorted(shown(ana.server)) == sorted([uri, mine, answer])
    stranger = ana.activity(
        "Create", object={"id": f"{ana.uri}/1", "type": "Note", "to": [PUBLIC], "attributedTo": ana.uri}
    )
    await world.tell(ana, stranger)
    await world.settle()
    assert len(shown(ana.server)) == 3


async def test_no_more_wait_than_there_may(world: World) -> None:
    ana = await three(world)
    row = {
        "feed_id": 1,
        "author": "http://elm.test/c/elm",
        "link": "x",
        "title": "x",
        "seen_at": world.oak.now,
    }
    async with world.database().ACT.begin() as session:
        await note_items(session, [{**row, "object_uri": f"x{number}"} for number in range(MOST_WAITING + 6)])
        await feeds_due_now(session, [1], world.oak.now)
    await post(world.elm, "One too many")
    await world.settle()
    await world.advance(2 * HOUR)
    assert [("And 980 more." in note["content"]) for note in digests(ana.server)] == [True]
    assert await world.count(FeedItem) == MOST_WAITING + 6


async def test_feeds_of_each_others_collectives_do_not_go_round_in_circles(world: World) -> None:
    ana = await three(world)
    await feeding.make_feed(world.elm, "oak", handle="meadow")
    await world.settle()
    meadow = "http://elm.test/c/meadow"
    follow = ana.activity("Follow", object=meadow)
    assert await world.tell(ana, follow, to="elm") == "done"
    await feeding.set_budget(world.oak, 1)
    uris = [await post(world.oak, f"Words {n}") for n in range(3)]
    await world.settle()
    await world.advance(61 * MINUTE)
    by = Counter((a["actor"], a["object"]) for a in ana.server.posts("Announce"))
    assert by == {(FEED, uris[0]): 1} | {(meadow, uri): 1 for uri in uris}
    assert len(digests(ana.server)) == 1
    with pytest.raises(Exception, match="is no collective"):
        await feeding.add(world.elm, "@valley@oak.test", "meadow")
    with pytest.raises(Exception, match="is no collective"):
        await feeding.add(world.oak, "@valley@oak.test")


async def test_one_that_stops_for_good_leaves_the_others_as_they_were(world: World) -> None:
    ana = await three(world)
    await world.kill("elm")
    await post(world.ash, "Still here")
    await post(world.oak, "So are we")
    await world.settle()
    assert len(shown(ana.server)) == 2
    await feeding.remove(world.oak, "http://elm.test/c/elm")
    await world.settle()
    await world.revive("elm")
    await world.advance(20 * MINUTE)  # what was said meanwhile gets there
    async with world.elm.session() as session:
        assert (await session.scalars(select(Follow).where(Follow.follower == FEED))).all() == []
    await post(world.elm, "Nobody passes this on")
    await world.settle()
    assert len(shown(ana.server)) == 2


async def test_a_feed_that_ends_says_goodbye_to_those_it_followed_and_those_who_followed_it(
    world: World,
) -> None:
    ana = await three(world)
    await feeding.end(world.oak)
    await world.settle()
    [gone] = ana.server.posts("Delete")
    assert (gone["actor"], gone["object"]) == (FEED, FEED)
    world.pass_time(timedelta(seconds=10))
    assert (await world.get(FEED))[0] == 410
    assert (await world.get("http://oak.test/.well-known/webfinger?resource=acct:valley@oak.test"))[0] == 404
    for name in ("elm", "ash"):
        assert await world.count(Follow, Follow.follower == FEED, name=name) == 0
    await post(world.elm, "To nobody")
    await world.advance(2 * HOUR)
    assert shown(ana.server) == []


# Asking


async def test_only_who_was_asked_answers_and_an_answer_can_change(world: World) -> None:
    masto = await world.stranger("masto")
    fir, ben = masto.kin("fir"), masto.person("ben")
    await world.oak.members(1)
    await feeding.make_feed(world.oak)
    await feeding.add(world.oak, fir.uri)
    await world.settle()
    [follow] = masto.posts("Follow")
    assert follow["id"].startswith("http://oak.test/a/")

    async def state() -> str:
        async with world.oak.session() as session:
            return (await session.scalars(select(Following.state))).one()

    inside = {k: follow[k] for k in ("id", "type", "actor", "object")}
    assert await world.tell(ben, ben.activity("Accept", object=inside)) == "ignored"
    assert await world.tell(fir, fir.activity("Accept", object="http://oak.test/a/" + "0" * 64)) == "ignored"
    other = inside | {"id": "http://masto.test/x", "actor": "http://oak.test/c/oak"}
    assert await world.tell(fir, fir.activity("Accept", object=other)) == "ignored"
    assert await state() == "asked"
    assert await world.tell(fir, fir.activity("Accept", object=follow["id"])) == "done"
    assert await state() == "accepted"
    assert await world.tell(fir, fir.activity("Accept", object=inside)) == "ignored"
    assert await world.tell(fir, fir.activity("Reject", object=inside)) == "done"
    assert await state() == "rejected"
    await world.advance(20 * DAY)
    assert len(masto.posts("Follow")) == 1
    await feeding.remove(world.oak, fir.uri)
    await world.settle()
    [undo] = masto.posts("Undo")
    assert undo["object"] == inside | {"to": [fir.uri]}
    assert await world.tell(fir, fir.activity("Accept", object=inside)) == "ignored"


async def test_who_does_not_answer_is_asked_again_three_times(world: World) -> None:
    masto = await world.stranger("masto")
    fir = masto.kin("fir")
    await world.oak.members(1)
    await feeding.make_feed(world.oak)
    await feeding.add(world.oak, fir.uri)
    counts = []
    for _ in range(6):
        await world.settle()
        counts.append(len(masto.posts("Follow")))
        await world.advance(3 * DAY - MINUTE)
        assert len(masto.posts("Follow")) == counts[-1]
        await world.advance(2 * MINUTE)
    assert counts == [1, 2, 3, 4, 4, 4]
    follows = masto.posts("Follow")
    assert len({follow["id"] for follow in follows}) == 4
    assert await world.tell(fir, fir.activity("Accept", object=follows[0]["id"])) == "done"


# Who is not passed on, and who dies


@pytest.mark.parametrize("how", ["is_blocked", "is_limited"])
async def test_posts_of_a_server_that_is_blocked_or_limited_are_not_passed_on(world: World, how: str) -> None:
    ana = await three(world)
    await feeding.set_budget(world.oak, 1)
    await post(world.elm, "Before")
    await post(world.elm, "Waits")
    await world.settle()
    async with world.database().ACT.begin() as session:
        await session.merge(Peer(authority="elm.test", **{how: True}))
    await post(world.elm, "After")
    await world.settle()
    await world.advance(3 * HOUR)
    assert (len(shown(ana.server)), digests(ana.server)) == (1, [])
    with pytest.raises(Exception, match="blocked"):
        await feeding.make_feed(world.oak, "elm", handle="other")


async def test_who_is_killed_after_claiming_has_done_nothing_and_two_workers_do_it_once(
    either: World,
) -> None:
    world, ana = either, await three(either)
    await feeding.set_budget(world.oak, 2)
    uris = [await post(world.oak, f"Words {n}") for n in range(4)]
    app = world.oak.app
    async with app[DATABASE].ACT.begin() as session:
        assert len(await claim_feeds(session, world.oak.now, timedelta(minutes=1), 5)) == 1
    assert await feeds_due(app) == 0  # somebody has it, and is dead
    world.pass_time(timedelta(minutes=1))
    assert await feeds_due(app) == 1
    await world.settle()
    assert shown(ana.server) == uris[:2]
    world.pass_time(61 * MINUTE)
    await asyncio.gather(*(_advance(app) for _ in range(4)))  # as if several had it, their leases over
    await world.settle()
    assert (len(shown(ana.server)), len(digests(ana.server))) == (2, 1)
    assert await world.count(FeedItem, FeedItem.passed_on_at.is_(None)) == 0


async def _advance(app: web.Application) -> None:
    async with app[DATABASE].ACT.begin() as session:
        await advance(session, app[HOME], 1, app[CLOCK].now())
