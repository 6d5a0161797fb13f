"""Federations for stories: on SQLite, or where a test asks for `both`, on PostgreSQL too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.federation.meetings import Meetings
from tests.federation.stock import Stock


@pytest.fixture
def meetings(stock: Stock, tmp_path: Path) -> Meetings:
    """Federations whose instances keep everything in SQLite."""
    return Meetings(stock, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, stock: Stock, tmp_path: Path) -> Iterator[Meetings]:
    """Federations on each kind of database; on PostgreSQL every instance has one of its own."""
    if request.param == "sqlite":
        yield Meetings(stock, tmp_path)
        return
    new_database = request.getfixturevalue("migrated_postgresql")
    with ExitStack() as databases:
        yield Meetings(stock, tmp_path, lambda _name: databases.enter_context(new_database()))
