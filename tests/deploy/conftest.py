"""An instance behind the proxy that the class says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.deploy.proxies import NGINX, Place, Program
from tests.federation.harness import free_port
from tests.federation.stock import Stock
from tests.peers.bovine_server import Server
from tests.peers.door import Door
from tests.peers.town import Town


@dataclass
class Fronted(Town):
    """A town whose instance stands behind a proxy. Between the two everything is noted as it was said."""

    program: Program = NGINX

    async def _open_door(self) -> None:
        self.door = Door(self.settings.listen_port)
        between = await asyncio.start_server(self.door.let_in, "127.0.0.1", 0)
        self._stack.callback(between.close)
        self.place = Place(
            folder=self.folder / "proxy",
            host=self.host,
            inside=between.sockets[0].getsockname()[1],
            https=self.ports[self.host],
            http=free_port(),
            certificate=self.certificate_file(self.host),
        )
        await self._stack.enter_async_context(self.program.running(self.place))


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Keys of this run."""
    return Stock(tmp_path_factory.mktemp("stock"))


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stock: Stock
) -> AsyncIterator[Fronted]:
    """Our instance, with two members."""
    program: Program = request.cls.program
    if program.path is None:
        pytest.skip(program.missing)
    folder = tmp_path_factory.mktemp(program.name)
    async with Fronted(folder, stock, [Server.host], program=program) as town:
        await town.oak.members(2)
        yield town
