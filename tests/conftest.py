"""What every test may ask for: a database that nobody else uses, once on each kind we support, and what a run makes only once.

A fixture of a session is made anew for each file that imports it, so those that cost something are here and imported nowhere.
"""

import asyncio
import gc
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from models import base, sqlite
from models.migrations import migrate
from tests import postgres
from tests.federation.stock import Stock

# The same commands are started again and again: what they compile of ours may be kept, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A run holds much and leaves little: looking for garbage at every 700 objects took a tenth of its time.
gc.set_threshold(50_000, 20, 50)

# What takes longest starts first, lest one processor waits for the other at the end (with `--no-loadscope-reorder`).
LONGEST = (
    "tests/federation/test_kill.py",
    "tests/federation/",
    "tests/server/test_",
    "tests/server/web/",
    "tests/server/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order of `LONGEST`, else as they were found."""

    def place(item: pytest.Item) -> int:
        return next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """The one cluster of this run. Without PostgreSQL the test is skipped, or failed where CI promised it."""
    try:
        with postgres.running() as cluster:
            yield cluster
    except postgres.NoPostgres as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of this test's own; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'jura.sqlite3'}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as url:
        yield url


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Keys and kept federations of this run."""
    return Stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where instances that were founded once are kept to be copied (`tests.server.peers.world`)."""
    return tmp_path_factory.mktemp("founded")


@pytest.fixture(scope="session", autouse=True)
def pragmas() -> Iterator[tuple[str, ...]]:
    """What tests write to SQLite need not survive a power cut, as on PostgreSQL. These are the pragmas of production."""
    with pytest.MonkeyPatch.context() as patch:
        durable = sqlite.PRAGMAS
        patch.setattr(sqlite, "PRAGMAS", (*durable, "synchronous=OFF"))
        yield durable


@pytest.fixture(scope="session", autouse=True)
def _statements_are_compiled_once() -> Iterator[None]:
    """Engines of one kind share the dialect, with which SQLAlchemy remembers what it compiled; else every test compiles anew."""
    first: dict[str, Engine] = {}

    def create(*arguments: Any, **options: Any) -> AsyncEngine:
        made = create_async_engine(*arguments, **options)
        engine = made.sync_engine
        model = first.get(engine.name, engine)
        if model.dialect.server_version_info is None:  # it never connected, so its dialect knows nothing yet
            model = first[engine.name] = engine
        engine.dialect = engine.pool._dialect = model.dialect
        engine._compiled_cache = model._compiled_cache
        return made

    with pytest.MonkeyPatch.context() as patch:
        for module in (base, sqlite):
            patch.setattr(module, "create_async_engine", create)
        yield


def _prepare(url: str) -> None:
    """Migrate an empty database, in a thread: an asynchronous fixture may be the first to ask for one."""

    async def prepare() -> None:
        database = base.open_database(url)
        await migrate(database.engine)
        await database.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(prepare())).result()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, pragmas: object) -> Path:
    """An SQLite file that was migrated once in this run; to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "jura.sqlite3"
    _prepare(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgres_cluster: postgres.Cluster) -> Iterator[postgres.NewDatabase]:
    """Makes databases on PostgreSQL: copies of one that was migrated once in this run."""
    with postgres_cluster.database() as url:
        _prepare(url)
        yield partial(postgres_cluster.database, like=make_url(url).database or "")


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Like `database_url`, and migrated: for tests of anything but migrations."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "jura.sqlite3")
        yield f"sqlite+aiosqlite:///{file}"
        return
    new_database: postgres.NewDatabase = request.getfixturevalue("migrated_postgresql")
    with new_database() as url:
        yield url
