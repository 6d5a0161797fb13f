"""What people elsewhere say in the threads of our posts: kept as it came, changed and withdrawn by its author, hidden by us.

Kept is what answers a public post of ours, or a kept answer, or mentions an actor of ours. Everything else is passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.foreign import ForeignPost
from activitypub.sites import SERVERS, site_of
from models.base import changed, insert_once
from models.events import log
from models.peers import covers, is_buried
from models.people import Actor
from models.posts import post_by_uri
from models.rules.phrases import phrase
from models.rules.refusals import NotFound
from models.talk import Reply, reply_by_uri
from server.home import Home
from server.viewer import Viewer

HOUR: Final = timedelta(hours=1)
# Each of one server; all below one registered name may add `SERVERS` times as much.
PER_POST_AND_HOUR: Final = 60
PER_HOUR: Final = 200  # to whatever
PER_SERVER: Final = 5_000  # ever
SPOKEN_TO: Final = ("collective", "circle", "member", "feed")
DEEP: Final = 20


@dataclass(frozen=True)
class Place:
    """Where a reply stands: under a post of ours, in a decision; nowhere in particular if it only mentions us."""

    post_id: int | None = None
    scope: str | None = None


async def take_post(
    session: AsyncSession, home: Home, said: ForeignPost, author: Actor, now: datetime
) -> bool | None:
    """Keep what somebody elsewhere posted; False if it is none of ours, is here or was deleted before, None if their server
    said too much already."""
    if said.is_empty or await is_buried(session, said.id, author.uri):
        return False
    place = await _place_of(session, home, said)
    if place is None or await reply_by_uri(session, said.id) is not None:
        return False
    if await _is_too_much(session, author.authority, place, now):
        return None
    row = {
        "uri": said.id,
        "author": author.uri,
        "authority": author.authority,
        "in_reply_to": said.in_reply_to,
        "post_id": place.post_id,
        "scope": place.scope,
        "published_at": said.published,
        "received_at": now,
        **_words(said),
    }
    await session.execute(insert_once(session, Reply), row)
    if place.post_id is not None:
        await _adopt(session, said.id, place)
    log(session, "reply received", now, actor=author.uri, scope=place.scope)
    return True


async def revise(
    session: AsyncSession, home: Home, said: ForeignPost, author: Actor, now: datetime
) -> bool | None:
    """Its author says it otherwise. One that we do not know yet is taken in like a new one; an older wording changes nothing."""
    row = await reply_by_uri(session, said.id)
    if row is None:
        return await take_post(session, home, said, author, now)
    older = row.updated_at is not None and (said.updated is None or said.updated <= row.updated_at)
    if row.author != author.uri or row.deleted_at is not None or older:
        return False
    for name, value in _words(said).items():
        setattr(row, name, value)
    log(session, "reply changed", now, actor=author.uri, scope=row.scope)
    return True


async def withdraw(session: AsyncSession, uri: str, author: str, now: datetime) -> bool:
    """Its author deleted it: its words go, that it was here stays, so that it does not come back."""
    mine = (Reply.uri == uri, Reply.author == author, Reply.deleted_at.is_(None))
    gone = await session.execute(update(Reply).where(*mine).values(**_nothing(now)).returning(Reply.id))
    if gone.first() is None:
        return False
    log(session, "reply deleted", now, actor=author)
    return True


async def withdraw_all(session: AsyncSession, author: str, now: datetime) -> int:
    """The same for all that somebody said."""
    theirs = (Reply.author == author, Reply.deleted_at.is_(None))
    gone = await session.execute(update(Reply).where(*theirs).values(**_nothing(now)).returning(Reply.id))
    return len(gone.all())


async def hide(
    session: AsyncSession, viewer: Viewer, scope: str | None, reply_id: int, hidden: bool, now: datetime
) -> None:
    """Take a reply out of sight, or put it back. Needs `moderate`. Its author is not told, and the original stays where it is."""
    mandate = viewer.require("moderate")
    row = await reply_in(session, scope, reply_id)
    if (row.hidden_at is not None) == hidden:
        return
    row.hidden_at, row.hidden_under = (now, mandate.id) if hidden else (None, None)
    if scope is not None:
        await changed(session, scope)
    what = "reply hidden" if hidden else "reply shown again"
    log(session, what, now, scope=scope, mandate_id=mandate.id, reply=row.id)


async def reply_in(session: AsyncSession, scope: str | None, reply_id: int) -> Reply:
    """The reply of this number in the thread of a decision, or (None) outside of all decisions; NotFound if there is none."""
    query = select(Reply).where(Reply.id == reply_id, Reply.scope == scope, Reply.deleted_at.is_(None))
    row = await session.scalar(query)
    if row is None:
        raise NotFound("reply", phrase("There is no such reply here, or its author has deleted it."))
    return row


def _words(said: ForeignPost) -> dict[str, Any]:
    return {
        "content": said.content,
        "summary": said.summary,
        "language": said.language,
        "url": said.url,
        "is_public": said.is_public,
        "attachments": list(said.attachments),
        "updated_at": said.updated,
    }


def _nothing(now: datetime) -> dict[str, Any]:
    return {"content": "", "summary": None, "url": None, "attachments": [], "deleted_at": now}


async def _place_of(session: AsyncSession, home: Home, said: ForeignPost) -> Place | None:
    """Where it belongs, or None if it does not concern us. What is not public here is answered by nobody from outside."""
    if said.in_reply_to is not None:
        post = await post_by_uri(session, said.in_reply_to)
        if post is not None and post.is_public and post.deleted_at is None:
            return Place(post.id, post.scope)
        if post is not None:
            return None
        parent = await reply_by_uri(session, said.in_reply_to)
        if parent is not None and parent.post_id is not None:
            return Place(parent.post_id, parent.scope)
    ours = [uri for uri in said.addressed if uri.startswith(home.uri(""))]
    query = select(Actor.id).where(Actor.uri.in_(ours), Actor.kind.in_(SPOKEN_TO), Actor.gone_at.is_(None))
    return Place() if ours and await session.scalar(query.limit(1)) is not None else None


async def _is_too_much(session: AsyncSession, authority: str, place: Place, now: datetime) -> bool:
    """Has this server used up what it may add, or its site what that may?"""
    for whose, times in (
        (Reply.authority == authority, 1),
        (covers(Reply.authority, site_of(authority)), SERVERS),
    ):
        theirs = select(func.count()).select_from(Reply).where(whose)
        lately = theirs.where(Reply.received_at > now - HOUR)
        bounds = ((lately.where(Reply.post_id == place.post_id), PER_POST_AND_HOUR), (lately, PER_HOUR))
        for query, most in (*bounds, (theirs, PER_SERVER)):
            if (await session.scalar(query) or 0) >= times * most:
                return True
    return False


async def _adopt(session: AsyncSession, uri: str, place: Place) -> None:
    """What answers this reply and came before it belongs to the same thread, and so on."""
    parents: Sequence[str] = [uri]
    for _ in range(DEEP):
        orphans = (Reply.in_reply_to.in_(parents), Reply.post_id.is_(None))
        found = update(Reply).where(*orphans).values(post_id=place.post_id, scope=place.scope)
        parents = (await session.scalars(found.returning(Reply.uri))).all()
        if not parents:
            return
