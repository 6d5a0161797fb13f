"""Threads as others may fetch them: our public posts and the public replies that we keep, in the order of their arrival."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CompoundSelect, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.peers import Peer
from models.posts import Post
from models.talk import Reply

Items = CompoundSelect[str, datetime]


async def has_thread(session: AsyncSession, name: str) -> bool:
    """Is there a thread of this name that everybody may see?"""
    query = select(Post.id).where(Post.thread == name, Post.is_public).limit(1)
    return await session.scalar(query) is not None


def thread_of(name: str) -> Items:
    """Everything in a thread."""
    here = select(Post.id).where(Post.thread == name, Post.is_public)
    ours = _ours().where(Post.thread == name)
    return ours.union_all(_theirs().where(or_(Reply.scope == name, Reply.post_id.in_(here))))


def replies_to(uri: str) -> Items:
    """What directly replies to a post."""
    return _ours().where(Post.in_reply_to == uri).union_all(_theirs().where(Reply.in_reply_to == uri))


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


def _theirs() -> Select[str, datetime]:
    """Replies that everybody may see here: not hidden, not deleted, not from a server that we limit or block."""
    apart = select(Peer.authority).where(or_(Peer.is_limited, Peer.is_blocked))
    return select(Reply.uri.label("uri"), Reply.received_at.label("at")).where(
        Reply.is_public, Reply.deleted_at.is_(None), Reply.hidden_at.is_(None), Reply.authority.not_in(apart)
    )
