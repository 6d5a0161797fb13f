"""What happens by itself. A pass looks for rows that are due, handles them and says how many; the row is the job.

`PASSES` is the whole list. In production each runs in a loop that is woken by `models.base.wake` and looks every `JURA_POLL`
seconds anyway; tests and the demo call the passes by hand. A pass never raises for one bad row.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from server.keys import DATABASE, SETTINGS, STOPPING
from server.workers.decisions import decisions_due
from server.workers.delivery import deliveries_due
from server.workers.feeds import feeds_due
from server.workers.inbox import inbox_due
from server.workers.mail import mail_due
from server.workers.notices import notices_due
from server.workers.pulses import pulses_due
from server.workers.repair import repairs_due
from server.workers.retention import pruning_due

Pass = Callable[[web.Application], Awaitable[int]]

PASSES: dict[str, Pass] = {
    "inbox": inbox_due,
    "decisions": decisions_due,
    "pulses": pulses_due,
    "feeds": feeds_due,
    "delivery": deliveries_due,
    "repair": repairs_due,
    "notices": notices_due,
    "mail": mail_due,
    "pruning": pruning_due,
}

logger = logging.getLogger(__name__)


async def run_workers(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: the passes run while the application does; at its end they finish what they hold."""
    stop = app[STOPPING]
    stop.clear()
    tasks = [asyncio.create_task(_loop(app, name, due, stop), name=name) for name, due in PASSES.items()]
    await app[DATABASE].listen()
    yield
    stop.set()
    for name in PASSES:
        app[DATABASE].woken(name).set()
    await asyncio.gather(*tasks)


async def _loop(app: web.Application, name: str, due: Pass, stop: asyncio.Event) -> None:
    """Call a pass again and again: at once while it finds work, else when woken or after the poll interval."""
    woken = app[DATABASE].woken(name)
    while not stop.is_set():
        woken.clear()
        try:
            worked = await due(app)
        except Exception:  # the database may be away for a while; the rows wait
            logger.exception("the %s pass failed; it is tried again", name)
            worked = 0
        if not worked and not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), app[SETTINGS].poll)


async def settle(app: web.Application) -> int:
    """Run every pass until none finds work; returns how many rows were handled."""
    total = 0
    while worked := sum([await due(app) for due in PASSES.values()]):
        total += worked
    return total
