"""Getting back in by e-mail: somebody says as whom they cannot log in. If that is a member with a confirmed address, a link goes
there.

Who asks learns nothing: what they typed is written down as it is, and looked up later, by the worker that sends mail.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts
from models.accounts import Lost, Recovery
from models.base import wake
from models.events import log
from models.mails import Mailbox
from models.people import Member
from models.rules.phrases import phrase
from models.rules.refusals import Invalid, TooMany
from server.actions import single_mails
from server.actions.people import new_token, token_digest
from server.home import Home

LINK_LASTS: Final = timedelta(hours=1)
MOST_LINKS: Final = 3  # for one member, in a day
MOST_WAITING: Final = 200
LONGEST: Final = 254


def check_who(who: str) -> None:
    if not 1 <= len(who) <= LONGEST:
        raise Invalid(
            {"who": phrase("Write your log-in name, or the e-mail address that you confirmed here.")}
        )


async def ask(session: AsyncSession, who: str, now: datetime) -> None:
    """It is looked up soon. The face has counted how often this comes from one place."""
    check_who(who)
    if (await session.scalar(select(func.count()).select_from(Lost)) or 0) >= MOST_WAITING:
        raise TooMany("lost", phrase("Many people ask for this at once. Please try again in a few minutes."))
    session.add(Lost(who=who, at=now))
    await wake(session, "mail")


async def any_waiting(session: AsyncSession) -> bool:
    return await session.scalar(select(Lost.id).limit(1)) is not None


async def look_up(session: AsyncSession, home: Home, now: datetime) -> int:
    """Who asked gets a link, where there is somebody and an address; what they typed is not kept. Returns how many links."""
    query = select(Lost).order_by(Lost.id).limit(20).with_for_update(skip_locked=True)
    made = 0
    for row in (await session.scalars(query)).all():
        if row.at > now - LINK_LASTS:
            for member, box in await _meant(session, row.who):
                made += await _send(session, home, member, box, now)
        await session.delete(row)
    return made


async def _meant(session: AsyncSession, who: str) -> Sequence[tuple[Member, Mailbox]]:
    """The members whose name or confirmed address this is; several may share an address."""
    query = select(Member, Mailbox).join(Mailbox, Mailbox.member_id == Member.id)
    usable = Mailbox.address.is_not(None) & Mailbox.confirmed_at.is_not(None) & Mailbox.refused_at.is_(None)
    named = func.lower(Mailbox.address) == who.lower() if "@" in who else Member.login == who.lower()
    rows = await session.execute(
        query.where(Member.left_at.is_(None), usable, named)
        .order_by(Member.id)
        .limit(5)
        .with_for_update(of=Member)
    )
    return [(member, box) for member, box in rows]


async def _send(session: AsyncSession, home: Home, member: Member, box: Mailbox, now: datetime) -> int:
    before = await accounts.recoveries_since(session, member.id, now - timedelta(days=1))
    if sum(row.by_mail for row in before) >= MOST_LINKS or box.address is None:
        return 0
    token = new_token()
    session.add(
        Recovery(
            token_hash=token_digest(token),
            member_id=member.id,
            resets_second=False,
            by_mail=True,
            created_at=now,
            expires_at=now + LINK_LASTS,
        )
    )
    await session.flush()
    await single_mails.write_recovery(session, home, member, box.address, token, now, now + LINK_LASTS)
    log(session, "recovery link made", now, member=member.id, by="mail")
    return 1
