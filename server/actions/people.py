"""Joining, logging in and out, inviting. Passwords are hashed and checked by the faces, outside the transaction."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from models.base import LOGINS, changed
from models.events import log
from models.mandates import MandateRow, mandates_of
from models.people import Invitation, Login, LoginFailure, Member, Membership
from models.rules.circles import ASSEMBLY_BELOW
from models.rules.mandates import FOUNDING_TERM, POWERS
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound, TooMany
from server.viewer import Viewer

LOGIN_LASTS = timedelta(days=30)
AT_ONCE: Final = 500  # log-ins that are looked up in one go
INVITATION_LASTS = timedelta(days=7)
THROTTLE_WINDOW = timedelta(minutes=15)
FAILURES_ALLOWED = 8
FAILURES_FROM_ANYWHERE = 64
LOGIN_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{1,30}")
LENGTHS = (10, 200)  # of a password
NAME_WRONG = phrase("Say what we should call you (at most 80 characters). A pseudonym is fine.")
PASSWORD_WRONG = phrase("Use at least 10 characters. A few words in a row are good.")
NAME_CLOSED = phrase(
    "Somebody tries many passwords for this name. Wait 15 minutes, or log in with a passkey or by a link to your e-mail address."
)
TAKEN = phrase("Somebody here already uses this name. Choose another.")


def new_token() -> str:
    """A secret for a cookie or a link (256 bits)."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def viewer_of(session: AsyncSession, token: str | None, now: datetime) -> Viewer:
    """Who holds this log-in cookie: a member with their mandates and circle, or a visitor."""
    if not token:
        return Viewer(now)
    query = select(Member).join(Login, Login.member_id == Member.id)
    member = await session.scalar(query.where(Login.token_hash == token_digest(token), *_is_good(now)))
    return Viewer(now) if member is None else await viewer_for(session, member, now)


def _is_good(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A log-in that lets its holder in as a member."""
    return Login.expires_at > now, Member.left_at.is_(None)


async def still_logged_in(session: AsyncSession, digests: Sequence[str], now: datetime) -> set[str]:
    """Those of the log-ins, by the digests of their tokens, whose holders are members and logged in."""
    query = select(Login.token_hash).join(Member, Member.id == Login.member_id)
    found: set[str] = set()
    for start in range(0, len(digests), AT_ONCE):
        some = Login.token_hash.in_(digests[start : start + AT_ONCE])
        found.update(await session.scalars(query.where(some, *_is_good(now))))
    return found


async def viewer_for(session: AsyncSession, member: Member, now: datetime) -> Viewer:
    """A member as viewer, with the mandates they hold and the circle they sit in."""
    return Viewer(
        now, member, await mandates_of(session, member.id), await people.circle_of(session, member.id)
    )


async def open_invitation(session: AsyncSession, token: str, now: datetime) -> Invitation:
    """The invitation behind a link; a kind refusal if it is unknown, used up or over."""
    row = await session.scalar(
        select(Invitation).where(Invitation.token_hash == token_digest(token)).with_for_update()
    )
    if row is None:
        raise NotFound("invitation", phrase("This invitation link is not known here. Ask for a new one."))
    if row.uses_left < 1:
        raise Conflict(
            "used", phrase("This invitation has been used. Log in if it was you, or ask for a new link.")
        )
    if row.expires_at <= now:
        raise Conflict("expired", phrase("This invitation has ended. Ask for a new link."))
    if row.kind == "founder" and await people.member_count(session):
        raise Conflict(
            "used", phrase("This collective already has its founder. Ask a member for an invitation.")
        )
    return row


def check_person(login: str, name: str, password: str) -> None:
    """Say per field what to mend before somebody can join."""
    wrong = {}
    if not LOGIN_NAME.fullmatch(login):
        wrong["login"] = phrase(
            "Use 2 to 31 small letters, digits, dots, dashes or underscores, beginning with a letter or digit."
        )
    if not 1 <= len(name) <= 80:
        wrong["name"] = NAME_WRONG
    if not LENGTHS[0] <= len(password) <= LENGTHS[1]:
        wrong["password"] = PASSWORD_WRONG
    if wrong:
        raise Invalid(wrong)


async def join(
    session: AsyncSession, token: str, login: str, name: str, password_hash: str, now: datetime
) -> Member:
    """The holder of an invitation becomes a member. The founder receives the founding mandate: all powers, 30 days."""
    await people.lock_assembly(session)
    invitation = await open_invitation(session, token, now)
    member = await become_member(session, Member(login=login, name=name, password_hash=password_hash), now)
    invitation.uses_left -= 1
    if invitation.kind == "founder":
        session.add(
            MandateRow(
                member_id=member.id,
                powers=sorted(POWERS),
                instruction="Found this collective: admit its first members and hold its first decisions.",
                source="founding",
                starts_at=now,
                ends_at=now + FOUNDING_TERM,
                accepted_at=now,
            )
        )
    log(session, "member joined", now, mandate_id=invitation.mandate_id)
    return member


async def become_member(session: AsyncSession, member: Member, now: datetime) -> Member:
    """A new member is there and sits where they belong. The caller has locked the assembly and says under what."""
    if await people.member_by_login(session, member.login) is not None:
        raise Invalid({"login": TAKEN})
    member.joined_at = now
    session.add(member)
    await session.flush()
    await adjust_circles(session, now)
    return member


async def adjust_circles(session: AsyncSession, now: datetime) -> None:
    """After somebody came or went: below six members everybody sits in the assembly; from six on it rests, and circles are dealt
    per decision. Decisions that were answered keep their seats."""
    assembly = next(c for c in await people.circles(session) if c.is_assembly)
    seated = (
        await session.scalars(
            select(Membership).where(Membership.circle_id == assembly.id, Membership.until.is_(None))
        )
    ).all()
    everybody = {m.id for m in await people.members(session)}
    belong = everybody if len(everybody) < ASSEMBLY_BELOW else set()
    for seat in seated:
        if seat.member_id not in belong:
            seat.until = now
    missing = belong - {seat.member_id for seat in seated}
    for seat in await _risen_just_now(session, assembly.id, missing, now):
        seat.until = None
        missing.remove(seat.member_id)
    session.add_all(Membership(circle_id=assembly.id, member_id=id_, since=now) for id_ in sorted(missing))


async def _risen_just_now(
    session: AsyncSession, circle_id: int, who: set[int], now: datetime
) -> Sequence[Membership]:
    """Places in a circle that began at this very instant and ended again."""
    query = select(Membership).where(Membership.circle_id == circle_id, Membership.since == now)
    return (await session.scalars(query.where(Membership.member_id.in_(who)))).all()


async def invite(
    session: AsyncSession, viewer: Viewer, token_hash: str, uses: int, now: datetime
) -> Invitation:
    """A link that admits up to `uses` people within 7 days. Needs `admit`."""
    mandate = viewer.require("admit")
    if not 1 <= uses <= 50:
        raise Invalid({"uses": phrase("A link can admit between 1 and 50 people.")})
    member = viewer.require_member()
    row = Invitation(
        token_hash=token_hash,
        kind="member",
        made_by=member.id,
        mandate_id=mandate.id,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
        uses_left=uses,
    )
    session.add(row)
    log(session, "invitation made", now, mandate_id=mandate.id, uses=uses)
    return row


async def open_invitations(
    session: AsyncSession, viewer: Viewer, now: datetime
) -> Sequence[tuple[Invitation, str]]:
    """Links that still admit somebody, the latest first, each with the name of who made it. Needs `admit`."""
    viewer.require("admit")
    query = select(Invitation, Member.name).join(Member, Member.id == Invitation.made_by)
    still = (Invitation.kind == "member", Invitation.uses_left > 0, Invitation.expires_at > now)
    rows = await session.execute(query.where(*still).order_by(Invitation.id.desc()))
    return [(row, name) for row, name in rows]


async def end_invitation(session: AsyncSession, viewer: Viewer, number: int, now: datetime) -> None:
    """A link, whoever made it, admits nobody any more. Needs `admit`. A second time changes nothing."""
    mandate = viewer.require("admit")
    row = await session.get(Invitation, number, with_for_update=True)
    if row is None or row.kind != "member":
        raise NotFound("invitation", phrase("This invitation link is not known here. Ask for a new one."))
    if row.expires_at > now:
        row.expires_at = now
        log(session, "invitation ended", now, mandate_id=mandate.id)


async def is_still(session: AsyncSession, member: Member) -> bool:
    """Is the password that was checked, outside of the transaction, theirs still? Who sets another wants nobody in who knows the
    one before, however many attempts with it were on their way."""
    row = await session.get(Member, member.id, with_for_update=True, populate_existing=True)
    return row is not None and row.left_at is None and row.password_hash == member.password_hash


async def log_in(
    session: AsyncSession,
    member: Member,
    token_hash: str,
    now: datetime,
    how: str = "password",
    browser: str = "",
) -> None:
    """Open a log-in for a member who has shown who they are."""
    await session.execute(delete(Login).where(Login.expires_at <= now))
    session.add(
        Login(
            token_hash=token_hash,
            member_id=member.id,
            created_at=now,
            expires_at=now + LOGIN_LASTS,
            how=how,
            browser=browser,
        )
    )


async def log_out(session: AsyncSession, token: str) -> None:
    await session.execute(delete(Login).where(Login.token_hash == token_digest(token)))
    await changed(session, LOGINS)


# How often what may be tried: kind → so many, within this time.
LIMITS: Final[Mapping[str, tuple[int, timedelta]]] = {
    "login": (FAILURES_ALLOWED, THROTTLE_WINDOW),  # wrong passwords for one name from one place
    "name": (FAILURES_FROM_ANYWHERE, THROTTLE_WINDOW),  # wrong passwords for one name, wherever from
    "address": (3 * FAILURES_ALLOWED, THROTTLE_WINDOW),  # wrong anything from one place
    "proof": (FAILURES_ALLOWED, THROTTLE_WINDOW),  # wrong passwords of who is logged in
    "code": (20, timedelta(hours=24)),  # wrong codes after a right password
    "lost": (5, THROTTLE_WINDOW),  # requests for a link by mail, from one place
    "request": (FAILURES_ALLOWED, THROTTLE_WINDOW),  # requests to join that cost us a hash
}


def _subject(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()


async def check_tries(session: AsyncSession, now: datetime, **subjects: str) -> None:
    """Refuse further attempts after too many; `subjects` are values by kind of limit."""
    for kind, value in subjects.items():
        query = select(func.count()).where(
            LoginFailure.subject == _subject(kind, value), LoginFailure.until > now
        )
        allowed, window = LIMITS[kind]
        if (await session.scalar(query) or 0) >= allowed:
            if kind == "name":
                raise TooMany("login", NAME_CLOSED)
            if window == THROTTLE_WINDOW:
                raise TooMany("login", phrase("Too many attempts. Wait 15 minutes, then try again."))
            raise TooMany("login", phrase("Too many attempts. Wait a day, then try again."))


async def note_tries(session: AsyncSession, now: datetime, **subjects: str) -> None:
    """Count an attempt; what counts no more is forgotten."""
    await session.execute(delete(LoginFailure).where(LoginFailure.until <= now))
    session.add_all(
        LoginFailure(subject=_subject(kind, value), at=now, until=now + LIMITS[kind][1])
        for kind, value in subjects.items()
    )


def here(login: str, address: str) -> str:
    """A name at one place: who guesses elsewhere does not count against whoever has the name."""
    return f"{login}\0{address}"


async def check_throttle(session: AsyncSession, login: str, address: str, now: datetime) -> None:
    """Refuse further attempts after too many wrong ones within 15 minutes: for this name from this place (a keyed digest), from
    this place, or for this name from anywhere."""
    await check_tries(session, now, login=here(login, address), address=address, name=login)


async def note_failure(session: AsyncSession, login: str, address: str, now: datetime) -> None:
    """Count a wrong attempt; what is older than the window is forgotten."""
    await note_tries(session, now, login=here(login, address), address=address, name=login)


async def forget_failures(session: AsyncSession, login: str, address: str) -> None:
    """Whose name it is has shown so by other means than the password: what was guessed does not keep them out."""
    subjects = [
        _subject("login", here(login, address)),
        _subject("name", login),
        _subject("code", login),  # typed by who knew the password before
    ]
    await session.execute(delete(LoginFailure).where(LoginFailure.subject.in_(subjects)))
