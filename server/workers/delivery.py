"""Activities go out to their inboxes, host by host: whoever holds a host's lease sends to it, one after the other.

A host that does not answer is left alone for a while, and keeps only its own place meanwhile. Sending is done outside of any
transaction; how it went is settled per host in one.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import deliver
from activitypub.claims import Scheme
from activitypub.errors import Refused, Unreachable, WireError
from activitypub.knocking import KNOCK_AGAIN, Knocks, knock, remembered
from activitypub.signatures import sign_request
from models import queues
from models.people import Actor
from models.queues import Delivery, Destination
from models.rules import backoff
from server.actions import dealing
from server.keys import CLOCK, DATABASE, HOME, NETWORK
from server.together import Together
from server.workers.slots import keep_busy
from server.workers.slow import LATER, SLOW, Slow

LEASE: Final = timedelta(minutes=5)
HOSTS_AT_ONCE: Final = 64
HOSTS_AHEAD: Final = 32  # claimed already, so that whoever is done is followed at once
GATHER: Final = 0.02  # seconds in which more hosts may be done, to be followed by others in one go
BATCH: Final = 20
BATCH_SECONDS: Final = (
    60.0  # no delivery begins later than that after its batch was claimed: all are done within the lease
)
PATIENCE: Final = 30.0  # seconds for one delivery
LITTLE_PATIENCE: Final = 10.0  # … to a host that failed last time
GIVE_UP_AFTER: Final = timedelta(
    days=4
)  # what waited so long for a host that does not answer is a dead letter
HOST_TROUBLE: Final = frozenset(
    {429, 502, 503, 504}
)  # statuses that say something of the host, not of the delivery
REASON_LENGTH: Final = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parcel:
    """One delivery with all that is needed to send it. `attempts` counts the one that begins."""

    id: int
    inbox: str
    attempts: int
    body: bytes
    signer: Actor


@dataclass(frozen=True)
class Batch:
    """What is due for a host whose lease we hold until `lease`; `claimed` by this machine's running time. `refused`: we do not
    deal with it, and drop what waits. `slow`: servers of its site take long."""

    host: str
    lease: datetime
    claimed: float
    fails: int
    refused: bool
    slow: bool
    parcels: Sequence[Parcel]
    knocks: Knocks


@dataclass(frozen=True)
class Sent:
    """How one delivery went: delivered (no error), failed, or not tried (`tried` false)."""

    parcel: Parcel
    error: Exception | None = None
    tried: bool = True


Outcome = tuple[Batch, Sequence[Sent]]


async def deliveries_due(app: web.Application) -> int:
    """Send what is due; returns how many deliveries were tried. How it went is settled together for hosts that are done at the
    same time; meanwhile others go on."""
    settling, sending = Together(partial(_settle_all, app), HOSTS_AT_ONCE), asyncio.Semaphore(HOSTS_AT_ONCE)

    async def work(batch: Batch) -> int:
        try:
            async with sending:
                sent = await _send(app, batch)
        finally:
            app[SLOW].sending -= batch.slow
        return await settling.ask((batch, sent))

    return await keep_busy(app, "delivery", HOSTS_AT_ONCE + HOSTS_AHEAD, partial(_claim, app), work, GATHER)


async def _claim(app: web.Application, most: int) -> list[Batch]:
    """Take hosts that are due, and of each what is due for it."""
    now = app[CLOCK].now()
    async with app[DATABASE].ACT.begin() as session:
        hosts = await _claimed(session, app[SLOW], now, most)
        if not hosts:
            return []
        due = await queues.deliveries_for(session, [host.host for host in hosts], now, BATCH)
        refused = await dealing.refused(session, app[HOME], due)
    batches = [
        Batch(
            host=host.host,
            lease=host.lease_until or now,
            claimed=time.monotonic(),
            fails=host.fails,
            refused=host.host in refused,
            slow=app[SLOW].is_slow(host.host),
            parcels=[Parcel(*row) for row in due[host.host]],
            knocks=remembered(host.scheme),
        )
        for host in hosts
    ]
    app[SLOW].sending += sum(batch.slow for batch in batches)
    return batches


async def _claimed(session: AsyncSession, slow: Slow, now: datetime, most: int) -> list[Destination]:
    """Hosts that are ours to send to. Those of slow sites for which there is no room are put off, and whoever is due behind them
    is taken in their place: however many they are, nobody waits for them."""
    taken = list[Destination]()
    while len(taken) < most:
        hosts, crowd = slow.split(taken, await queues.claim_hosts(session, now, LEASE, most - len(taken)))
        taken += hosts
        if not crowd:
            break
        for host in crowd:
            host.due_at, host.lease_until = now + LATER, None
    return taken


async def _send(app: web.Application, batch: Batch) -> list[Sent]:
    """Send one after the other. Once the host itself is in trouble, or its site found to be slow, the rest is not tried."""
    trouble, sent = False, list[Sent]()
    for parcel in batch.parcels:
        if trouble or time.monotonic() - batch.claimed > BATCH_SECONDS:
            sent.append(Sent(parcel, tried=False))
            continue
        began = time.monotonic()
        error = await _post(app, batch, parcel)
        found_slow = app[SLOW].took(batch.host, time.monotonic() - began) and not batch.slow
        sent.append(Sent(parcel, error))
        trouble = found_slow or _is_host_trouble(error)
    return sent


async def _post(app: web.Application, batch: Batch, parcel: Parcel) -> Exception | None:
    """Post one activity; what went wrong, if anything."""
    if batch.refused:
        return None  # dropped: nothing goes out to a server with which we do not deal
    failed: WireError | None = None
    try:
        for key in app[HOME].rsa_keys_for(parcel.signer, parcel.body):
            failed = await _knock(app, batch, parcel, key)
            if not isinstance(failed, Refused | Unreachable) or failed.status not in KNOCK_AGAIN:
                break
    except Exception as error:
        logger.exception("delivery %s failed; it is tried again later", parcel.id)
        return error
    return failed


async def _knock(app: web.Application, batch: Batch, parcel: Parcel, key: RSAPrivateKey) -> WireError | None:
    """Post one activity, signed by this key in the scheme that the host takes; what went wrong, if anything."""
    try:
        await knock(partial(_ask, app, batch, parcel, key), batch.knocks)
    except WireError as error:
        return error
    return None


async def _ask(
    app: web.Application, batch: Batch, parcel: Parcel, key: RSAPrivateKey, scheme: Scheme
) -> None:
    """Post one activity, signed now by this key in this scheme."""
    who = (parcel.signer.key_id, key, app[CLOCK].now())
    headers = sign_request("POST", parcel.inbox, parcel.body, *who, scheme=scheme)
    patience = LITTLE_PATIENCE if batch.fails else PATIENCE
    await deliver.post(app[NETWORK], parcel.inbox, parcel.body, headers, patience)


def _is_host_trouble(error: Exception | None) -> bool:
    return isinstance(error, Unreachable) and (error.status is None or error.status in HOST_TROUBLE)


async def _settle_all(app: web.Application, outcomes: Sequence[Outcome]) -> list[int]:
    async with app[DATABASE].ACT.begin() as session:
        await _settle(session, outcomes, app[CLOCK].now())
    return [max(1, sum(one.tried for one in sent)) for _, sent in outcomes]


async def _settle(session: AsyncSession, ready: Sequence[Outcome], now: datetime) -> None:
    """Write down how batches went: delivered rows go, failed ones wait or are given up, each host gets its next instant."""
    hosts = await queues.locked_hosts(session, [batch.host for batch, _ in ready])
    parcels = [one for _, sent in ready for one in sent]
    delivered = {one.parcel.id for one in parcels if one.tried and one.error is None}
    await queues.made(session, delivered)
    rest = {one.parcel.id: one for one in parcels if one.parcel.id not in delivered}
    if rest:
        for row in (await session.scalars(select(Delivery).where(Delivery.id.in_(rest)))).all():
            _put_off(row, rest[row.id], now)
    for batch, sent in ready:
        if any(_is_host_trouble(one.error) for one in sent):
            await queues.give_up_old(session, batch.host, now - GIVE_UP_AFTER, now)
    await queues.forget_previous_keys(session, {one.parcel.signer for one in parcels})
    following = await queues.next_due(session, hosts)
    for batch, sent in ready:
        host = hosts[batch.host]
        if host.lease_until == batch.lease:  # else our lease ended, and somebody else sends to this host now
            _rest_host(host, batch, sent, following.get(batch.host), now)


def _rest_host(
    host: Destination, batch: Batch, sent: Sequence[Sent], following: datetime | None, now: datetime
) -> None:
    """What the host's row says after a batch, and when it is its turn again."""
    troubles = [one.error for one in sent if _is_host_trouble(one.error)]
    if not batch.refused and any(one.tried and one.error is None for one in sent):
        host.fails, host.delivered_at, host.reason = 0, now, None
    if troubles:
        host.fails, host.failed_at, host.reason = host.fails + 1, now, _reason(troubles[0])
    pause = _host_pause(host, troubles, now)
    host.scheme = batch.knocks.scheme
    host.due_at = None if following is None else max(following, now + pause)
    host.lease_until = None


def _put_off(row: Delivery, sent: Sent, now: datetime) -> None:
    """A delivery that was not made: what was not tried keeps its turn, what may pass waits, the rest is a dead letter."""
    error = sent.error
    if error is None:
        row.attempts -= 1
        return
    row.reason = _reason(error)
    final = isinstance(error, WireError) and error.final
    pause = None if final else backoff.next_attempt(row.attempts, str(row.id))
    if pause is None:
        row.dead_at = now
    else:
        row.due_at = now + max(pause, _asked([error], now))


def _host_pause(host: Destination, troubles: Sequence[Exception | None], now: datetime) -> timedelta:
    """How long the host is left alone: nothing if all is well, at least a minute after trouble, more if it asks for it."""
    if not troubles:
        return timedelta()
    return max(backoff.FIRST, backoff.host_pause(host.fails, host.host), _asked(troubles, now))


def _asked(errors: Iterable[Exception | None], now: datetime) -> timedelta:
    """What Retry-After headers ask for, within reason."""
    asked = [backoff.retry_after(e.retry_after, now=now) for e in errors if isinstance(e, Unreachable)]
    return max((pause for pause in asked if pause), default=timedelta())


def _reason(error: Exception | None) -> str:
    code = getattr(error, "code", type(error).__name__)
    return f"{code}: {getattr(error, 'sentence', error)}"[:REASON_LENGTH]
