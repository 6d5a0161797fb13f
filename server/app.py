"""The only wiring: settings, clock and names in, an application out. `jura serve`, the demo and every test call the same."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from aiohttp import web

from activitypub.network import open_session
from models.base import open_database
from server import peers
from server import web as pages
from server.clock import Clock, FileClock, SystemClock
from server.errors import answer_errors
from server.home import make_home
from server.keys import CLOCK, DATABASE, HOME, NETWORK, SETTINGS, STOPPING
from server.settings import Settings
from server.workers import run_workers
from server.workers.notices import NOTICING, Noticing
from server.workers.repair import IN_VAIN, InVain
from server.workers.retention import PRUNING, Pruning
from server.workers.slow import SLOW, Slow

BODY_LIMIT = 1_000_000

Names = Callable[[str, int], tuple[str, int] | None]


def create_app(
    settings: Settings, clock: Clock | None = None, names: Names | None = None, *, workers: bool = True
) -> web.Application:
    """An instance as one application. With `workers`, the due passes run inside it; tests call them by hand instead.

    `names` maps invented host names to loopback addresses (tests and development only; default: those of the settings).
    """
    if names is None and settings.names:
        names = _told(settings.names)
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[answer_errors])
    app[SETTINGS] = settings
    app[CLOCK] = clock or (FileClock(settings.clock) if settings.clock else SystemClock())
    app[HOME] = make_home(settings)
    app[DATABASE] = open_database(settings.database)
    app[STOPPING] = asyncio.Event()
    app[PRUNING] = Pruning()
    app[NOTICING] = Noticing()
    app[SLOW] = Slow()
    app[IN_VAIN] = InVain()
    app.cleanup_ctx.append(_database)
    app.cleanup_ctx.append(_network(names))
    if workers:
        app.cleanup_ctx.append(run_workers)
    peers.add_routes(app)
    pages.add_routes(app)
    return app


def _told(places: Mapping[str, tuple[str, int]]) -> Names:
    def names(host: str, _port: int) -> tuple[str, int] | None:
        return places.get(host)

    return names


async def _database(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[DATABASE].close()


def _network(names: Names | None) -> Callable[[web.Application], AsyncIterator[None]]:
    async def network(app: web.Application) -> AsyncIterator[None]:
        app[NETWORK] = open_session(app[SETTINGS].development, names)
        yield
        await app[NETWORK].close()

    return network
