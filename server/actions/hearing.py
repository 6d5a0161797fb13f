"""Records that others signed: taking them in, and the rows that are derived from them.

The caller has verified every proof (`verified`); who carries a record does not matter to what it says, but only a participant
may put records into a scope, and only an Offer that invites us opens one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import proofs
from activitypub.errors import Malformed, NotAuthentic
from activitypub.origin import origin
from activitypub.signatures import authority
from models import ledger
from models.base import kept
from models.decisions import Decision
from models.events import log
from models.ledger import Scope, Signed
from models.people import Actor
from models.rules.merkle import set_root
from models.rules.records import BadRecord, Record, read, sitting_input
from models.rules.refusals import NotAllowed
from models.rules.standing import ENDED, standing
from server.actions.redaction import named_by, scrub
from server.actions.signers import admitted
from server.actions.telling import us
from server.home import Home

AUTHORITY_LENGTH: Final = 300
MOST_RECORDS: Final = 50_000  # of one scope; a guard against a participant gone wild


def verified(documents: Iterable[Mapping[str, Any]]) -> list[Signed]:
    """Those documents that are well-formed records, each with the proof of the key it names; an Answer also with the signature of
    each circle that it lists. Raises on the first that is not."""
    found = []
    for document in documents:
        record = read(dict(document))
        if proofs.who_signed(dict(document)) != record.by:
            raise NotAuthentic("proof", "A record's proof is not by the key that it names.")
        for circle in record["circles"] if record.type == "Answer" else ():
            proofs.check_bytes(sitting_input(record.scope, record.by), circle["signature"], circle["key"])
        found.append(Signed(record, document))
    return found


def verified_or_none(document: Mapping[str, Any]) -> Signed | None:
    """Like `verified` for one record, for pulls where a bad one among many is passed over."""
    try:
        return verified([document])[0]
    except (BadRecord, NotAuthentic):
        return None


async def take_in(
    session: AsyncSession,
    home: Home,
    signed: Sequence[Signed],
    texts: Mapping[str, Mapping[str, Any]],
    carrier: str,
    now: datetime,
    invited: Sequence[Actor] = (),
) -> int:
    """Append what belongs to scopes we take part in; returns how many records were new.

    `carrier` is the authority that sent them. Raises `NotAllowed` if it takes no part in a scope it brings records for, and does
    not bring nothing but the Answer by which an invited collective there takes part.
    `invited` are the actors to whom an Offer was addressed: the other participants.
    """
    fresh = 0
    for name in sorted({s.record.scope for s in signed}):
        mine = [s for s in signed if s.record.scope == name]
        place = await _place(session, name)
        if place is None and await _open_scope(session, mine, carrier, invited, now):
            place = await _place(session, name)
        if place is None:
            continue
        if carrier not in place.authorities and not await _introduces(session, place.scope, mine, carrier):
            raise NotAllowed("participant", "Only participants put records into a scope.")
        if place.held + len(mine) > MOST_RECORDS:
            raise NotAllowed("full", "This scope holds as many records as it may.")
        mine = await admitted(session, place.scope, mine, place.held, carrier, now)
        new = await _put(session, place.scope, mine, texts, now)
        place.held += len(new)
        if any(record.type == "Answer" for record in new):
            kept(session, PLACES).pop(name)  # there may be more participants now
        if new:
            place.scope.repair_at = (
                place.scope.repair_at or now
            )  # whoever lacks these is found even after the end
            log(session, "records received", now, actor=carrier, scope=name, records=len(new))
        fresh += len(new)
    return fresh


PLACES: Final = "places"


@dataclass
class Place:
    """A scope that this transaction locked: who takes part in it, and how many records it holds."""

    scope: Scope
    authorities: set[str]
    held: int


async def _place(session: AsyncSession, name: str) -> Place | None:
    """The scope of this name, looked up once in a transaction: several activities in a row bring records for it."""
    places = kept(session, PLACES)
    if name not in places:
        scope = await ledger.locked_scope(session, name)
        if scope is None:
            return None
        places[name] = Place(scope, *await ledger.room_in(session, scope.id))
    found: Place = places[name]
    return found


async def _put(
    session: AsyncSession,
    scope: Scope,
    signed: Sequence[Signed],
    texts: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> list[Record]:
    """Append, and do what follows from what is new."""
    removed = await named_by(session, scope, signed)
    new = await ledger.append(session, scope, signed, texts, now)
    await _learn_participants(session, scope, new)
    await scrub(session, scope, removed)
    return new


async def _open_scope(
    session: AsyncSession, signed: Sequence[Signed], carrier: str, invited: Sequence[Actor], now: datetime
) -> Scope | None:
    """The scope of an Offer that invites our collective and comes from where the convener lives; else nothing."""
    collective, _ = await us(session)
    offer = next((s.record for s in signed if s.record.type == "Offer"), None)
    if offer is None or collective.ed25519 not in offer["invited"]:
        return None
    if authority_of(offer["actor"]) != carrier:
        return None
    scope = Scope(
        name=offer.digest, kind="decision", visibility=offer["visibility"], created_at=now, repair_at=now
    )
    session.add(scope)
    await session.flush()
    await ledger.add_participant(session, scope, offer.by, offer["actor"], carrier)
    for actor in (collective, *invited):
        if actor.ed25519 in offer["invited"]:
            await ledger.add_participant(session, scope, actor.ed25519 or "", actor.uri, actor.authority)
    log(session, "offer received", now, actor=offer["actor"], scope=offer.digest)
    return scope


async def _learn_participants(session: AsyncSession, scope: Scope, fresh: Iterable[Record]) -> None:
    """An Answer says where its collective lives. Only invited collectives become participants."""
    answers = [r for r in fresh if r.type == "Answer"]
    if not answers:
        return
    may = await _may_take_part(session, scope)
    for answer in answers:
        where = authority_of(answer["actor"])
        if answer.by in may and where is not None:
            await ledger.add_participant(session, scope, answer.by, answer["actor"], where)


async def _introduces(session: AsyncSession, scope: Scope, signed: Sequence[Signed], carrier: str) -> bool:
    """Are these the answers of invited collectives that live where they come from? (Nobody could look them up before.)"""
    may = await _may_take_part(session, scope)
    answers = [s.record for s in signed if s.record.type == "Answer" and s.record.by in may]
    return len(answers) == len(signed) and {authority_of(answer["actor"]) for answer in answers} == {carrier}


async def _may_take_part(session: AsyncSession, scope: Scope) -> set[str]:
    """The keys of the collectives that a scope's Offer invites, and of the one that offers."""
    offer = await ledger.record_named(session, scope.id, scope.name)
    return set() if offer is None else {*offer["invited"], offer.by}


def authority_of(uri: str) -> str | None:
    """The host[:port] of an actor that a record names, or None if there can be none."""
    try:
        origin(uri)
    except Malformed:
        return None
    found = authority(uri)
    return found if len(found) <= AUTHORITY_LENGTH else None


async def refresh(session: AsyncSession, scope: Scope, now: datetime) -> Decision:
    """Bring the cached row of a decision up to what its records say now."""
    fresh = await derived(session, scope, now)
    return await session.merge(fresh)


async def derived(session: AsyncSession, scope: Scope, now: datetime) -> Decision:
    """The row that the records of a scope give, computed from nothing else."""
    records = await ledger.records(session, scope.id, now)
    view = standing(records, now)
    return Decision(
        scope_id=scope.id,
        question=view.offer["question"],
        convener=view.offer.by,
        method=view.offer["method"],
        opens_at=view.opens,
        closes_at=view.closes,
        state=view.state,
        is_over=view.state in ENDED,
        outcome=view.outcome,
        winner=view.winner,
        terms=view.terms.digest if view.terms else None,
        count_root=view.count_root,
        set_root=set_root(r.digest for r in records),
        set_size=len(records),
        as_of=now,
    )
