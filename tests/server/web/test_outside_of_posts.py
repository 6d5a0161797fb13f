"""What is said from outside about a post of the collective, on the post's own page."""

from sqlalchemy import select

from models.peers import Peer
from models.posts import Post
from models.talk import Quote, Reaction, Reply
from server.keys import CLOCK, DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_posts import reply_to, write


async def answered(fed: Federation) -> None:
    """To the latest post: a public reply, one for members, one of a blocked server, a like and a quote."""
    app = fed.app_of("oak")
    now = app[CLOCK].now()
    async with app[DATABASE].ACT.begin() as session:
        post = (await session.scalars(select(Post).order_by(Post.id.desc()))).first()
        assert post is not None
        uri = "https://masto.example/ana"
        session.add(reply_to(post, now))
        shy = {"uri": "https://shy.example/1", "author": "https://shy.example/cy", "authority": "shy.example"}
        shown = {"content": "<p>Shy</p>", "is_public": True, "received_at": now, "attachments": []}
        session.add(Reply(**shy, **shown, post_id=post.id))
        for number, changed in ((2, {"is_public": False}), (3, {"authority": "bad.example"})):
            kept = {"uri": f"{uri}/{number}", "author": uri, "authority": "masto.example", "post_id": post.id}
            kept |= {"content": f"<p>Number {number}</p>", "is_public": True, "received_at": now}
            session.add(Reply(**{**kept, **changed}, attachments=[]))
        session.add(Peer(authority="bad.example", is_blocked=True))
        session.add(Peer(authority="shy.example", is_limited=True))
        for host in ("bad.example", "shy.example"):
            sign = {"uri": host, "kind": "like", "actor": f"https://{host}/x", "authority": host}
            session.add(Reaction(**sign, post_id=post.id, content="", at=now))
        like = {"uri": "l", "kind": "like", "actor": uri, "authority": "masto.example", "post_id": post.id}
        session.add(Reaction(**like, content="", at=now))
        session.add(Quote(uri="s", quoting=f"{uri}/q", author=uri, post_id=post.id, at=now))


async def test_a_post_shows_what_was_said_about_it_to_each_what_they_may_see(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = (
            await enter(fed, "oak", "ana"),
            await enter(fed, "oak", "bo"),
            await enter(fed, "oak"),
        )
        path = (await write(ana, "Who has a pump?")).path.partition("?")[0]
        assert "From outside" not in (await visitor.get(path)).text
        await answered(fed)
        seen = await visitor.get(path)
        check(seen)
        assert "<p>Who repairs it?</p>" in seen.body
        assert "What was published here got 1 like." in seen.text
        assert "1 reply from outside" in seen.text
        assert "From shy.example, which is limited here" in seen.text
        assert seen.links()["https://masto.example/ana"]
        assert "Number 2" not in seen.body
        assert "Number 3" not in seen.body
        assert not {"Hide this reply", "Reply as the collective to https://masto.example/ana"} & set(
            seen.links()
        )
        assert "Number 2" in (await bo.get(path)).body
        mine = await ana.get(path)
        check(mine)
        hide = mine.links()["Hide this reply"]
        await ana.send(await ana.get(hide), hide)
        assert "Number 2" not in (await bo.get(path)).body
        assert "Hidden by who moderates here" in (await ana.get(path)).text
