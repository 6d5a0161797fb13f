"""Repair: each scope's set root is compared with the other participants', and what we lack is pulled from them.

One signed GET if nothing is missing; else pages of the buckets that differ. Pulled records are verified like any others. Each
participant pulls for itself, so pushing nothing back is enough.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from activitypub import codec
from activitypub.errors import Malformed, Unreachable, WireError
from models import ledger, queues
from models.ledger import Participant, Signed
from models.rules import backoff, merkle, records
from models.rules.records import BadRecord, Record
from models.rules.refusals import NotFound, Refusal
from models.rules.standing import standing
from server import remote
from server.actions import hearing
from server.actions.hearing import Brought
from server.keys import CLOCK, DATABASE, HOME
from server.peers.carriers import texts_named
from server.workers.slots import keep_busy

LEASE: Final = timedelta(minutes=10)
SCOPES_AT_ONCE: Final = 4
PULLING_SECONDS: Final = 180.0  # for one participant: all of them are pulled from at once, within the lease
TURNS: Final = 2  # in the second, the keys are known that Answers in later buckets named
MOST_PAGES: Final = 200
PAGE_RECORDS: Final = 100
INTERVAL: Final = timedelta(minutes=10)
SHORTEST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(hours=12)
REMEMBERED: Final = 1_000  # participants of scopes
GIVE_UP_AFTER: Final = timedelta(days=30)  # after the last instant that time alone could change something

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Head:
    """What a participant says it holds of a scope."""

    root: str
    buckets: Mapping[str, tuple[int, str]]


@dataclass(frozen=True)
class Pulled:
    """How it went with one participant: reached, and whether it then held the same set as we, or nothing that we could take."""

    key: str
    reached: bool
    agrees: bool = False
    in_vain: bool = False


class InVain:
    """With which participants nothing was gained, and between which roots: as long as neither changes, nothing would be gained
    again. Two that are full of different records of keys that nobody named would pull from each other for a month.

    In memory and bounded; lost when the process ends, and no harm done."""

    def __init__(self) -> None:
        self._between: OrderedDict[tuple[str, str], tuple[str, str]] = OrderedDict()

    def __contains__(self, at: tuple[str, str, str, str]) -> bool:
        scope, key, theirs, ours = at
        return self._between.get((scope, key)) == (theirs, ours)

    def add(self, scope: str, key: str, theirs: str, ours: str) -> None:
        self._between[scope, key] = theirs, ours
        self._between.move_to_end((scope, key))
        if len(self._between) > REMEMBERED:
            self._between.popitem(last=False)


IN_VAIN: web.AppKey[InVain] = web.AppKey("pulled in vain", InVain)


async def repairs_due(app: web.Application) -> int:
    """Repair the scopes that are due; returns how many."""
    database, clock = app[DATABASE], app[CLOCK]

    async def claim(most: int) -> Sequence[str]:
        async with database.ACT.begin() as session:
            return await queues.scopes_to_repair(session, clock.now(), LEASE, most)

    async def work(name: str) -> int:
        await _repair(app, name)
        return 1

    return await keep_busy(app, "repair", SCOPES_AT_ONCE, claim, work)


async def _repair(app: web.Application, name: str) -> None:
    async with app[DATABASE].READ() as session:
        scope = await ledger.scope_named(session, name)
        known = [] if scope is None else await ledger.participants(session, scope.id)
    others = [one for one in known if one.authority != app[HOME].authority]
    pulled = await asyncio.gather(*(_pull_from(app, name, one) for one in others))
    await _settle(app, name, {one.key: one for one in pulled})


async def _pull_from(app: web.Application, name: str, other: Participant) -> Pulled:
    """Bring our set up to what one participant holds, as far as it can be reached and says sensible things."""
    try:
        async with asyncio.timeout(PULLING_SECONDS):
            address = await _address(app, other, name)
            head, before = read_head(await remote.document(app, address), name), await _root(app, name)
            if (name, other.key, head.root, before) in app[IN_VAIN]:
                return Pulled(other.key, reached=True, in_vain=True)
            for _ in range(TURNS):
                ours = await _buckets(app, name)
                different = [digit for digit, entry in head.buckets.items() if ours.get(digit) != entry]
                for digit in different:
                    entry = head.buckets[digit]
                    if (await _buckets(app, name)).get(digit) != entry:  # others are pulled from too
                        await _pull_bucket(app, name, other.authority, address, digit)
                if await _root(app, name) == before:
                    break
    except (WireError, Refusal, TimeoutError) as error:
        logger.info("repair of %s from %s: %s", name[:12], other.authority, error)
        return Pulled(other.key, reached=False)
    except Exception:  # one participant's nonsense keeps us from nobody else's records
        logger.exception("repair of %s from %s failed", name[:12], other.authority)
        return Pulled(other.key, reached=False)
    after = await _root(app, name)
    in_vain = after == before != head.root
    if in_vain:
        app[IN_VAIN].add(name, other.key, head.root, after)
    return Pulled(other.key, reached=True, agrees=after == head.root, in_vain=in_vain)


async def _address(app: web.Application, other: Participant, name: str) -> str:
    """Where a participant keeps the scope: its collective says so in its profile."""
    actor = await remote.remote_actor(app, other.actor_uri)
    if actor.scopes is None:
        actor = await remote.remote_actor(app, other.actor_uri, refresh=True)
    if actor.scopes is None:
        raise Unreachable("no-scopes", "The actor does not say where its scopes are.")
    return actor.scopes.replace("{scope}", name)


def read_head(document: codec.Json, name: str) -> Head:
    """Root and buckets of a scope, as another server states them; Malformed for anything else."""
    said = document.get(codec.RECORD)
    if not isinstance(said, dict) or said.get("type") != "Head" or said.get("scope") != name:
        raise Malformed("bad-head", "The document does not state the root of this scope.")
    root, buckets = said.get("root"), said.get("buckets")
    if not isinstance(root, str) or not isinstance(buckets, dict):
        raise Malformed("bad-head", "The document does not state the root of this scope.")
    for digit, entry in buckets.items():
        fits = isinstance(entry, list) and [type(part) for part in entry] == [int, str]
        if digit not in merkle.HEX or len(digit) != 1 or not fits:
            raise Malformed("bad-head", "The document states its buckets in another form.")
    return Head(root, {digit: (count, bucket) for digit, (count, bucket) in buckets.items()})


async def _pull_bucket(app: web.Application, name: str, carrier: str, address: str, digit: str) -> None:
    """Page through one bucket of a participant and take in what we lack. Pages must go forward, and end."""
    after = ""
    for _ in range(MOST_PAGES):
        url = f"{address}?bucket={digit}" + (f"&after={after}" if after else "")
        page = await remote.document(app, url)
        items = page.get("orderedItems")
        things = (
            [codec.tidy_thing(item) for item in items if isinstance(item, dict)]
            if isinstance(items, list)
            else []
        )
        found = [(_digest(document), document) for thing in things for document in thing.records]
        names = [digest for digest, _ in found if digest is not None and digest.startswith(digit)]
        if len(found) > PAGE_RECORDS or (names and min(names) <= after):
            raise Malformed("bad-page", "The page does not go forward.")
        texts = {digest: text for thing in things for digest, text in thing.texts.items()}
        await _take_in(app, name, carrier, [d for digest, d in found if digest in names], texts)
        if not names or "next" not in page:
            return
        after = max(names)


async def _take_in(
    app: web.Application, name: str, carrier: str, documents: Sequence[codec.Json], texts: Mapping[str, Any]
) -> None:
    """Verify what we do not hold yet, and take it in; a bad one among many is passed over."""
    now = app[CLOCK].now()
    async with app[DATABASE].READ() as session:
        scope = await ledger.scope_named(session, name)
        held = (
            set() if scope is None else await ledger.held(session, scope.id, map(records.digest, documents))
        )
    fresh = [document for document in documents if records.digest(document) not in held]
    found = await asyncio.to_thread(lambda: [hearing.verified_or_none(document) for document in fresh])
    signed: list[Signed] = [one for one in found if one is not None and one.record.scope == name]
    if signed:
        named = texts_named([one.record for one in signed], texts)
        async with app[DATABASE].ACT.begin() as session:
            await hearing.take_in(session, Brought(signed, named, carrier), now)


def _digest(document: codec.Json) -> str | None:
    try:
        return records.digest(document)
    except BadRecord:
        return None


async def _buckets(app: web.Application, name: str) -> Mapping[str, tuple[int, str]]:
    return merkle.buckets(await _digests(app, name))


async def _root(app: web.Application, name: str) -> str:
    return merkle.set_root(await _digests(app, name))


async def _digests(app: web.Application, name: str) -> Sequence[str]:
    async with app[DATABASE].READ() as session:
        scope = await ledger.scope_named(session, name)
        return [] if scope is None else await ledger.digests(session, scope.id, app[CLOCK].now())


async def _settle(app: web.Application, name: str, pulled: Mapping[str, Pulled]) -> None:
    """Note who agreed and who could not be reached, and when to look again."""
    now = app[CLOCK].now()
    async with app[DATABASE].READ() as session:
        found = await ledger.scope_named(session, name)
        held = [] if found is None else await ledger.records(session, found.id, now)
    async with app[DATABASE].ACT.begin() as session:
        scope = await ledger.locked_scope(session, name)
        if scope is None:
            return
        failures = 0
        for row in await ledger.participants(session, scope.id):
            said = pulled.get(row.key)
            if said is not None:
                row.failures = 0 if said.reached else row.failures + 1
                row.agreed_at = now if said.agrees else None if said.reached else row.agreed_at
                failures = max(failures, row.failures)
        nothing_lacks = all(one.agrees or one.in_vain for one in pulled.values())
        scope.repaired_at, scope.repair_lease = now, None
        scope.repair_at = next_repair(held, nothing_lacks, failures, now) if pulled else None


def next_repair(held: Sequence[Record], nothing_lacks: bool, failures: int, now: datetime) -> datetime | None:
    """When to compare again: while the decision lives every ten minutes (more often if its phases are short) and at each of its
    instants; after its end less and less often, and not for ever."""
    try:
        view = standing(held, now)
    except NotFound:
        return None
    times = view.times
    if view.next_at is not None:
        phases = (times.ready - view.offer.at, times.closes - times.opens, times.grace_ends - times.closes)
        interval = max(SHORTEST, min(INTERVAL, *(phase / 3 for phase in phases if phase)))
        turns = (
            times.ready,
            times.opens,
            times.closes,
            times.grace_ends,
            times.challenge_ends,
            times.wait_ends,
        )
        return min([now + interval, *(turn for turn in turns if turn > now)])
    if now > times.ratify_ends + GIVE_UP_AFTER:
        return None
    if nothing_lacks:  # somebody may still say something: a Redact, a Ratify
        return now + max(LONGEST, (now - times.closes) / 4)
    pause = backoff.next_attempt(min(max(failures, 1), backoff.MOST_ATTEMPTS - 1)) or LONGEST
    age = max(now - times.closes, timedelta()) / 4
    return now + max(INTERVAL, min(LONGEST, max(pause, age)))
