"""An instance of ours and a server made of bovine, over HTTPS."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.federation.stock import Stock
from tests.peers import bovine_server
from tests.peers.flows import Flows
from tests.peers.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, stock: Stock) -> AsyncIterator[Town]:
    async with Town(tmp_path_factory.mktemp("town"), stock, [bovine_server.Server.host]) as town:
        await town.oak.members(1)
        yield town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbour(town: Town) -> AsyncIterator[bovine_server.Server]:
    async with bovine_server.Server(town) as server:
        yield server


class TestBovine(Flows):
    """All of it."""
