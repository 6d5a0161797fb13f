"""What belongs to an account besides its member: passkeys, recovery codes and links, requests to join, what was spent.

Rows and their queries. No secret stands here in the clear: of links and codes there is the sha-256, of a second factor's secret
what `server.home` sealed, of a passkey only its public key.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, LargeBinary, String, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, insert_once


class Passkey(Base):
    """A key on a device of a member (WebAuthn) with which they log in."""

    __tablename__ = "passkeys"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    credential: Mapped[str] = mapped_column(Text, unique=True)  # base64url
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    count: Mapped[int] = mapped_column(BigInteger)  # signatures made, as the device says; 0 where it does not
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Stands in once for a code of the second factor. Used ones are deleted."""

    __tablename__ = "recovery_codes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))


class Recovery(Base):
    """A link by which a member sets a new password. `made_by` is None if it was made on the command line, or went out `by_mail`."""

    __tablename__ = "recoveries"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    resets_second: Mapped[bool] = mapped_column(Boolean)  # and turns the second factor off
    by_mail: Mapped[bool] = mapped_column(Boolean, default=False)  # to the address that the member confirmed
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class Lost(Base):
    """Somebody says that they cannot log in, and as whom. Looked up later, so that nobody learns from the answer, or from how long
    it takes, whether there is such a member. `who`: a log-in name or an e-mail address, as it was typed."""

    __tablename__ = "lost"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime]


class JoinRequest(Base):
    """A visitor asks to be admitted. `place` is a keyed digest of where they ask from."""

    __tablename__ = "join_requests"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(120))
    words: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(Text)  # for one mail with the answer, then forgotten
    at: Mapped[datetime]
    declined_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(Text, default="")
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))


class Spent(Base):
    """A challenge or ticket that was used, until it would have ended anyway."""

    __tablename__ = "spent"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[datetime]


async def passkeys_of(session: AsyncSession, member_id: int) -> Sequence[Passkey]:
    query = select(Passkey).where(Passkey.member_id == member_id).order_by(Passkey.id)
    return (await session.scalars(query)).all()


async def passkey_named(session: AsyncSession, credential: str) -> Passkey | None:
    """The passkey of this credential id. In a transaction that acts it is locked: its count goes up one at a time."""
    query = select(Passkey).where(Passkey.credential == credential)
    return await session.scalar(query.with_for_update().execution_options(populate_existing=True))


async def codes_left(session: AsyncSession, member_id: int) -> int:
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.member_id == member_id)
    return await session.scalar(query) or 0


async def recovery_by_hash(session: AsyncSession, token_hash: str) -> Recovery | None:
    return await session.scalar(select(Recovery).where(Recovery.token_hash == token_hash).with_for_update())


async def recoveries_since(session: AsyncSession, member_id: int, since: datetime) -> Sequence[Recovery]:
    """Links that were made for a member, the latest first."""
    query = select(Recovery).where(Recovery.member_id == member_id, Recovery.created_at > since)
    return (await session.scalars(query.order_by(Recovery.id.desc()))).all()


async def requests_waiting(session: AsyncSession, since: datetime) -> Sequence[JoinRequest]:
    """Requests that nobody has answered, the oldest first."""
    query = select(JoinRequest).where(JoinRequest.declined_at.is_(None), JoinRequest.at > since)
    return (await session.scalars(query.order_by(JoinRequest.id))).all()


async def request_by_login(session: AsyncSession, login: str, since: datetime) -> JoinRequest | None:
    """The latest request under this log-in name, waiting or declined."""
    query = select(JoinRequest).where(JoinRequest.login == login, JoinRequest.at > since)
    return await session.scalar(query.order_by(JoinRequest.id.desc()).limit(1))


async def spend(session: AsyncSession, digest: str, until: datetime, now: datetime) -> bool:
    """Use something that works once; False if it was used before."""
    await session.execute(delete(Spent).where(Spent.until <= now))
    written = await session.scalar(insert_once(session, Spent, "digest"), {"digest": digest, "until": until})
    return written is not None
