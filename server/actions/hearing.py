"""Records that others signed: taking them in, and the rows that are derived from them.

The caller has verified every proof (`verified`); who carries a record does not matter to what it says, but only a participant
may put records into a scope, and only an Offer that invites us opens one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import proofs
from activitypub.errors import Malformed, NotAuthentic
from activitypub.origin import origin
from activitypub.signatures import authority
from activitypub.sites import SERVERS, site_of
from models import decisions, ledger
from models.base import changed, kept
from models.decisions import Decision
from models.events import log
from models.ledger import Scope, Signed
from models.people import Actor
from models.rules.merkle import set_root
from models.rules.records import BadRecord, Record, read, sitting_input
from models.rules.refusals import NotAllowed
from models.rules.standing import ENDED, Standing, standing
from server.actions import signers
from server.actions.redaction import named_by, scrub
from server.actions.telling import us

AUTHORITY_LENGTH: Final = 300
MOST_RECORDS: Final = 50_000  # of one scope; a guard against a participant gone wild
DAY: Final = timedelta(days=1)
OFFERS_A_DAY: Final = 50  # of one server; of all below one registered name `SERVERS` times as many


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


@dataclass(frozen=True)
class Brought:
    """Verified records and texts, `carrier`, the authority that sent them, and the actors to whom an Offer among them was
    addressed: the other participants."""

    signed: Sequence[Signed]
    texts: Mapping[str, Mapping[str, Any]]
    carrier: str
    invited: Sequence[Actor] = ()


async def take_in(session: AsyncSession, brought: Brought, now: datetime) -> int:
    """Append what belongs to scopes we take part in; returns how many records were new.

    Raises `NotAllowed` if the carrier takes no part in a scope it brings records for, and does not bring nothing but the Answer
    by which an invited collective there takes part.
    """
    return (await take_in_all(session, [brought], now))[0]


async def take_in_all(session: AsyncSession, brought: Sequence[Brought], now: datetime) -> list[int]:
    """The same for several, one after the other: how many records of each were new."""
    fresh = [0] * len(brought)
    for name in sorted({s.record.scope for one in brought for s in one.signed}):
        mine = [(n, _of_scope(one, name)) for n, one in enumerate(brought)]
        for some in _at_once([(n, one) for n, one in mine if one.signed]):
            found = await _take_in_scope(session, name, [one for _, one in some], now)
            for (n, _), new in zip(some, found, strict=True):
                fresh[n] += new
    return fresh


def _of_scope(brought: Brought, name: str) -> Brought:
    return replace(brought, signed=[s for s in brought.signed if s.record.scope == name])


def _at_once(brought: Iterable[tuple[int, Brought]]) -> Iterator[list[tuple[int, Brought]]]:
    """Parts that may be looked at together. What decides who takes part, or takes out texts, stands alone."""
    for alone, alike in groupby(brought, lambda one: any(s.record.type in ALONE for s in one[1].signed)):
        some = list(alike)
        yield from ([one] for one in some) if alone else [some]


async def _take_in_scope(
    session: AsyncSession, name: str, brought: Sequence[Brought], now: datetime
) -> list[int]:
    """Records of one scope: how many of each were new."""
    place = await _place(session, name)
    if place is None and await _open_scope(session, brought[0], now):
        place = await _place(session, name)
    if place is None:
        return [0] * len(brought)
    for one in brought:
        if one.carrier not in place.authorities and not await _introduces(session, place.scope, one):
            raise NotAllowed("participant", "Only participants put records into a scope.")
    if place.held + sum(len(one.signed) for one in brought) > MOST_RECORDS:
        raise NotAllowed("full", "This scope holds as many records as it may.")
    listed = [(one.carrier, one.signed) for one in brought]
    admitted = await signers.admitted(session, place.scope, listed, place.held, now)
    brought = [replace(one, signed=fit) for one, fit in zip(brought, admitted, strict=True)]
    new = await _put(session, place.scope, brought, now)
    place.held += len(new)
    if any(record.type == "Answer" for record in new.values()):
        kept(session, PLACES).pop(name)  # there may be more participants now
    if new:  # whoever lacks these is found even after the end
        place.scope.repair_at = place.scope.repair_at or now
    found = []
    for one in brought:
        first = [digest for digest in {s.record.digest for s in one.signed} if new.pop(digest, None)]
        if first:
            log(session, "records received", now, actor=one.carrier, scope=name, records=len(first))
        found.append(len(first))
    return found


ALONE: Final = frozenset({"Offer", "Answer", "Redact"})
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
    session: AsyncSession, scope: Scope, brought: Sequence[Brought], now: datetime
) -> dict[str, Record]:
    """Append, and do what follows from what is new; returns that by its digest."""
    signed = [s for one in brought for s in one.signed]
    texts: dict[str, Mapping[str, Any]] = {}
    for one in brought:
        texts.update(ledger.genuine(one.texts))
    removed = await named_by(session, scope, signed)
    new = await ledger.append(session, scope, signed, texts, now)
    await _learn_participants(session, scope, new)
    await scrub(session, scope, removed, now)
    return {record.digest: record for record in new}


async def _open_scope(session: AsyncSession, brought: Brought, now: datetime) -> Scope | None:
    """The scope of an Offer that invites our collective and comes from where the convener lives; else nothing."""
    offer = next((s.record for s in brought.signed if s.record.type == "Offer"), None)
    if offer is None or authority_of(offer["actor"]) != brought.carrier:
        return None
    collective, _ = await us(session)
    if collective.ed25519 not in offer["invited"]:
        return None
    await check_offers(session, brought.carrier, now)
    scope = Scope(
        name=offer.digest, kind="decision", visibility=offer["visibility"], created_at=now, repair_at=now
    )
    session.add(scope)
    await session.flush()
    await ledger.add_participant(session, scope, offer.by, offer["actor"], brought.carrier)
    for actor in (collective, *brought.invited):
        if actor.ed25519 in offer["invited"]:
            await ledger.add_participant(session, scope, actor.ed25519 or "", actor.uri, actor.authority)
    log(session, "offer received", now, actor=offer["actor"], scope=offer.digest)
    return scope


async def check_offers(session: AsyncSession, carrier: str, now: datetime) -> None:
    """Raises NotAllowed if this server, or its site, invited us too often lately: each Offer is looked at by people."""
    there, below = await decisions.offers_since(session, now - DAY, carrier, site_of(carrier))
    if there >= OFFERS_A_DAY or below >= SERVERS * OFFERS_A_DAY:
        raise NotAllowed("too-many-offers", "This server invites us to more decisions a day than we take.")


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


async def _introduces(session: AsyncSession, scope: Scope, brought: Brought) -> bool:
    """Are these the answers of invited collectives that live where they come from? (Nobody could look them up before.)"""
    may = await _may_take_part(session, scope)
    answers = [s.record for s in brought.signed if s.record.type == "Answer" and s.record.by in may]
    homes = {authority_of(answer["actor"]) for answer in answers}
    return len(answers) == len(brought.signed) and homes == {brought.carrier}


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
    before = await session.get(Decision, scope.id)
    if before is None or _shown(before) != _shown(fresh):
        await changed(session, scope.name)
    return await session.merge(fresh)


def _ratify_until(view: Standing) -> datetime | None:
    """The last instant at which a collective that the outcome does not bind yet can ratify it."""
    found = [row.until for row in view.collectives if row.status == "ratifying" and row.until is not None]
    return max(found, default=None)


def _shown(row: Decision) -> tuple[object, ...]:
    """What makes its pages look otherwise."""
    return row.state, row.outcome, row.winner, row.terms, row.count_root, row.set_root


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
        ratify_until=_ratify_until(view),
        terms=view.terms.digest if view.terms else None,
        count_root=view.count_root,
        set_root=set_root(r.digest for r in records),
        set_size=len(records),
        as_of=now,
    )
