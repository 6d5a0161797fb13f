"""Whom actors of ours follow, and the federation feeds that pass on what linked collectives publish."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, insert_once, wake
from models.ledger import Participant
from models.people import Actor


class Following(Base):
    """A local actor follows somebody elsewhere. `state`: asked, accepted, rejected; `times` it asked, and `at` when last."""

    __tablename__ = "followings"
    __table_args__ = (UniqueConstraint("follower_id", "followed"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), index=True)
    followed: Mapped[str] = mapped_column(Text, index=True)
    activity_uri: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(String(16))
    times: Mapped[int] = mapped_column(Integer, default=1)
    at: Mapped[datetime]


class Feed(Base):
    """A followable actor for a set of linked collectives. `due_at`: when its pass looks next."""

    __tablename__ = "feeds"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), unique=True)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    actor: Mapped[Actor] = relationship(lazy="joined", innerjoin=True)


class FeedSource(Base):
    """A collective whose posts a feed passes on; our own is one too."""

    __tablename__ = "feed_sources"
    __table_args__ = (UniqueConstraint("feed_id", "actor_uri"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"))
    actor_uri: Mapped[str] = mapped_column(Text, index=True)


class FeedItem(Base):
    """A public post of a source: waiting, or passed on by an Announce or in a digest (`passed_on_by` is its uri), or taken back
    by its author."""

    __tablename__ = "feed_items"
    __table_args__ = (
        UniqueConstraint("feed_id", "object_uri"),
        Index("ix_feed_items_waiting", "feed_id", "passed_on_at", "gone_at"),
        Index("ix_feed_items_gone", "feed_id", "gone_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"))
    object_uri: Mapped[str] = mapped_column(Text, index=True)
    author: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")  # plain text, for a digest
    link: Mapped[str] = mapped_column(Text)  # where people read it
    seen_at: Mapped[datetime]
    passed_on_at: Mapped[datetime | None]
    passed_on_by: Mapped[str | None] = mapped_column(Text, index=True)
    is_in_digest: Mapped[bool] = mapped_column(Boolean, default=False)
    gone_at: Mapped[datetime | None]


# Feeds and their sources


async def feeds(session: AsyncSession) -> Sequence[Feed]:
    """Those that have not ended, oldest first."""
    return (await session.scalars(select(Feed).where(Feed.ended_at.is_(None)).order_by(Feed.id))).all()


async def feed_named(session: AsyncSession, handle: str, *, lock: bool = False) -> Feed | None:
    """The living feed of this handle; with `lock`, locked on PostgreSQL until the transaction ends."""
    query = select(Feed).join(Feed.actor).where(Actor.handle == handle, Feed.ended_at.is_(None))
    return await session.scalar(query.with_for_update(of=Feed) if lock else query)


async def sources(session: AsyncSession, feed_id: int) -> Sequence[FeedSource]:
    query = select(FeedSource).where(FeedSource.feed_id == feed_id).order_by(FeedSource.id)
    return (await session.scalars(query)).all()


FEEDS_OF: Final = (
    select(Feed.id)
    .join(FeedSource, FeedSource.feed_id == Feed.id)
    .where(FeedSource.actor_uri == bindparam("source"), Feed.ended_at.is_(None))
    .order_by(Feed.id)
)


async def feeds_of(session: AsyncSession, source: str) -> Sequence[int]:
    """The living feeds that pass on what this collective publishes, by number."""
    return (await session.scalars(FEEDS_OF, {"source": source})).all()


async def linked(session: AsyncSession, most: int = 200) -> Sequence[str]:
    """Collectives that take part in decisions that we hold, those of the latest first."""
    query = select(Participant.actor_uri).group_by(Participant.actor_uri)
    return (await session.scalars(query.order_by(func.max(Participant.scope_id).desc()).limit(most))).all()


# Followings


async def followings(session: AsyncSession, follower_id: int) -> Sequence[Following]:
    query = select(Following).where(Following.follower_id == follower_id).order_by(Following.id)
    return (await session.scalars(query)).all()


async def following_of(session: AsyncSession, follower: str, followed: str) -> Following | None:
    """The row by which an actor of ours (by uri) follows somebody."""
    query = select(Following).join(Actor, Actor.id == Following.follower_id)
    return await session.scalar(query.where(Actor.uri == follower, Following.followed == followed))


async def following_count(session: AsyncSession, follower_id: int) -> int:
    """How many have accepted that this actor of ours follows them."""
    query = select(func.count()).select_from(Following)
    mine = query.where(Following.follower_id == follower_id, Following.state == "accepted")
    return await session.scalar(mine) or 0


# What waits and what was passed on


async def note_items(session: AsyncSession, items: Iterable[dict[str, object]]) -> None:
    """Posts to be passed on; one that a feed had before is left alone."""
    if rows := list(items):
        await session.execute(insert_once(session, FeedItem), rows)


async def waiting(session: AsyncSession, feed_id: int) -> Sequence[FeedItem]:
    """What a feed has not passed on yet, oldest first."""
    query = select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.passed_on_at.is_(None))
    return (await session.scalars(query.where(FeedItem.gone_at.is_(None)).order_by(FeedItem.id))).all()


async def waiting_count(session: AsyncSession, feed_id: int) -> int:
    query = select(func.count()).select_from(FeedItem)
    mine = query.where(FeedItem.feed_id == feed_id, FeedItem.passed_on_at.is_(None))
    return await session.scalar(mine.where(FeedItem.gone_at.is_(None))) or 0


async def passed_on_since(session: AsyncSession, feed_id: int, since: datetime) -> Sequence[FeedItem]:
    """What a feed has passed on after an instant, also what was taken back since."""
    query = select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.passed_on_at > since)
    return (await session.scalars(query)).all()


async def items_of(session: AsyncSession, object_uri: str, author: str) -> Sequence[FeedItem]:
    """A post of this author wherever a feed has it."""
    query = select(FeedItem).where(FeedItem.object_uri == object_uri, FeedItem.author == author)
    return (await session.scalars(query.order_by(FeedItem.feed_id))).all()


async def items_in(session: AsyncSession, feed_id: int, passed_on_by: str) -> Sequence[FeedItem]:
    """The posts that a digest told of, in its order, also those that were taken back since."""
    query = select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.passed_on_by == passed_on_by)
    return (await session.scalars(query.order_by(FeedItem.id))).all()


# The pass


async def feeds_due_now(session: AsyncSession, feed_ids: Iterable[int], now: datetime) -> None:
    """Have the pass look at these feeds at once."""
    for feed_id in feed_ids:  # one after the other, by number: nobody waits for another in a ring
        await session.execute(update(Feed).where(Feed.id == feed_id).values(due_at=now))
    await wake(session, "feeds")


async def claim_feeds(session: AsyncSession, now: datetime, lease: timedelta, most: int) -> Sequence[int]:
    """Up to `most` feeds that are due, by number; nobody else looks at them until the lease ends."""
    query = select(Feed.id).where(Feed.due_at <= now, Feed.ended_at.is_(None)).order_by(Feed.due_at)
    found = (await session.scalars(query.limit(most).with_for_update(skip_locked=True))).all()
    if found:
        await session.execute(update(Feed).where(Feed.id.in_(found)).values(due_at=now + lease))
    return found
