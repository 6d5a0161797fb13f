"""Migrations: what there is, where a database is, and that a start with nothing to do stays light."""

import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, inspect, select, text

from models import migrations, tables
from models.base import Database, open_database
from models.decisions import Decision
from models.ledger import Scope
from models.migrations import VERSIONS, DatabaseProblem, check, current, head, migrate, revisions
from models.migrations.upgrading import config

ROOT = Path(__file__).resolve().parents[2]
LANDED = {
    "0001": "73f498c24ec68247",
    "0002": "405edbc81e81d068",
    "0003": "2170782605a204f3",
    "0004": "6b885e3ff7b71009",
}  # a new step adds its line; no other line changes


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


def test_the_revisions_that_we_see_are_those_that_alembic_sees() -> None:
    scripts = ScriptDirectory.from_config(config())
    assert head() == scripts.get_current_head()
    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]


async def test_an_empty_database_gets_every_table_once(database: Database) -> None:
    assert await migrate(database.engine) == (None, head())
    async with database.engine.connect() as connection:
        found = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert found == {*tables.metadata.tables, "alembic_version"}
    assert await migrate(database.engine) == (head(), head())
    await check(database.engine)


async def test_what_migrations_make_is_what_the_models_say(database: Database) -> None:
    await migrate(database.engine)

    def differences(sync: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(sync), tables.metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_older_database_keeps_what_it_holds_and_looks_again_at_what_was_adopted(
    database: Database,
) -> None:
    closed = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def at_the_second(sync: Connection) -> None:
        settings = config()
        settings.attributes["connection"] = sync
        command.upgrade(settings, "0002")
        old = MetaData()
        old.reflect(sync, only=["scopes", "decisions"])
        for number, outcome in enumerate(("adopted", "declined"), 1):
            scope = {"id": number, "name": f"scope{number}", "due_at": None}
            sync.execute(old.tables["scopes"].insert().values(filled(old.tables["scopes"], closed) | scope))
            row = {"scope_id": number, "outcome": outcome}
            sync.execute(
                old.tables["decisions"].insert().values(filled(old.tables["decisions"], closed) | row)
            )

    async with database.engine.begin() as connection:
        await connection.run_sync(at_the_second)
    assert await migrate(database.engine) == ("0002", head())
    async with database.READ() as session:
        due = (await session.execute(select(Scope.name, Scope.due_at).order_by(Scope.id))).all()
        kept = (await session.execute(select(Decision.outcome, Decision.ratify_until))).all()
    assert [tuple(row) for row in due] == [("scope1", closed), ("scope2", None)]
    assert sorted(tuple(row) for row in kept) == [("adopted", None), ("declined", None)]


def filled(table: Table, instant: datetime) -> dict[str, object]:
    """Something for every column that must not be empty."""
    plain: dict[type[Any], object] = {str: "x", int: 1, bool: False, bytes: b"x", datetime: instant, dict: {}}
    return {c.name: plain[c.type.python_type] for c in table.columns if not c.nullable}


@pytest.mark.parametrize("lost", ["DROP TABLE removals", "ALTER TABLE decisions DROP COLUMN as_of"])
async def test_a_database_of_before_the_first_version_is_refused_in_words(
    database: Database, lost: str
) -> None:
    await migrate(database.engine)
    async with database.ACT.begin() as session:
        await session.execute(text(lost))
    for way in (check, migrate):
        with pytest.raises(DatabaseProblem, match=r"made before 23 November 2026"):
            await way(database.engine)


async def test_a_step_that_does_not_fit_the_database_changes_nothing_and_is_said_in_words(
    database: Database,
) -> None:
    def at_the_second_and_then_by_hand(sync: Connection) -> None:
        settings = config()
        settings.attributes["connection"] = sync
        command.upgrade(settings, "0002")
        sync.execute(text("DROP INDEX ix_decisions_state"))

    async with database.engine.begin() as connection:
        await connection.run_sync(at_the_second_and_then_by_hand)
    with pytest.raises(DatabaseProblem, match="nothing was changed"):
        await migrate(database.engine)
    assert await current(database.engine) == "0002"
    async with database.engine.connect() as connection:
        columns = await connection.run_sync(lambda sync: inspect(sync).get_columns("decisions"))
    assert "ratify_until" not in {column["name"] for column in columns}


def test_what_is_on_the_main_branch_is_not_changed_any_more() -> None:
    """A database out there has gone through it. What is new is a step of its own."""
    digests = {
        path.name[:4]: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in VERSIONS.glob("0*.py")
    }
    assert digests == LANDED


async def test_a_database_that_is_not_prepared_or_newer_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseProblem, match="jura migrate"):
        await check(database.engine)
    await migrate(database.engine)
    async with database.ACT.begin() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await current(database.engine) == "9999"
    for way in (check, migrate):
        with pytest.raises(DatabaseProblem, match="newer version"):
            await way(database.engine)


async def test_a_database_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    missing = open_database(f"sqlite+aiosqlite:///{tmp_path / 'none' / 'x.sqlite'}")
    with pytest.raises(DatabaseProblem, match="cannot be opened"):
        await current(missing.engine)
    await missing.close()


def test_an_installation_without_migrations_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "VERSIONS", tmp_path)
    with pytest.raises(DatabaseProblem, match="no migrations"):
        head()


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite'}"
    program = f"""
import asyncio, sys
from models.base import open_database
from models.migrations import migrate
import server.app, server.cli.serving

async def start():
    database = open_database({url!r})
    await migrate(database.engine)
    await database.close()

asyncio.run(start())
sys.exit(10 if "alembic" in sys.modules else 0)
"""
    started = [sys.executable, "-c", program]
    assert [subprocess.run(started, cwd=ROOT, check=False).returncode for _ in range(2)] == [10, 0]


def test_help_is_said_without_loading_what_runs_a_server() -> None:
    program = """
import contextlib, io, sys
from server.__main__ import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main(["--help"])
sys.exit(bool({"sqlalchemy", "aiohttp", "bovine"} & set(sys.modules)))
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
