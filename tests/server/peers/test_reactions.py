"""Likes, boosts, emojis, blocks and reports: once each, taken back by their author alone, late and before their cause."""

from typing import Any

import pytest
from sqlalchemy import select

from models import talk
from models.feeds import Following
from models.follows import Follow
from models.posts import Post
from models.queues import Delivery
from models.reports import Report
from models.talk import Reaction
from server.actions import reacting, reporting, threads
from tests.server.peers.talk import actor, create, note, ours, reactions
from tests.server.peers.world import PUBLIC, Stranger, World

OAK = "http://oak.test/c/oak"

SIGNS = [
    pytest.param("Like", {}, ("like", ""), id="like"),
    pytest.param("Like", {"content": "👍"}, ("emoji", "👍"), id="like of Misskey"),
    pytest.param(
        "Like", {"_misskey_reaction": ":blobcat:"}, ("emoji", ":blobcat:"), id="like with its own emoji"
    ),
    pytest.param("EmojiReact", {"content": "<b>🎉</b>"}, ("emoji", "🎉"), id="emoji of Pleroma"),
    pytest.param("Announce", {"to": [PUBLIC]}, ("announce", ""), id="boost"),
]


@pytest.mark.parametrize(("kind", "more", "kept"), SIGNS)
async def test_each_is_noted_once_and_taken_back(
    world: World, masto: Stranger, kind: str, more: dict[str, Any], kept: tuple[str, str]
) -> None:
    ana, ben, post = masto.person("ana"), masto.person("ben"), await ours(world)
    sign = ana.activity(kind, object=post, **more)
    assert await world.tell(ana, sign) == "done"
    assert await world.tell(ana, ana.activity(kind, object=post, **more)) == "ignored"
    assert await world.tell(ben, ben.activity(kind, object={"id": post, "type": "Note"}, **more)) == "done"
    assert await reactions(world) == [(kept[0], "ana", kept[1]), (kept[0], "ben", kept[1])]
    without_id = {key: value for key, value in sign.items() if key != "id"}
    assert await world.tell(ana, ana.activity("Undo", object=without_id)) == "done"
    assert await world.tell(ana, ana.activity("Undo", object=without_id)) == "ignored"
    assert await reactions(world) == [(kept[0], "ben", kept[1])]


async def test_an_undo_by_id_alone_and_one_that_comes_first(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    sign, early = ana.activity("Like", object=post), ana.activity("Announce", object=post)
    await world.tell(ana, sign)
    assert await world.tell(ana, ana.activity("Undo", object=sign["id"])) == "done"
    assert await world.tell(ana, ana.activity("Undo", object=early)) == "ignored"
    assert await world.tell(ana, early) == "ignored"
    assert await world.count(Reaction) == 0


async def test_a_late_undo_of_an_older_like_leaves_the_newer_one(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    old, new = ana.activity("Like", object=post), ana.activity("Like", object=post)
    await world.tell(ana, old)
    await world.tell(ana, new)
    assert await world.tell(ana, ana.activity("Undo", object=old)) == "ignored"
    assert await world.count(Reaction) == 1
    assert await world.tell(ana, ana.activity("Undo", object=new)) == "done"


async def test_what_is_not_ours_or_not_public_cannot_be_liked(world: World, masto: Stranger) -> None:
    ana, secret = masto.person("ana"), await ours(world, public=False)
    for what in (secret, "http://masto.test/notes/1", "http://oak.test/o/0", OAK, None):
        for kind in ("Like", "Announce", "EmojiReact"):
            assert await world.tell(ana, ana.activity(kind, object=what)) == "ignored"
    assert await world.count(Reaction) == 0


async def test_one_actor_adds_only_so_many_emojis_and_likes_and_boosts_all_the_same(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world)
    emojis = [ana.activity("EmojiReact", object=post, content=f":cat{number}:") for number in range(7)]
    words = [await world.tell(ana, one) for one in emojis]
    assert words == ["done"] * reacting.PER_ACTOR + ["ignored"] * 2
    assert [await world.tell(ana, ana.activity(kind, object=post)) for kind in ("Like", "Announce")] == [
        "done",
        "done",
    ]
    await world.tell(ana, ana.activity("Undo", object=emojis[0]))
    again = ana.activity("EmojiReact", object=post, content=":dog:")
    assert await world.tell(ana, again) == "done"
    async with world.database().READ() as session:
        found = await session.scalar(select(Post.id).where(Post.uri == post))
        assert await talk.reactions_to(session, [found or 0]) == {"emoji": 5, "like": 1, "announce": 1}


async def test_one_server_adds_only_so_many(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reacting, "PER_POST", 2)
    post = await ours(world)
    for number in range(3):
        who = masto.person(f"p{number}")
        await world.tell(who, who.activity("Like", object=post))
    assert await world.count(Reaction) == 2


async def test_servers_below_one_name_have_one_bound_together(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((reacting, "PER_POST_OF_A_SITE"), (threads, "PER_POST_AND_HOUR")):
        monkeypatch.setattr(module, name, 2)
    monkeypatch.setattr(threads, "SERVERS", 1)
    monkeypatch.setattr(reporting, "SERVERS", 1)
    monkeypatch.setattr(reporting, "PER_HOUR", 2)
    post = await ours(world)
    below = [(await world.stranger(f"s{number}.evil")).person("eve") for number in range(3)]
    words = []
    for who in (*below, masto.person("ana")):
        said = (
            who.activity("Like", object=post),
            create(who, note(who, post)),
            who.activity("Flag", object=[OAK]),
        )
        words.append([await world.tell(who, one) for one in said])
    assert words == [["done"] * 3, ["done"] * 3, ["ignored", "refused", "refused"], ["done"] * 3]


async def test_a_block_parts_both_and_drops_what_waits_for_the_blocker(world: World, masto: Stranger) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")
    for who in (ana, ben):
        await world.tell(who, who.activity("Follow", object=OAK))
    oak = await actor(world, OAK)
    async with world.database().ACT.begin() as session:
        for number, who in enumerate((ana, ben)):
            row = {
                "follower_id": oak.id,
                "followed": who.uri,
                "activity_uri": f"f{number}",
                "state": "accepted",
            }
            session.add(Following(**row, at=world.clock.now()))
    assert await world.count(Delivery) == 2
    block = ana.activity("Block", object=OAK)
    assert await world.tell(ana, block) == "done"
    async with world.database().READ() as session:
        assert list(await session.scalars(select(Follow.follower))) == [ben.uri]
        assert list(await session.scalars(select(Following.followed))) == [ben.uri]
        assert list(await session.scalars(select(Delivery.inbox))) == [f"{ben.uri}/inbox"]
    assert await world.tell(ana, ana.activity("Undo", object=block)) == "ignored"
    assert await world.tell(ana, ana.activity("Block", object="http://masto.test/users/ben")) == "ignored"
    assert await world.count(Follow) == 1


async def test_a_block_comes_twice_or_before_any_follow(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    for _ in range(2):
        assert await world.tell(ana, ana.activity("Block", object=OAK)) == "done"
    assert await world.tell(ana, ana.activity("Follow", object=OAK)) == "done"
    assert await world.count(Follow) == 1


async def test_a_report_is_kept_in_private(world: World, masto: Stranger) -> None:
    instance, post = masto.person("instance"), await ours(world)
    flag = instance.activity("Flag", object=[OAK, post], content="<p>This is<br>spam</p>")
    assert await world.tell(instance, flag) == "done"
    await world.settle()
    async with world.database().READ() as session:
        [report] = (await session.scalars(select(Report))).all()
    assert (report.uri, report.direction, report.reporter) == (flag["id"], "in", instance.uri)
    assert (report.about, report.comment) == ([OAK, post], "This is\nspam")
    assert masto.posts() == []
    [event] = await world.events("report received")
    assert (event.actor, event.detail) == (None, {})


async def test_reports_that_do_not_concern_us_or_are_too_many_are_not_kept(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "PER_HOUR", 2)
    ana, post = masto.person("ana"), await ours(world)
    said = note(ana, post)
    await world.tell(ana, create(ana, said))
    ben = masto.person("ben")
    words = [
        await world.tell(ben, ben.activity("Flag", object=what))
        for what in ("http://masto.test/users/x", said["id"], OAK, OAK)
    ]
    assert words == ["ignored", "done", "done", "refused"]
    assert await world.count(Report) == 2
