"""What this instance has published: objects (Note, Question) and the activities that carried them, as they went out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Post(Base):
    """An AS2 object of ours. `scope` names the decision it belongs to; strangers may read it iff `is_public`."""

    __tablename__ = "posts"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # option, round, ballot, result, post
    scope: Mapped[str | None] = mapped_column(String(64), index=True)
    digest: Mapped[str | None] = mapped_column(String(64), index=True)  # the record it carries
    is_public: Mapped[bool] = mapped_column(Boolean)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    published_at: Mapped[datetime]
    featured_until: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]  # its words changed; a new count of a pulse is no change of words
    in_reply_to: Mapped[str | None] = mapped_column(Text, index=True)
    source: Mapped[str | None] = mapped_column(Text)  # what was typed, for who edits it
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    refresh_at: Mapped[datetime | None] = mapped_column(
        index=True
    )  # a round: when its count goes out next, or its end
    thread: Mapped[str | None] = mapped_column(
        String(64), index=True
    )  # public ones: the decision, or where it began


class PostTag(Base):
    """A word that a public post of ours is tagged with, in small letters."""

    __tablename__ = "post_tags"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    word: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)


class Activity(Base):
    """An activity of ours, its exact bytes stored once however many inboxes it goes to."""

    __tablename__ = "activities"
    __table_args__ = (
        Index("ix_activities_outbox", "actor_id", "is_public", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
    type: Mapped[str] = mapped_column(String(32))
    is_public: Mapped[bool] = mapped_column(Boolean)
    scope: Mapped[str | None] = mapped_column(String(64), index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    published_at: Mapped[datetime]


async def post_by_uri(session: AsyncSession, uri: str) -> Post | None:
    return await session.scalar(select(Post).where(Post.uri == uri))


async def activity_by_uri(session: AsyncSession, uri: str) -> Activity | None:
    return await session.scalar(select(Activity).where(Activity.uri == uri))


async def outbox_page(
    session: AsyncSession, actor_id: int, before: int | None, size: int
) -> Sequence[Activity]:
    """Public activities of an actor, newest first, older than row `before`."""
    query = select(Activity).where(*_listed(actor_id))
    if before is not None:
        query = query.where(Activity.id < before)
    return (await session.scalars(query.order_by(Activity.id.desc()).limit(size))).all()


async def outbox_size(session: AsyncSession, actor_id: int) -> int:
    query = select(func.count()).select_from(Activity).where(*_listed(actor_id))
    return await session.scalar(query) or 0


def _listed(actor_id: int) -> tuple[Any, ...]:
    """What an outbox shows: what was published, not each new count of it."""
    return Activity.actor_id == actor_id, Activity.is_public, Activity.type.in_(("Create", "Announce"))


async def spoken(
    session: AsyncSession, before: int | None, most: int, word: str | None = None
) -> Sequence[Post]:
    """What was posted as the collective and still stands, newest first, older than row `before`; with `word`: tagged so."""
    query = select(Post).where(Post.kind == "post", Post.is_public, Post.deleted_at.is_(None))
    if before is not None:
        query = query.where(Post.id < before)
    if word is not None:
        query = query.where(Post.id.in_(select(PostTag.post_id).where(PostTag.word == word)))
    return (await session.scalars(query.order_by(Post.id.desc()).limit(most))).all()


async def due_rounds(session: AsyncSession, now: datetime, most: int) -> Sequence[int]:
    """Ids of rounds of which a count, or the end, is to be told now."""
    query = select(Post.id).where(Post.refresh_at <= now).order_by(Post.refresh_at).limit(most)
    return (await session.scalars(query)).all()


async def due_round(session: AsyncSession, post_id: int, now: datetime) -> Post | None:
    """The round, locked on PostgreSQL; None if somebody else has it or has told it meanwhile."""
    query = select(Post).where(Post.id == post_id, Post.refresh_at <= now)
    return await session.scalar(query.with_for_update(skip_locked=True))


async def featured(session: AsyncSession, actor_id: int, now: datetime) -> Sequence[Post]:
    """Open rounds: what a new follower is shown first."""
    query = (
        select(Post)
        .where(
            Post.actor_id == actor_id, Post.is_public, Post.deleted_at.is_(None), Post.featured_until > now
        )
        .order_by(Post.id.desc())
    )
    return (await session.scalars(query)).all()


async def public_count(session: AsyncSession) -> int:
    """How many objects everybody may read."""
    query = select(func.count()).select_from(Post).where(Post.is_public, Post.deleted_at.is_(None))
    return await session.scalar(query) or 0
