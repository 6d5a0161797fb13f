"""SQLite as we open it: writers take turns, readers see one moment, and whatever ends a transaction ends the turn."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from models import sqlite
from models.base import Database, open_database


@pytest.fixture
async def database(
    tmp_path: Path, pragmas: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """As in production."""
    monkeypatch.setattr(sqlite, "PRAGMAS", pragmas)
    opened = open_database(f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite'}")
    async with opened.ACT.begin() as session:
        await session.execute(text("CREATE TABLE word (id INTEGER PRIMARY KEY, said TEXT UNIQUE)"))
    yield opened
    await opened.close()


async def write(database: Database, said: str, after: asyncio.Event | None = None) -> None:
    async with database.ACT.begin() as session:
        await session.execute(text("INSERT INTO word (said) VALUES (:said)"), {"said": said})
        if after is not None:
            await after.wait()


async def said(database: Database) -> list[str]:
    async with database.READ() as session:
        return list((await session.scalars(text("SELECT said FROM word ORDER BY id"))).all())


async def test_writers_take_turns_in_the_order_in_which_they_asked(database: Database) -> None:
    words = ["first", "second", "third", "fourth", "fifth"]
    await asyncio.gather(*(write(database, f"connected {word}") for word in words))
    await asyncio.gather(*(write(database, word) for word in words))
    assert (await said(database))[-5:] == words


async def test_many_who_read_and_then_write_lose_nothing(database: Database) -> None:
    await write(database, "0")

    async def count_on() -> None:
        async with database.ACT.begin() as session:
            number = await session.scalar(text("SELECT said FROM word"))
            await session.execute(text("UPDATE word SET said = :next"), {"next": str(int(number) + 1)})

    await asyncio.gather(*(count_on() for _ in range(20)))
    assert await said(database) == ["20"]


async def test_who_reads_waits_for_no_writer_and_sees_one_moment(database: Database) -> None:
    go_on = asyncio.Event()
    writing = asyncio.create_task(write(database, "later", go_on))
    await asyncio.sleep(0)
    async with database.READ() as session:
        count = text("SELECT count(*) FROM word")
        before = await session.scalar(count)
        go_on.set()
        await writing
        assert (before, await session.scalar(count)) == (0, 0)
    assert await said(database) == ["later"]


async def test_a_failed_transaction_leaves_nothing_and_lets_the_next_in(database: Database) -> None:
    await write(database, "once")

    async def write_twice() -> None:
        async with database.ACT.begin() as session:
            await session.execute(text("INSERT INTO word (said) VALUES ('more')"))
            await session.execute(text("INSERT INTO word (said) VALUES ('once')"))

    with pytest.raises(IntegrityError):
        await write_twice()
    await write(database, "twice")
    assert await said(database) == ["once", "twice"]


async def test_a_writer_that_is_cancelled_lets_the_next_in(database: Database) -> None:
    writing = asyncio.create_task(write(database, "never", asyncio.Event()))
    waiting = asyncio.create_task(write(database, "not either"))
    last = asyncio.create_task(write(database, "last"))
    await asyncio.sleep(0)
    for task in (waiting, writing):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await last
    assert await said(database) == ["last"]


async def test_who_waits_for_a_turn_too_long_is_told_that_the_database_is_locked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.01)
    async with database.ACT.begin() as session:
        await session.execute(text("INSERT INTO word (said) VALUES ('first')"))
        with pytest.raises(OperationalError, match="locked"):
            await write(database, "second")
    assert await said(database) == ["first"]


async def test_a_transaction_in_which_nothing_was_said_ends_too(database: Database) -> None:
    async with database.ACT.begin() as session:
        await session.connection()
    async with database.READ() as session:
        await session.connection()
    await write(database, "still works")
    assert await said(database) == ["still works"]


async def test_part_of_a_transaction_can_be_taken_back(database: Database) -> None:
    async with database.ACT.begin() as session:
        part = await session.begin_nested()
        await session.execute(text("INSERT INTO word (said) VALUES ('taken back')"))
        await part.rollback()
        await session.execute(text("INSERT INTO word (said) VALUES ('stays')"))
    assert await said(database) == ["stays"]


async def test_another_process_that_writes_is_waited_for(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO word (said) VALUES ('theirs')")
    ours = asyncio.create_task(write(database, "ours"))
    while not ours.done() and other.in_transaction:
        await asyncio.sleep(0)
        other.execute("COMMIT")
    await ours
    other.close()
    assert await said(database) == ["theirs", "ours"]


async def test_a_database_is_durable_and_holds_its_references(database: Database) -> None:
    async with database.READ() as session:
        asked = ("journal_mode", "synchronous", "foreign_keys")
        found = [await session.scalar(text(f"PRAGMA {name}")) for name in asked]
    assert found == ["wal", 2, 1]


async def test_a_database_in_memory_works_too() -> None:
    opened = open_database("sqlite+aiosqlite:///:memory:")
    async with opened.ACT.begin() as session:
        await session.execute(text("CREATE TABLE word (id INTEGER PRIMARY KEY, said TEXT UNIQUE)"))
    await write(opened, "here")
    assert await said(opened) == ["here"]
    await opened.close()


SLOW = "INSERT INTO word (said) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT max(i) FROM n"


async def test_a_writer_cancelled_in_the_middle_of_a_statement_leaves_nothing_and_no_turn(
    database: Database,
) -> None:
    async def write_slowly() -> None:
        async with database.ACT.begin() as session:
            await session.execute(text(SLOW))

    for _ in range(3):
        writing = asyncio.create_task(write_slowly())
        await asyncio.wait({writing}, timeout=0.02)
        assert writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        async with asyncio.timeout(sqlite.PATIENCE / 3):
            await write(database, "next")
            async with database.ACT.begin() as session:
                await session.execute(text("DELETE FROM word WHERE said = 'next'"))
    assert await said(database) == []


async def test_a_reader_cancelled_in_the_middle_sees_the_present_next_time(database: Database) -> None:
    async def read_slowly() -> None:
        async with database.READ() as session:
            await session.execute(text(SLOW.partition("(said) ")[2]))

    reading = asyncio.create_task(read_slowly())
    await asyncio.wait({reading}, timeout=0.02)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await write(database, "present")
    assert await said(database) == ["present"]


async def test_whenever_a_writer_is_cancelled_the_others_go_on_and_what_it_said_stands_whole_or_not_at_all(
    database: Database,
) -> None:
    async def write_pair(number: int) -> None:
        async with database.ACT.begin() as session:
            await session.execute(text("INSERT INTO word (said) VALUES (:said)"), {"said": f"{number} a"})
            await session.execute(text("INSERT INTO word (said) VALUES (:said)"), {"said": f"{number} b"})

    writing = [asyncio.create_task(write_pair(number)) for number in range(60)]
    for number, task in enumerate(writing):
        if number % 3 == 0:
            await asyncio.wait({task}, timeout=0.0004 * (number % 11))
            task.cancel()
    done = await asyncio.gather(*writing, return_exceptions=True)
    assert {type(one) for one in done} <= {type(None), asyncio.CancelledError}
    found = await said(database)
    whole = {f"{number} {half}" for number, one in enumerate(done) if one is None for half in "ab"}
    assert whole <= set(found)
    assert all({f"{one.split()[0]} a", f"{one.split()[0]} b"} <= set(found) for one in found)
    async with asyncio.timeout(sqlite.PATIENCE / 3):
        await write(database, "last")


async def test_a_writer_cancelled_twice_while_its_connection_closes_gives_up_its_turn(
    database: Database,
) -> None:
    async def write_slowly() -> None:
        async with database.ACT.begin() as session:
            await session.execute(text(SLOW))

    writing = asyncio.create_task(write_slowly())
    await asyncio.wait({writing}, timeout=0.02)
    for _ in range(4):
        writing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with asyncio.timeout(sqlite.PATIENCE / 3):
        await write(database, "next")
    assert await said(database) == ["next"]


async def test_a_commit_that_fails_gives_up_the_turn(database: Database) -> None:
    async with database.ACT.begin() as session:
        await session.execute(
            text(
                "CREATE TABLE letter (id INTEGER PRIMARY KEY, "
                "word INTEGER REFERENCES word (id) DEFERRABLE INITIALLY DEFERRED)"
            )
        )

    async def write_wrongly() -> None:
        async with database.ACT.begin() as session:
            await session.execute(text("INSERT INTO letter (word) VALUES (7)"))

    with pytest.raises(IntegrityError):
        await write_wrongly()
    async with asyncio.timeout(sqlite.PATIENCE / 3):
        await write(database, "next")
    assert await said(database) == ["next"]
