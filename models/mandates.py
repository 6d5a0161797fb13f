"""Mandates held on this instance, as rows. Whether one is in force is computed by `models.rules.mandates`, never stored."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class MandateRow(Base):
    """Powers lent to a member until a date. `source`: founding, emergency, or the decision that granted it."""

    __tablename__ = "mandates"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    powers: Mapped[list[str]] = mapped_column(JSON)
    instruction: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(64))
    term: Mapped[int] = mapped_column(Integer, default=1)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    resigned_at: Mapped[datetime | None]


async def mandates_of(session: AsyncSession, member_id: int) -> Sequence[MandateRow]:
    query = select(MandateRow).where(MandateRow.member_id == member_id).order_by(MandateRow.id)
    return (await session.scalars(query)).all()


async def mandates_by_member(session: AsyncSession, members: Iterable[int]) -> Sequence[MandateRow]:
    """Those that were lent to any of these members."""
    query = select(MandateRow).where(MandateRow.member_id.in_(set(members)))
    return (await session.scalars(query)).all()


async def all_mandates(session: AsyncSession) -> Sequence[MandateRow]:
    """The register, latest first."""
    return (await session.scalars(select(MandateRow).order_by(MandateRow.id.desc()))).all()
