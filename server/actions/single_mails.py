"""Mail that says one thing, as soon as it can be sent: a link to get back in, that a way into an account is another, an answer to
who asked to join. And how any mail is put among those that wait.
"""

import secrets
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncSession

from models import mails, notices
from models.mails import Mail, Mailbox
from models.people import Member
from server.actions.languages import language_for
from server.actions.letter_words import answering, moved, recovering, warning
from server.actions.notice_words import Written
from server.actions.telling import us
from server.home import Home
from server.language import speaking

WORTH_KNOWING: Final = timedelta(days=7)
WARNINGS: Final = (
    "safety",
    "moved",
)  # they go out whatever becomes of the address: who changed it may be somebody else


async def write_recovery(
    session: AsyncSession,
    home: Home,
    member: Member,
    address: str,
    token: str,
    now: datetime,
    until: datetime,
) -> None:
    """The link with which the member sets a new password."""
    collective, _ = await us(session)
    with speaking(await language_for(session, member)):
        written = recovering(collective.name, f"{home.url}/recover/{token}")
    await add(session, home, member.id, address, "recovery", written, now, until=until)


async def warn(session: AsyncSession, home: Home, member: Member, what: str, now: datetime) -> None:
    """The member learns that a way into their account is another: on their pages, and by mail at once where they have an address,
    whatever else they chose to get. `what` is a kind of notice."""
    box = await session.get(Mailbox, member.id)
    address = box.address if box is not None and box.refused_at is None else None
    notices.tell(session, member.id, what, now, mailed=address is not None)
    if address is None:
        return
    collective, _ = await us(session)
    with speaking(await language_for(session, member)):
        written = warning(what, collective.name, _when(member, now), home.url)
    await add(session, home, member.id, address, "safety", written, now, until=now + WORTH_KNOWING)


async def write_moved(session: AsyncSession, home: Home, member: Member, address: str, now: datetime) -> None:
    """Whoever reads the address before learns that it is used no more."""
    collective, _ = await us(session)
    with speaking(await language_for(session, member)):
        written = moved(collective.name, _when(member, now), f"{home.url}/me/mail")
    await add(session, home, member.id, address, "moved", written, now, until=now + WORTH_KNOWING)


def _when(member: Member, now: datetime) -> str:
    """An instant in the member's time zone, as a mail says it."""
    then = now.astimezone(zone_of(member))
    return f"{then:%Y-%m-%d}, {then:%H:%M} ({member.zone or 'UTC'})"


async def write_answer(
    session: AsyncSession, home: Home, address: str, now: datetime, *, admitted: bool
) -> None:
    """Who asked to join learns that they were answered. Nothing that they wrote stands in it."""
    collective, _ = await us(session)
    with speaking(await language_for(session, None)):
        written = answering(collective.name, f"{home.url}/login", admitted=admitted)
    await add(session, home, None, address, "answer", written, now, until=now + WORTH_KNOWING)


def zone_of(member: Member) -> tzinfo:
    """The time zone that the member chose; UTC where this machine does not know it."""
    try:
        return ZoneInfo(member.zone) if member.zone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


async def add(
    session: AsyncSession,
    home: Home,
    member_id: int | None,
    address: str,
    kind: str,
    written: Written,
    now: datetime,
    *,
    until: datetime | None = None,
    stop: str | None = None,
) -> None:
    """A mail waits to be sent."""
    host = urlsplit(home.url).hostname
    mail = Mail(
        member_id=member_id,
        kind=kind,
        address=address,
        message_id=f"<{secrets.token_hex(16)}@{host}>",
        subject=written.subject,
        text=written.text,
        html=written.html,
        stop=stop,
        made_at=now,
        until=until,
        due_at=now,
        attempts=0,
    )
    await mails.add(session, mail)
