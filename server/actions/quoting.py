"""Quotes of our posts (FEP-044f): public ones may be quoted, each with a stamp that can be taken back."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import quotes
from models import people
from models.base import insert_once
from models.events import log
from models.peers import is_buried
from models.people import Actor
from models.posts import Post, post_by_uri
from models.rules.phrases import phrase
from models.rules.refusals import NotFound
from models.talk import Quote
from server import translate_quotes
from server.actions import outbox
from server.actions.telling import us
from server.home import Home
from server.viewer import Viewer

HOUR: Final = timedelta(hours=1)
PER_HOUR: Final = 60  # stamps for one author


async def answer(
    session: AsyncSession,
    home: Home,
    author: Actor,
    request_uri: str,
    post_uri: str,
    quoting: str,
    now: datetime,
) -> bool:
    """Whoever wants to quote is told yes, with a stamp, if the post is a public one of ours; else no, whatever the cause."""
    post = await post_by_uri(session, post_uri)
    is_ours = post is not None and post.is_public and post.deleted_at is None
    speaker = await session.get(Actor, post.actor_id) if post is not None and is_ours else None
    stamp = (
        await _stamped(session, home, author, post, quoting, now) if post is not None and speaker else None
    )
    if speaker is None:
        speaker, _ = await us(session)
    request = quotes.request(request_uri, author.uri, post_uri, quoting)
    said = translate_quotes.answer_quote(home, speaker, request, stamp)
    await outbox.publish(session, home, speaker, said, [author.inbox], now)
    log(session, "quote allowed" if stamp else "quote refused", now, actor=author.uri)
    return stamp is not None


async def _stamped(
    session: AsyncSession, home: Home, author: Actor, post: Post, quoting: str, now: datetime
) -> str | None:
    """The address of the stamp, the same each time; None if it was taken back, too many were asked for, or the post that would
    quote was deleted before."""
    uri = translate_quotes.stamp_uri(home, quoting, author.uri, post.uri)
    known = await session.scalar(select(Quote).where(Quote.uri == uri))
    if known is not None:
        return uri if known.revoked_at is None else None
    if await is_buried(session, quoting, author.uri):
        return None
    lately = (Quote.author == author.uri, Quote.at > now - HOUR)
    if (await session.scalar(select(func.count()).where(*lately)) or 0) >= PER_HOUR:
        return None
    row = {"uri": uri, "quoting": quoting, "author": author.uri, "post_id": post.id, "at": now}
    await session.execute(insert_once(session, Quote), row)
    return uri


async def quote_gone(session: AsyncSession, quoting: str, author: str, now: datetime) -> bool:
    """The post that quoted was deleted by its author: its stamps are void."""
    theirs = (Quote.quoting == quoting, Quote.author == author, Quote.revoked_at.is_(None))
    rows = (await session.scalars(select(Quote).where(*theirs))).all()
    for row in rows:
        row.revoked_at = now
    return bool(rows)


async def revoke(
    session: AsyncSession, home: Home, viewer: Viewer, scope: str, quote_id: int, now: datetime
) -> None:
    """Take a stamp back and tell the author's server so. Needs `moderate`. A second time changes nothing."""
    mandate = viewer.require("moderate")
    quote = await quote_in(session, scope, quote_id)
    if quote.revoked_at is not None:
        return
    quote.revoked_at = now
    post = await session.get_one(Post, quote.post_id)
    speaker, author = (
        await session.get_one(Actor, post.actor_id),
        await people.actor_by_uri(session, quote.author),
    )
    if author is not None:
        said = translate_quotes.revoke_quote(home, speaker, quote, now)
        await outbox.publish(session, home, speaker, said, [author.inbox], now)
    log(session, "quote revoked", now, scope=scope, mandate_id=mandate.id)


async def quote_in(session: AsyncSession, scope: str, quote_id: int) -> Quote:
    """The stamp of this number for a post of a decision; NotFound if there is none."""
    query = select(Quote).join(Post, Post.id == Quote.post_id)
    quote = await session.scalar(query.where(Quote.id == quote_id, Post.scope == scope))
    if quote is None:
        raise NotFound("quote", phrase("There is no such quote here."))
    return quote
