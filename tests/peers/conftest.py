"""A town per class of tests, with the neighbour that the class says."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.federation.stock import Stock

pytest.register_assert_rewrite("tests.peers.flows")

from tests.peers.neighbour import Neighbour  # noqa: E402 - rewriting is asked for before the import
from tests.peers.town import Town  # noqa: E402


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stock: Stock
) -> AsyncIterator[Town]:
    """Our instance, with one member."""
    behind = getattr(request.cls, "behind", None)
    async with Town(tmp_path_factory.mktemp("town"), stock, [request.cls.server.host], behind=behind) as town:
        await town.oak.members(1)
        yield town


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def neighbour(request: pytest.FixtureRequest, town: Town) -> AsyncIterator[Neighbour]:
    """A server of the class's kind."""
    async with request.cls.server(town, *getattr(request.cls, "how", ())) as server:
        yield server
