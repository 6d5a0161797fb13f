"""Where members get e-mail, and the e-mail that waits to be sent: rows that are jobs, like those of `models.queues`.

A mail is claimed by a lease and deleted when it was sent; what was given up stays for a while as a dead letter, without its words.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, wake


class Mailbox(Base):
    """What a member chose. Only `address` is written to, once it was confirmed by the link that went to it as `pending`."""

    __tablename__ = "mailboxes"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    address: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None]
    pending: Mapped[str | None] = mapped_column(Text)
    pending_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    pending_until: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(Integer, default=0)  # links sent since `asked_since`
    asked_since: Mapped[datetime | None]
    digest: Mapped[str] = mapped_column(String(8), default="off")  # off, daily, weekly
    hour: Mapped[int] = mapped_column(Integer, default=8)  # in the member's time zone
    weekday: Mapped[int] = mapped_column(Integer, default=0)  # Monday is 0
    at_once: Mapped[list[str]] = mapped_column(JSON, default=list)  # kinds of notices
    digest_at: Mapped[datetime | None] = mapped_column(index=True)  # when the next is due
    refused_at: Mapped[datetime | None]  # since when its server says that there is no such address


class Mail(Base):
    """One e-mail. Its Message-ID stays the same however often it is tried. `until`: after that it is not worth sending."""

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_due", "dead_at", "due_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id"), index=True
    )  # None: who asked to join
    kind: Mapped[str] = mapped_column(String(16))  # confirm, notice, digest, recovery, safety, moved, answer
    address: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    stop: Mapped[str | None] = mapped_column(Text)  # the address that ends such mail
    made_at: Mapped[datetime]
    until: Mapped[datetime | None]
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    dead_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)


async def add(session: AsyncSession, mail: Mail) -> None:
    """A mail waits from now on."""
    session.add(mail)
    await wake(session, "mail")


async def claim(session: AsyncSession, now: datetime, lease: timedelta, most: int) -> Sequence[Mail]:
    """Take up to `most` mails that are due, oldest first. Each is counted as tried."""
    query = select(Mail).where(Mail.dead_at.is_(None), Mail.due_at <= now)
    query = query.where(or_(Mail.lease_until.is_(None), Mail.lease_until < now)).order_by(
        Mail.due_at, Mail.id
    )
    found = (await session.scalars(query.limit(most).with_for_update(skip_locked=True))).all()
    for mail in found:
        mail.lease_until, mail.attempts = now + lease, mail.attempts + 1
    return found


async def sent(session: AsyncSession, mail_id: int) -> None:
    """It was taken over by the mail server; nothing of it is kept."""
    await session.execute(delete(Mail).where(Mail.id == mail_id))


async def put_off(session: AsyncSession, mail: Mail, due_at: datetime, reason: str) -> None:
    """It is tried again then; nothing if somebody else has taken it since."""
    again = update(Mail).where(Mail.id == mail.id, Mail.attempts == mail.attempts, Mail.dead_at.is_(None))
    values = again.values(due_at=due_at, lease_until=None, reason=reason)
    await session.execute(values.execution_options(synchronize_session=False))


async def give_up(session: AsyncSession, mail: Mail, now: datetime, reason: str) -> None:
    """It is not tried any more. Its words go, the reason stays."""
    dead = update(Mail).where(Mail.id == mail.id, Mail.dead_at.is_(None))
    values = dead.values(dead_at=now, lease_until=None, reason=reason, text="", html="", stop=None)
    await session.execute(values.execution_options(synchronize_session=False))


async def drop_waiting(session: AsyncSession, member_id: int, kinds: Sequence[str]) -> None:
    """What waits for a member and is of these kinds is not sent."""
    mine = delete(Mail).where(Mail.member_id == member_id, Mail.kind.in_(kinds), Mail.dead_at.is_(None))
    await session.execute(mine.execution_options(synchronize_session=False))


async def counts(session: AsyncSession) -> tuple[int, int, datetime | None]:
    """How many wait, how many were given up, and since when the oldest waits."""
    waiting, oldest = (
        await session.execute(
            select(func.count(Mail.id), func.min(Mail.made_at)).where(Mail.dead_at.is_(None))
        )
    ).one()
    dead = await session.scalar(select(func.count(Mail.id)).where(Mail.dead_at.is_not(None)))
    return waiting, dead or 0, oldest


async def forget_address(session: AsyncSession, member_id: int, still_go: Sequence[str]) -> None:
    """The address of a member is not kept any more. What waits and is of these kinds is still sent there."""
    waits = Mail.kind.in_(still_go) & Mail.dead_at.is_(None)
    mine = delete(Mail).where(Mail.member_id == member_id, ~waits)
    await session.execute(mine.execution_options(synchronize_session=False))
    await session.execute(delete(Mailbox).where(Mailbox.member_id == member_id))


async def forget(session: AsyncSession, member_id: int) -> None:
    """Nothing of all this is kept about a member."""
    for table in (Mail, Mailbox):
        await session.execute(delete(table).where(table.member_id == member_id))
