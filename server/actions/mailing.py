"""E-mail for members: where to, how often, and the mail that is made of their notices. Sending it is the worker's business.

Nothing but a link to confirm it goes to an address that was not confirmed by the member, logged in.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, mails, notices, people
from models.decisions import Decision
from models.events import log
from models.ledger import Scope
from models.mails import Mailbox
from models.notices import Notice
from models.people import Member
from models.rules.digests import HOURS, WEEKDAYS, next_digest
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound, TooMany
from server.actions.languages import language_for
from server.actions.notice_words import KINDS, Line, confirming, telling
from server.actions.people import new_token, token_digest
from server.actions.recovering import cancel_open
from server.actions.single_mails import WARNINGS, add, write_moved, zone_of
from server.actions.telling import us
from server.home import Home
from server.language import speaking
from server.viewer import Viewer

AT_ONCE: Final = ("closing", "objection", "recall")
DIGESTS: Final = ("off", "daily", "weekly")
LINK_LASTS: Final = timedelta(days=1)
MOST_LINKS: Final = 5  # to confirm an address, in a day
FRESH: Final = timedelta(hours=12)  # what is older is not sent at once any more
RECENT: Final = timedelta(days=14)  # what is older stands in no digest
MOST_NOTICES: Final = 500
ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
WRONG: Final = phrase("Write an e-mail address such as ana@north.example.")
NOT_HERE: Final = phrase("Either nothing is at this address, or it is not open to everybody.")


async def mailbox_of(session: AsyncSession, member_id: int) -> Mailbox:
    """What the member chose; nothing at first."""
    found = await session.get(Mailbox, member_id, with_for_update=True)
    if found is None:
        found = Mailbox(member_id=member_id, asked=0, digest="off", hour=8, weekday=0, at_once=[])
    return found


def check_address(address: str) -> None:
    if len(address) > 254 or not ADDRESS.fullmatch(address):
        raise Invalid({"address": WRONG})


async def ask_address(session: AsyncSession, home: Home, viewer: Viewer, address: str, now: datetime) -> None:
    """A link to confirm it goes to this address. The one before stays in use until then."""
    member = viewer.require_member()
    check_address(address)
    box = await mailbox_of(session, member.id)
    session.add(box)
    if box.asked_since is None or box.asked_since <= now - timedelta(days=1):
        box.asked, box.asked_since = 0, now
    if box.asked >= MOST_LINKS:
        raise TooMany(
            "mail-links",
            phrase("Several links were sent today. Please look for them, or come back tomorrow."),
        )
    token = new_token()
    box.asked += 1
    box.pending, box.pending_hash, box.pending_until = address, token_digest(token), now + LINK_LASTS
    await mails.drop_waiting(session, member.id, ["confirm"])
    collective, _ = await us(session)
    with speaking(await language_for(session, member)):
        written = confirming(collective.name, f"{home.url}/me/mail/confirm/{token}")
    await add(session, home, member.id, address, "confirm", written, now, until=box.pending_until)
    log(session, "mail address named", now)


async def confirm(session: AsyncSession, home: Home, viewer: Viewer, token: str, now: datetime) -> None:
    """The address is the member's: what they choose is sent there from now on. The one before is told, once, that it is no more:
    by the address one gets a new password."""
    member = viewer.require_member()
    box = await mailbox_of(session, member.id)
    if box.pending_hash != token_digest(token) or box.pending_until is None or box.pending_until <= now:
        raise Conflict(
            "mail-link", phrase("This link works no more, or is somebody else’s. Ask for a new one below.")
        )
    if box.address is not None and box.address != box.pending:
        await cancel_open(session, member.id, now, only_by_mail=True)  # they went to the one before
        if box.refused_at is None:
            await write_moved(session, home, member, box.address, now)
            notices.tell(session, member.id, "mail-changed", now)
    box.address, box.confirmed_at, box.refused_at = box.pending, now, None
    box.pending = box.pending_hash = box.pending_until = None
    log(session, "mail address confirmed", now)


async def choose(
    session: AsyncSession,
    viewer: Viewer,
    digest: str,
    hour: int,
    weekday: int,
    at_once: Sequence[str],
    now: datetime,
) -> None:
    """How often the member gets e-mail, and what they get at once."""
    member = viewer.require_member()
    wrong = {}
    if digest not in DIGESTS:
        wrong["digest"] = phrase("Choose one of these.")
    if hour not in HOURS:
        wrong["hour"] = phrase("Choose one of the hours of the list.")
    if weekday not in WEEKDAYS:
        wrong["weekday"] = phrase("Choose one of the days of the list.")
    if wrong:
        raise Invalid(wrong)
    box = await mailbox_of(session, member.id)
    session.add(box)
    box.digest, box.hour, box.weekday = digest, hour, weekday
    box.at_once = [kind for kind in AT_ONCE if kind in at_once]
    box.digest_at = _next(box, member, now)
    log(session, "mail chosen", now)


async def forget_address(session: AsyncSession, home: Home, viewer: Viewer, now: datetime) -> None:
    """The address is not kept any more, and nothing that waits is sent but warnings. It is told so, once: by it one gets a new
    password."""
    member = viewer.require_member()
    box = await session.get(Mailbox, member.id)
    if box is None:
        return
    await mails.forget_address(session, member.id, WARNINGS)
    if box.address is not None:
        await cancel_open(session, member.id, now, only_by_mail=True)
        if box.refused_at is None:
            await write_moved(session, home, member, box.address, now)
        notices.tell(session, member.id, "mail-forgotten", now)
    log(session, "mail address forgotten", now)


async def reschedule(session: AsyncSession, member: Member, now: datetime) -> None:
    """The member reads in another time zone: the next digest comes at their hour there."""
    box = await session.get(Mailbox, member.id)
    if box is not None:
        box.digest_at = _next(box, member, now)


def _next(box: Mailbox, member: Member, now: datetime) -> datetime | None:
    if box.digest == "off":
        return None
    return next_digest(now, zone_of(member), box.hour, box.weekday if box.digest == "weekly" else None)


# Getting no more mail, by a link that needs no log-in


def stop_mark(home: Home, member_id: int, address: str) -> str:
    """What shows that a link to get no more mail was in a mail to this address."""
    return hmac.new(home.csrf_key, f"mail off {member_id} {address}".encode(), hashlib.sha256).hexdigest()


async def check_stop(session: AsyncSession, home: Home, member_id: int, mark: str) -> Mailbox:
    """The mailbox that such a link is about; NotFound for what is none."""
    box = await session.get(Mailbox, member_id)
    if (
        box is None
        or box.address is None
        or not hmac.compare_digest(stop_mark(home, member_id, box.address), mark)
    ):
        raise NotFound("not-found", NOT_HERE)
    return box


async def stop(session: AsyncSession, home: Home, member_id: int, mark: str, now: datetime) -> None:
    """No more mail of any kind, and none of what waits. The address is kept, so that the member can choose again."""
    box = await check_stop(session, home, member_id, mark)
    box.digest, box.at_once, box.digest_at = "off", [], None
    await mails.drop_waiting(session, member_id, ["notice", "digest"])
    log(session, "mail stopped", now)


# Mail made of notices


async def waiting_at_once(session: AsyncSession, now: datetime) -> Sequence[int]:
    """Members for whom there is something that they want to know at once."""
    query = select(Notice.member_id, Notice.kind, Mailbox.at_once).join(
        Mailbox, Mailbox.member_id == Notice.member_id
    )
    fresh = (Notice.at > now - FRESH) & Notice.mailed_at.is_(None) & Notice.read_at.is_(None)
    usable = Mailbox.address.is_not(None) & Mailbox.refused_at.is_(None)
    rows = await session.execute(query.where(Notice.kind.in_(AT_ONCE), fresh, usable))
    return sorted({member_id for member_id, kind, wanted in rows if kind in wanted})


async def digests_due(session: AsyncSession, now: datetime) -> Sequence[int]:
    """Members whose digest is due."""
    query = select(Mailbox.member_id).where(Mailbox.digest_at <= now).order_by(Mailbox.digest_at)
    return (await session.scalars(query.limit(100))).all()


async def write_at_once(session: AsyncSession, home: Home, member_id: int, now: datetime) -> int:
    """One mail with all that the member wants to know at once; returns how many were made."""
    box, member = await mailbox_of(session, member_id), await session.get(people.Member, member_id)
    if member is None or member.left_at is not None:
        return 0
    found = [row for row in await _unmailed(session, member_id, now - FRESH) if row[0].kind in box.at_once]
    if not found:
        return 0
    subject = KINDS[found[0][0].kind].subject if len(found) == 1 else phrase("Several things for you")
    ends = [row.until for row, _ in found]
    until = max(one for one in ends if one) if all(ends) else None
    return await _write(session, home, box, member, "notice", subject, found, now, until)


async def write_digest(session: AsyncSession, home: Home, member_id: int, now: datetime) -> int:
    """What the member has not read since the last one; none where there is nothing. Then the next is due."""
    box, member = await mailbox_of(session, member_id), await session.get(people.Member, member_id)
    if member is None or box.digest_at is None or box.digest_at > now:
        return 0
    box.digest_at = _next(box, member, now)
    found = await _unmailed(session, member_id, now - RECENT)
    if not found or member.left_at is not None or box.address is None or box.refused_at is not None:
        return 0
    subject = phrase("What happened today") if box.digest == "daily" else phrase("What happened this week")
    return await _write(session, home, box, member, "digest", subject, found, now, None)


Rows = Sequence[tuple[Notice, Scope | None]]


async def _unmailed(session: AsyncSession, member_id: int, since: datetime) -> Rows:
    query = select(Notice, Scope).outerjoin(Scope, Scope.id == Notice.scope_id)
    mine = (Notice.member_id == member_id) & Notice.read_at.is_(None) & Notice.mailed_at.is_(None)
    rows = await session.execute(
        query.where(mine, Notice.at > since)
        .order_by(Notice.id)
        .limit(MOST_NOTICES)
        .with_for_update(of=Notice)
    )
    return [(notice, scope) for notice, scope in rows]


async def _write(
    session: AsyncSession,
    home: Home,
    box: Mailbox,
    member: Member,
    kind: str,
    subject: str,
    found: Rows,
    now: datetime,
    until: datetime | None,
) -> int:
    if box.address is None:
        return 0
    questions = await _questions(session, [scope for _, scope in found if scope is not None])
    lines = [_line(home, member, notice, scope, questions) for notice, scope in found]
    collective, _ = await us(session)
    stop_at = f"{home.url}/mail/off/{member.id}/{stop_mark(home, member.id, box.address)}"
    with speaking(await language_for(session, member)):
        written = telling(collective.name, subject, lines, f"{home.url}/me/mail", stop_at)
    await add(session, home, member.id, box.address, kind, written, now, until=until, stop=stop_at)
    for notice, _ in found:
        notice.mailed_at = now
    return 1


async def _questions(session: AsyncSession, scopes: Sequence[Scope]) -> dict[int, str]:
    """The questions of those decisions that are public."""
    public = {scope.id: scope.name for scope in scopes if scope.visibility == "public"}
    rows = (await session.scalars(select(Decision).where(Decision.scope_id.in_(public)))).all()
    texts = await ledger.texts_named(session, [row.question for row in rows])
    said = {row.scope_id: texts.get(public[row.scope_id], {}).get(row.question) for row in rows}
    return {number: " ".join(text.text.split())[:300] for number, text in said.items() if text and text.text}


def _line(home: Home, member: Member, notice: Notice, scope: Scope | None, questions: dict[int, str]) -> Line:
    kind = KINDS[notice.kind]
    about = ""
    if scope is not None:
        about = questions.get(
            scope.id, phrase("The question stands on the page only: it is not public, or was removed.")
        )
    when = ""
    if notice.until is not None:
        then = notice.until.astimezone(zone_of(member))
        when = phrase(
            "The voting closes on {day} at {time} ({zone}).",
            day=f"{then:%Y-%m-%d}",
            time=f"{then:%H:%M}",
            zone=member.zone or "UTC",
        )
    link = home.url + kind.path.format(name=scope.name if scope else "")
    return Line(kind.words, about, when, link)
