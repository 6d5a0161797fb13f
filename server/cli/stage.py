"""Several real instances in one process, on loopback: for the demo, and with faults for the tests' harness.

Each has its own database and listens on its own port; they speak HTTP with each other like strangers do. One clock for all.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from server.app import Names, create_app
from server.cli.founding import found_instance
from server.clock import MovableClock
from server.keys import CLOCK, DATABASE
from server.settings import Settings, make_secret
from server.workers import PASSES, run_workers


@dataclass
class Instance:
    """One running instance: its name on the stage, its settings, its application and the founder's link."""

    name: str
    settings: Settings
    app: web.Application
    runner: web.AppRunner
    founder_link: str

    @property
    def url(self) -> str:
        return self.settings.url


class Stage:
    """`async with Stage(("oak", "elm"), …) as stage:` starts one instance per name; leaving stops them all.

    `ports` 0 takes any free port (then `names` must tell the instances how to reach each other).
    """

    def __init__(
        self,
        names: Sequence[str],
        clock: MovableClock,
        *,
        folder: Path | None = None,
        workers: bool = False,
    ) -> None:
        self.names = tuple(names)
        self.clock = clock
        self.workers = workers
        self.instances: dict[str, Instance] = {}
        self._working: list[AsyncIterator[None]] = []
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="jura-")
        self.folder = folder or Path(self._temporary.name if self._temporary else "")

    def settings_of(self, name: str, port: int) -> Settings:
        """Where an instance lives; the harness overrides this to choose databases and invented names."""
        data = self.folder / name
        return Settings(
            url=f"http://{name}.localhost:{port}",
            data=data,
            database=f"sqlite+aiosqlite:///{data / 'jura.sqlite'}",
            secret=make_secret(data),
            listen_host="127.0.0.1",
            listen_port=port,
            development=True,
            poll=0.5,
        )

    def resolver_of(self, name: str) -> Names | None:
        """How this instance finds the others; None: *.localhost is loopback already."""
        return None

    def prepare(self, name: str, app: web.Application) -> None:
        """Called with each application before it serves; the harness puts its faults here."""

    async def start(self, name: str, port: int, title: str, summary: str = "") -> Instance:
        """Found an instance and let it serve."""
        settings = self.settings_of(name, port)
        link = await found_instance(settings, name, title, summary, now=self.clock.now())
        return await self.serve(name, settings, link)

    async def serve(self, name: str, settings: Settings, link: str = "") -> Instance:
        """Let a founded instance serve (again)."""
        app = create_app(settings, self.clock, self.resolver_of(name), workers=self.workers)
        self.prepare(name, app)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
        except OSError:
            await runner.cleanup()
            raise
        self.instances[name] = Instance(name, settings, app, runner, link)
        return self.instances[name]

    async def settle(self, most: int = 200) -> int:
        """Run every due pass on all instances until nothing is due; returns how many rows were handled."""
        total = 0
        for _ in range(most):
            worked = 0
            for instance in list(self.instances.values()):
                for due in PASSES.values():
                    worked += await due(instance.app)
            total += worked
            if not worked:
                return total
        raise TimeoutError(f"after {most} rounds there is still something due")

    async def work_by_itself(self) -> None:
        """From now on the instances' own workers do what is due (the demo, once it is handed to people)."""
        for instance in self.instances.values():
            context = run_workers(instance.app)
            await anext(context)
            self._working.append(context)

    def nudge(self) -> None:
        """Let all workers look at once, since the clock was moved."""
        for instance in self.instances.values():
            for name in PASSES:
                instance.app[DATABASE].woken(name).set()

    async def advance(self, by: timedelta) -> None:
        """Move the clock of all instances on, and settle."""
        self.clock.advance(by)
        await self.settle()

    async def close(self) -> None:
        for context in self._working:
            with contextlib.suppress(StopAsyncIteration):
                await anext(context)
        self._working.clear()
        await asyncio.gather(*(i.runner.cleanup() for i in self.instances.values()))
        self.instances.clear()
        if self._temporary:
            self._temporary.cleanup()

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def now_of(instance: Instance) -> str:
    """What the clock of an instance shows, for people."""
    return instance.app[CLOCK].now().strftime("%-d %B, %H:%M UTC")
