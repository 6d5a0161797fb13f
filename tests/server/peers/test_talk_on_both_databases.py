"""A conversation with all that strangers can do to a post of ours, on each database."""

from pathlib import Path

from models.follows import Follow
from models.queues import Delivery
from models.reports import Report
from models.talk import Quote, Reaction
from tests.server.peers.talk import create, note, ours, reactions, replies, vote, votes
from tests.server.peers.test_moves_and_quotes import followed, move, quote_request, we_follow
from tests.server.peers.world import World

OAK = "http://oak.test/c/oak"


async def test_everything_that_is_said_and_taken_back(database_url: str, tmp_path: Path) -> None:
    async with World("oak", folder=tmp_path, database=lambda _: database_url) as world:
        masto = await world.stranger("masto")
        ana, ben = masto.person("ana"), masto.person("ben")
        post, round_ = await ours(world, scope="a" * 64), await ours(world, "two", "Question")
        first, early = note(ana, post), note(ben, cc=[OAK])
        early["inReplyTo"] = first["id"]
        assert await world.tell(ben, create(ben, early)) == "done"
        assert await world.tell(ana, create(ana, first)) == "done"
        changed = first | {"content": "Newer", "updated": "2026-11-22T12:00:00Z"}
        assert await world.tell(ana, ana.activity("Update", object=changed)) == "done"
        assert {(row.content, row.scope) for row in await replies(world)} == {
            ("Newer", "a" * 64),
            ("<p>I think so.</p>", "a" * 64),
        }
        for who, name in ((ana, "Agree"), (ben, "Unsure"), (ana, "Disagree")):
            await world.tell(who, vote(who, round_, name))
        assert await votes(world) == [("ana", "Agree"), ("ben", "Unsure")]
        like = ana.activity("Like", object=post)
        for one in (
            like,
            ana.activity("Announce", object=post),
            ana.activity("Like", object=post, content="👍"),
        ):
            assert await world.tell(ana, one) == "done"
        assert await world.tell(ana, ana.activity("Undo", object=like)) == "done"
        assert await reactions(world) == [("announce", "ana", ""), ("emoji", "ana", "👍")]
        assert await world.tell(ana, quote_request(ana, post, note(ana, quote=post))) == "done"
        assert await world.tell(ana, ana.activity("Flag", object=[OAK], content="x")) == "done"
        assert await world.count(Quote) == await world.count(Report) == 1
        old, new = masto.person("old"), masto.person("new")
        old.changed, new.changed = {"movedTo": new.uri}, {"alsoKnownAs": [old.uri]}
        await world.tell(old, old.activity("Follow", object=OAK))
        await followed(world, old)
        assert await world.tell(old, move(old, new)) == "done"
        assert await we_follow(world) == [("new", "asked")]
        assert await world.tell(old, old.activity("Block", object=OAK)) == "done"
        assert await world.count(Follow) == 0
        assert await world.count(Delivery, Delivery.inbox == f"{old.uri}/inbox") == 0
        assert await world.tell(ana, ana.activity("Delete", object=ana.uri)) == "done"
        assert await world.count(Reaction) == 0
        assert [(row.author == ana.uri, bool(row.content)) for row in await replies(world)] == [
            (False, True),
            (True, False),
        ]
        assert [option for _, option in await votes(world)] == ["Agree", "Unsure"]
