"""Working off claimed rows, several at a time. A slow or dead one takes its own place and nobody else's.

Who claims and what is done with a job is the pass's business; here is only the coming and going.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from aiohttp import web

from server.keys import DATABASE, SETTINGS, STOPPING

Job = TypeVar("Job")
logger = logging.getLogger(__name__)


async def keep_busy(
    app: web.Application,
    name: str,
    places: int,
    claim: Callable[[int], Awaitable[Iterable[Job]]],
    work: Callable[[Job], Awaitable[int]],
    gather: float = 0.0,
) -> int:
    """Claim and work until nothing is due and nothing runs; returns the sum of what `work` returned.

    `claim(n)` takes at most n jobs. While a job runs, others that become due are taken as soon as there is a place: when
    woken by `name`, after the poll interval, or when a place gets free. While more comes or is being done, it is waited for
    `gather` seconds, so that many are claimed at once. When the server stops, what runs is finished.
    A job that fails unexpectedly is logged; its row keeps its lease and is tried again after it.
    """
    woken, running, total = app[DATABASE].woken(name), set[asyncio.Task[int]](), 0
    try:
        while True:
            woken.clear()
            if len(running) < places and not app[STOPPING].is_set():
                for job in await claim(places - len(running)):
                    running.add(asyncio.create_task(_guarded(name, work, job)))
            if not running:
                return total
            await _something(running, woken, app[SETTINGS].poll)
            if gather and woken.is_set():
                await asyncio.sleep(gather)
            elif gather:
                await asyncio.wait(running, timeout=gather)
            done = {task for task in running if task.done()}
            running -= done
            total += sum(task.result() for task in done)
    finally:
        await asyncio.gather(*running)


async def _guarded(name: str, work: Callable[[Job], Awaitable[int]], job: Job) -> int:
    """What the job returns, or nothing if it failed."""
    try:
        return await work(job)
    except Exception:
        logger.exception("a job of the %s pass failed; it is tried again when its lease ends", name)
        return 0


async def _something(running: Iterable[asyncio.Task[Any]], woken: asyncio.Event, poll: float) -> None:
    """Returns when a task is done, when woken, or after `poll` seconds."""
    waker = asyncio.create_task(woken.wait())
    try:
        await asyncio.wait({waker, *running}, timeout=poll, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waker
