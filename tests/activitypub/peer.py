"""Another server on loopback, for tests: it answers what it is told to and remembers what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import orjson
from aiohttp import web
from multidict import CIMultiDictProxy

from activitypub import network

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACTIVITY_JSON = "application/activity+json"


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    host: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass
class Peer:
    """`answers` by path with query; everything else is 404. All invented names lead here."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def names(self, host: str, port: int) -> tuple[str, int] | None:
        return ("127.0.0.1", self.port) if host.endswith(".test") else None

    def document(self, target: str, document: object, *, type: str = ACTIVITY_JSON, **headers: str) -> None:
        self.body(target, orjson.dumps(document), type=type, **headers)

    def body(self, target: str, body: bytes, *, type: str = ACTIVITY_JSON, **headers: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, headers={"Content-Type": type, **headers})

        self.answers[target] = answer

    def status(self, target: str, status: int, **headers: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.answers[target] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.host, request.raw_path, request.headers, body))
        answer = self.answers.get(f"{request.host}{request.raw_path}") or self.answers.get(request.raw_path)
        return await answer(request) if answer else web.Response(status=404)


@asynccontextmanager
async def running() -> AsyncIterator[Peer]:
    """A peer that listens until the block is left."""
    peer = Peer()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", peer.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    peer.port = runner.addresses[0][1]
    try:
        yield peer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def reached(peer: Peer) -> AsyncIterator[aiohttp.ClientSession]:
    """A development session to whom all .test names are this peer."""
    async with network.open_session(True, peer.names, "Jura/0.1 (+https://south.test)") as session:
        yield session
