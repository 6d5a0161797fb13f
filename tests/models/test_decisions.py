"""What the first page asks of decisions, where there are many past ones: indexes answer it, and only what is found is read."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions
from models.base import Database, open_database
from models.decisions import Decision
from models.ledger import RecordRow, Scope
from models.migrations import migrate

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
PAST = 3_000
US = "z6MkUs"
THEM = "z6MkThem"
RUNNING = ("gathering", "deliberating", "voting", "heard")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    await migrate(opened.engine)
    async with opened.ACT.begin() as session:
        await put(session, range(PAST), state="final", is_over=True, outcome="adopted")
    async with opened.ACT.begin() as session:
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(text("ANALYZE"))  # as it does by itself after a while
    yield opened
    await opened.close()


async def put(session: AsyncSession, numbers: range, *, answer: str = "binding", **row: Any) -> None:
    """Decisions that our collective answered."""
    names = [f"{number:064x}" for number in numbers]
    scopes = [{"name": one, "kind": "decision", "visibility": "public", "created_at": NOW} for one in names]
    inserted = insert(Scope).returning(Scope.id, sort_by_parameter_order=True)
    ids = list(await session.scalars(inserted, scopes))
    usual = {"question": "0" * 64, "convener": US, "method": "consent", "opens_at": NOW - 9 * DAY}
    usual |= {"closes_at": NOW - 7 * DAY, "set_root": "", "set_size": 1, "as_of": NOW}
    await session.execute(insert(Decision), [usual | row | {"scope_id": id_} for id_ in ids])
    body = f'{{"takes":"{answer}"}}'.encode()
    usual = {"type": "Answer", "by": US, "at": NOW - 9 * DAY, "body": body, "received_at": NOW}
    records = [usual | {"scope_id": id_, "digest": one} for id_, one in zip(ids, names, strict=True)]
    await session.execute(insert(RecordRow), records)


async def plans(database: Database, ask: Callable[[AsyncSession], Awaitable[object]]) -> str:
    """How the database goes about the statements of a question."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, asked: Any, *_: Any) -> None:
        sent.append((statement, asked))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    async with database.READ() as session:
        await ask(session)
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    lines = []
    async with database.engine.connect() as connection:
        for statement, asked in sent:
            if statement.startswith("SELECT"):
                found = await connection.exec_driver_sql(f"{explain} {statement}", asked)
                lines += [str(row[-1]) for row in found]
    assert lines
    return "\n".join(lines)


def read_whole(plan: str) -> set[str]:
    """The tables that are read from their beginning to their end, of those that grow with every decision."""
    growing = {"decisions", "scopes", "records", "texts"}
    return {table for table in growing if re.search(rf"(SCAN|Seq Scan on) {table}\b", plan)}


async def test_what_can_be_ratified_is_found_by_its_index(database: Database) -> None:
    async with database.ACT.begin() as session:
        usual = {"state": "final", "is_over": True, "outcome": "adopted"}
        await put(session, range(PAST, PAST + 3), answer="ratifies", ratify_until=NOW + 2 * DAY, **usual)
        await put(session, range(PAST + 3, PAST + 4), ratify_until=NOW + DAY, **usual)
        await put(session, range(PAST + 4, PAST + 5), ratify_until=NOW - DAY, **usual)
        said = RecordRow(scope_id=PAST + 1, digest="f" * 64, type="Ratify", by=US, at=NOW, body=b"{}")
        said.received_at = NOW
        theirs = RecordRow(scope_id=PAST + 2, digest="e" * 64, type="Ratify", by=THEM, at=NOW, body=b"{}")
        theirs.received_at = NOW
        session.add_all([said, theirs])
    async with database.READ() as session:
        found = await decisions.unratified(session, US, NOW, 100)
        assert await decisions.unratified(session, THEM, NOW, 100) == []
        assert len(await decisions.unratified(session, US, NOW, 1)) == 1
    assert [(scope.id, answer["takes"]) for _, scope, answer in found] == [
        (PAST + 4, "binding"),
        (PAST + 2, "ratifies"),
        (PAST + 3, "ratifies"),
    ]
    plan = await plans(database, lambda session: decisions.unratified(session, US, NOW, 100))
    assert "ix_decisions_ratify_until" in plan
    assert read_whole(plan) == set()


async def test_where_a_member_sits_is_found_without_reading_all_decisions(database: Database) -> None:
    plan = await plans(
        database, lambda session: decisions.seated_in(session, 1, RUNNING, since=NOW - 150 * DAY)
    )
    assert read_whole(plan) == set()


async def test_what_nobody_answered_is_found_by_state(database: Database) -> None:
    """One that they asked and we did not answer, among many that we answered."""
    usual = {"state": "deliberating", "is_over": False}
    async with database.ACT.begin() as session:
        await put(session, range(PAST, PAST + 2), **usual)
    async with database.READ() as session:
        assert await decisions.unanswered(session, US, ("deliberating",)) == []
        assert len(await decisions.unanswered(session, THEM, ("deliberating",))) == 2
    plan = await plans(database, lambda session: decisions.unanswered(session, US, ("deliberating",)))
    assert "ix_decisions_state" in plan
    assert read_whole(plan) == set()
