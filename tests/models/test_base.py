"""Sessions that act: what is left for the commit is written with it, and only with it; on both databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from models.base import Database, open_database, wake
from models.events import Event, log
from models.ledger import Scope
from models.waking import CHANNEL

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    opened = open_database(migrated_url)
    yield opened
    await opened.close()


async def events(database: Database) -> list[tuple[str, object]]:
    async with database.READ() as session:
        rows = (await session.scalars(select(Event).order_by(Event.id))).all()
    return [(row.kind, row.detail) for row in rows]


async def test_what_is_left_for_the_commit_is_written_with_it_in_order(database: Database) -> None:
    async with database.ACT.begin() as session:
        log(session, "first", NOW, number=1)
        session.add(Scope(name="a" * 64, kind="decision", visibility="public", created_at=NOW))
        log(session, "second", NOW)
        assert await session.scalar(select(func.count()).select_from(Scope)) == 1
        log(session, "third", NOW, number=3)
    assert await events(database) == [("first", {"number": 1}), ("second", {}), ("third", {"number": 3})]


async def test_nothing_that_was_left_outlives_a_rollback(database: Database) -> None:
    session = database.ACT()
    async with session.begin():
        log(session, "never", NOW)
        await wake(session, "delivery")
        await session.rollback()
    async with session.begin():
        log(session, "later", NOW)
    await session.close()
    assert await events(database) == [("later", {})]
    assert not database.woken("delivery").is_set()


async def test_who_waits_is_woken_by_the_commit_and_not_before(database: Database) -> None:
    await database.listen()
    async with database.ACT.begin() as session:
        await wake(session, "inbox")
        assert not database.woken("inbox").is_set()
    await asyncio.wait_for(database.woken("inbox").wait(), 5)


async def test_a_session_that_only_reads_leaves_nothing_to_write(database: Database) -> None:
    async with database.READ() as session:
        with pytest.raises(TypeError):
            log(session, "never", NOW)
    assert await events(database) == []


async def test_an_error_tells_nothing_of_what_was_to_be_written(database: Database) -> None:
    async with database.ACT() as session:
        words = {"says": "bo objects"}
        with pytest.raises(DBAPIError) as failed:
            await session.execute(text("INSERT INTO nowhere (position) VALUES (:says)"), words)
    assert "bo objects" not in str(failed.value)


async def test_a_connection_that_listens_and_is_lost_is_opened_again(database: Database) -> None:
    if not database.is_postgresql:
        pytest.skip("on SQLite there is one process, and nothing listens")
    await database.listen()
    woken = database.woken("inbox")
    ended = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'")
    async with database.engine.connect() as connection:
        assert (await connection.execute(ended)).all()
    await asyncio.wait_for(woken.wait(), 20)  # whoever waits looks, as something may have been missed
    woken.clear()
    async with database.engine.connect() as connection:
        await connection.execute(text(f"SELECT pg_notify('{CHANNEL}', 'inbox')"))
        await connection.commit()
    await asyncio.wait_for(woken.wait(), 20)
