"""Getting back in: a link with which a member sets a new password, from whoever may admit (or by mail: `server.actions.lost`).

The link works once, within 24 hours (by mail: one), and ends every log-in. The member is told on their pages that it was made and
that it was used, and can take it back as long as it was not.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts, mandates, notices, people
from models.accounts import Recovery
from models.base import LOGINS, changed
from models.events import log
from models.people import Login, Member
from models.rules.mandates import powers_in_force
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, NotFound
from server.actions import second, single_mails
from server.actions.concerned import check_no_question, is_asked_about
from server.home import Home
from server.viewer import Viewer, as_rule

LINK_LASTS = timedelta(hours=24)
TOLD_FOR = timedelta(days=30)


async def member_here(session: AsyncSession, number: int) -> Member:
    """A member who has not left. Only members ask: they may know that somebody has."""
    member = await session.get(Member, number)
    if member is None:
        raise NotFound(
            "not-found", phrase("Either nothing is at this address, or it is not open to everybody.")
        )
    if member.left_at is not None:
        raise NotFound("not-found", phrase("They are no member any more."))
    return member


async def make_link(
    session: AsyncSession,
    viewer: Viewer,
    member: Member,
    token_hash: str,
    now: datetime,
    *,
    resets_second: bool,
) -> Recovery:
    """A link for a member who cannot get in. Needs `admit`, and somebody who is not asked about. Links made before work no more."""
    mandate = viewer.require("admit")
    await check_no_question(session, viewer, now)
    row = await _new_link(session, member, token_hash, now, resets_second=resets_second)
    row.made_by, row.mandate_id = viewer.require_member().id, mandate.id
    log(session, "recovery link made", now, mandate_id=mandate.id, member=member.id)
    return row


async def make_operators_link(
    session: AsyncSession, member: Member, token_hash: str, now: datetime
) -> Recovery:
    """The same from the command line, which may only where nobody on the pages could: no other member may make one now."""
    for other in await people.members(session):
        if other.id == member.id:
            continue
        held = [as_rule(row) for row in await mandates.mandates_of(session, other.id)]
        if "admit" in powers_in_force(held, now) and not await is_asked_about(session, other, now):
            raise Conflict(
                "ask-a-member",
                phrase(
                    "{name} may admit people and makes such links: on the page of the people, “Help to log in”.",
                    name=other.name,
                ),
            )
    row = await _new_link(session, member, token_hash, now, resets_second=True)
    log(session, "recovery link made", now, member=member.id, by="operator")
    return row


async def _new_link(
    session: AsyncSession, member: Member, token_hash: str, now: datetime, *, resets_second: bool
) -> Recovery:
    await cancel_open(session, member.id, now)
    row = Recovery(
        token_hash=token_hash,
        member_id=member.id,
        resets_second=resets_second,
        by_mail=False,
        created_at=now,
        expires_at=now + LINK_LASTS,
    )
    session.add(row)
    return row


async def cancel_open(
    session: AsyncSession, member_id: int, now: datetime, *, only_by_mail: bool = False
) -> int:
    """No link that was made for this member opens the account any more; returns how many could have."""
    still = (
        Recovery.member_id == member_id,
        Recovery.used_at.is_(None),
        Recovery.cancelled_at.is_(None),
        Recovery.expires_at > now,
        *([Recovery.by_mail] if only_by_mail else []),
    )
    count = await session.scalar(select(func.count()).select_from(Recovery).where(*still)) or 0
    await session.execute(update(Recovery).where(*still).values(cancelled_at=now))
    return count


async def open_link(session: AsyncSession, token_hash: str, now: datetime) -> tuple[Recovery, Member]:
    """The link and whose it is; a kind refusal if it is unknown, used, taken back or over."""
    row = await accounts.recovery_by_hash(session, token_hash)
    member = await session.get(Member, row.member_id) if row else None
    if row is None or member is None or member.left_at is not None:
        raise NotFound("recovery", phrase("This link is not known here. Ask for a new one."))
    if row.used_at is not None:
        raise Conflict(
            "recovery-used", phrase("This link has been used. Log in with the password that was set.")
        )
    if row.cancelled_at is not None or row.expires_at <= now:
        raise Conflict("recovery-over", phrase("This link works no more. Ask for a new one."))
    return row, member


async def recover(
    session: AsyncSession, home: Home, token_hash: str, password_hash: str, now: datetime
) -> Member:
    """The password is the new one, every log-in is ended, and so are the secret address and other links that open the account. The
    second factor stays unless the link was made to end it, and passkeys stay. The member is told."""
    row, member = await open_link(session, token_hash, now)
    row.used_at = now
    member.password_hash = password_hash
    await session.execute(delete(Login).where(Login.member_id == member.id))
    await notices.end_address(session, member.id)
    await session.flush()
    await cancel_open(session, member.id, now)
    await changed(session, LOGINS)
    if row.resets_second:
        await second.turn_off(session, home, member.id, now)
    await single_mails.warn(session, home, member, "password-changed", now)
    log(session, "account recovered", now, mandate_id=row.mandate_id, member=member.id)
    return member


async def cancel(session: AsyncSession, viewer: Viewer, now: datetime) -> int:
    """The member takes back the links that were made for them; returns how many there were."""
    count = await cancel_open(session, viewer.require_member().id, now)
    if count:
        log(session, "recovery link taken back", now, member=viewer.require_member().id)
    return count


async def told(session: AsyncSession, viewer: Viewer, now: datetime) -> Sequence[tuple[Recovery, str]]:
    """What the member is told: links of the last 30 days that are open or were used, each with the name of who made it."""
    found = await accounts.recoveries_since(session, viewer.require_member().id, now - TOLD_FOR)
    shown = [row for row in found if row.used_at or (row.cancelled_at is None and row.expires_at > now)]
    makers = {row.id: await session.get(Member, row.made_by) if row.made_by else None for row in shown}
    return [(row, maker.name if (maker := makers[row.id]) else "") for row in shown]
