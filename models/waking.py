"""Who waits in this process for what others commit, here or in another process.

Workers wait for a queue by its name; pages that are open wait for what they show. On PostgreSQL one connection of each process
listens (LISTEN/NOTIFY); on SQLite there is one process. What is heard is a hint, never a fact: whoever is woken looks at the
rows, and looks now and then anyway. Used by `models.base`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CHANNEL: Final = "jura_wake"
CHANGED: Final = "changed "  # before the name of something that pages show
CHECKED_EVERY: Final = 60.0  # seconds: a connection that is lost silently is noticed by asking
ANSWERS_WITHIN: Final = 10.0
TRIED_AGAIN: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between attempts to connect again

logger = logging.getLogger(__name__)
Hearer = Callable[[str], None]


class Wakes:
    """The events of this process by name, and those who are told what changed."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self.hearers: list[Hearer] = []

    def event(self, name: str) -> asyncio.Event:
        return self._events.setdefault(name, asyncio.Event())

    def hear(self, name: str) -> None:
        """A transaction was committed that woke this name, or that changed what it names."""
        if not name.startswith(CHANGED):
            self.event(name).set()
            return
        for hearer in self.hearers:
            hearer(name.removeprefix(CHANGED))

    def hear_all(self) -> None:
        """Something may have been missed: everybody looks. (Open pages look at everything by themselves now and then.)"""
        for event in self._events.values():
            event.set()


class Ears:
    """The connection of this process that listens. It is opened when first wanted, and again when it was lost."""

    def __init__(self, engine: AsyncEngine, wakes: Wakes) -> None:
        self._engine, self._wakes = engine, wakes
        self._opening = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """From now on what other processes commit is heard here. A second time changes nothing; a database that is away raises."""
        if self._engine.dialect.name != "postgresql":
            return
        async with self._opening:
            if self._listening is None:
                connection, lost = await self._connect()
                self._listening = asyncio.create_task(self._keep(connection, lost), name="ears")

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None

    async def _connect(self) -> tuple[AsyncConnection, asyncio.Event]:
        connection = await self._engine.connect()
        try:
            lost = asyncio.Event()
            raw: Any = (await connection.get_raw_connection()).driver_connection
            raw.add_termination_listener(lambda _connection: lost.set())
            await raw.add_listener(CHANNEL, lambda _connection, _pid, _channel, name: self._wakes.hear(name))
        except BaseException:
            await _end(connection)
            raise
        return connection, lost

    async def _keep(self, connection: AsyncConnection, lost: asyncio.Event) -> None:
        while True:
            try:
                await _until_lost(connection, lost)
            finally:
                await _end(connection)
            logger.warning("the connection that listens was lost; it is opened again")
            connection, lost = await self._connect_again()
            self._wakes.hear_all()

    async def _connect_again(self) -> tuple[AsyncConnection, asyncio.Event]:
        tries = 0
        while True:
            try:
                return await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever it is, the database is away
                logger.info("cannot listen yet: %s", type(error).__name__)
            await asyncio.sleep(TRIED_AGAIN[min(tries, len(TRIED_AGAIN) - 1)])
            tries += 1


async def _until_lost(connection: AsyncConnection, lost: asyncio.Event) -> None:
    raw: Any = (await connection.get_raw_connection()).driver_connection
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), CHECKED_EVERY)
            return
        try:
            await asyncio.wait_for(raw.execute("SELECT 1"), ANSWERS_WITHIN)
        except Exception:  # noqa: BLE001 - it does not answer, and another one is needed
            return


async def _end(connection: AsyncConnection) -> None:
    """It is closed, and not given to anybody else: it listens."""
    with contextlib.suppress(Exception):
        await connection.invalidate()
    with contextlib.suppress(Exception):
        await connection.close()
