"""Whom actors of ours follow, and the federation feeds that pass on what linked collectives publish."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Following(Base):
    """A local actor follows somebody elsewhere. `state`: asked, accepted, rejected."""

    __tablename__ = "followings"
    __table_args__ = (UniqueConstraint("follower_id", "followed"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), index=True)
    followed: Mapped[str] = mapped_column(Text, index=True)
    activity_uri: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]


class Feed(Base):
    """A followable actor for a set of linked collectives."""

    __tablename__ = "feeds"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), unique=True)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class FeedSource(Base):
    """A collective whose posts a feed passes on; our own is one too."""

    __tablename__ = "feed_sources"
    __table_args__ = (UniqueConstraint("feed_id", "actor_uri"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"))
    actor_uri: Mapped[str] = mapped_column(Text, index=True)


class FeedItem(Base):
    """A public post of a source, passed on once, or told in a digest when it is busy."""

    __tablename__ = "feed_items"
    __table_args__ = (UniqueConstraint("feed_id", "object_uri"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"))
    object_uri: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")  # plain text, for a digest
    seen_at: Mapped[datetime]
    passed_on_at: Mapped[datetime | None]
