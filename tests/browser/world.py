"""Three collectives in which everything has happened once, so that every page has something to show."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger
from models.accounts import JoinRequest, Passkey, Recovery
from models.base import Base
from models.mails import Mailbox
from models.people import Invitation, Member, member_by_login
from models.posts import Post
from models.remarks import Remark
from models.reports import Report
from models.rules.standing import standing
from models.talk import Quote, Reply
from server.actions import appearing, feeds, mailing, people, proposing, speaking
from server.actions.founding import make_key_pair
from server.cli.cast import ANSWER_TIME, COLLECTIVES, Play
from server.cli.stage import Stage
from server.clock import MovableClock
from server.keys import DATABASE, HOME
from server.translate_posts import Words
from server.viewer import Viewer
from tests.federation.harness import free_port

TOKEN = "a-link-for-the-survey"  # of an invitation and of a recovery
MAIL = "ana@oak.example"
STRANGER = "https://far.example/users/zoe"


@contextlib.asynccontextmanager
async def three(folder: Path) -> AsyncIterator[Stage]:
    """Oak, elm and ash as the demo has them, founded and with nobody in them."""
    clock = MovableClock()
    async with Stage(tuple(COLLECTIVES), clock, folder=folder) as stage:
        for name, cast in COLLECTIVES.items():
            await stage.start(name, free_port(), cast.title, cast.summary)
        yield stage


async def lived_in(stage: Stage) -> list[str]:
    """One decision at its end, one in which the voting is open, one that waits for answers: their names."""
    names = []
    for many in range(3):
        play = Play(stage, say=lambda line: None)
        if many == 0:
            await play.prologue()
            await play.vote(everybody=True)
            await play.to_the_end()
        else:
            await play._convene()
            await stage.settle()
        if many == 1:
            for name in ("elm", "ash"):
                await play._answer(name)
            await stage.settle()
            await stage.advance(ANSWER_TIME + timedelta(minutes=2))
            await play.vote(everybody=False)
        names.append(play.name)
    await _talked_of(stage, names[-1])
    return names


async def _talked_of(stage: Stage, name: str) -> None:
    """Before the voting, at oak: who made the proposal changes it, a circle would change it again, and says where it stands."""
    await _changed(stage, name, "ana", "Two used cargo bikes", "One for the bakery, one for the couriers.")
    await _changed(stage, name, "bo", "Two used cargo bikes and a trailer", "One for each of us.")
    app, now = stage.instances["oak"].app, stage.clock.now()
    async with app[DATABASE].ACT.begin() as session:
        viewer, scope, option = await _in_force(session, name, "bo", now)
        why = "Nobody of us has a place for two of them."
        await proposing.support(session, app[HOME], viewer, scope, option, "concern", why, now)
    await stage.settle()


async def _changed(stage: Stage, name: str, login: str, title: str, details: str) -> None:
    stage.clock.advance(timedelta(seconds=2))
    app, now = stage.instances["oak"].app, stage.clock.now()
    async with app[DATABASE].ACT.begin() as session:
        viewer, scope, option = await _in_force(session, name, login, now)
        await proposing.amend(session, app[HOME], viewer, scope, option, title, details, now)
    await stage.settle()


async def _in_force(
    session: AsyncSession, name: str, login: str, now: datetime
) -> tuple[Viewer, ledger.Scope, str]:
    """Who acts, where, and the proposal as it stands."""
    member, scope = await member_by_login(session, login), await ledger.scope_named(session, name)
    assert member is not None
    assert scope is not None
    view = standing(await ledger.records(session, scope.id, now), now)
    return await people.viewer_for(session, member, now), scope, view.options[0].digest


async def said_and_kept(stage: Stage, scope: str, running: str) -> str:
    """At oak: a post, a feed, a profile; words from outside; who asks to join, who has left; links, a passkey, a report, a mailbox.
    Returns the address by which its mail is turned off."""
    app, now = stage.instances["oak"].app, stage.clock.now()
    home = app[HOME]
    async with app[DATABASE].ACT.begin() as session:
        ana = await member_by_login(session, "ana")
        assert ana is not None
        viewer = await people.viewer_for(session, ana, now)
        words = Words("The oven is warm again. #bread", "en", [])
        await speaking.speak(session, home, viewer, words, now)
        await feeds.make(session, home, viewer, "bikes", "Bikes together", make_key_pair(), now)
        await appearing.appear(session, home, viewer, "ana", make_key_pair(), now)
        session.add(await _remark(session, ana, running, now))
        post = await session.scalar(select(Post).where(Post.scope == scope).limit(1))
        assert post is not None
        session.add_all(_rows(ana, post, scope, now))
        session.add(Mailbox(member_id=ana.id, address=MAIL, confirmed_at=now))
        off = f"/mail/off/{ana.id}/{mailing.stop_mark(home, ana.id, MAIL)}"
    await stage.settle()
    return off


async def _remark(session: AsyncSession, ana: Member, running: str, now: datetime) -> Remark:
    scope = await ledger.scope_named(session, running)
    assert scope is not None
    return Remark(scope_id=scope.id, member_id=ana.id, form="f", words="Where would it stand?", at=now)


def _rows(ana: Member, post: Post, scope: str, now: datetime) -> list[Base]:
    digest = people.token_digest(TOKEN)
    later = now + timedelta(days=2)
    said = {"author": STRANGER, "authority": "far.example", "is_public": True, "received_at": now}
    asked = {"words": "I bake at home.", "password_hash": "-", "place": "-", "at": now}
    return [
        Reply(
            uri=f"{STRANGER}/1",
            post_id=post.id,
            scope=scope,
            content="<p>Well done</p>",
            language="en",
            **said,
        ),
        Reply(uri=f"{STRANGER}/2", content="<p>Hello, bakers</p>", language="en", **said),
        Quote(uri=f"{STRANGER}/3", quoting=f"{STRANGER}/4", author=STRANGER, post_id=post.id, at=now),
        JoinRequest(login="zoe", name="Zoe", **asked),
        Member(login="ida", name="Ida", password_hash="", joined_at=now - timedelta(days=90), left_at=now),
        Passkey(member_id=ana.id, credential="YWJj", public_key=b"k", count=0, name="Phone", created_at=now),
        Recovery(token_hash=digest, member_id=ana.id, resets_second=False, created_at=now, expires_at=later),
        Invitation(
            token_hash=digest, kind="member", uses_left=3, made_by=ana.id, created_at=now, expires_at=later
        ),
        Report(
            uri=f"{STRANGER}/5",
            direction="in",
            reporter=STRANGER,
            authority="far.example",
            about=[post.uri],
            at=now,
        ),
    ]
