"""One instance on either database, and a stranger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.stock import Stock
from tests.server.peers.conftest import two as two
from tests.server.peers.world import Stranger, World


@pytest.fixture
async def world(tmp_path: Path, stock: Stock, founded: Path, migrated_url: str) -> AsyncIterator[World]:
    """One instance, oak.test, on SQLite and on PostgreSQL."""
    postgres = migrated_url.startswith("postgresql")
    database = (lambda _: migrated_url) if postgres else None
    async with World("oak", folder=tmp_path, stock=stock, founded=founded, database=database) as made:
        yield made


@pytest.fixture
async def masto(world: World) -> Stranger:
    """Another server that knows nothing of us."""
    return await world.stranger("masto")
