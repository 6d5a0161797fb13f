"""Reports (Flag): what somebody elsewhere reported to us, and what we reported to others. Seen under `moderate` only."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Report(Base):
    __tablename__ = "reports"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)  # the Flag activity
    direction: Mapped[str] = mapped_column(String(3))  # in, out
    reporter: Mapped[str] = mapped_column(Text)  # actor; often the instance actor of the reporter's server
    authority: Mapped[str] = mapped_column(
        String(300), index=True
    )  # in: where it came from; out: where it went
    about: Mapped[list[str]] = mapped_column(JSON, default=list)  # uris of actors and posts
    comment: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))  # out: sent under
    closed_at: Mapped[datetime | None]
    closed_under: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    closed_note: Mapped[str | None] = mapped_column(Text)  # what came of it


async def reports(
    session: AsyncSession, direction: str, *, is_open: bool, skip: int, size: int
) -> tuple[Sequence[Report], int]:
    """Reports that came in or went out, latest first, and how many there are."""
    where = (
        Report.direction == direction,
        Report.closed_at.is_(None) if is_open else Report.closed_at.is_not(None),
    )
    total = await session.scalar(select(func.count()).select_from(Report).where(*where)) or 0
    latest = select(Report).where(*where).order_by(Report.id.desc()).limit(size).offset(skip)
    return (await session.scalars(latest)).all(), total
