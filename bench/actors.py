"""Actor documents served per second on one core, over 32 connections that stay open.

The limit is a bare aiohttp application with one route, whose handler answers the same bytes with the same headers.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
from aiohttp import web

from bench import load, place
from bench.cores import Child, say, wait_for_end
from bench.figures import Figure, rate
from server.app import create_app
from server.settings import Settings

SECONDS = 2.0
CONNECTIONS = 32
TARGET = "/c/oak"
ACCEPT = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json'
GET = load.request(
    "GET",
    TARGET,
    [("Host", place.AUTHORITY), ("Accept", ACCEPT), ("User-Agent", "bench (+https://a.example)")],
)


def measure(rounds: int) -> list[Figure]:
    with place.folder() as where:
        settings, bare = place.settings_in(where), place.free_port()
        place.found(settings)
        return [_measured(rounds, where, settings, bare)]


def _measured(rounds: int, where: Path, settings: Settings, bare: int) -> Figure:
    """Both servers wait all the while; one is asked at a time."""
    arguments = {"where": str(where), "port": settings.listen_port}
    with Child("bench.actors", "serve", **arguments) as ours:
        ours.hear()
        with Child("bench.actors", "serve_bare", port=bare, original=settings.listen_port) as other:
            other.hear()
            return rate(
                "actor documents",
                "per s",
                lambda: _asked(settings.listen_port),
                lambda: _asked(bare),
                "a bare aiohttp handler with the same answer",
                rounds,
                at_least=0.5,
            )


def _asked(port: int) -> float:
    requests: Iterator[bytes] = load.repeated(GET, SECONDS)
    answered, seconds = asyncio.run(load.send(port, requests, CONNECTIONS, b"HTTP/1.1 200"))
    return answered / seconds


# On the measured core


def serve(where: str, port: int) -> None:
    asyncio.run(_run(create_app(place.settings_in(Path(where), port), workers=False), port))


def serve_bare(port: int, original: int) -> None:
    asyncio.run(_serve_bare(port, original))


async def _serve_bare(port: int, original: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{original}{TARGET}", headers={"Accept": ACCEPT}) as answer,
    ):
        body = await answer.read()
        skipped = ("Date", "Server", "Content-Length")
        headers = {name: value for name, value in answer.headers.items() if name not in skipped}

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    app = web.Application()
    app.router.add_get("/c/{handle}", handler)
    await _run(app, port)


async def _run(app: web.Application, port: int) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    say("ready")
    await asyncio.to_thread(wait_for_end)
    await runner.cleanup()
