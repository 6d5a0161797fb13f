"""What an instance notes about a member besides what they say in decisions: visits, mail, pictures, links that they made for
others, and the reasons that they gave under their mandates. Read by `server.actions.exporting`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions
from models.accounts import JoinRequest, Recovery
from models.choices import Choice
from models.follows import Follow
from models.mails import Mail
from models.notices import SecretAddress
from models.people import Actor, Member
from models.remarks import Look, Remark
from models.reports import Report
from models.uploads import Upload

Json = dict[str, Any]


def stamp(then: datetime | None) -> str | None:
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if then else None


async def noted(session: AsyncSession, member: Member, mandates: Sequence[int]) -> Json:
    """All of it, by topic."""
    return {
        "public profile": await _profile(session, member),
        "visits": [
            {"place": row.place, "last look": stamp(row.at), "visit before": stamp(row.before_at)}
            for row in await _of(session, Look, Look.member_id == member.id)
        ],
        "secret address of your feed and calendar": [
            {"since": stamp(row.made_at)}
            for row in await _of(session, SecretAddress, SecretAddress.member_id == member.id)
        ],
        "questions whether you stay a member": [
            {"decision": scope.name, "asked": stamp(scope.created_at)}
            for scope in await decisions.removals_of(session, member.id)
        ],
        "mail that waits or was given up": await _mails(session, member.id),
        "pictures that you uploaded": [
            {
                "address": f"/media/{row.name}",
                "file": _file_of(row),
                "words for who does not see it": row.alt,
                "type": row.media_type,
                "at": stamp(row.created_at),
            }
            for row in await _of(session, Upload, Upload.member_id == member.id)
        ],
        "recovery links that you made for others": [
            {"made": stamp(row.created_at), "used": stamp(row.used_at), "taken back": stamp(row.cancelled_at)}
            for row in await _of(session, Recovery, Recovery.made_by == member.id)
        ],
        "words written under your mandates": await _reasons(session, mandates),
        "settings made under your mandates": [
            {"setting": row.name, "value": row.value, "at": stamp(row.at)}
            for row in await session.scalars(select(Choice).where(Choice.mandate_id.in_(mandates)))
        ],
    }


async def files(session: AsyncSession, member: Member) -> Mapping[str, str]:
    """The pictures that a member uploaded: their names here, by where they are in the member's file."""
    return {_file_of(row): row.name for row in await _of(session, Upload, Upload.member_id == member.id)}


def _file_of(row: Upload) -> str:
    return f"pictures/{row.name}.{row.media_type.removeprefix('image/')}"


async def _of(session: AsyncSession, table: Any, *where: Any) -> Sequence[Any]:
    rows = select(table).where(*where).order_by(*table.__table__.primary_key)
    return (await session.scalars(rows)).all()


async def _profile(session: AsyncSession, member: Member) -> Json | None:
    actor = await session.get(Actor, member.actor_id) if member.actor_id else None
    if actor is None:
        return None
    followed = select(func.count()).select_from(Follow).where(Follow.followed_id == actor.id)
    return {
        "address": actor.address,
        "id": actor.uri,
        "since": stamp(actor.created_at),
        "taken away": stamp(actor.gone_at),
        "followers": await session.scalar(followed),
    }


async def _mails(session: AsyncSession, member_id: int) -> list[Json]:
    return [
        {
            "kind": row.kind,
            "to": row.address,
            "subject": row.subject,
            "words": row.text or None,
            "made": stamp(row.made_at),
            "tried": row.attempts,
            "given up": stamp(row.dead_at),
            "reason": row.reason,
        }
        for row in await _of(session, Mail, Mail.member_id == member_id)
    ]


async def _reasons(session: AsyncSession, mandates: Sequence[int]) -> list[Json]:
    """Why a remark was hidden, what a declined request was answered, what was reported and what came of a report."""
    hidden = await _of(session, Remark, Remark.hidden_under.in_(mandates))
    declined = await _of(session, JoinRequest, JoinRequest.mandate_id.in_(mandates))
    ours = or_(Report.mandate_id.in_(mandates), Report.closed_under.in_(mandates))
    found = [("a remark hidden", row.hidden_why, row.hidden_at) for row in hidden]
    found += [("a request declined", row.answer, row.declined_at) for row in declined]
    for row in await _of(session, Report, ours):
        if row.mandate_id in mandates:
            found.append(("a report sent", row.comment, row.at))
        if row.closed_under in mandates:
            found.append(("a report closed", row.closed_note or "", row.closed_at))
    return [{"what": what, "words": words, "at": stamp(at)} for what, words, at in found if words]
