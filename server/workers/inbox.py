"""Activities that were accepted at the door get their handler: first the check, which may fetch, then one transaction that acts
and settles the row. Whatever kills us in between, the row is still there and nothing was done twice."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from activitypub.errors import Unreachable, WireError
from models import people
from models.queues import InboxItem, claim_inbox
from models.rules import backoff
from models.rules.records import BadRecord
from models.rules.refusals import Refusal
from server.keys import CLOCK, DATABASE, HOME
from server.peers.handlers import HANDLERS
from server.peers.received import IGNORED, REFUSED, Received
from server.workers.slots import keep_busy

LEASE: Final = timedelta(minutes=5)
AT_ONCE: Final = 8
DEAD: Final = "dead"
REASON_LENGTH: Final = 500

logger = logging.getLogger(__name__)


async def inbox_due(app: web.Application) -> int:
    """Handle what waits in the inbox, several at a time; returns how many rows were settled or put off."""
    database, clock = app[DATABASE], app[CLOCK]

    async def claim(most: int) -> Sequence[InboxItem]:
        async with database.ACT.begin() as session:
            return await claim_inbox(session, clock.now(), LEASE, most)

    async def work(item: InboxItem) -> int:
        return await _handle(app, item)

    return await keep_busy(app, "inbox", AT_ONCE, claim, work)


async def _handle(app: web.Application, item: InboxItem) -> int:
    """One claimed item, to its end or to its next attempt. What nobody expected is logged and tried again like what may pass."""
    if item.attempts > backoff.MOST_ATTEMPTS:
        await _end(app, item, DEAD, "killed: It was begun too often and never finished.")
        return 1
    try:
        await _check_and_act(app, item)
    except (Refusal, BadRecord) as error:
        await _end(app, item, REFUSED, _reason(error))
    except WireError as error:
        if error.final:
            await _end(app, item, REFUSED, _reason(error))
        else:
            await _put_off(app, item, error)
    except Exception as error:
        logger.exception("handling %s failed; it is tried again later", item.activity_uri)
        await _put_off(app, item, error)
    return 1


async def _check_and_act(app: web.Application, item: InboxItem) -> None:
    activity = codec.tidy(codec.decode(item.body or b""))
    async with app[DATABASE].READ() as session:
        signer = await people.actor_by_uri(session, item.signer)
    handler = HANDLERS.get(activity.type)
    if signer is None or handler is None:
        await _end(app, item, IGNORED, None)
        return
    check, act = handler
    received = Received(activity, signer, item.received_at)
    checked = await check(app, received)
    async with app[DATABASE].ACT.begin() as session:
        row = await _still_ours(session, item)
        if row is not None:
            now = app[CLOCK].now()
            word = await act(session, app[HOME], received, checked, now)
            _settle(row, word, None, now)


async def _end(app: web.Application, item: InboxItem, outcome: str, reason: str | None) -> None:
    async with app[DATABASE].ACT.begin() as session:
        row = await _still_ours(session, item)
        if row is not None:
            _settle(row, outcome, reason, app[CLOCK].now())


async def _put_off(app: web.Application, item: InboxItem, error: Exception) -> None:
    """Tried again later, and when that was done often enough, not any more."""
    now = app[CLOCK].now()
    pause = backoff.next_attempt(item.attempts, item.activity_uri)
    if pause is None:
        await _end(app, item, DEAD, _reason(error))
        return
    asked = backoff.retry_after(error.retry_after, now=now) if isinstance(error, Unreachable) else None
    async with app[DATABASE].ACT.begin() as session:
        row = await _still_ours(session, item)
        if row is not None:
            row.due_at, row.lease_until, row.reason = now + max(pause, asked or pause), None, _reason(error)


async def _still_ours(session: AsyncSession, item: InboxItem) -> InboxItem | None:
    """The row, locked, if nobody took it over after our lease ended."""
    row = await session.get(InboxItem, item.id, with_for_update=True)
    return row if row is not None and row.outcome is None and row.attempts == item.attempts else None


def _settle(row: InboxItem, outcome: str, reason: str | None, now: datetime) -> None:
    """The item is over: its body goes, its id stays, so that a repeat is known."""
    row.outcome, row.reason, row.done_at = outcome, reason, now
    row.body, row.due_at, row.lease_until = None, None, None


def _reason(error: Exception) -> str:
    code = getattr(error, "code", type(error).__name__)
    return f"{code}: {getattr(error, 'sentence', error)}"[:REASON_LENGTH]
