"""A conversation with all that strangers can do to a post of ours, on each database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from models.follows import Follow
from models.queues import Delivery
from models.reports import Report
from models.talk import Quote, Reaction
from server.keys import HOME
from server.peers.handlers import HANDLERS
from server.peers.received import Received, act_on
from tests.federation.stock import Stock
from tests.server.peers.talk import actor, create, note, ours, reactions, replies, vote, votes
from tests.server.peers.test_moves_and_quotes import followed, move, quote_request, we_follow
from tests.server.peers.world import World

OAK = "http://oak.test/c/oak"


async def test_everything_that_is_said_and_taken_back(
    migrated_url: str, stock: Stock, tmp_path: Path
) -> None:
    async with World("oak", folder=tmp_path, stock=stock, database=lambda _: migrated_url) as world:
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


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
async def test_what_is_deleted_while_another_process_takes_it_in_does_not_stay(
    migrated_url: str, stock: Stock, tmp_path: Path
) -> None:
    async with World("oak", folder=tmp_path, stock=stock, database=lambda _: migrated_url) as world:
        ana, post = (await world.stranger("masto")).person("ana"), await ours(world)
        await world.tell(ana, ana.activity("Like", object=post))
        signer, app, now = await actor(world, ana.uri), world.of().app, world.clock.now()

        async def handle(session: AsyncSession, activity: dict[str, Any]) -> None:
            item = Received(codec.tidy(activity), signer, now)
            check, act = HANDLERS[activity["type"]]
            await act_on(session, app[HOME], [(act, item, await check(app, item))], now)

        async def delete(uri: str) -> None:
            async with world.database().ACT.begin() as session:
                await handle(session, ana.activity("Delete", object=uri))

        said = note(ana, post)
        async with world.database().ACT.begin() as session:
            await handle(session, create(ana, said))
            deleting = asyncio.create_task(delete(said["id"]))
            await asyncio.wait({deleting}, timeout=0.3)
        await deleting
        [row] = await replies(world)
        assert (row.content, row.deleted_at) == ("", now)
