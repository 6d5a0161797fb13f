"""A federation of real processes, which are killed with SIGKILL and started again.

Every instance is `python -m server serve` (or, on PostgreSQL, several `serve --no-workers` and `work`) at a *.localhost name. They
share one clock, a file that the test moves. People act from a desk in the test's own process, on the same databases; the test waits
on what those databases hold, within bounds. When nothing happens for a moment the clock ticks on, as dead processes leave leases
and back-offs behind.
"""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Self

from aiohttp import web
from sqlalchemy import func, select

from activitypub import codec
from models import ledger
from models.ledger import Scope
from models.people import Actor
from models.posts import Activity
from models.queues import Delivery, InboxItem
from server.actions.founding import KeyPair
from server.app import create_app
from server.cli.founding import found_instance
from server.clock import FileClock
from server.keys import DATABASE
from server.settings import Settings, make_secret
from tests.federation.harness import START, free_port
from tests.federation.people import Collective
from tests.federation.stock import Stock

SERVE = ("serve",)
MANY = (("serve", "--no-workers"), ("serve", "--no-workers"), ("work",), ("work",))
LOOK = 0.05  # seconds between two looks at the databases
LOOKS_PER_TICK = 10
TICK = timedelta(minutes=1)
PATIENCE = (
    300.0  # seconds until something that must happen has not happened; long, for machines that are busy
)
ROOT = Path(__file__).parents[2]

Commands = Sequence[Sequence[str]]


@dataclass
class Process:
    """One process of an instance, as often as it is started."""

    home: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    running: asyncio.subprocess.Process | None = None
    starts: int = 0

    async def start(self) -> None:
        """Start it; returns at once."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server", *self.command),
                env=dict(self.environment),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        assert self.running is not None
        with contextlib.suppress(ProcessLookupError):
            self.running.kill()
        await self.running.wait()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


@dataclass
class Door:
    """What stands in front of several serving processes: each connection goes to one that takes it."""

    ports: Sequence[int]
    turn: int = 0

    async def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self.ports:
            self.turn += 1
            with contextlib.suppress(OSError):
                inner = await asyncio.open_connection("127.0.0.1", self.ports[self.turn % len(self.ports)])
                await asyncio.gather(_pass_on(reader, inner[1]), _pass_on(inner[0], writer))
                return
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass
class Processes:
    """`async with Processes(("oak", "elm"), folder, stock, random.Random(seed)) as fed:`; `crews` says who runs otherwise than by
    one `serve`, `database` gives URLs of empty databases."""

    names: tuple[str, ...]
    folder: Path
    stock: Stock
    chance: random.Random
    database: Callable[[str], str] | None = None
    crews: Mapping[str, Commands] = field(default_factory=dict)
    decision: str = ""
    seen: set[str] = field(default_factory=set)
    kills: int = 0
    _desks: dict[str, web.AppRunner] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    _settings: dict[str, Settings] = field(default_factory=dict)
    _doors: list[asyncio.Server] = field(default_factory=list)
    _keys: int = 0
    processes: dict[str, list[Process]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self.set_clock(START)
        try:
            for name in self.names:
                await self._found(name)
            await self.until("all serve", self._all_serve)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _found(self, name: str) -> None:
        settings = self._settings[name] = self._settings_of(name)
        one, two, three = self.key_pairs(3)
        self._links[name] = await found_instance(settings, name, name.title(), "", START, (one, two, three))
        desk = self._desks[name] = web.AppRunner(create_app(settings, workers=False))
        await desk.setup()
        await self._start_crew(name, settings)

    async def __aexit__(self, *_: object) -> None:
        for process in self.everybody:
            if process.running is not None:
                await process.kill()
        for door in self._doors:
            door.close()
        for desk in self._desks.values():
            await desk.cleanup()

    def _settings_of(self, name: str) -> Settings:
        data, port = self.folder / name, free_port()
        return Settings(
            url=f"http://{name}.localhost:{port}",
            data=data,
            database=self.database(name) if self.database else f"sqlite+aiosqlite:///{data / 'jura.sqlite'}",
            secret=make_secret(data),
            listen_host="127.0.0.1",
            listen_port=port,
            development=True,
            clock=self._clock_file,
        )

    async def _start_crew(self, name: str, settings: Settings) -> None:
        commands = self.crews.get(name, (SERVE,))
        serving = sum(command[0] == "serve" for command in commands)
        ports = [free_port() for _ in range(serving)] if serving > 1 else [settings.listen_port]
        if serving > 1:
            door = await asyncio.start_server(Door(ports).let_in, "127.0.0.1", settings.listen_port)
            self._doors.append(door)
        free = iter(ports)
        for number, command in enumerate(commands):
            port = next(free) if command[0] == "serve" else 0
            environment = {
                **{key: value for key, value in os.environ.items() if not key.startswith("JURA_")},
                "JURA_URL": settings.url,
                "JURA_DATA": str(settings.data),
                "JURA_DATABASE": settings.database,
                "JURA_LISTEN": f"127.0.0.1:{port}",
                "JURA_DEVELOPMENT": "1",
                "JURA_CLOCK": str(self._clock_file),
                "JURA_POLL": "0.1",
            }
            process = Process(name, command, environment, self.folder / f"{name}-{number}.log")
            self.processes.setdefault(name, []).append(process)
            await process.start()

    async def _all_serve(self) -> bool:
        return all(process.said() for process in self.everybody)

    @property
    def everybody(self) -> list[Process]:
        return [process for crew in self.processes.values() for process in crew]

    # Who meets (tests.federation.people.Meeting)

    def __getitem__(self, name: str) -> Collective:
        return Collective(self, name)

    @property
    def present(self) -> list[Collective]:
        return [Collective(self, name) for name in self.names]

    @property
    def password_hash(self) -> str:
        return self.stock.password_hash

    def app_of(self, name: str) -> web.Application:
        return self._desks[name].app

    def settings_of(self, name: str) -> Settings:
        return self._settings[name]

    def founder_token(self, name: str) -> str:
        return self._links[name].rsplit("/", 1)[1]

    def authority_of(self, name: str) -> str:
        return self._settings[name].authority

    def key_pairs(self, count: int) -> list[KeyPair]:
        first, self._keys = self._keys, self._keys + count
        return [self.stock.pair(number) for number in range(first, first + count)]

    # Time

    @property
    def _clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def now(self) -> datetime:
        return FileClock(self._clock_file).now()

    def set_clock(self, instant: datetime) -> None:
        """All processes see the new instant at once, or still the old one; never half a file."""
        written = self.folder / "clock.new"
        written.write_text(instant.isoformat())
        written.replace(self._clock_file)

    async def reach(self, moment: str) -> None:
        """Move the clock to just after an instant of the decision; what follows happens by itself."""
        then = getattr((await self.present[0].view()).times, moment) + TICK
        self.set_clock(max(then, self.now))

    async def until(
        self, what: str, holds: Callable[[], Awaitable[bool]], kill: Sequence[Process] = ()
    ) -> None:
        """Wait until it holds, looking again and again; `kill` are killed meanwhile, each at some moment, and started again."""
        deadline, waiting, look = time.monotonic() + PATIENCE, list(kill), 0
        while waiting or not await holds():
            assert time.monotonic() < deadline, f"{what}: not after {PATIENCE} s; {await self.report()}"
            if waiting and self.chance.random() < 0.3:
                await self.replace(waiting.pop())
            await asyncio.sleep(LOOK)
            look += 1
            if look % LOOKS_PER_TICK == 0:
                self.set_clock(self.now + TICK)
        await self.remember()

    # Death

    async def replace(self, process: Process) -> None:
        """Kill a process, and start another in its place."""
        await process.kill()
        self.kills += 1
        await process.start()

    def somebody(self) -> Process:
        return self.chance.choice(self.everybody)

    # Looking

    async def digests(self, name: str) -> frozenset[str]:
        async with self.app_of(name)[DATABASE].READ() as session:
            scope = await ledger.scope_named(session, self.decision)
            return frozenset(await ledger.digests(session, scope.id, self.now) if scope else ())

    async def remember(self) -> None:
        """Note every record that anybody has ever held."""
        for name in self.names if self.decision else ():
            self.seen |= await self.digests(name)

    async def settled(self) -> bool:
        """All hold the same records, and nothing is due, under way or waiting anywhere."""
        sets = {await self.digests(name) for name in self.names}
        return len(sets) == 1 and all([not sum((await self.left(name)).values()) for name in self.names])

    async def left(self, name: str) -> dict[str, int]:
        """What waits at an instance."""
        queries = {
            "inbox": select(func.count()).where(InboxItem.outcome.is_(None)),
            "deliveries": select(func.count()).select_from(Delivery),
            "scopes": select(func.count()).where(Scope.due_at <= self.now),
        }
        async with self.app_of(name)[DATABASE].READ() as session:
            return {what: await session.scalar(query) or 0 for what, query in queries.items()}

    async def report(self) -> str:
        """Where everybody stands, for whoever reads that a test failed."""
        lines = [f"now {self.now}, {self.kills} kills"]
        for name in self.names:
            logs = [process.said()[-600:] for process in self.processes.get(name, ())]
            held = Counter(r.type for r in await self[name].records()) if self.decision else {}
            state = (await self[name].view()).state if held else "nothing"
            lines.append(f"{name}: {state}, holds {dict(held)}, left {await self.left(name)}, said {logs}")
        return "\n".join(lines)

    async def undelivered(self) -> list[str]:
        """Activities with records that another participant never got, although whoever published them knew its inbox. (Counts of
        the pulse, and pins, go to followers.)

        (Whom one could not look up yet is told nothing, and pulls it.)
        """
        missing = []
        for name, other in permutations(self.names, 2):
            async with self.app_of(other)[DATABASE].READ() as session:
                got = set(await session.scalars(select(InboxItem.activity_uri)))
            async with self.app_of(name)[DATABASE].READ() as session:
                known = await session.scalar(
                    select(Actor).where(Actor.authority == self.authority_of(other), Actor.handle == other)
                )
                assert known is not None, f"{name} never heard of {other}"
                told = select(Activity).where(
                    Activity.scope == self.decision,
                    Activity.type != "Update",
                    Activity.published_at > known.created_at,
                )
                for activity in await session.scalars(told):
                    said = codec.tidy(codec.decode_again(activity.body))
                    if said.records and known.uri in said.to + said.cc and activity.uri not in got:
                        missing.append(f"{activity.uri} for {other}")
        return missing

    async def refused(self) -> list[str]:
        """Accepted activities that ended otherwise than done or ignored, and why."""
        found = []
        for name in self.names:
            async with self.app_of(name)[DATABASE].READ() as session:
                query = select(InboxItem).where(InboxItem.outcome.not_in(("done", "ignored")))
                found += [
                    f"{name}: {item.activity_uri} from {item.signer} {item.outcome}: {item.reason}"
                    for item in await session.scalars(query)
                ]
        return found

    def complaints(self) -> list[str]:
        """What the processes logged as errors."""
        return [
            f"{process.log.name}: {line}"
            for process in self.everybody
            for line in process.said().splitlines()
            if line.startswith(("ERROR", "CRITICAL", "Traceback", "jura:"))
        ]
