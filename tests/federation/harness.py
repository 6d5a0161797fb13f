"""A federation for tests: N real servers on loopback with invented host names, one clock that the test moves, and faults.

`settle()` runs every due pass on all instances until nothing is due; nothing sleeps. Faults act on real HTTP requests as they
arrive: `cut` and `heal` a host or `part` the federation into sides, `shuffle` (some requests must be sent again later, so they
arrive in another order), `replay` (what was posted is posted again), `kill` (an instance stops at once and comes back with
`revive`; real `kill -9` is in processes.py). `fed.oak` is a collective as its members act (people.py); `transcript()` tells who
said what; `agree()` is how a story ends, and `stand()` where it does not end alike.
"""

import contextlib
import hashlib
import itertools
import json
import random
import shutil
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from sqlalchemy import func, inspect, select

from models import ledger
from models.decisions import Decision
from models.queues import Delivery, Destination, InboxItem
from models.rules.standing import Standing
from server.actions.founding import KeyPair, make_key_pair
from server.actions.hearing import derived
from server.app import Names
from server.cli.founding import found_instance
from server.cli.stage import Instance, Stage
from server.clock import MovableClock
from server.keys import DATABASE
from server.settings import Settings, make_secret
from server.workers import PASSES
from tests.federation.people import Collective
from tests.federation.stock import Stock

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PORTS = itertools.cycle(random.sample(range(12_000, 32_000), 20_000))
AGAIN = "X-Again"  # marks what is replayed, so that it is not noted as said
PUSHING = ("inbox", "decisions", "pulses", "feeds", "delivery")
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

    @property
    def sender(self) -> str:
        return _sender(self.headers.get("Signature", "")) or "?"


@dataclass
class Faults:
    """What goes wrong at the moment."""

    cut: set[str] = field(default_factory=set)
    sides: tuple[frozenset[str], ...] = ()
    shuffling: str | None = None
    put_off: set[str] = field(default_factory=set)

    def parts(self, receiver: str, sender: str | None) -> bool:
        """Can nothing get from one to the other?"""
        if receiver in self.cut or sender in self.cut:
            return True
        return sender is not None and any((receiver in side) != (sender in side) for side in self.sides)


@dataclass(frozen=True)
class Held:
    """What an instance holds of the decision at hand, and what it makes of it."""

    state: str
    outcome: str | None
    winner: str | None
    count_root: str | None
    late_root: str | None
    set_root: str

    def __str__(self) -> str:
        return f"{self.state} {self.outcome}" if self.outcome else self.state


class Federation(Stage):
    """`async with Federation("oak", "elm", folder=tmp_path) as fed:`; databases are SQLite unless `database` says otherwise.

    `database(name)` gives the URL of an instance's own, empty database. `stock` spares making keys and hashing passwords anew.
    """

    def __init__(
        self,
        *names: str,
        folder: Path,
        database: Callable[[str], str] | None = None,
        start: datetime = START,
        stock: Stock | None = None,
    ) -> None:
        super().__init__(names, MovableClock(start), folder=folder)
        self.decision = ""
        self.faults = Faults()
        self.said: list[Said] = []
        self.asked: list[tuple[str, str]] = []  # GETs: by whom they were answered, and what for
        self.dead: dict[str, Instance] = {}
        self.keys_used = 0
        self._looked: dict[tuple[str, str], datetime | None] = {}  # when a pass last found nothing
        self._stock = stock
        self._database = database
        self._ports = {name: free_port() for name in names}

    async def __aenter__(self) -> Self:
        for name in self.names:
            await self.start(name, self._ports[name], f"{name.title()} Collective")
        return self

    async def start(self, name: str, port: int, title: str, summary: str = "") -> Instance:
        settings = self.settings_of(name, port)
        keys = self.key_pairs(3)
        link = await found_instance(
            settings, name, title, summary, self.clock.now(), (keys[0], keys[1], keys[2])
        )
        return await self.serve(name, settings, link)

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
            if self.faults.parts(name, _sender(request.headers.get("Signature", ""))):
                return _hung_up(request)
            if request.method != "POST" or not request.path.endswith("inbox"):
                self.asked.append((name, request.path_qs))
                return await handler(request)
            said = Said(name, request.path, CIMultiDict(request.headers), await request.read())
            if self._is_put_off(said):
                return web.Response(status=503, headers={"Retry-After": "30"})
            if AGAIN not in request.headers:
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

    # Who meets

    def __getattr__(self, name: str) -> Collective:
        """`fed.oak`: a collective as its members act."""
        if name in self.__dict__.get("names", ()):
            return Collective(self, name)
        raise AttributeError(name)

    def __getitem__(self, name: str) -> Collective:
        return Collective(self, name)

    @property
    def present(self) -> list[Collective]:
        """Those whose instances run."""
        return [Collective(self, name) for name in self.names if name in self.instances]

    @property
    def password_hash(self) -> str:
        return self._stock.password_hash if self._stock else "nobody logs in"

    def app_of(self, name: str) -> web.Application:
        return self.instances[name].app

    def founder_token(self, name: str) -> str:
        return self.instances[name].founder_link.rsplit("/", 1)[1]

    def authority_of(self, name: str) -> str:
        return f"{name}.test"

    def key_pairs(self, count: int) -> list[KeyPair]:
        """Key pairs that nobody in this federation has."""
        first = self.keys_used
        self.keys_used += count
        numbers = range(first, first + count)
        return [self._stock.pair(n) for n in numbers] if self._stock else [make_key_pair() for _ in numbers]

    # Faults

    def cut(self, *names: str) -> None:
        """Nothing reaches these hosts and nothing comes from them."""
        self.faults.cut.update(names)

    def part(self, *side: str) -> None:
        """These reach each other, and the others reach each other; nothing passes between the two sides."""
        self.faults.sides = (*self.faults.sides, frozenset(side))

    def heal(self, *names: str) -> None:
        """They are reachable again; without names, all are, and nothing parts them."""
        self.faults.cut.difference_update(names or self.names)
        if not names:
            self.faults.sides = ()

    def shuffle(self, seed: str | None) -> None:
        """From now on about half of what is sent arrives later than it was sent; None: no more."""
        self.faults.shuffling = seed

    async def replay(self, last: int) -> list[int]:
        """Post the last so many requests once more, byte for byte; returns the answers' statuses."""
        statuses = []
        async with aiohttp.ClientSession() as session:
            for said in list(self.said)[-last:]:
                if said.receiver not in self.instances:
                    continue
                instance = self.instances[said.receiver]
                url = f"http://127.0.0.1:{instance.settings.listen_port}{said.path}"
                left_out = ("content-length", "connection")
                headers = {k: v for k, v in said.headers.items() if k.lower() not in left_out} | {AGAIN: "1"}
                async with session.post(url, data=said.body, headers=headers) as response:
                    statuses.append(response.status)
        return statuses

    async def kill(self, name: str) -> None:
        """Stop an instance at once: no pass runs any more. Its database stays as it is."""
        self.dead[name] = self.instances.pop(name)
        await self.dead[name].runner.cleanup()

    async def revive(self, name: str) -> None:
        """Let a killed instance serve again, from its database."""
        instance = self.dead.pop(name)
        await self.serve(name, instance.settings, instance.founder_link)
        for due in PASSES:
            self._looked.pop((name, due), None)

    # Time

    async def settle(self, most: int = 400) -> int:
        """Run every due pass on all instances until nothing is due; says what is left if that never happens.

        As in production a pass looks when it was woken or when time has passed, and what is pushed arrives before anybody
        compares and pulls.
        """
        total = 0
        for _ in range(most):
            worked = await self._look(*PUSHING) or await self._look("repair")
            total += worked
            if not worked:
                return total
        raise AssertionError(f"it never settles; still due: {await self.left()}")

    async def _look(self, *passes: str) -> int:
        """One turn: each instance runs these of its passes that may find something; how many rows were handled."""
        worked = 0
        for name in [name for name in self.names if name in self.instances]:
            for due in passes:
                app, now = self.instances[name].app, self.clock.now()
                woken = app[DATABASE].woken(due)
                if due != "repair" and self._looked.get((name, due)) == now and not woken.is_set():
                    continue
                woken.clear()
                found = await PASSES[due](app)
                worked += found
                self._looked[name, due] = None if found else now
        return worked

    async def reach(self, moment: str, after: timedelta = 2 * MINUTE) -> None:
        """Move the clock to just after an instant of the decision (`opens`, `closes`, `grace_ends` …), and settle."""
        view = await self.present[0].view()
        then = getattr(view.times, moment) + after
        assert then >= self.clock.now(), f"{moment} is over"
        await self.advance(then - self.clock.now())

    async def finish(self) -> None:
        """Close, grace and challenge window, if there is one, pass, each with time to say what is to be said."""
        times = (await self.present[0].view()).times
        for moment in ("closes", "grace_ends", "challenge_ends"):
            if moment != "challenge_ends" or times.challenge_ends > times.grace_ends:
                await self.reach(moment)

    async def advance_in_steps(self, by: timedelta, steps: int = 10) -> None:
        """Move the clock on in equal steps and settle after each, so that back-offs and repairs get their turn."""
        for _ in range(steps):
            await self.advance(by / steps)

    # Looking

    async def view(self, name: str) -> Standing:
        """What an instance makes of its records now."""
        return await self[name].view()

    async def held(self) -> dict[str, Held]:
        """What each running instance holds and makes of it."""
        found = {}
        for one in self.present:
            view = await one.view()
            async with one.session() as session:
                scope = await ledger.scope_named(session, self.decision)
                assert scope is not None
                root = await ledger.set_root(session, scope.id, one.now)
            found[one.name] = Held(
                view.state, view.outcome, view.winner, view.count_root, view.late_root, root
            )
        return found

    async def agree(self) -> str:
        """All running instances hold the same records and make the same of them, and their derived rows say so too; what they
        make of them, such as "final adopted"."""
        held = await self.held()
        assert len(set(held.values())) == 1, f"they differ: {held}"
        for one in self.present:
            assert await self._stale(one) == [], f"{one.name}: derived row is not what its records give"
        return str(next(iter(held.values())))

    async def stand(self) -> dict[str, str]:
        """Where each running instance stands, such as {"oak": "heard adopted", "ash": "undecided"}."""
        return {name: str(one) for name, one in (await self.held()).items()}

    async def circles(self, name: str | None = None) -> dict[str, str]:
        """What became of each collective's circles, as an instance sees it: {"oak": "cast cast", "ash": "silent"}."""
        one = self[name] if name else self.present[0]
        view = await one.view()
        homes = self._homes(view)
        found: dict[str, list[str]] = {home: [] for home in homes.values()}
        for entry in view.entries:
            found[homes[entry.collective]].append(entry.status)
        return {home: " ".join(sorted(said)) for home, said in found.items()}

    async def bound(self, name: str | None = None) -> dict[str, str]:
        """What the outcome means for each collective, as an instance sees it: {"oak": "bound", "ash": "ratifying"}."""
        view = await (self[name] if name else self.present[0]).view()
        homes = self._homes(view)
        return {homes[row.collective]: row.status for row in view.collectives}

    def _homes(self, view: Standing) -> dict[str, str]:
        """The key of each answering collective → its name here."""
        return {key: _host(answer["actor"]) for key, answer in view.answers.items()}

    async def _stale(self, one: Collective) -> list[str]:
        """Columns of the derived row of a decision that are not what its records give."""
        async with one.session() as session:
            scope = await ledger.scope_named(session, self.decision)
            assert scope is not None
            row = await session.get(Decision, scope.id)
            if row is None:
                return ["all"]
            fresh = await derived(session, scope, row.as_of)
        return [c.key for c in inspect(Decision).columns if getattr(row, c.key) != getattr(fresh, c.key)]

    async def get(self, url: str, accept: str = "application/activity+json") -> tuple[int, str]:
        """Status and body of a GET that nobody signs, as any visitor makes it."""
        path = url.removeprefix(f"http://{_host(url)}.test")
        there = f"http://127.0.0.1:{self._ports[_host(url)]}{path}"
        headers = {"Host": f"{_host(url)}.test", "Accept": accept}
        async with aiohttp.ClientSession() as session, session.get(there, headers=headers) as response:
            return response.status, await response.text()

    async def left(self) -> dict[str, dict[str, int]]:
        """What waits, per instance: activities without a handler's word, deliveries, hosts in pause; and dead letters."""
        found = {}
        for name, instance in self.instances.items():
            async with instance.app[DATABASE].READ() as session:
                counts = {
                    "inbox": select(func.count()).where(InboxItem.outcome.is_(None)),
                    "deliveries": select(func.count()).where(Delivery.dead_at.is_(None)),
                    "given up": select(func.count()).where(Delivery.dead_at.is_not(None)),
                    "paused": select(func.count()).where(Destination.fails > 0),
                }
                found[name] = {what: await session.scalar(query) or 0 for what, query in counts.items()}
        return found

    async def outcomes(self, name: str) -> Mapping[str, int]:
        """How the activities that an instance accepted ended, counted."""
        query = select(InboxItem.outcome, func.count()).group_by(InboxItem.outcome)
        async with self[name].session() as session:
            return {str(outcome): count for outcome, count in (await session.execute(query)).all()}

    def transcript(self) -> Sequence[str]:
        """Who said what to whom, in the order of arrival."""
        return [
            f"{said.sender} → {said.receiver}: {said.activity.get('type')} {_carried(said.activity)}".rstrip()
            for said in self.said
        ]

    # Keeping it for other tests

    async def keep(self, label: str) -> None:
        """Stop it, and keep it in the stock as it stands."""
        assert self._stock is not None
        assert self._database is None, "files can be copied, databases of a server cannot"
        now, decision = self.clock.now(), self.decision
        await self.close()
        self._stock.keep(label, self.folder, self.names, now, self.keys_used, decision)

    async def restore(self, label: str) -> Self:
        """Begin as a federation of the stock stood, instead of founding one."""
        assert self._stock is not None
        kept = self._stock.kept[label]
        self.clock = MovableClock(kept.now)
        self.decision, self.keys_used = kept.decision, kept.keys
        for name in self.names:
            shutil.copytree(kept.folder / name, self.folder / name)
            await self.serve(name, self.settings_of(name, self._ports[name]))
        return self


def _host(uri: str) -> str:
    """The invented name in an address."""
    return uri.removeprefix("http://").partition(".test")[0]


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


def _hung_up(request: web.Request) -> web.Response:
    """The connection is closed without a word, like a cut cable: this answer goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def free_port() -> int:
    """A port that nobody listens on, each once. Below those that the system gives to outgoing connections: one of them would take
    it before it is used."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("all ports are taken")
