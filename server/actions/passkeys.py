"""Passkeys as rows: kept, named, removed, used. What a device said was verified by the face (`server.web.ceremonies`)."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts
from models.accounts import Passkey
from models.events import log
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound
from server.actions.single_mails import warn
from server.home import Home
from server.viewer import Viewer

MOST: Final = 20


def check_name(name: str) -> None:
    if not 1 <= len(name) <= 80:
        raise Invalid({"name": phrase("Give it a name of at most 80 characters, such as “my phone”.")})


async def keep(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    *,
    credential: str,
    public_key: bytes,
    count: int,
    name: str,
    now: datetime,
) -> Passkey:
    """The member can log in with this key from now on, and is told so."""
    member = viewer.require_member()
    check_name(name)
    if len(await accounts.passkeys_of(session, member.id)) >= MOST:
        raise Conflict("passkeys", phrase("You have {n} passkeys already. Remove one first.", n=MOST))
    if await accounts.passkey_named(session, credential) is not None:
        raise Conflict("passkeys", phrase("This passkey is known here already."))
    row = Passkey(
        member_id=member.id,
        credential=credential,
        public_key=public_key,
        count=count,
        name=name,
        created_at=now,
    )
    session.add(row)
    await warn(session, home, member, "passkey-added", now)
    log(session, "passkey added", now)
    return row


async def mine(session: AsyncSession, viewer: Viewer, number: int) -> Passkey:
    """A passkey of the viewer's; NotFound for everybody else's."""
    row = await session.get(Passkey, number)
    if row is None or row.member_id != viewer.require_member().id:
        raise NotFound("not-found", phrase("This passkey is not there any more."))
    return row


async def rename(session: AsyncSession, viewer: Viewer, number: int, name: str) -> None:
    row = await mine(session, viewer, number)
    check_name(name)
    row.name = name


async def remove(session: AsyncSession, home: Home, viewer: Viewer, number: int, now: datetime) -> None:
    """Nobody logs in with it any more. The member is told."""
    await session.delete(await mine(session, viewer, number))
    await warn(session, home, viewer.require_member(), "passkey-removed", now)
    log(session, "passkey removed", now)
