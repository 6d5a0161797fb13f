"""Threads as others may fetch them: our public posts and the public replies that we keep, in the order of their arrival."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.peers import kept_apart
from models.posts import Post
from models.talk import Reply

Items = CompoundSelect[str, datetime] | Select[str, datetime]


async def has_thread(session: AsyncSession, name: str) -> bool:
    """Is there a thread of this name that everybody may see?"""
    query = select(Post.id).where(Post.thread == name, Post.is_public).limit(1)
    return await session.scalar(query) is not None


async def thread_of(session: AsyncSession, name: str) -> Items:
    """Everything in a thread."""
    here = select(Post.id).where(Post.thread == name, Post.is_public)
    theirs = await _theirs(session, or_(Reply.scope == name, Reply.post_id.in_(here)))
    return _ours().where(Post.thread == name).union_all(theirs)


async def replies_to(session: AsyncSession, uri: str) -> Items:
    """What directly replies to a post."""
    theirs = await _theirs(session, Reply.in_reply_to == uri)
    return _ours().where(Post.in_reply_to == uri).union_all(theirs)


async def replies_below(session: AsyncSession, post_id: int) -> int:
    """How many replies there are to a post and to those replies, of those that everybody may see."""
    return await size_of(session, await _theirs(session, Reply.post_id == post_id))


async def size_of(session: AsyncSession, items: Items) -> int:
    return await session.scalar(select(func.count()).select_from(items.subquery())) or 0


async def page_of(session: AsyncSession, items: Items, skip: int, most: int) -> Sequence[str]:
    """Ids of what comes after the first `skip`."""
    found = items.subquery()
    query = select(found.c.uri).order_by(found.c.at, found.c.uri).offset(skip).limit(most)
    return (await session.scalars(query)).all()


def _ours() -> Select[str, datetime]:
    return select(Post.uri.label("uri"), Post.published_at.label("at")).where(
        Post.is_public, Post.deleted_at.is_(None)
    )


async def _theirs(session: AsyncSession, where: ColumnElement[bool]) -> Select[str, datetime]:
    """Replies that everybody may see here: not hidden, not deleted, not from a server that we limit or do not deal with."""
    shown = (where, Reply.is_public, Reply.deleted_at.is_(None), Reply.hidden_at.is_(None))
    servers = (await session.scalars(select(Reply.authority).where(*shown).distinct())).all()
    apart = await kept_apart(session, servers)
    query = select(Reply.uri.label("uri"), Reply.received_at.label("at")).where(*shown)
    return query.where(Reply.authority.not_in(apart)) if apart else query
