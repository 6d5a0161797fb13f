"""What every test may ask for: a database that nobody else uses, once on each kind we support."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres

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
