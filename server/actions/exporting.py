"""Everything that an instance holds about a member, for that member: plain values, from which the face makes a file.

What is left out, and why, is part of it (`LEFT_OUT`). Nothing about others is in it, save what the member wrote themselves.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts, ledger, notices
from models.decisions import Confirmation, Decision, Draft, Position, Seat
from models.events import Event
from models.ledger import Scope
from models.mails import Mailbox
from models.people import Circle, Invitation, Login, Member, Membership
from models.posts import Post
from models.remarks import Remark
from models.rules import mandates
from models.rules.phrases import phrase
from server.actions.noted import noted, stamp
from server.home import Home
from server.viewer import Viewer, as_rule

Json = dict[str, Any]

LEFT_OUT: Final[Mapping[str, str]] = {
    phrase("your password, passkeys’ keys, second factor and recovery codes"): phrase(
        "whoever reads this file could use them, or they are not kept here in a form that anybody can read"
    ),
    phrase("what others in your circles said, wrote or confirmed"): phrase("it is theirs"),
    phrase("ballots and their reasons"): phrase(
        "they belong to your circles; each decision’s page has them, and offers all its records as a file"
    ),
    phrase("the secret address of your feed and calendar"): phrase("only a digest of it is kept here"),
    phrase("failed attempts to log in"): phrase(
        "only a digest is kept, for a day at most, which names nobody"
    ),
    phrase("what other servers hold"): phrase("we have no copy of what they copied"),
    phrase("copies of the database that the operator made"): phrase(
        "ask whoever runs this instance how long they are kept"
    ),
}


async def everything(session: AsyncSession, home: Home, viewer: Viewer, now: datetime) -> Json:
    """All of it, by topic."""
    member = viewer.require_member()
    questions = await _questions(session, member.id)
    return {
        "made at": stamp(now),
        "instance": home.url,
        "account": await _account(session, member),
        "log-ins": await _logins(session, member.id),
        "passkeys": [
            {"name": key.name, "since": stamp(key.created_at), "last used": stamp(key.used_at)}
            for key in await accounts.passkeys_of(session, member.id)
        ],
        "circles": await _circles(session, member.id),
        "decisions with a seat": await _seats(session, member.id, questions),
        "positions": await _positions(session, member.id, questions),
        "remarks": await _remarks(session, member.id),
        "drafts written": await _drafts(session, member.id, questions),
        "drafts confirmed": await _confirmed(session, member.id, questions),
        "mandates": [await _mandate(session, viewer, row) for row in viewer.mandates],
        "invitations made": await _invitations(session, member.id),
        "recovery links made for you": [
            {
                "made": stamp(row.created_at),
                "used": stamp(row.used_at),
                "taken back": stamp(row.cancelled_at),
            }
            for row in await accounts.recoveries_since(session, member.id, datetime(2000, 1, 1, tzinfo=UTC))
        ],
        "e-mail": await _mailbox(session, member.id),
        **await _told(session, member.id),
        **await noted(session, member, [row.id for row in viewer.mandates]),
        "posts made under your mandates": await _posts(session, viewer),
        "left out": [{"what": what, "why": why} for what, why in LEFT_OUT.items()],
    }


async def _account(session: AsyncSession, member: Member) -> Json:
    return {
        "name": member.name,
        "log-in name": member.login,
        "about": member.about,
        "joined": stamp(member.joined_at),
        "language": member.lang,
        "time zone": member.zone,
        "second factor since": stamp(member.totp_at),
        "recovery codes left": await accounts.codes_left(session, member.id),
    }


async def _logins(session: AsyncSession, member_id: int) -> list[Json]:
    rows = await session.scalars(select(Login).where(Login.member_id == member_id).order_by(Login.id))
    return [
        {
            "browser": row.browser,
            "how": row.how,
            "from": stamp(row.created_at),
            "until": stamp(row.expires_at),
            "last sent something (to the hour)": stamp(row.acted_at),
        }
        for row in rows
    ]


async def _circles(session: AsyncSession, member_id: int) -> list[Json]:
    query = (
        select(Circle, Membership)
        .join(Membership, Membership.circle_id == Circle.id)
        .where(Membership.member_id == member_id)
        .order_by(Membership.id)
    )
    return [
        {"circle": circle.actor.name, "since": stamp(row.since), "until": stamp(row.until)}
        for circle, row in (await session.execute(query)).unique()
    ]


async def _questions(session: AsyncSession, member_id: int) -> dict[int, Json]:
    """Name and question of each decision in which the member has a seat, by row."""
    query = (
        select(Decision, Scope)
        .join(Scope, Scope.id == Decision.scope_id)
        .join(Seat, Seat.scope_id == Scope.id)
        .where(Seat.member_id == member_id)
    )
    found = (await session.execute(query)).all()
    texts = await ledger.texts_named(session, [row.question for row, _ in found])
    asked = {}
    for row, scope in found:
        text = texts.get(scope.name, {}).get(row.question)
        asked[scope.id] = {"decision": scope.name, "question": text.text if text else None}
    return asked


async def _seats(session: AsyncSession, member_id: int, questions: Mapping[int, Json]) -> list[Json]:
    query = (
        select(Seat, Circle)
        .join(Circle, Circle.id == Seat.circle_id)
        .where(Seat.member_id == member_id)
        .order_by(Seat.id)
    )
    rows = (await session.execute(query)).unique().all()
    return [{**questions.get(seat.scope_id, {}), "circle": circle.actor.name} for seat, circle in rows]


async def _positions(session: AsyncSession, member_id: int, questions: Mapping[int, Json]) -> list[Json]:
    rows = await session.scalars(select(Position).where(Position.member_id == member_id))
    return [
        {**questions.get(r.scope_id, {}), "position": r.position, "note": r.note, "at": stamp(r.at)}
        for r in rows
    ]


async def _remarks(session: AsyncSession, member_id: int) -> list[Json]:
    query = (
        select(Remark, Scope.name)
        .join(Scope, Scope.id == Remark.scope_id)
        .where(Remark.member_id == member_id, Remark.deleted_at.is_(None))
        .order_by(Remark.id)
    )
    return [
        {
            "decision": name,
            "where": "to all members" if row.circle_id is None else "in your circle's room",
            "words": row.words,
            "at": stamp(row.at),
            "changed": stamp(row.edited_at),
            "hidden by who moderates": stamp(row.hidden_at),
            "their reason": row.hidden_why or None,
        }
        for row, name in (await session.execute(query)).all()
    ]


def _draft(row: Draft, questions: Mapping[int, Json]) -> Json:
    return {
        **questions.get(row.scope_id, {}),
        "draft no.": row.number,
        "position": row.position,
        "reason": row.reason,
        "what would resolve it": row.resolve,
        "at": stamp(row.at),
        "ballot": row.ballot,
    }


async def _drafts(session: AsyncSession, member_id: int, questions: Mapping[int, Json]) -> list[Json]:
    rows = await session.scalars(select(Draft).where(Draft.by_member_id == member_id).order_by(Draft.id))
    return [_draft(row, questions) for row in rows]


async def _confirmed(session: AsyncSession, member_id: int, questions: Mapping[int, Json]) -> list[Json]:
    """Words that the member confirmed became theirs too, whoever wrote them."""
    query = (
        select(Draft, Confirmation.at)
        .join(Confirmation, Confirmation.draft_id == Draft.id)
        .where(Confirmation.member_id == member_id)
        .order_by(Confirmation.id)
    )
    return [
        _draft(draft, questions) | {"confirmed": stamp(at)}
        for draft, at in (await session.execute(query)).all()
    ]


async def _mandate(session: AsyncSession, viewer: Viewer, row: Any) -> Json:
    acts = await session.scalars(select(Event).where(Event.mandate_id == row.id).order_by(Event.id))
    return {
        "number": row.id,
        "powers": row.powers,
        "instruction": row.instruction,
        "source": row.source,
        "from": stamp(row.starts_at),
        "to": stamp(row.ends_at),
        "status": mandates.status(as_rule(row), viewer.now),
        "acts": [{"at": stamp(act.at), "what": act.kind, "decision": act.scope} for act in acts],
    }


async def _invitations(session: AsyncSession, member_id: int) -> list[Json]:
    rows = await session.scalars(select(Invitation).where(Invitation.made_by == member_id))
    return [
        {"made": stamp(r.created_at), "until": stamp(r.expires_at), "uses left": r.uses_left} for r in rows
    ]


async def _told(session: AsyncSession, member_id: int) -> Json:
    rows = await notices.notices_page(session, member_id, None, 10_000)
    return {
        "notices": [
            {
                "kind": row.kind,
                "decision": scope.name if scope else None,
                "at": stamp(row.at),
                "read": stamp(row.read_at),
            }
            for row, scope in rows
        ],
        "decisions of which you are told nothing": [
            scope.name for scope in await notices.muted(session, member_id)
        ],
    }


async def _mailbox(session: AsyncSession, member_id: int) -> Json | None:
    row = await session.get(Mailbox, member_id)
    if row is None:
        return None
    return {
        "address": row.address,
        "confirmed": stamp(row.confirmed_at),
        "asked to confirm": row.pending,
        "digest": row.digest,
        "hour": row.hour,
        "weekday": row.weekday,
        "at once": row.at_once,
    }


async def _posts(session: AsyncSession, viewer: Viewer) -> list[Json]:
    numbers: Sequence[int] = [row.id for row in viewer.mandates]
    rows = await session.scalars(select(Post).where(Post.mandate_id.in_(numbers)).order_by(Post.id))
    return [{"address": r.uri, "words": r.source, "at": stamp(r.published_at)} for r in rows]
