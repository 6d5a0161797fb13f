"""What people elsewhere say about our posts: replies, reactions, answers to the pulse, quotes. Never a ballot."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, String, Text, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.peers import kept_apart
from models.posts import Post


class Reply(Base):
    """A post of somebody elsewhere in the thread of one of ours, as it was when we got it; its HTML is sanitised."""

    __tablename__ = "replies"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    author: Mapped[str] = mapped_column(Text, index=True)
    authority: Mapped[str] = mapped_column(String(300), index=True)
    in_reply_to: Mapped[str | None] = mapped_column(Text, index=True)
    post_id: Mapped[int | None] = mapped_column(
        ForeignKey("posts.id"), index=True
    )  # ours, where the thread begins
    scope: Mapped[str | None] = mapped_column(String(64), index=True)
    content: Mapped[str] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)  # a content warning
    language: Mapped[str | None] = mapped_column(String(35))
    url: Mapped[str | None] = mapped_column(Text)
    is_public: Mapped[bool] = mapped_column(Boolean)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, default=list
    )  # links, never loaded by our pages
    published_at: Mapped[datetime | None]  # as its author says
    received_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    hidden_under: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))


class Reaction(Base):
    """A like, a boost (`announce`) or an emoji (`content`) for one of our posts."""

    __tablename__ = "reactions"
    __table_args__ = (UniqueConstraint("actor", "post_id", "kind", "content"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(Text)
    authority: Mapped[str] = mapped_column(String(300), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    content: Mapped[str] = mapped_column(String(100), default="")
    at: Mapped[datetime]


class PulseVote(Base):
    """One answer to a pulse; the first of each voter stands. Counted, never shown by voter."""

    __tablename__ = "pulse_votes"
    __table_args__ = (UniqueConstraint("voter", "post_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text)
    voter: Mapped[str] = mapped_column(Text)
    authority: Mapped[str] = mapped_column(String(300), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    option: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Quote(Base):
    """A stamp (FEP-044f QuoteAuthorization): somebody elsewhere may quote one of our posts."""

    __tablename__ = "quotes"
    __table_args__ = (UniqueConstraint("quoting", "author", "post_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    quoting: Mapped[str] = mapped_column(Text)  # the post that quotes
    author: Mapped[str] = mapped_column(Text)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


async def reply_by_uri(session: AsyncSession, uri: str) -> Reply | None:
    return await session.scalar(select(Reply).where(Reply.uri == uri))


async def thread(
    session: AsyncSession, of: str | int, most: int, *, with_private: bool, with_hidden: bool
) -> Sequence[Reply]:
    """The latest replies to what we published in a decision (`of`: its scope), or to one post (its number), oldest first."""
    where = Reply.scope == of if isinstance(of, str) else Reply.post_id == of
    query = select(Reply).where(where, Reply.deleted_at.is_(None))
    if not with_private:
        query = query.where(Reply.is_public)
    if not with_hidden:
        query = query.where(Reply.hidden_at.is_(None))
    rows = (await session.scalars(query.order_by(Reply.id.desc()).limit(most))).all()
    return list(reversed(rows))


async def mentions(
    session: AsyncSession, before: int | None, size: int, *, with_hidden: bool
) -> Sequence[tuple[Reply, Post | None]]:
    """What was said to us outside of all decisions, latest first, each with the post of ours that it answers."""
    query = select(Reply, Post).outerjoin(Post, Post.id == Reply.post_id)
    query = query.where(Reply.scope.is_(None), Reply.deleted_at.is_(None))
    if before is not None:
        query = query.where(Reply.id < before)
    if not with_hidden:
        query = query.where(Reply.hidden_at.is_(None))
    rows = await session.execute(query.order_by(Reply.id.desc()).limit(size))
    return [(reply, post) for reply, post in rows.all()]


async def reactions_to(session: AsyncSession, post_ids: Iterable[int]) -> dict[str, int]:
    """How many likes, boosts and emojis some posts of ours got; while a server is limited or shut out, its own do not count."""
    query = select(Reaction.kind, Reaction.authority, func.count().label("many"))
    query = query.where(Reaction.post_id.in_(list(post_ids))).group_by(Reaction.kind, Reaction.authority)
    rows = (await session.execute(query)).all()
    apart, found = await kept_apart(session, (row.authority for row in rows)), Counter[str]()
    for row in rows:
        if row.authority not in apart:
            found[row.kind] += row.many
    return dict(found)


async def quotes_of(session: AsyncSession, post_ids: Iterable[int], most: int) -> Sequence[Quote]:
    """The stamps that stand for posts of ours, latest first."""
    query = select(Quote).where(Quote.post_id.in_(list(post_ids)), Quote.revoked_at.is_(None))
    return (await session.scalars(query.order_by(Quote.id.desc()).limit(most))).all()
