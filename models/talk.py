"""What people elsewhere say about our posts: replies, reactions, answers to the pulse, quotes. Never a ballot."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


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
    received_at: Mapped[datetime]
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
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    quoting: Mapped[str] = mapped_column(Text, unique=True)  # the post that quotes
    author: Mapped[str] = mapped_column(Text)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
