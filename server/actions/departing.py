"""Leaving, and being forgotten as far as that is possible; being removed is in `server.actions.removals`.

The row of a member stays, because seats, drafts, confirmations and mandates refer to it; when somebody is erased it no longer says
who they were. Records are never touched: they name circles, never people.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts, decisions, mails, notices, people
from models.accounts import JoinRequest, Lost, Passkey, Recovery, RecoveryCode
from models.base import LOGINS, changed
from models.decisions import Confirmation, Draft, Position, Seat
from models.events import log
from models.people import Actor, Invitation, Login, Member, Membership
from models.posts import Activity
from models.queues import Delivery
from models.remarks import Look, Remark
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, NotFound
from server.actions import appearing
from server.actions.languages import language_of
from server.actions.people import adjust_circles
from server.home import Home
from server.language import said_in, speaking
from server.viewer import Viewer

NAMELESS = phrase("A former member")
RUNNING = ("gathering", "deliberating", "voting", "closing")


@dataclass(frozen=True)
class Traces:
    """How much of a member there is, for the page that says what stays and what goes."""

    positions: int
    remarks: int
    drafts: int
    published: int
    confirmations: int
    seats: int
    running: int
    mandates: int
    in_force: int
    passkeys: int
    logins: int
    is_public: bool


async def traces(session: AsyncSession, viewer: Viewer) -> Traces:
    member = viewer.require_member()

    async def count(table: type, *where: object) -> int:
        return await session.scalar(select(func.count()).select_from(table).where(*where)) or 0  # type: ignore[arg-type]

    actor = await session.get(Actor, member.actor_id) if member.actor_id else None
    mine = Draft.by_member_id == member.id
    return Traces(
        positions=await count(Position, Position.member_id == member.id),
        remarks=await count(Remark, Remark.member_id == member.id, Remark.deleted_at.is_(None)),
        drafts=await count(Draft, mine, Draft.ballot.is_(None)),
        published=await count(Draft, mine, Draft.ballot.is_not(None)),
        confirmations=await count(Confirmation, Confirmation.member_id == member.id),
        seats=await count(Seat, Seat.member_id == member.id),
        running=len(await decisions.seated_in(session, member.id, RUNNING)),
        mandates=len(viewer.mandates),
        in_force=sum(row.ends_at > viewer.now and row.recalled_at is None for row in viewer.mandates),
        passkeys=len(await accounts.passkeys_of(session, member.id)),
        logins=await count(Login, Login.member_id == member.id, Login.expires_at > viewer.now),
        is_public=actor is not None and actor.gone_at is None,
    )


async def leave(session: AsyncSession, home: Home, viewer: Viewer, now: datetime, *, erased: bool) -> None:
    """The viewer is no member any more. Their mandates are given back; with `erased` nothing here says who they were."""
    member = viewer.require_member()
    await people.lock_assembly(session)
    await end_account(session, home, member, now)
    for row in viewer.mandates:
        if row.ends_at > now and row.recalled_at is None:
            row.resigned_at = row.resigned_at or now
    if erased:
        await erase(session, member, now)
    log(session, "member left", now)


async def former(session: AsyncSession, number: int) -> Member:
    """Somebody who has gone and whose name is still here."""
    member = await session.get(Member, number)
    if member is None or member.left_at is None or member.erased_at is not None:
        raise NotFound(
            "not-found", phrase("Either nothing is at this address, or it is not open to everybody.")
        )
    return member


async def erase_former(session: AsyncSession, viewer: Viewer, number: int, now: datetime) -> None:
    """Who has gone and asks for it afterwards is erased, too: they cannot log in to do it. Needs `admit`. A second time changes
    nothing."""
    mandate = viewer.require("admit")
    gone = await session.get(Member, number)
    if gone is not None and gone.erased_at is not None:
        return
    member = await former(session, number)
    await erase(session, member, now)
    log(session, "member erased", now, mandate_id=mandate.id, member=member.id)


async def end_account(session: AsyncSession, home: Home, member: Member, now: datetime) -> None:
    """Nobody gets in as this member any more; their place in circles is free; links they made admit nobody and open no account."""
    if member.left_at is not None:
        raise Conflict("left", phrase("This member has left already."))
    await appearing.vanish(session, home, member, now)
    member.left_at = now
    member.password_hash = ""
    member.totp_secret = member.totp_at = member.totp_step = None
    for table in (Login, Passkey, RecoveryCode, Recovery, Look):
        await session.execute(delete(table).where(table.member_id == member.id))
    await changed(session, LOGINS)
    await notices.forget(session, member.id)
    await mails.forget(session, member.id)
    await session.execute(
        update(Membership)
        .where(Membership.member_id == member.id, Membership.until.is_(None))
        .values(until=now)
    )
    links = (Invitation.made_by == member.id, Invitation.expires_at > now)
    await session.execute(update(Invitation).where(*links).values(expires_at=now))
    theirs = (Recovery.made_by == member.id, Recovery.used_at.is_(None), Recovery.cancelled_at.is_(None))
    await session.execute(update(Recovery).where(*theirs).values(cancelled_at=now))
    await session.flush()
    await adjust_circles(session, now)


async def erase(session: AsyncSession, member: Member, now: datetime) -> None:
    """What may go goes, and what must stay no longer says who it was."""
    await _forget_asked(session, member)
    member.erased_at = now
    with speaking(await language_of(session)):
        nameless = said_in(NAMELESS)
    member.name, member.login, member.about = nameless, f"-{member.id}", ""  # no log-in begins with a dash
    member.lang = member.zone = None
    await session.execute(delete(Position).where(Position.member_id == member.id))
    theirs = update(Remark).where(Remark.member_id == member.id)
    await session.execute(
        theirs.values(words="", hidden_why="", deleted_at=func.coalesce(Remark.deleted_at, now))
    )
    kept = await _drafts_in_work(session, member.id)
    await session.execute(
        update(Draft)
        .where(Draft.by_member_id == member.id, Draft.ballot.is_(None), Draft.id.not_in(kept))
        .values(reason="", resolve="")
    )
    actor = await session.get(Actor, member.actor_id) if member.actor_id else None
    if actor is not None:
        actor.name = actor.summary = ""
        await _forget_told(session, actor.id)


async def _forget_asked(session: AsyncSession, member: Member) -> None:
    """What they typed before they logged in: a request to join that was declined, and that they could not get in."""
    await session.execute(delete(JoinRequest).where(JoinRequest.login == member.login))
    await session.execute(delete(Lost).where(func.lower(Lost.who) == member.login))


async def _forget_told(session: AsyncSession, actor_id: int) -> None:
    """The name that followers of the public profile were told. That it is gone is still told to them."""
    told = select(Activity.id).where(Activity.actor_id == actor_id, Activity.type == "Update")
    await session.execute(delete(Delivery).where(Delivery.activity_id.in_(told)))
    await session.execute(delete(Activity).where(Activity.id.in_(told)))


async def _drafts_in_work(session: AsyncSession, member_id: int) -> list[int]:
    """Drafts by this member that are the latest of their circle in a decision that runs: the others may be confirming them."""
    found = []
    for _, scope, circle_id in await decisions.seated_in(session, member_id, RUNNING):
        draft = await decisions.latest_draft(session, scope.id, circle_id)
        if draft is not None and draft.by_member_id == member_id:
            found.append(draft.id)
    return found
