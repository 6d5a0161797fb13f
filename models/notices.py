"""What members are told, and of which decisions they want to hear nothing. Rows and their queries; what is told is decided in
`server.actions.noticing`.

Where somebody stands inside a circle never stands here: a notice is a kind, a decision and an instant.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, insert_once
from models.ledger import Scope

MOST_COUNTED = 100


class Happened(Base):
    """Something of which whom it concerns has been told. The key says what, so that nothing is told twice."""

    __tablename__ = "happenings"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    at: Mapped[datetime]


class Notice(Base):
    """One member is told of one thing. `until`: after that it matters no more."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("member_id", "key"),
        Index("ix_notices_unread", "member_id", "read_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(16))
    scope_id: Mapped[int | None] = mapped_column(ForeignKey("scopes.id"))
    until: Mapped[datetime | None]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]


class Mute(Base):
    """A member wants to hear nothing of a decision."""

    __tablename__ = "mutes"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"), primary_key=True)


class SecretAddress(Base):
    """Where a member's own feed and calendar are. The token itself was shown once; here is its sha-256."""

    __tablename__ = "secret_addresses"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]


def tell(session: AsyncSession, member_id: int, kind: str, now: datetime, *, mailed: bool = True) -> None:
    """One member is told now of what can happen again and again. `mailed`: a mail of its own says it too."""
    key = f"{kind}:{secrets.token_hex(8)}"
    session.add(Notice(member_id=member_id, key=key, kind=kind, at=now, mailed_at=now if mailed else None))


async def unread_count(session: AsyncSession, member_id: int) -> int:
    """How many notices a member has not read, counted no further than `MOST_COUNTED`."""
    query = select(Notice.id).where(Notice.member_id == member_id, Notice.read_at.is_(None))
    some = query.limit(MOST_COUNTED).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def notices_page(
    session: AsyncSession, member_id: int, before: int | None, most: int
) -> Sequence[tuple[Notice, Scope | None]]:
    """A member's notices, the latest first, each with the decision it is about."""
    query = select(Notice, Scope).outerjoin(Scope, Scope.id == Notice.scope_id)
    query = query.where(Notice.member_id == member_id)
    if before is not None:
        query = query.where(Notice.id < before)
    rows = await session.execute(query.order_by(Notice.id.desc()).limit(most))
    return [(notice, scope) for notice, scope in rows]


async def mark_read(session: AsyncSession, member_id: int, up_to: int, now: datetime) -> None:
    """Everything up to this number is read."""
    mine = update(Notice).where(Notice.member_id == member_id, Notice.id <= up_to, Notice.read_at.is_(None))
    await session.execute(mine.values(read_at=now).execution_options(synchronize_session=False))


async def told_of(session: AsyncSession, keys: Iterable[str]) -> set[str]:
    """Those of these keys of which members have been told."""
    found, wanted = set[str](), list(keys)
    for begin in range(0, len(wanted), 500):
        some = wanted[begin : begin + 500]
        found |= set(await session.scalars(select(Happened.key).where(Happened.key.in_(some))))
    return found


async def note(session: AsyncSession, key: str, now: datetime) -> bool:
    """From now on members have been told of this. False if they had been before."""
    written = insert_once(session, Happened, "key")
    return await session.scalar(written, {"key": key, "at": now}) is not None


async def muted(session: AsyncSession, member_id: int) -> Sequence[Scope]:
    """The decisions of which a member wants to hear nothing, the latest first."""
    query = select(Scope).join(Mute, Mute.scope_id == Scope.id).where(Mute.member_id == member_id)
    return (await session.scalars(query.order_by(Scope.id.desc()))).all()


async def is_muted(session: AsyncSession, member_id: int, scope_id: int) -> bool:
    """Does a member want to hear nothing of a decision?"""
    return await session.get(Mute, (member_id, scope_id)) is not None


async def who_muted(session: AsyncSession, scope_id: int) -> set[int]:
    """Ids of the members who want to hear nothing of a decision."""
    return set(await session.scalars(select(Mute.member_id).where(Mute.scope_id == scope_id)))


async def mute(session: AsyncSession, member_id: int, scope_id: int) -> None:
    await session.execute(insert_once(session, Mute), {"member_id": member_id, "scope_id": scope_id})


async def unmute(session: AsyncSession, member_id: int, scope_id: int) -> None:
    await session.execute(delete(Mute).where(Mute.member_id == member_id, Mute.scope_id == scope_id))


async def whose_address(session: AsyncSession, token_hash: str) -> SecretAddress | None:
    return await session.scalar(select(SecretAddress).where(SecretAddress.token_hash == token_hash))


async def end_address(session: AsyncSession, member_id: int) -> None:
    """Nothing is at their secret address any more."""
    await session.execute(delete(SecretAddress).where(SecretAddress.member_id == member_id))


async def forget(session: AsyncSession, member_id: int) -> None:
    """Nothing of all this is kept about a member."""
    for table in (Notice, Mute, SecretAddress):
        await session.execute(delete(table).where(table.member_id == member_id))
