"""A federation for tests: N real servers on loopback with invented host names, one clock that the test moves, and faults.

`settle()` runs every due pass on all instances until nothing is due; nothing sleeps. Faults act on real HTTP requests as they
arrive: `cut` and `heal` a host, `shuffle` (some requests must be sent again later, so they arrive in another order), `replay` (what
was posted is posted again), `kill` (an instance stops at once and comes back with `revive`). `transcript()` tells who said what.
"""

import hashlib
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from sqlalchemy import func, select

from models.queues import Delivery, Destination, InboxItem
from server.app import Names
from server.cli.stage import Instance, Stage
from server.clock import MovableClock
from server.keys import DATABASE
from server.settings import Settings, make_secret

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Said:
    """One POST to an inbox, as it arrived."""

    receiver: str
    path: str
    headers: "CIMultiDict[str]"
    body: bytes
    status: int | None = None

    @property
    def activity(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.body)
        return document


@dataclass
class Faults:
    """What goes wrong at the moment."""

    cut: set[str] = field(default_factory=set)
    shuffling: str | None = None
    put_off: set[str] = field(default_factory=set)


class Federation(Stage):
    """`async with Federation("oak", "elm", folder=tmp_path) as fed:`; databases are SQLite unless `database` says otherwise.

    `database(name)` gives the URL of an instance's own, empty database.
    """

    def __init__(
        self, *names: str, folder: Path, database: Callable[[str], str] | None = None, start: datetime = START
    ) -> None:
        super().__init__(names, MovableClock(start), folder=folder)
        self.faults = Faults()
        self.said: list[Said] = []
        self._database = database
        self._ports = {name: _free_port() for name in names}

    async def __aenter__(self) -> "Federation":
        for name in self.names:
            await self.start(name, self._ports[name], f"{name.title()} Collective")
        return self

    def settings_of(self, name: str, port: int) -> Settings:
        data = self.folder / name
        return Settings(
            url=f"http://{name}.test",
            data=data,
            database=self._database(name)
            if self._database
            else f"sqlite+aiosqlite:///{data / 'jura.sqlite'}",
            secret=make_secret(data),
            listen_host="127.0.0.1",
            listen_port=port,
            development=True,
        )

    def resolver_of(self, name: str) -> Names:
        def find(host: str, port: int) -> tuple[str, int] | None:
            there = host.removesuffix(".test")
            return ("127.0.0.1", self._ports[there]) if there in self._ports else None

        return find

    def prepare(self, name: str, app: web.Application) -> None:
        app.middlewares.insert(0, self._faulty(name))

    def _faulty(self, name: str) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        @web.middleware
        async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
            sender = _sender(request.headers.get("Signature", ""))
            if name in self.faults.cut or sender in self.faults.cut:
                _hang_up(request)
            if request.method != "POST" or not request.path.endswith("inbox"):
                return await handler(request)
            said = Said(name, request.path, CIMultiDict(request.headers), await request.read())
            if self._is_put_off(said):
                return web.Response(status=503, headers={"Retry-After": "30"})
            self.said.append(said)
            response = await handler(request)
            said.status = response.status
            return response

        return faulty

    def _is_put_off(self, said: Said) -> bool:
        """Under `shuffle`, about half of all requests must come again: which ones follows from the seed."""
        if self.faults.shuffling is None:
            return False
        mark = hashlib.sha256(f"{self.faults.shuffling}{said.receiver}".encode() + said.body).hexdigest()
        if int(mark[0], 16) < 8 or mark in self.faults.put_off:
            return False
        self.faults.put_off.add(mark)
        return True

    # Faults

    def cut(self, *names: str) -> None:
        """Nothing reaches these hosts and nothing comes from them."""
        self.faults.cut.update(names)

    def heal(self, *names: str) -> None:
        """They are reachable again; without names, all are."""
        self.faults.cut.difference_update(names or self.names)

    def shuffle(self, seed: str | None) -> None:
        """From now on about half of what is sent arrives later than it was sent; None: no more."""
        self.faults.shuffling = seed

    async def replay(self, last: int) -> list[int]:
        """Post the last so many requests once more, byte for byte; returns the answers' statuses."""
        statuses = []
        async with aiohttp.ClientSession() as session:
            for said in list(self.said)[-last:]:
                instance = self.instances[said.receiver]
                url = f"http://127.0.0.1:{instance.settings.listen_port}{said.path}"
                headers = {
                    k: v for k, v in said.headers.items() if k.lower() not in ("content-length", "connection")
                }
                async with session.post(url, data=said.body, headers=headers) as response:
                    statuses.append(response.status)
        return statuses

    async def kill(self, name: str) -> Instance:
        """Stop an instance at once: no farewell, no last pass. Its database stays. (Real `kill -9`: see processes.py.)"""
        instance = self.instances.pop(name)
        await instance.runner.cleanup()
        return instance

    async def revive(self, instance: Instance) -> None:
        """Let a killed instance serve again, from its database."""
        await self.serve(instance.name, instance.settings, instance.founder_link)

    # Looking

    async def settle(self, most: int = 400) -> int:
        """Run every due pass until nothing is due; says what is left if that never happens."""
        try:
            return await super().settle(most)
        except TimeoutError as error:
            raise AssertionError(f"it never settles; still due: {await self.left()}") from error

    async def left(self) -> dict[str, dict[str, int]]:
        """What waits, per instance: activities without a handler's word, deliveries, hosts in pause."""
        found = {}
        for name, instance in self.instances.items():
            async with instance.app[DATABASE].READ() as session:
                counts = {
                    "inbox": select(func.count()).where(InboxItem.outcome.is_(None)),
                    "deliveries": select(func.count()).where(Delivery.dead_at.is_(None)),
                    "paused": select(func.count()).where(Destination.fails > 0),
                }
                found[name] = {what: await session.scalar(query) or 0 for what, query in counts.items()}
        return found

    async def advance_in_steps(self, by: timedelta, steps: int = 10) -> None:
        """Move the clock on in equal steps and settle after each, so that back-offs and repairs get their turn."""
        for _ in range(steps):
            await self.advance(by / steps)

    def transcript(self) -> Sequence[str]:
        """Who said what to whom, in the order of arrival."""
        return [
            f"{_sender(said.headers.get('Signature', '')) or '?'} → {said.receiver}: "
            f"{said.activity.get('type')} {_carried(said.activity)}".rstrip()
            for said in self.said
        ]


def _sender(signature: str) -> str | None:
    """The invented name of the host whose key signed a request."""
    _, found, rest = signature.partition('keyId="http://')
    return rest.partition(".test")[0] if found else None


def _carried(activity: dict[str, object]) -> str:
    """The types of the records that an activity carries."""
    thing = activity.get("object")
    holders = [activity, thing] if isinstance(thing, dict) else [activity]
    records = [r for h in holders for r in _listed(h.get("jura:record"))]
    return ", ".join(str(r.get("type")) for r in records if isinstance(r, dict))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _hang_up(request: web.Request) -> None:
    """Close the connection without a word, like a cut cable."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("cut")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
