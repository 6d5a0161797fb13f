"""Replies and mentions: kept once, changed and withdrawn by their author alone, late, twice and before their cause."""

from datetime import timedelta
from typing import Any

import pytest

from models.talk import Reply
from server.actions import threads
from tests.server.peers.talk import create, note, ours, replies
from tests.server.peers.world import Stranger, World

OAK = "http://oak.test/c/oak"


async def test_a_reply_to_a_public_post_is_kept_sanitised_with_its_link_and_attachments(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world, scope="a" * 64)
    said = note(
        ana,
        post,
        content='<p onclick="x()">Hi <script>x()</script><a href="javascript:x()">you</a></p>',
        summary="<b>Food</b>",
        contentMap={"de": "Hallo"},
        url=[{"type": "Link", "mediaType": "text/html", "href": "http://masto.test/@ana/1"}],
        attachment=[
            {"type": "Document", "url": "http://masto.test/x.png", "mediaType": "image/png", "name": "A cow"}
        ],
    )
    assert await world.tell(ana, create(ana, said)) == "done"
    [row] = await replies(world)
    assert row.content == '<p>Hi <a rel="nofollow noopener noreferrer">you</a></p>'
    assert (row.author, row.authority, row.scope, row.in_reply_to) == (ana.uri, "masto.test", "a" * 64, post)
    assert (row.summary, row.url, row.is_public) == ("Food", "http://masto.test/@ana/1", True)
    assert row.attachments == [{"url": "http://masto.test/x.png", "kind": "image/png", "text": "A cow"}]
    assert [event.scope for event in await world.events("reply received")] == ["a" * 64]


async def test_a_reply_to_a_reply_belongs_to_the_same_thread(world: World, masto: Stranger) -> None:
    ana, ben, post = masto.person("ana"), masto.person("ben"), await ours(world, scope="a" * 64)
    first = note(ana, post)
    await world.tell(ana, create(ana, first))
    assert await world.tell(ben, create(ben, note(ben, first["id"]))) == "done"
    assert [row.scope for row in await replies(world)] == ["a" * 64] * 2


async def test_a_mention_is_kept_and_joins_its_thread_when_what_it_answers_arrives(
    world: World, masto: Stranger
) -> None:
    ana, ben, post = masto.person("ana"), masto.person("ben"), await ours(world, scope="a" * 64)
    first = note(ana, post)
    second = note(ben, first["id"], tag={"type": "Mention", "href": OAK, "name": "@oak"})
    third = note(ana, second["id"], cc=[OAK])
    assert await world.tell(ben, create(ben, second)) == "done"
    assert await world.tell(ana, create(ana, third)) == "done"
    assert [row.scope for row in await replies(world)] == [None, None]
    await world.tell(ana, create(ana, first))
    assert [row.scope for row in await replies(world)] == ["a" * 64] * 3


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"inReplyTo": "http://masto.test/notes/1"}, id="to somebody else"),
        pytest.param({"inReplyTo": None}, id="to nobody"),
        pytest.param({"inReplyTo": "http://oak.test/o/" + "0" * 64}, id="to what is not there"),
        pytest.param({"content": " <p>\u200b</p>"}, id="without words"),
        pytest.param({"content": None}, id="without content"),
        pytest.param({"type": "Tombstone"}, id="of a type that is no post"),
        pytest.param({"id": None}, id="without an id"),
        pytest.param(
            {"tag": [{"type": "Mention", "href": "http://oak.test/c/instance"}]}, id="for the instance"
        ),
    ],
)
async def test_what_does_not_concern_us_is_let_in_and_passed_over(
    world: World, masto: Stranger, changed: dict[str, Any]
) -> None:
    ana, post = masto.person("ana"), await ours(world)
    said = note(ana, post) | changed
    if "tag" in changed:
        del said["inReplyTo"]
    assert await world.tell(ana, create(ana, said)) == "ignored"
    assert await world.count(Reply) == 0


async def test_what_is_not_public_here_is_answered_by_nobody(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, public=False)
    assert await world.tell(ana, create(ana, note(ana, post, cc=[OAK]))) == "ignored"
    assert await world.count(Reply) == 0


async def test_the_same_reply_twice_is_kept_once(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    said = note(ana, post)
    assert await world.tell(ana, create(ana, said)) == "done"
    assert await world.tell(ana, create(ana, said)) == "ignored"
    assert await world.tell(ana, create(ana, said | {"content": "Other words"})) == "ignored"
    assert [row.content for row in await replies(world)] == ["<p>I think so.</p>"]


async def test_nobody_speaks_for_another(world: World, masto: Stranger) -> None:
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world)
    said = note(ana, post)
    assert await world.tell(eve, create(eve, said)) == "refused"
    await world.tell(ana, create(ana, said))
    for kind in ("Update", "Delete"):
        stolen = said | {"attributedTo": eve.uri, "content": "Nonsense", "updated": "2026-11-23T00:00:00Z"}
        await world.tell(eve, eve.activity(kind, object=stolen))
        assert await world.tell(eve, eve.activity(kind, object=said)) == "refused"
    await world.tell(eve, eve.activity("Delete", object=said["id"]))
    [row] = await replies(world)
    assert (row.author, row.content, row.deleted_at) == (ana.uri, "<p>I think so.</p>", None)


async def test_its_author_changes_it_and_an_older_wording_that_comes_late_does_not(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world)
    said = note(ana, post)
    await world.tell(ana, create(ana, said))
    newer = said | {"content": "Newer", "updated": "2026-11-22T12:00:00Z"}
    older = said | {"content": "Older", "updated": "2026-11-22T11:00:00.123456789+00:00"}
    assert await world.tell(ana, ana.activity("Update", object=newer)) == "done"
    assert await world.tell(ana, ana.activity("Update", object=older)) == "ignored"
    assert await world.tell(ana, ana.activity("Update", object=newer)) == "ignored"
    assert [row.content for row in await replies(world)] == ["Newer"]


async def test_a_change_that_comes_before_the_reply_is_the_reply(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    said = note(ana, post)
    changed = said | {"content": "Newer", "updated": "2026-11-22T12:00:00Z"}
    assert await world.tell(ana, ana.activity("Update", object=changed)) == "done"
    assert await world.tell(ana, create(ana, said)) == "ignored"
    assert [row.content for row in await replies(world)] == ["Newer"]


@pytest.mark.parametrize("as_tombstone", [True, False])
async def test_its_author_deletes_it_for_good(world: World, masto: Stranger, as_tombstone: bool) -> None:
    ana, post = masto.person("ana"), await ours(world)
    said = note(ana, post)
    await world.tell(ana, create(ana, said))
    gone = {"id": said["id"], "type": "Tombstone"} if as_tombstone else said["id"]
    assert await world.tell(ana, ana.activity("Delete", object=gone)) == "done"
    [row] = await replies(world)
    assert (row.content, row.attachments, row.deleted_at) == ("", [], world.clock.now())
    assert await world.tell(ana, create(ana, said)) == "ignored"
    changed = said | {"updated": "2026-11-23T00:00:00Z"}
    assert await world.tell(ana, ana.activity("Update", object=changed)) == "ignored"
    assert [row.content for row in await replies(world)] == [""]


async def test_an_actor_that_is_gone_takes_its_words_along(world: World, masto: Stranger) -> None:
    ana, ben, post = masto.person("ana"), masto.person("ben"), await ours(world)
    for who in (ana, ben):
        await world.tell(who, create(who, note(who, post)))
    assert await world.tell(ana, ana.activity("Delete", object=ana.uri)) == "done"
    assert [(row.author, bool(row.content)) for row in await replies(world)] == [
        (ana.uri, False),
        (ben.uri, True),
    ]


async def test_a_poll_of_others_is_kept_with_its_options_bare_or_in_a_create_and_can_change(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world)
    options = [{"type": "Note", "name": "Red & ripe"}, {"type": "Note", "name": "<i>Blue</i>"}]
    poll = note(ana, post, type="Question", oneOf=options, endTime="2026-11-23T10:00:00Z")
    assert await world.tell(ana, create(ana, poll)) == "done"
    bare = note(ana, post, type="Question", anyOf=options)
    assert await world.tell(ana, bare) == "done"
    shown = "<p>I think so.</p><ul><li>Red &amp; ripe</li><li>Blue</li></ul>"
    assert [row.content for row in await replies(world)] == [shown, shown]
    assert await world.tell(ana, ana.activity("Update", object=poll | {"content": "Closed"})) == "done"
    assert (await replies(world))[0].content.startswith("Closed<ul>")


async def test_one_server_adds_only_so_much_to_a_post_and_in_an_hour(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PER_POST_AND_HOUR", 2)
    monkeypatch.setattr(threads, "PER_HOUR", 3)
    snac = await world.stranger("snac")
    ana, sam = masto.person("ana"), snac.person("sam")
    one, two = await ours(world), await ours(world, "two")
    said = [await world.tell(ana, create(ana, note(ana, post))) for post in (one, one, one, two, two)]
    assert said == ["done", "done", "refused", "done", "refused"]
    assert await world.tell(sam, create(sam, note(sam, one))) == "done"
    world.pass_time(timedelta(hours=1, seconds=1))
    assert await world.tell(ana, create(ana, note(ana, one))) == "done"
    assert await world.count(Reply, Reply.authority == "masto.test") == 4


async def test_what_was_sent_to_us_alone_is_kept_as_not_public(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    assert await world.tell(ana, create(ana, note(ana, to=[OAK]))) == "done"
    assert await world.tell(ana, create(ana, note(ana, to=["as:Public"], cc=OAK))) == "done"
    assert [row.is_public for row in await replies(world)] == [False, True]
