"""The database: one engine, two session makers, column types, wake-ups.

`READ` sessions never wait for writers; `ACT` sessions change things. On SQLite `ACT` begins IMMEDIATE (its default begin loses
updates silently); on PostgreSQL an action locks the rows it will change. Faces and workers open transactions; nothing here
decides anything. Called by `server.app`, the command line and tests.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, event, insert, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from models.sqlite import open_engine, write_json
from models.waking import CHANGED, CHANNEL, Ears, Wakes


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant, on both databases; a naive one is refused rather than guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored; pass aware UTC")
        return value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Kept for a while: rows that are written or read together mostly bear the same instants."""
        process: Any = super().bind_processor(dialect)
        return lru_cache(maxsize=256)(process)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        process: Any = super().result_processor(dialect, coltype)
        return lru_cache(maxsize=256)(process)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables. Names of constraints are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime()}  # noqa: RUF012 - SQLAlchemy reads it from the class


@dataclass(frozen=True)
class Database:
    """An open database. `READ()` and `ACT.begin()` are the only ways in; `wakes` says which queue has new rows."""

    engine: AsyncEngine
    READ: async_sessionmaker[AsyncSession]
    ACT: async_sessionmaker[AsyncSession]
    wakes: Wakes
    ears: Ears

    @property
    def is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def woken(self, name: str) -> asyncio.Event:
        """The event that is set whenever a committed transaction called `wake(session, name)`, here or (once `listen` was called)
        in another process."""
        return self.wakes.event(name)

    async def listen(self) -> None:
        """From now on wake-ups by other processes reach this one too, over one connection however often this is called."""
        await self.ears.open()

    async def close(self) -> None:
        await self.ears.close()
        await self.engine.dispose()


def open_database(url: str) -> Database:
    """Open `url` (`sqlite+aiosqlite:///file` or `postgresql+asyncpg://…`); connects only when first used."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = open_engine(parsed)
    else:
        engine = create_async_engine(
            parsed,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            hide_parameters=True,  # an error that is logged or kept as a reason tells nobody's position
            json_serializer=write_json,
        )
    wakes = Wakes()
    return Database(
        engine,
        READ=async_sessionmaker(engine, expire_on_commit=False),
        ACT=async_sessionmaker(
            engine.execution_options(act=True),
            expire_on_commit=False,
            sync_session_class=ActSession,
            info={"wakes": wakes},
        ),
        wakes=wakes,
        ears=Ears(engine, wakes),
    )


class ActSession(Session):
    """A session of `ACT`: at its commit it writes what was left for it, and after it, it wakes who waits for what it wrote."""


@event.listens_for(ActSession, "before_commit")
def _write_what_was_left(session: Session) -> None:
    left, later = session.info.pop("left", {}), session.info.pop("later", {})
    if left or later:
        session.flush()  # what these rows refer to comes first
    for table, rows in left.items():
        session.execute(_insert(table), rows)
    for write, items in later.items():
        write(session, items)
    woken = session.info.get("woken")
    if woken and session.get_bind().dialect.name == "postgresql":
        session.execute(_NOTIFY, {"channel": CHANNEL, "names": sorted(woken)})


@event.listens_for(ActSession, "after_commit")
def _wake_who_waits(session: Session) -> None:
    session.info.pop("kept", None)
    for name in session.info.pop("woken", ()):
        session.info["wakes"].hear(name)


@event.listens_for(ActSession, "after_rollback")
def _forget(session: Session) -> None:
    for what in ("left", "later", "woken", "kept"):
        session.info.pop(what, None)


def write_at_commit(session: AsyncSession, table: type[Base], **row: Any) -> None:
    """Have this row written when the transaction commits, in one statement with all others for this table. Nobody reads it
    before; it needs no id."""
    if not isinstance(session.sync_session, ActSession):
        raise TypeError("only a session of ACT writes")
    session.sync_session.info.setdefault("left", {}).setdefault(table.__table__, []).append(row)


def at_commit(session: AsyncSession, write: Callable[[Session, list[Any]], None], item: Any) -> None:
    """Have `write` called once when the transaction commits, with all items that were left for it: the place for rows that
    everybody touches, so that they are locked last, for a moment and in one order."""
    if not isinstance(session.sync_session, ActSession):
        raise TypeError("only a session of ACT writes")
    session.sync_session.info.setdefault("later", {}).setdefault(write, []).append(item)


def kept(session: AsyncSession, what: str) -> dict[str, Any]:
    """A table that lasts as long as the transaction: for what was looked up and locked in it, so that nobody else changes it."""
    table: dict[str, Any] = session.sync_session.info.setdefault("kept", {}).setdefault(what, {})
    return table


_NOTIFY = text("SELECT pg_notify(:channel, name) FROM unnest(CAST(:names AS text[])) AS name")


async def wake(session: AsyncSession, name: str) -> None:
    """When this transaction commits, workers that wait for `name` look at once (in every process on PostgreSQL)."""
    session.sync_session.info.setdefault("woken", set()).add(name)


async def changed(session: AsyncSession, what: str) -> None:
    """When this transaction commits, open pages that show `what` are looked at again (in every process on PostgreSQL): a scope by
    its name, or `LOGINS`."""
    await wake(session, CHANGED + what)


LOGINS = "log-ins"  # somebody's log-in was ended


def insert_once(session: AsyncSession, table: type[Base], returning: str | None = None) -> Any:
    """An INSERT into the table of this class that leaves alone what is there already; it may return a column of what is new."""
    return _insert_once(table, returning, session.get_bind().dialect.name == "postgresql")


@cache
def _insert(table: Any) -> Any:
    return insert(table)


@cache
def _insert_once(table: Any, returning: str | None, is_postgresql: bool) -> Any:
    insert_ = (postgresql_insert if is_postgresql else sqlite_insert)(
        table.__table__
    ).on_conflict_do_nothing()
    return insert_.returning(table.__table__.c[returning]) if returning else insert_
