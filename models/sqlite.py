"""SQLite as we use it: durable, and no more waiting than it asks for.

It knows one writer at a time. Who wants to write here waits in a queue, in the order of asking, instead of looking again and
again whether the file is free; between processes SQLite's own patience still holds. And a statement is one visit to the
connection's thread (run, fetch, close), not four; a transaction begins on its first statement's visit. Called by `models.base`
alone.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiosqlite
import orjson
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

PATIENCE: Final = 15.0  # seconds that a writer waits for its turn
READY: Final = (
    12  # connections that stay open once they were needed: opening one costs more than most uses of it
)
MORE: Final = 20
PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={PATIENCE * 1000:.0f}",
    "cache_size=-2000",
)

Run = Callable[[sqlite3.Cursor], object]


class Statement:
    """What SQLAlchemy asks of a cursor, for one statement."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    async def __aenter__(self) -> "Statement":
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Statement":
        return await self._visit(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> "Statement":
        return await self._visit(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """The visit closed it."""

    async def _visit(self, run: Run) -> "Statement":
        found = await self._connection.visit(run)
        self.description, self.rowcount, self.lastrowid, self._rows = found
        return self


class Connection(aiosqlite.Connection):
    """One connection with its thread. `writers` is the queue of all who want to write in this process."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], writers: asyncio.Lock) -> None:
        super().__init__(connect, iter_chunk_size=64)
        self._thread.daemon = True
        self._writers = writers
        self._writes = False
        self._beginning: str | None = None
        self._begun = False
        self.stopped: asyncio.Future[Any] | None = None

    def cursor(self) -> Statement:  # type: ignore[override]
        return Statement(self)

    def will(self, *, write: bool) -> None:
        """The next statement begins a transaction: one that reads what was committed by then, or one that may write."""
        self._beginning = "BEGIN IMMEDIATE" if write else "BEGIN"

    async def visit(self, run: Run) -> tuple[Any, int, int | None, list[Any]]:
        """Run a statement in the connection's thread; its description, row count, last row id and rows.

        If it begins a transaction that may write, it waits for its turn first: OperationalError if that takes too long.
        """
        beginning = self._beginning
        if beginning == "BEGIN IMMEDIATE" and not self._writes:
            await self._take_turn()

        self._begun = True

        def visit() -> tuple[Any, int, int | None, list[Any]]:
            cursor = self._conn.cursor()
            try:
                if beginning is not None:
                    cursor.execute(beginning)
                    self._beginning = None
                run(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return cursor.description, cursor.rowcount, cursor.lastrowid, rows
            finally:
                cursor.close()

        found: tuple[Any, int, int | None, list[Any]] = await self._execute(visit)  # type: ignore[no-untyped-call]
        return found

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._writers.acquire()
        except TimeoutError as error:
            raise sqlite3.OperationalError("database is locked") from error
        self._writes = True

    async def commit(self) -> None:
        await self._end(super().commit)

    async def rollback(self) -> None:
        if self._writes:
            await self._end(super().rollback)
            return
        self._beginning = None
        if self._begun:  # nobody who only read has to see it: the thread does it before whatever this connection is asked next
            self._begun = False
            self._tx.put_nowait((None, self._conn.rollback))

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        self._beginning = None
        try:
            if self.in_transaction:
                await end()
            self._begun = False
        finally:
            self._release()

    def stop(self) -> asyncio.Future[Any] | None:
        self._release()
        self.stopped = super().stop()
        return self.stopped

    def _release(self) -> None:
        if self._writes:
            self._writes = False
            self._writers.release()


def write_json(value: Any) -> str:
    """How columns of JSON are written."""
    return orjson.dumps(value).decode()


def _opened(*arguments: Any, **options: Any) -> sqlite3.Connection:
    """SQLite alone knows small letters of ASCII only; here “ÓSCAR” finds “Óscar”, as on PostgreSQL (but in locale C)."""
    connection: sqlite3.Connection = sqlite3.connect(*arguments, **options)
    connection.create_function("lower", 1, _lower, deterministic=True)
    return connection


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def open_engine(url: URL | str) -> AsyncEngine:
    """An engine for this file. Connections with the option `act` begin as writers, others see what was committed."""
    writers = asyncio.Lock()
    parsed = make_url(url)

    async def connect() -> aiosqlite.Connection:
        arguments: list[Any]
        arguments, options = engine.dialect.create_connect_args(parsed)  # type: ignore[assignment]
        connection = Connection(lambda: _opened(*arguments, **options), writers)
        try:
            return await connection
        except BaseException:
            if connection.stopped is not None:
                await connection.stopped  # its thread has ended before the loop can
            raise

    in_a_file = parsed.database not in (None, "", ":memory:")
    pool = {"pool_size": READY, "max_overflow": MORE} if in_a_file else {}
    engine = create_async_engine(
        parsed, async_creator=connect, hide_parameters=True, json_serializer=write_json, **pool
    )

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        acts = connection.get_execution_options().get("act", False)
        connection.connection.driver_connection.will(write=acts)

    return engine
