"""A circle finds its ballot: private positions, a shared draft, confirmations; two thirds confirmed, and it is cast.

Positions, drafts and confirmations never leave the instance and never enter the log. What leaves is the Ballot record: the
position, the reason and how many confirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions, ledger
from models.base import changed
from models.decisions import Confirmation, Draft, Position
from models.events import log
from models.ledger import Scope
from models.people import Circle, Member
from models.rules.circles import confirmations_needed
from models.rules.methods import REASON_AT_LEAST
from models.rules.phrases import phrase
from models.rules.records import Record
from models.rules.refusals import Conflict, Invalid, NotFound, TooEarly, TooLate
from models.rules.standing import Standing, standing
from server.actions.concerned import check_not_about
from server.actions.seating import circle_on_roll
from server.actions.telling import offer_of, publish_note, us
from server.actions.texts import Texts
from server.home import Home
from server.viewer import Viewer

REASON_AT_MOST = 5_000


@dataclass(frozen=True)
class Words:
    """What a circle says: `answer` is {"position": …} or {"choices": [option digests or "status-quo"]}."""

    answer: Mapping[str, Any]
    reason: str = ""
    resolve: str = ""
    lang: str = "en"


async def seat(session: AsyncSession, viewer: Viewer, scope: Scope) -> tuple[Member, Circle]:
    """The member and the circle in which they sit for this decision; NotFound (404) for everybody else."""
    member = viewer.require_member()
    circle = await circle_on_roll(session, scope, member)
    if circle is None:
        raise NotFound("seat", phrase("You sit in no circle of this decision."))
    return member, circle


async def note_position(
    session: AsyncSession, viewer: Viewer, scope: Scope, answer: Mapping[str, Any], note: str, now: datetime
) -> None:
    """A member tells their circle where they stand. Only the circle sees it; it can be changed at any time."""
    member, circle = await seat(session, viewer, scope)
    _, records = await offer_of(session, scope, now)
    check_answer(standing(records, now), answer)
    await ledger.locked_scope(session, scope.name)  # one click after the other
    row = await session.scalar(
        select(Position).where(Position.scope_id == scope.id, Position.member_id == member.id)
    )
    if row is None:
        row = Position(scope_id=scope.id, circle_id=circle.id, member_id=member.id, position={}, at=now)
        session.add(row)
    row.position, row.note, row.at = dict(answer), note.strip()[:REASON_AT_MOST], now
    await changed(session, scope.name)


async def save_draft(
    session: AsyncSession, viewer: Viewer, scope: Scope, words: Words, base: int, now: datetime
) -> Draft:
    """A new version of the circle's draft. `base` is the version it was written from: if somebody was faster, nothing is lost
    and nobody is overwritten (Conflict). Confirmations of older versions do not carry over; the writer confirms the new one.
    Whom the decision is about may begin it, no more: by saving over and over they alone could keep it from being confirmed."""
    member, circle = await seat(session, viewer, scope)
    _, records = await offer_of(session, scope, now)
    check_words(standing(records, now), words)
    await session.get(Circle, circle.id, with_for_update={"of": Circle})
    latest = await decisions.latest_draft(session, scope.id, circle.id)
    if base != (latest.number if latest else 0):
        raise Conflict(
            "draft-changed",
            phrase(
                "Somebody changed the draft while you wrote. Your words are kept below; compare, then save again."
            ),
        )
    if latest is not None:
        await check_not_about(session, viewer, scope)
    draft = Draft(
        scope_id=scope.id,
        circle_id=circle.id,
        number=base + 1,
        position=dict(words.answer),
        reason=words.reason.strip(),
        resolve=words.resolve.strip(),
        lang=words.lang,
        by_member_id=member.id,
        at=now,
    )
    session.add(draft)
    await session.flush()
    await changed(session, scope.name)
    return draft


async def confirm(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, number: int, now: datetime
) -> str | None:
    """The member confirms these exact words. With two thirds of the circle's seats it becomes the ballot: returns its digest."""
    await ledger.locked_scope(session, scope.name)
    member, circle = await seat(session, viewer, scope)
    draft = await decisions.latest_draft(session, scope.id, circle.id)
    if draft is None or draft.number != number:
        raise Conflict(
            "draft-changed",
            phrase("The draft was changed meanwhile. Read the new words, then confirm those."),
        )
    if draft.ballot is not None:
        raise Conflict(
            "cast", phrase("This draft is your circle’s ballot already. To change it, write a new draft.")
        )
    view = standing(await ledger.records(session, scope.id, now), now)
    _, instance = await us(session)
    require_voting(view, instance.ed25519 or "")
    require_on_ballot(view, draft)
    if member.id not in await decisions.confirmed_by(session, draft.id):
        session.add(Confirmation(draft_id=draft.id, member_id=member.id, at=now))
        await session.flush()
        await changed(session, scope.name)
    confirmed = len(await decisions.confirmed_by(session, draft.id))
    seats = len(await decisions.seats(session, scope.id, circle.id))
    if confirmed < confirmations_needed(seats):
        return None
    return await _cast(session, home, scope, circle, draft, view, confirmed, now)


async def unconfirm(session: AsyncSession, viewer: Viewer, scope: Scope, number: int) -> None:
    """The member takes their confirmation back; possible until the draft is cast."""
    await ledger.locked_scope(session, scope.name)
    member, circle = await seat(session, viewer, scope)
    draft = await decisions.latest_draft(session, scope.id, circle.id)
    if draft is None or draft.number != number:
        raise Conflict("draft-changed", phrase("The draft was changed meanwhile."))
    if draft.ballot is not None:
        raise Conflict(
            "cast", phrase("This draft is your circle’s ballot already. To change it, write a new draft.")
        )
    await decisions.withdraw_confirmation(session, draft.id, member.id)
    await changed(session, scope.name)


async def _cast(
    session: AsyncSession,
    home: Home,
    scope: Scope,
    circle: Circle,
    draft: Draft,
    view: Standing,
    confirmed: int,
    now: datetime,
) -> str:
    """Sign the circle's ballot, append it, publish it. The next sequence number; an equivocation of our own names its evidence."""
    now = now.replace(microsecond=0)
    mine = await _ballots_of(session, scope, circle, view, now)
    texts = Texts(draft.lang)
    fields: dict[str, Any] = dict(draft.position)
    if draft.reason:
        fields["reason"] = texts.add(draft.reason)
    if draft.position.get("position") == "object":
        fields["resolve"] = texts.add(draft.resolve)
    if mine:
        fields["prev"] = mine[-1].digest
        fields["cures"] = _uncured(mine)
    signed = home.sign(
        circle.actor,
        "Ballot",
        scope.name,
        now,
        terms=view.terms.digest if view.terms else "",
        seq=mine[-1]["seq"] + 1 if mine else 1,
        confirmed=confirmed,
        entered="circle",
        **fields,
    )
    draft.ballot = signed.record.digest
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_note(session, home, scope, circle.actor, signed, texts.carried, "ballot", now)
    log(session, "ballot cast", now, scope=scope.name)
    return signed.record.digest


async def _ballots_of(
    session: AsyncSession, scope: Scope, circle: Circle, view: Standing, now: datetime
) -> list[Record]:
    """The circle's ballots in this round so far, by number."""
    found = await ledger.records(session, scope.id, now)
    terms = view.terms.digest if view.terms else None
    mine = [r for r in found if r.type == "Ballot" and r.by == circle.actor.ed25519 and r["terms"] == terms]
    return sorted(mine, key=lambda r: (r["seq"], r.digest))


def _uncured(mine: Sequence[Record]) -> list[str] | None:
    """Two ballots with one number that none names yet (an instance restored from a backup may have signed twice): the circle is
    set aside until its next ballot names them."""
    named = {digest for ballot in mine for digest in ballot.get("cures", ())}
    for one, other in pairwise(mine):
        if one["seq"] == other["seq"] and not {one.digest, other.digest} <= named:
            return sorted((one.digest, other.digest))
    return None


def require_on_ballot(view: Standing, draft: Draft) -> None:
    """A draft from before the terms may name a proposal that they left out; such a ballot would be ignored everywhere."""
    if view.terms is None or not view.method.fits(draft.position, view.terms["options"]):
        raise Conflict(
            "not-on-ballot",
            phrase(
                "This draft names a proposal that is not put to the vote. Write a new draft among those that are."
            ),
        )


def require_voting(view: Standing, instance: str) -> None:
    """Ballots are taken while the voting is open and our own instance has acknowledged the terms."""
    if view.state in ("gathering", "deliberating"):
        raise TooEarly(
            "ballot",
            phrase("The voting has not opened yet. Your draft is kept; confirm it once the voting is open."),
        )
    if view.state != "voting":
        raise TooLate(
            "ballot", phrase("The voting is closed. Your draft is kept, but it can no longer be cast.")
        )
    if not view.acknowledged(instance):
        raise TooEarly(
            "no-ack",
            phrase(
                "This instance has not acknowledged the terms yet. Try again in a minute; your draft is kept."
            ),
        )


def check_answer(view: Standing, answer: Mapping[str, Any]) -> None:
    """Is this a position that the method knows, or a choice among the proposals as they stand? One that the terms left out can be
    chosen: that it is not put to the vote is said when it is to be cast."""
    method, left_out = view.method, [one.record for one in view.ignored if one.record.type == "Option"]
    if not method.fits(answer, [one.digest for one in (*view.options, *left_out)]):
        field = "position" if method.positions else "choices"
        raise Invalid(
            {
                field: phrase("Choose one of the positions.")
                if method.positions
                else phrase("Choose among the options listed.")
            }
        )


def check_words(view: Standing, words: Words) -> None:
    """Say per field what a draft still lacks."""
    check_answer(view, words.answer)
    wrong = {}
    needs_reason = view.method.needs_reason(words.answer)
    if needs_reason and len(words.reason.strip()) < REASON_AT_LEAST:
        wrong["reason"] = phrase(
            "Give your reason, in at least {n} characters: the others will read it.",
            n=REASON_AT_LEAST,
        )
    if len(words.reason) > REASON_AT_MOST or len(words.resolve) > REASON_AT_MOST:
        wrong["reason"] = phrase("Keep each text under {n} characters.", n=REASON_AT_MOST)
    if words.answer.get("position") == "object" and len(words.resolve.strip()) < REASON_AT_LEAST:
        wrong["resolve"] = phrase(
            "An objection says what would resolve it, in at least {n} characters.",
            n=REASON_AT_LEAST,
        )
    if wrong:
        raise Invalid(wrong)
