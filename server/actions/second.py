"""The second factor: codes of an app (TOTP, RFC 6238) and recovery codes, each good for one log-in.

The secret is stored sealed with the instance secret, of recovery codes only digests. Attempts are counted by the faces.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.later import later
from models.accounts import RecoveryCode
from models.events import log
from models.people import Member
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server.actions.people import token_digest
from server.actions.single_mails import warn
from server.home import Home

if TYPE_CHECKING:
    import pyotp
else:
    pyotp = later("pyotp")

STEP: Final = 30
CODES: Final = 10
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that looks like another
WRONG = phrase("This code is not right, or was used before. Wait for the next one and try again.")


async def locked(session: AsyncSession, member_id: int) -> Member:
    """The member as they stand, and nobody else uses a code of theirs meanwhile."""
    return await session.get_one(Member, member_id, with_for_update=True, populate_existing=True)


def new_secret() -> str:
    return pyotp.random_base32()


def address_for_app(secret: str, login: str, collective: str) -> str:
    """What the QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=collective)


async def begin(session: AsyncSession, home: Home, member_id: int) -> None:
    """A new secret is kept, and not asked for until a code of it was shown to be right."""
    member = await locked(session, member_id)
    if member.totp_at is not None:
        raise Conflict("second-factor", phrase("You have a second factor already. Turn it off first."))
    member.totp_secret, member.totp_step = home.seal(new_secret().encode()), None


def secret_of(home: Home, member: Member) -> str | None:
    return home.unseal(member.totp_secret).decode() if member.totp_secret else None


async def confirm(
    session: AsyncSession, home: Home, member_id: int, code: str, now: datetime
) -> Sequence[str]:
    """From now on a code is asked for at each log-in by password. Returns recovery codes, which nobody can see again."""
    member = await locked(session, member_id)
    if member.totp_at is not None:
        raise Conflict("second-factor", phrase("You have a second factor already. Turn it off first."))
    if not _use_code(home, member, code, now):
        raise Invalid({"code": WRONG})
    member.totp_at = now
    log(session, "second factor on", now)
    return await new_codes(session, member.id)


async def new_codes(session: AsyncSession, member_id: int) -> Sequence[str]:
    """Fresh recovery codes; those before are good for nothing."""
    codes = [
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(CODES)
    ]
    await session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member_id))
    session.add_all(RecoveryCode(member_id=member_id, digest=token_digest(_plain(code))) for code in codes)
    return codes


async def turn_off(session: AsyncSession, home: Home, member_id: int, now: datetime) -> None:
    """No code is asked for any more, and nothing of the secret is kept. The member is told, if one was asked for."""
    member = await locked(session, member_id)
    if member.totp_at is not None:
        await warn(session, home, member, "second-off", now)
    member.totp_secret = member.totp_at = member.totp_step = None
    await session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member_id))
    log(session, "second factor off", now)


async def is_right(session: AsyncSession, home: Home, member: Member, code: str, now: datetime) -> bool:
    """Is this a code of the app or a recovery code? If so, it is used up. The caller has locked the member."""
    if _use_code(home, member, code, now):
        return True
    row = await session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.member_id == member.id, RecoveryCode.digest == token_digest(_plain(code))
        )
    )
    if row is None:
        return False
    await session.delete(row)
    return True


def _use_code(home: Home, member: Member, code: str, now: datetime) -> bool:
    """Codes of this half minute, the one before and the one after are right, each once and never an older one after it."""
    secret, digits = secret_of(home, member), re.sub(r"\s", "", code)
    if secret is None or not re.fullmatch("[0-9]{6}", digits):
        return False
    this = int(now.timestamp()) // STEP
    for step in (this - 1, this, this + 1):
        fresh = member.totp_step is None or step > member.totp_step
        if fresh and secrets.compare_digest(pyotp.TOTP(secret).at(step * STEP), digits):
            member.totp_step = step
            return True
    return False


def _plain(code: str) -> str:
    return re.sub(r"[^a-z0-9]", "", code.lower())
