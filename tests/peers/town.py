"""A town for tests with software that is not ours: an instance as its own process, behind TLS, and a certificate authority that all
its neighbours trust. Names are invented (`oak.test`), addresses are loopback; nothing else is ever looked up.

The instance runs `python -m server serve` as in production, but for `JURA_DEVELOPMENT`, without which nobody goes to a loopback
address. Its members act from a desk in the test's own process, on the same database.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.posts import Post
from models.queues import Delivery, InboxItem
from server.actions.founding import KeyPair
from server.app import create_app
from server.cli.founding import found_instance
from server.clock import FileClock, SystemClock
from server.keys import DATABASE
from server.settings import Settings, make_secret
from tests.federation.harness import free_port
from tests.federation.people import Collective
from tests.federation.processes import ROOT, Process
from tests.federation.stock import Stock
from tests.peers.door import Door

LOOK = 0.05  # seconds between two looks
PATIENCE = 30.0  # seconds until something that must happen has not happened

Found = TypeVar("Found")


@dataclass
class Town:
    """`async with Town(folder, stock, ["fed.test"]) as town:`; `hosts` are the names of the neighbours.

    With `behind` the instance's clock stands still, so much before that of the machine, until `advance` moves it. Neighbours accept
    dates that differ by a few minutes.
    """

    folder: Path
    stock: Stock
    hosts: Sequence[str]
    behind: timedelta | None = None
    name: str = "oak"
    decision: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    _authority: trustme.CA = field(default_factory=trustme.CA)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _working: list[asyncio.Task[None]] = field(default_factory=list)
    _keys: int = 0

    async def __aenter__(self) -> Self:
        self.ports = {host: free_port() for host in (self.host, *self.hosts)}
        self._authority.cert_pem.write_to_path(self.certificates)
        self.settings = self._settings()
        if self.behind is not None:
            self._set_clock(datetime.now(UTC) - self.behind)
        try:
            await self._found()
            await self._open_door()
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.gather(*self._working)
        finally:
            await self._stack.aclose()

    async def _found(self) -> None:
        pairs = self.key_pairs(3)
        now = FileClock(self._clock).now() if self.behind is not None else SystemClock().now()
        self._link = await found_instance(
            self.settings, self.name, "Oak Collective", "", now, (pairs[0], pairs[1], pairs[2])
        )
        desk = web.AppRunner(create_app(self.settings, workers=False))
        await desk.setup()
        self._stack.push_async_callback(desk.cleanup)
        assert desk.app is not None
        self._desk = desk.app

    async def _open_door(self) -> None:
        self.door = Door(self.settings.listen_port)
        listening = await asyncio.start_server(
            self.door.let_in,
            "127.0.0.1",
            self.ports[self.host],
            ssl=self.certificate_for(self.host),
        )
        self._stack.callback(listening.close)

    async def _start(self) -> None:
        places = ",".join(f"{host}=127.0.0.1:{port}" for host, port in self.ports.items())
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("JURA_")},
            "JURA_URL": self.settings.url,
            "JURA_DATA": str(self.settings.data),
            "JURA_LISTEN": f"127.0.0.1:{self.settings.listen_port}",
            "JURA_PROXIES": "1",
            "JURA_POLL": "0.1",
            "JURA_DEVELOPMENT": "1",
            "JURA_NAMES": places,
            "SSL_CERT_FILE": str(self.certificates),
        }
        if self.settings.clock:
            environment["JURA_CLOCK"] = str(self.settings.clock)
        self.process = Process(self.name, ("serve",), environment, self.folder / f"{self.name}.log")
        await self.process.start()
        self._stack.push_async_callback(self.process.kill)
        await self.until("it serves", self._serves)

    async def command(self, *words: str) -> str:
        """What `jura` says to such words, beside the running instance."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", *words),
            env=dict(self.process.environment),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def _serves(self) -> bool:
        assert self.process.running is not None
        assert self.process.running.returncode is None, self.process.said()
        return "Jura serves" in self.process.said()

    def _settings(self) -> Settings:
        data = self.folder / self.name
        return Settings(
            url=f"https://{self.host}",
            data=data,
            database=f"sqlite+aiosqlite:///{data / 'jura.sqlite'}",
            secret=make_secret(data),
            listen_host="127.0.0.1",
            listen_port=free_port(),
            development=True,
            clock=self._clock if self.behind is not None else None,
        )

    # Time

    @property
    def _clock(self) -> Path:
        return self.folder / "clock"

    def _set_clock(self, instant: datetime) -> None:
        written = self.folder / "clock.new"
        written.write_text(instant.isoformat())
        written.replace(self._clock)

    def advance(self, by: timedelta) -> None:
        """Move the instance's clock on."""
        self._set_clock(FileClock(self._clock).now() + by)

    # Names and trust

    @property
    def host(self) -> str:
        return f"{self.name}.test"

    @property
    def oak_uri(self) -> str:
        """The collective's actor."""
        return f"https://{self.host}/c/{self.name}"

    @property
    def handle(self) -> str:
        return f"@{self.name}@{self.host}"

    @property
    def certificates(self) -> Path:
        """Whom everybody here trusts."""
        return self.folder / "authority.pem"

    def certificate_for(self, host: str) -> ssl.SSLContext:
        """What a server of that name shows to whoever connects."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(host).configure_cert(context)
        return context

    def certificate_file(self, host: str) -> Path:
        """The same for another process: private key and certificates in one file."""
        path = self.folder / f"{host}.pem"
        path.touch(mode=0o600)
        self._authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(path)
        return path

    def client(self) -> aiohttp.ClientSession:
        """A session that finds the names of the town, and trusts its authority alone."""
        trusting = ssl.create_default_context(cafile=str(self.certificates))
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_Names(self.ports), ssl=trusting)
        )

    # Whose members act (tests.federation.people.Meeting)

    @property
    def oak(self) -> Collective:
        return Collective(self, self.name)

    @property
    def password_hash(self) -> str:
        return self.stock.password_hash

    def app_of(self, _name: str) -> web.Application:
        return self._desk

    def founder_token(self, _name: str) -> str:
        return self._link.rsplit("/", 1)[1]

    def authority_of(self, name: str) -> str:
        return f"{name}.test"

    def key_pairs(self, count: int) -> list[KeyPair]:
        first, self._keys = self._keys, self._keys + count
        return [self.stock.pair(number) for number in range(first, first + count)]

    # Waiting and looking

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Let a neighbour do something after it has answered; what goes wrong shows when the town is left."""
        self._working.append(asyncio.create_task(work))

    async def until(self, what: str, holds: Callable[[], Awaitable[Found]]) -> Found:
        """What `holds` gives as soon as that is true; an error that shows everything the instance said if it never is."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = await holds()
            if found:
                return found
            assert time.monotonic() < deadline, f"{what}: not after {PATIENCE} s; {await self.report()}"
            await asyncio.sleep(LOOK)

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncSession]:
        """The rows of the instance, to look at."""
        async with self._desk[DATABASE].READ() as session:
            yield session

    async def post(self, kind: str) -> Post:
        """The one post of that kind (option, round …) in the decision at hand."""

        async def found() -> Post | None:
            query = select(Post).where(Post.scope == self.decision, Post.kind == kind)
            async with self.looking() as session:
                return await session.scalar(query)

        return await self.until(f"there is a post of kind {kind}", found)

    async def outcome(self, activity: str) -> str:
        """How the instance's handler ended with an activity that it accepted."""

        async def found() -> str | None:
            async with self.looking() as session:
                query = select(InboxItem.outcome).where(InboxItem.activity_uri == activity)
                return await session.scalar(query)

        return await self.until(f"{activity} is handled", found)

    async def given_up(self) -> list[str]:
        """Deliveries that failed at least once, and why."""
        async with self.looking() as session:
            failed = await session.execute(
                select(Delivery.inbox, Delivery.reason).where(Delivery.reason.is_not(None))
            )
            return [f"{inbox}: {reason}" for inbox, reason in failed]

    async def report(self) -> str:
        """Where the instance stands, for whoever reads that a test failed."""
        async with self.looking() as session:
            handled = [
                f"{row.activity_uri} {row.outcome}: {row.reason}"
                for row in await session.scalars(select(InboxItem).order_by(InboxItem.id))
            ]
        failed = "\n".join(await self.given_up())
        return f"{self.process.said()[-3000:]}\n{failed}\n" + "\n".join(handled)

    def complaints(self) -> list[str]:
        """What the instance logged as errors."""
        marks = ("ERROR", "CRITICAL", "Traceback", "jura:")
        return [line for line in self.process.said().splitlines() if line.startswith(marks)]


class _Names(AbstractResolver):
    """The names of a town, and no other."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self._ports:
            raise OSError(f"there is no {host} in this town")
        there = ResolveResult(
            hostname=host, host="127.0.0.1", port=self._ports[host], family=socket.AF_INET, proto=0, flags=0
        )
        return [there]

    async def close(self) -> None:
        """Nothing is open."""
