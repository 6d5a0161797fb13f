"""What members say to each other about a decision, and how far each has read. Neither ever leaves the instance, and no words of it
enter a record, an event or the log.

Queries take the circle whose room is meant; None is the members' talk on the page of the decision.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, String, Text, UniqueConstraint, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.decisions import Seat
from models.people import Member


class Remark(Base):
    """What one member said. Its words go when its author deletes it; that there was something stays. Hidden by who
    moderates, it keeps its words, for its author and for them."""

    __tablename__ = "remarks"
    __table_args__ = (
        UniqueConstraint("member_id", "form"),
        Index("ix_remarks_scope_id_circle_id", "scope_id", "circle_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    circle_id: Mapped[int | None] = mapped_column(ForeignKey("circles.id"))  # None: for all members
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    form: Mapped[str] = mapped_column(String(32))  # of the form it came in: sent twice, it is said once
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    hidden_why: Mapped[str] = mapped_column(Text, default="")
    hidden_under: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))


class Look(Base):
    """How far a member has read at one place: the highest numbers that were there, at their last look and at the end of the visit
    before it. Shown to nobody but them."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("member_id", "place"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    place: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]  # of the last look
    upto: Mapped[dict[str, Any]] = mapped_column(JSON)  # what had the highest number then
    before: Mapped[dict[str, Any]] = mapped_column(JSON)  # the same at the end of the visit before
    before_at: Mapped[datetime | None]  # None: this is their first visit


async def remark(session: AsyncSession, scope_id: int, number: int) -> Remark | None:
    return await session.scalar(select(Remark).where(Remark.scope_id == scope_id, Remark.id == number))


async def remark_of_form(session: AsyncSession, member_id: int, form: str) -> Remark | None:
    return await session.scalar(select(Remark).where(Remark.member_id == member_id, Remark.form == form))


async def talk(
    session: AsyncSession, scope_id: int, circle_id: int | None, before: int | None, most: int
) -> Sequence[tuple[Remark, Member]]:
    """The latest remarks (those before number `before`) with who said them, oldest first."""
    query = (
        select(Remark, Member)
        .join(Member, Member.id == Remark.member_id)
        .where(Remark.scope_id == scope_id, Remark.circle_id.is_not_distinct_from(circle_id))
    )
    if before is not None:
        query = query.where(Remark.id < before)
    rows = (await session.execute(query.order_by(Remark.id.desc()).limit(most))).all()
    return [(said, member) for said, member in reversed(rows)]


async def how_many(session: AsyncSession, scope_id: int, circle_id: int | None) -> int:
    """All remarks in one place, deleted ones too."""
    there = (Remark.scope_id == scope_id, Remark.circle_id.is_not_distinct_from(circle_id))
    return await session.scalar(select(func.count()).select_from(Remark).where(*there)) or 0


async def said_since(session: AsyncSession, member_id: int, since: datetime) -> int:
    """How much one member has said, anywhere."""
    lately = (Remark.member_id == member_id, Remark.at > since)
    return await session.scalar(select(func.count()).select_from(Remark).where(*lately)) or 0


async def heard_since(session: AsyncSession, member_id: int, after: int) -> Sequence[tuple[int, bool, int]]:
    """How many remarks by others with a number above `after` this member may read: (scope, whether in their circle, how many)."""
    theirs = select(Seat.id).where(
        Seat.scope_id == Remark.scope_id, Seat.circle_id == Remark.circle_id, Seat.member_id == member_id
    )
    is_private = Remark.circle_id.is_not(None)
    query = (
        select(Remark.scope_id, is_private.label("is_private"), func.count().label("many"))
        .where(Remark.id > after, Remark.member_id != member_id, Remark.deleted_at.is_(None))
        .where(or_(Remark.circle_id.is_(None), theirs.exists()))
        .group_by(Remark.scope_id, is_private)
    )
    return [(scope, bool(private), many) for scope, private, many in (await session.execute(query)).all()]


async def look(session: AsyncSession, member_id: int, place: str) -> Look | None:
    return await session.scalar(_look(member_id, place))


async def locked_look(session: AsyncSession, member_id: int, place: str) -> Look | None:
    return await session.scalar(_look(member_id, place).with_for_update())


def _look(member_id: int, place: str) -> Select[Look]:
    return select(Look).where(Look.member_id == member_id, Look.place == place)


async def highest(session: AsyncSession, tables: Mapping[str, Any]) -> dict[str, int]:
    """The highest number in each of these tables."""
    asked = [select(func.max(table.id)).scalar_subquery() for table in tables.values()]
    found = (await session.execute(select(*asked))).one()
    return {name: number or 0 for name, number in zip(tables, found, strict=True)}
