"""Activities that were accepted at the door get their handler: first the check, which may fetch, then one transaction that acts
and settles the row. Whatever kills us in between, the row is still there and nothing was done twice."""

import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import update
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
    with contextlib.suppress(LeaseLost):
        try:
            if item.attempts > backoff.MOST_ATTEMPTS:
                await _end(app, item, DEAD, "killed: It was begun too often and never finished.")
            else:
                await _check_and_act(app, item)
        except LeaseLost:
            raise
        except (Refusal, BadRecord) as error:
            await _end(app, item, REFUSED, _reason(error))
        except WireError as error:
            await (_end(app, item, REFUSED, _reason(error)) if error.final else _put_off(app, item, error))
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
        now = app[CLOCK].now()
        word = await act(session, app[HOME], received, checked, now)
        await _settle(session, item, outcome=word, reason=None, done_at=now, body=None, due_at=None)


async def _end(app: web.Application, item: InboxItem, outcome: str, reason: str | None) -> None:
    """The item is over: its body goes, its id stays, so that a repeat is known."""
    now = app[CLOCK].now()
    async with app[DATABASE].ACT.begin() as session:
        await _settle(session, item, outcome=outcome, reason=reason, done_at=now, body=None, due_at=None)


async def _put_off(app: web.Application, item: InboxItem, error: Exception) -> None:
    """Tried again later, and when that was done often enough, not any more."""
    now = app[CLOCK].now()
    pause = backoff.next_attempt(item.attempts, item.activity_uri)
    if pause is None:
        await _end(app, item, DEAD, _reason(error))
        return
    asked = backoff.retry_after(error.retry_after, now=now) if isinstance(error, Unreachable) else None
    async with app[DATABASE].ACT.begin() as session:
        await _settle(session, item, due_at=now + max(pause, asked or pause), reason=_reason(error))


class LeaseLost(Exception):
    """Our lease ended, and another worker has the item, or is done with it. What we did is rolled back."""


async def _settle(session: AsyncSession, item: InboxItem, **values: Any) -> None:
    """Write down how it went, if the item is still ours; LeaseLost if not."""
    ours = (
        InboxItem.id == item.id,
        InboxItem.outcome.is_(None),
        InboxItem.attempts == item.attempts,
    )
    settled = update(InboxItem).where(*ours).values(lease_until=None, **values).returning(InboxItem.id)
    if (await session.scalars(settled)).first() is None:
        raise LeaseLost


def _reason(error: Exception) -> str:
    code = getattr(error, "code", type(error).__name__)
    return f"{code}: {getattr(error, 'sentence', error)}"[:REASON_LENGTH]
