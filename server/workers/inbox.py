"""Activities that were accepted at the door get their handler: first the check, which may fetch, then one transaction that acts
and settles the row. Whatever kills us in between, the row is still there and nothing was done twice."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.errors import Unreachable, WireError
from models import people
from models.incoming import claim_inbox, settle_inbox
from models.people import Actor
from models.queues import InboxItem
from models.rules import backoff
from models.rules.records import BadRecord
from models.rules.refusals import Refusal
from server.keys import CLOCK, DATABASE, HOME
from server.peers.handlers import HANDLERS
from server.peers.heard import HEARD
from server.peers.received import IGNORED, REFUSED, On, Received, act_on
from server.together import Together
from server.workers.slots import keep_busy

LEASE: Final = timedelta(minutes=5)
AT_ONCE: Final = 128
GATHER: Final = (
    0.05  # seconds that those who are done, and who come meanwhile, wait for others to be claimed with them
)
MOMENT: Final = 0.005  # seconds that those who are ready to act wait for others
DEAD: Final = "dead"
REASON_LENGTH: Final = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ready:
    """A claimed item that its check let pass, and what is to be done with it."""

    item: InboxItem
    received: Received
    checked: Any
    act: On


class Acting:
    """Who is ready to act at the same time shares a transaction where only one can write anyway (SQLite). Elsewhere each has its
    own, so that none waits for another's locks; what one actor says comes one after the other there too."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._together = Together(partial(_act, app), AT_ONCE, lambda: MOMENT)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def act(self, ready: Ready) -> None:
        if not self._app[DATABASE].is_postgresql:
            await self._together.ask(ready)
            return
        async with self._turns.setdefault(ready.item.signer, asyncio.Lock()):
            await _act(self._app, [ready])


async def inbox_due(app: web.Application) -> int:
    """Handle what waits in the inbox, several at a time; returns how many rows were settled or put off."""
    database, clock, acting, held = app[DATABASE], app[CLOCK], Acting(app), set[int]()

    async def claim(most: int) -> list[tuple[InboxItem, Actor | None]]:
        async with database.ACT.begin() as session:
            items = await claim_inbox(session, clock.now(), LEASE, most, held)
            signers = await people.actors_by_uri(session, {item.signer for item in items}) if items else {}
        held.update(item.id for item in items)
        return [(item, signers.get(item.signer)) for item in items]

    async def work(claimed: tuple[InboxItem, Actor | None]) -> int:
        try:
            return await _handle(app, acting, *claimed)
        finally:
            held.discard(claimed[0].id)

    return await keep_busy(app, "inbox", AT_ONCE, claim, work, GATHER)


async def _handle(app: web.Application, acting: Acting, item: InboxItem, signer: Actor | None) -> int:
    """One claimed item, to its end or to its next attempt. What nobody expected is logged and tried again like what may pass."""
    with contextlib.suppress(LeaseLost):
        try:
            if item.attempts > backoff.MOST_ATTEMPTS:
                await _end(app, item, DEAD, "killed: It was begun too often and never finished.")
            else:
                await _check_and_act(app, acting, item, signer)
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


async def _check_and_act(app: web.Application, acting: Acting, item: InboxItem, signer: Actor | None) -> None:
    activity = app[HEARD].take(item.activity_uri, item.body or b"{}")
    handler = HANDLERS.get(activity.type)
    if signer is None or handler is None:
        await _end(app, item, IGNORED, None)
        return
    check, act = handler
    received = Received(activity, signer, item.received_at)
    await acting.act(Ready(item, received, await check(app, received), act))


async def _act(app: web.Application, ready: Sequence[Ready]) -> Sequence[None]:
    """One transaction in which each acts, in the order in which they came, and is settled. If one raises, nothing was done."""
    now, ready = app[CLOCK].now(), sorted(ready, key=lambda one: one.item.id)
    over = {"reason": None, "done_at": now, "body": None, "due_at": None}
    todo = [(one.act, one.received, one.checked) for one in ready]
    async with app[DATABASE].ACT.begin() as session:
        words = await act_on(session, app[HOME], todo, now)
        ends = [{"outcome": word, **over} for word in words]
        await _settle(session, [(one.item, end) for one, end in zip(ready, ends, strict=True)])
    return [None] * len(ready)


async def _end(app: web.Application, item: InboxItem, outcome: str, reason: str | None) -> None:
    """The item is over: its body goes, its id stays, so that a repeat is known."""
    now = app[CLOCK].now()
    async with app[DATABASE].ACT.begin() as session:
        over = {"outcome": outcome, "reason": reason, "done_at": now, "body": None, "due_at": None}
        await _settle(session, [(item, over)])


async def _put_off(app: web.Application, item: InboxItem, error: Exception) -> None:
    """Tried again later, and when that was done often enough, not any more."""
    now = app[CLOCK].now()
    pause = backoff.next_attempt(item.attempts, item.activity_uri)
    if pause is None:
        await _end(app, item, DEAD, _reason(error))
        return
    asked = backoff.retry_after(error.retry_after, now=now) if isinstance(error, Unreachable) else None
    async with app[DATABASE].ACT.begin() as session:
        later = {"due_at": now + max(pause, asked or pause), "reason": _reason(error)}
        await _settle(session, [(item, later)])


class LeaseLost(Exception):
    """Our lease ended, and another worker has the item, or is done with it. What we did is rolled back."""


async def _settle(session: AsyncSession, items: Sequence[tuple[InboxItem, Mapping[str, Any]]]) -> None:
    """Write down how it went with items that are still ours; LeaseLost if one is not."""
    if not await settle_inbox(session, items):
        raise LeaseLost


def _reason(error: Exception) -> str:
    code = getattr(error, "code", type(error).__name__)
    return f"{code}: {getattr(error, 'sentence', error)}"[:REASON_LENGTH]
