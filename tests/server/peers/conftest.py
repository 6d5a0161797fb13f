"""One instance and one stranger, for most tests here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.peers.world import Stranger, World


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where instances that were founded once are kept to be copied."""
    return tmp_path_factory.mktemp("founded")


@pytest.fixture
async def world(tmp_path: Path, founded: Path) -> AsyncIterator[World]:
    """One instance, oak.test."""
    async with World("oak", folder=tmp_path, founded=founded) as made:
        yield made


@pytest.fixture
async def two(tmp_path: Path, founded: Path) -> AsyncIterator[World]:
    """Two instances, oak.test and elm.test."""
    async with World("oak", "elm", folder=tmp_path, founded=founded) as made:
        yield made


@pytest.fixture
async def masto(world: World) -> Stranger:
    """Another server that knows nothing of us."""
    return await world.stranger("masto")
