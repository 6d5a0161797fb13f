"""What 200 people cost who watch one decision by server-sent events: memory and processor time, at rest and in a burst of changes.

Workers run. At rest is a minute in which nothing happens: heartbeats, and two looks at everything. In the burst a member says
something twenty times, every half a second, and whoever is told asks for the page as the script of pages does, within the time
that the event names.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from bench import load, pages, place
from bench.cores import Child, say, wait_for_end
from bench.figures import Figure
from bench.startup import megabytes
from models import ledger
from models.people import Member
from server.actions import people, remarks
from server.app import create_app
from server.keys import CLOCK, DATABASE
from server.settings import Settings
from server.web.watching import MOST_OF_ONE_MEMBER

WATCHERS: Final = 200
REST: Final = 60.0  # seconds
CHANGES: Final = 20
BETWEEN: Final = 0.5  # seconds
AFTER: Final = 10.0  # seconds until everybody has looked
MEMORY_AT_MOST: Final = 150.0  # MB
SHARE_AT_MOST: Final = 5.0  # percent of one core


def measure(_rounds: int) -> list[Figure]:
    """One round: a minute of rest says enough."""
    with place.folder() as where:
        settings = place.settings_in(where)
        name = asyncio.run(pages.prepare(settings, 10))
        tokens = asyncio.run(_logged_in(settings))
        with Child("bench.live", "serve", where=str(where), port=settings.listen_port, name=name) as child:
            pid = child.hear()
            return asyncio.run(_watched(settings.listen_port, f"/decisions/{name}", tokens, pid))


async def _logged_in(settings: Settings) -> list[str]:
    """Members in so many browsers."""
    now, tokens = place.now(), [f"watcher-{number}" for number in range(WATCHERS)]
    async with place.database(settings) as database, database.ACT.begin() as session:
        for number, token in enumerate(tokens):
            member = await session.get(Member, 1 + number // MOST_OF_ONE_MEMBER)
            assert member is not None
            await people.log_in(session, member, people.token_digest(token), now)
    return tokens


async def _watched(port: int, path: str, tokens: Sequence[str], pid: int) -> list[Figure]:
    alone = _spent(pid)
    watchers = [Watcher(port, path, token) for token in tokens]
    await asyncio.gather(*(one.open() for one in watchers))
    await asyncio.sleep(2)
    before = _spent(pid)
    await asyncio.sleep(REST)
    rested = _spent(pid)
    os.kill(pid, signal.SIGUSR1)
    await asyncio.sleep(CHANGES * BETWEEN + AFTER)
    after = _spent(pid)
    told, looked = sum(one.told for one in watchers), sum(one.looked for one in watchers)
    for one in watchers:
        one.close()
    note = f"{told} events, {looked} pages in {after.at - rested.at:.0f} s"
    return [
        _figure(
            "200 watch: memory at rest",
            rested.megabytes,
            "MB",
            MEMORY_AT_MOST,
            f"{alone.megabytes:.0f} before",
        ),
        _figure("200 watch: of one core at rest", _share(before, rested), "%", SHARE_AT_MOST, ""),
        Figure("200 watch: memory after 20 changes", after.megabytes, "MB"),
        Figure("200 watch: of one core meanwhile", _share(rested, after), "%", note=note),
    ]


@dataclass(frozen=True)
class Spent:
    """What a process has used until an instant."""

    at: float
    seconds: float
    megabytes: float


def _spent(pid: int) -> Spent:
    """Linux only."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return Spent(time.monotonic(), seconds, megabytes(pid))


def _share(before: Spent, after: Spent) -> float:
    return 100 * (after.seconds - before.seconds) / (after.at - before.at)


def _figure(name: str, figure: float, unit: str, most: float, note: str) -> Figure:
    return Figure(name, figure, unit, aim=f"< {most:g} {unit}", met=figure < most, note=note)


class Watcher:
    """A browser with the page open, as far as the server can tell."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self._port, self._path = port, path
        self._headers = [("Host", place.AUTHORITY), ("Cookie", f"jura={token}")]
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_looking = False
        self.told = self.looked = 0

    async def open(self) -> None:
        mark = (await self._ask()).partition("/live?mark=")[2][:16]
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        target = f"{self._path}/live?mark={mark}"
        self._writer.write(load.request("GET", target, [*self._headers, ("Accept", "text/event-stream")]))
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"not let in: {status!r}")
        self._start(self._listen(reader))

    def _start(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                self.told += 1
                if not self._is_looking:
                    self._is_looking = True
                    self._start(self._look(int(line[6:]) / 1000))

    async def _look(self, within: float) -> None:
        await asyncio.sleep(random.random() * within)
        self._is_looking = False
        await self._ask()
        self.looked += 1

    async def _ask(self) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        ends = ("Connection", "close")
        writer.write(load.request("GET", self._path, [*self._headers, ("Accept", "text/html"), ends]))
        answer = await reader.read()
        writer.close()
        if b" 200 " not in answer[:20]:
            raise RuntimeError(f"not the page: {answer[:200]!r}")
        return answer.decode()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._writer.close()


# On the measured core


def serve(where: str, port: int, name: str) -> None:
    asyncio.run(_serve(place.settings_in(Path(where), port), port, name))


async def _serve(settings: Settings, port: int, name: str) -> None:
    app = create_app(settings)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    bursts: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: bursts.append(loop.create_task(_burst(app, name))))
    say(os.getpid())
    await asyncio.to_thread(wait_for_end)
    await runner.cleanup()


async def _burst(app: web.Application, name: str) -> None:
    for number in range(CHANGES):
        async with app[DATABASE].ACT.begin() as session:
            viewer = await people.viewer_of(session, pages.TOKEN, now := app[CLOCK].now())
            scope = await ledger.scope_named(session, name)
            if scope is None:
                raise LookupError(name)
            await remarks.say(
                session, viewer, scope, f"Remark {number}", f"{number:032x}", now, in_circle=False
            )
        await asyncio.sleep(BETWEEN)
