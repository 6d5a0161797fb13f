"""The append-only log of what happened here. One event per action, in the action's own transaction.

Attendance, positions and authorship inside a circle never stand here (`records.md` §6).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, write_at_commit


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (Index("ix_events_kind_at", "kind", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(48))
    actor: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[str | None] = mapped_column(String(64), index=True)
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


def log(
    session: AsyncSession,
    kind: str,
    now: datetime,
    *,
    actor: str | None = None,
    scope: str | None = None,
    mandate_id: int | None = None,
    **detail: Any,
) -> None:
    """Note that something happened; it stands iff the transaction commits."""
    write_at_commit(
        session, Event, at=now, kind=kind, actor=actor, scope=scope, mandate_id=mandate_id, detail=detail
    )
