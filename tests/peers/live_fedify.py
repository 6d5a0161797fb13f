"""An instance of ours and servers made of Fedify, over HTTPS: `make test-peers`, as it needs Node.

(`make test` leaves this file alone: it is not called test_….)
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.federation.stock import Stock
from tests.peers import fedify_server
from tests.peers.flows import Flows
from tests.peers.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="class")


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def town(tmp_path_factory: pytest.TempPathFactory, stock: Stock) -> AsyncIterator[Town]:
    async with Town(tmp_path_factory.mktemp("town"), stock, [fedify_server.Server.host]) as town:
        await town.oak.members(1)
        yield town


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def neighbour(request: pytest.FixtureRequest, town: Town) -> AsyncIterator[fedify_server.Server]:
    async with fedify_server.Server(town, request.cls.first_knock) as server:
        yield server


class TestFedifyCavageFirst(Flows):
    """It signs by draft-cavage first."""

    first_knock = "cavage"


class TestFedifyRfc9421First(Flows):
    """It signs by RFC 9421 first, and by draft-cavage where that is refused."""

    first_knock = "rfc9421"
