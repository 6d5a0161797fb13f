"""Whose records a scope takes in at all: of the keys that its Offer and the Answers of its collectives name, of each only so many.
Anybody can make keys; nobody can make a participant's instance hold much of what they sign. Some room there is for keys that are
not named yet: a circle's record may overtake the Answer that names it.

What such a key may sign, and what follows from it, is decided by the rules (`models.rules.standing`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger
from models.base import kept
from models.events import log
from models.ledger import RecordRow, Scope, Signed
from models.rules.records import Record

MOST_BY_ONE_KEY: Final = 5_000
MOST_UNNAMED: Final = 500  # by all keys that are not named, together
NAMED: Final = "keys named in scopes"
UNNAMED: Final = ""  # stands for all keys that are not named


async def admitted(
    session: AsyncSession,
    scope: Scope,
    brought: Sequence[tuple[str, Sequence[Signed]]],
    held: int,
    now: datetime,
) -> list[list[Signed]]:
    """Those of the records that each carrier brings that the scope, which holds so many, takes in. The rest is passed over and
    counted; if a key is named later, its records come with the next repair."""
    everything = [one for _, signed in brought for one in signed]
    may = await _named(session, scope, everything)
    keys = {one.record.by for one in everything}
    room = await _room(session, scope, keys & may, held + len(everything))
    if not keys <= may:
        room[UNNAMED] = MOST_UNNAMED - await _unnamed(session, scope, may)
    found = []
    for carrier, signed in brought:
        fit = [one for one in signed if _fits(room, one.record.by if one.record.by in may else UNNAMED)]
        if passed := len(signed) - len(fit):
            log(session, "records passed over", now, actor=carrier, scope=scope.name, records=passed)
        found.append(fit)
    return found


async def _unnamed(session: AsyncSession, scope: Scope, named: set[str]) -> int:
    """How many records by other keys the scope holds."""
    query = select(func.count()).where(RecordRow.scope_id == scope.id, RecordRow.by.not_in(named))
    return await session.scalar(query) or 0


def _fits(room: Counter[str], key: str) -> bool:
    """Is there room for one more of this key? It takes it."""
    room[key] -= 1
    return room[key] >= 0


def keys_named(offer: Record, answers: Iterable[Record]) -> set[str]:
    """The convener, the invited, their instances, and the circles in the Answers of any of them."""
    collectives = {offer.by, *offer["invited"]}
    found = {*collectives, offer["instance"]}
    for answer in answers:
        if answer.by in collectives:
            found.add(answer["instance"])
            found.update(circle["key"] for circle in answer["circles"])
    return found


async def _named(session: AsyncSession, scope: Scope, signed: Sequence[Signed]) -> set[str]:
    """Looked up once in a transaction, and again once an Answer arrives."""
    known = kept(session, NAMED)
    arriving = [one.record for one in signed if one.record.type in ("Offer", "Answer")]
    if scope.name not in known or arriving:
        records = [*await ledger.of_types(session, scope.id, ("Offer", "Answer")), *arriving]
        offer = next((one for one in records if one.digest == scope.name), None)
        known[scope.name] = set() if offer is None else keys_named(offer, _answers(records))
    found: set[str] = known[scope.name]
    return found


def _answers(records: Iterable[Record]) -> list[Record]:
    return [one for one in records if one.type == "Answer"]


async def _room(session: AsyncSession, scope: Scope, keys: set[str], total: int) -> Counter[str]:
    """How many more records of each of these keys the scope takes. Nothing is counted while all of it is less."""
    room = Counter(dict.fromkeys(keys, MOST_BY_ONE_KEY))
    if total > MOST_BY_ONE_KEY:
        query = select(RecordRow.by, func.count()).where(
            RecordRow.scope_id == scope.id, RecordRow.by.in_(keys)
        )
        for key, count in (await session.execute(query.group_by(RecordRow.by))).all():
            room[key] -= count
    return room
