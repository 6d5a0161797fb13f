"""One instance and one stranger, for most tests here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.stock import Stock
from tests.server.peers.world import Stranger, World


@pytest.fixture
async def world(tmp_path: Path, stock: Stock, founded: Path) -> AsyncIterator[World]:
    """One instance, oak.test."""
    async with World("oak", folder=tmp_path, stock=stock, founded=founded) as made:
        yield made


@pytest.fixture
async def two(tmp_path: Path, stock: Stock, founded: Path) -> AsyncIterator[World]:
    """Two instances, oak.test and elm.test."""
    async with World("oak", "elm", folder=tmp_path, stock=stock, founded=founded) as made:
        yield made


@pytest.fixture
async def masto(world: World) -> Stranger:
    """Another server that knows nothing of us."""
    return await world.stranger("masto")
