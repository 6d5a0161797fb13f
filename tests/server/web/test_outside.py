"""What is said from outside, on the page of a decision: apart, folded where it has to be, hidden by who may moderate."""

from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select

from models.peers import Peer
from models.people import Actor
from models.posts import Post
from models.talk import Quote, Reaction, Reply
from server.actions import peers, pulse
from server.actions.pulse import Vote
from server.keys import CLOCK, DATABASE, HOME
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import mark_of, path_of
from tests.server.web.test_every_page import check

ANA = "https://masto.test/users/ana"


async def said_outside(fed: Federation, name: str = "oak", **changed: Any) -> int:
    """Somebody elsewhere replied to what `name` published in the decision; returns the number of the reply."""
    app = fed.app_of(name)
    now = app[CLOCK].now()
    async with app[DATABASE].ACT.begin() as session:
        post = (await session.scalars(select(Post).where(Post.kind == "round"))).first()
        post = post or (await session.scalars(select(Post).where(Post.is_public))).first()
        assert post is not None
        if await session.scalar(select(Actor.id).where(Actor.uri == ANA)) is None:
            row = {"uri": ANA, "kind": "remote", "type": "Person", "handle": "ana", "authority": "masto.test"}
            session.add(Actor(**row, inbox=f"{ANA}/inbox", key_id=f"{ANA}#k", rsa_pem="", created_at=now))
        reply = {
            "uri": f"{ANA}/{await session.scalar(select(Reply.id).order_by(Reply.id.desc())) or 0}",
            "author": ANA,
            "authority": "masto.test",
            "post_id": post.id,
            "scope": post.scope,
            "content": "<p>Buy <b>two</b>.</p>",
            "is_public": True,
            "received_at": now,
            "attachments": [],
        }
        kept = Reply(**{**reply, **changed})
        session.add(kept)
        await session.flush()
        return kept.id


async def test_replies_stand_apart_with_author_link_and_warning_and_load_nothing(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        browser = await enter(fed, "oak")
        assert "From outside" not in (await browser.get(path_of(fed))).links()
        file = {"url": "https://masto.test/cow.png", "kind": "image/png", "text": "A cow"}
        await said_outside(fed, attachments=[file], url="https://masto.test/@ana/1")
        await said_outside(
            fed, summary="About food", content="<img src=https://masto.test/x.png onerror=x()>Hm"
        )
        page = await browser.get(path_of(fed))
        check(page)
        assert "@ana@masto.test" in page.text
        assert page.links()["Original by @ana@masto.test"]
        assert page.links()["Attached file"] == "https://masto.test/cow.png"
        assert "<p>Buy <b>two</b>.</p>" in page.body
        assert [one.all("summary")[0].text for one in page.all("details") if "Hm" in one.text] == [
            "About food"
        ]
        assert "x.png" not in page.body
        assert not page.all("img")


async def test_what_is_not_public_is_for_members_and_a_limited_server_is_folded(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await said_outside(fed, content="For you only", is_public=False)
        await said_outside(fed, content="From afar", authority="far.test")
        await said_outside(fed, content="Unheard", authority="bad.test")
        async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
            session.add(Peer(authority="far.test", is_limited=True))
            session.add(Peer(authority="bad.test", is_blocked=True))
        visitor, member = await enter(fed, "oak"), await enter(fed, "oak", "ana")
        page = await visitor.get(path_of(fed))
        assert "For you only" not in page.body
        assert "Unheard" not in page.body
        folded = [one for one in page.all("details") if "From afar" in one.text]
        assert [one.all("summary")[0].text for one in folded] == ["From far.test, which is limited here"]
        assert "For you only" in (await member.get(path_of(fed))).body


async def test_the_pulse_likes_and_quotes_are_counted_apart_with_their_servers_and_the_cap(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        app, number = fed.app_of("oak"), await said_outside(fed)
        now = app[CLOCK].now()
        async with app[DATABASE].ACT.begin() as session:
            reply = await session.get_one(Reply, number)
            post = await session.get_one(Post, reply.post_id)
            options = pulse.options_of(orjson.loads(post.body))
            for voter, host in (("a", "masto.test"), ("b", "masto.test"), ("c", "snac.test")):
                given = Vote(voter, voter, host, options[0], now + timedelta(seconds=1))
                assert await pulse.vote(session, post, given, now) == "counted"
            for kind, content in (("like", ""), ("emoji", "x"), ("announce", "")):
                session.add(
                    Reaction(
                        uri=kind,
                        kind=kind,
                        actor="a",
                        authority="m",
                        post_id=post.id,
                        content=content,
                        at=now,
                    )
                )
            stamp = {"uri": "s", "quoting": "https://masto.test/q", "author": ANA, "post_id": post.id}
            session.add(Quote(**stamp, at=now))
        browser = await enter(fed, "oak")
        page = await browser.get(path_of(fed))
        check(page)
        assert "3 answers from 2 servers: masto.test (2), snac.test (1)." in page.text
        assert (
            "Of each server at most the first 100 are counted, of all servers below one name at most 500."
            in page.text
        )
        assert f"{options[0]}: 3 of 3" in page.text
        assert "got 2 likes and 1 boost" in page.text
        assert page.links()["@ana@masto.test"]
        for act, is_seen in (("block", False), ("limit", False), ("forget", True)):
            async with app[DATABASE].ACT.begin() as session:
                await peers.decide(session, app[HOME], None, act, "masto.test", "Spam.", now)
            assert ("Quoted by" in (await browser.get(path_of(fed))).text) == is_seen
        member = await enter(fed, "oak", "ana")
        revoke = (await member.get(path_of(fed))).links()["take back the consent to @ana@masto.test"]
        form = await member.get(revoke)
        check(form)
        page = await member.send(form, revoke)
        assert "The consent to the quote is taken back." in page.said
        assert "Quoted by" not in page.text


async def test_who_may_moderate_hides_a_reply_and_shows_it_again(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        number, path = await said_outside(fed), path_of(fed)
        ana, bo, visitor = (
            await enter(fed, "oak", "ana"),
            await enter(fed, "oak", "bo"),
            await enter(fed, "oak"),
        )
        hide = f"{path}/replies/{number}/hide"
        assert (await ana.get(path)).links()["Hide this reply"] == hide
        form = await ana.get(hide)
        check(form)
        page = await ana.send(form, hide)
        assert "The reply is hidden here." in page.said
        check(page)
        assert "Buy" not in (await visitor.get(path)).body
        assert "Buy" not in (await bo.get(path)).body
        assert "Hidden by who moderates here" in (await ana.get(path)).text
        show = (await ana.get(path)).links()["Show this reply again"]
        page = await ana.send(await ana.get(show), show)
        assert "shown again" in page.said
        assert "Buy" in (await visitor.get(path)).body


async def test_others_cannot_hide_and_nobody_hides_what_is_not_there(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        number, path = await said_outside(fed), path_of(fed)
        ana, bo, visitor = (
            await enter(fed, "oak", "ana"),
            await enter(fed, "oak", "bo"),
            await enter(fed, "oak"),
        )
        hide = f"{path}/replies/{number}/hide"
        assert "Hide this reply" not in (await bo.get(path)).links()
        assert (await bo.get(hide)).status == 403
        assert (await bo.post(hide, [("mark", await mark_of(bo))])).status == 403
        assert (await visitor.get(hide)).path.startswith("/login")
        assert (await ana.get(f"{path}/replies/{number + 1}/hide")).status == 404
        assert (await ana.get(f"{path}/quotes/1/revoke")).status == 404
        async with fed.app_of("oak")[DATABASE].READ() as session:
            assert (await session.get_one(Reply, number)).hidden_at is None
