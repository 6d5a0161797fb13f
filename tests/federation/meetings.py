"""Federations for one test each: founded with their members, or as they stand when the voting on a joint decision opens.

What was played once on SQLite is kept in the stock and copied for the next test that asks for the same. On PostgreSQL every test
plays it from the beginning.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.federation.harness import Federation
from tests.federation.stock import Stock

RATIFIED_AFTER = timedelta(days=20)  # from when a collective answers that its assembly ratifies


@dataclass
class Meetings:
    """Fixture `meetings`: `async with meetings.voting(oak=1, elm=3) as fed:`; numbers are how many members each has."""

    stock: Stock
    folder: Path
    database: Callable[[str], str] | None = None

    @asynccontextmanager
    async def founded(self, **members: int) -> AsyncIterator[Federation]:
        """Instances run, members have joined, nothing is asked yet."""
        label = f"founded {members}"
        if self.database is None and label not in self.stock.kept:
            async with self._new(self.stock.folder / label, members) as fed:
                await _join(fed, members)
                await fed.keep(label)
        async with self._begin(label, members) as fed:
            if self.database is not None:
                await _join(fed, members)
            yield fed

    @asynccontextmanager
    async def voting(
        self, takes: Mapping[str, str] | None = None, plan: Mapping[str, Any] | None = None, **members: int
    ) -> AsyncIterator[Federation]:
        """The first has convened the others, all have answered (`takes`: else binding), and the voting has just opened.

        `plan` is what the convener chose; without a word about it there is no challenge window, so that it ends with the grace.
        """
        plan = {"challenge": timedelta(), **(plan or {})}
        label = f"voting {members} {takes} {plan}"
        if self.database is None and label not in self.stock.kept:
            folder = self.stock.folder / f"voting {len(self.stock.kept)}"
            async with Meetings(self.stock, folder).founded(**members) as fed:
                await _open(fed, takes or {}, plan)
                await fed.keep(label)
        if self.database is None:
            async with self._begin(label, members) as fed:
                yield fed
        else:
            async with self.founded(**members) as fed:
                await _open(fed, takes or {}, plan)
                yield fed

    @asynccontextmanager
    async def _begin(self, label: str, members: Mapping[str, int]) -> AsyncIterator[Federation]:
        fed = self._unstarted(self.folder, members)
        if self.database is None:
            try:
                yield await fed.restore(label)
            finally:
                await fed.close()
            return
        async with fed:
            yield fed

    @asynccontextmanager
    async def _new(self, folder: Path, members: Mapping[str, int]) -> AsyncIterator[Federation]:
        async with self._unstarted(folder, members) as fed:
            yield fed

    def _unstarted(self, folder: Path, members: Mapping[str, int]) -> Federation:
        return Federation(*members, folder=folder, database=self.database, stock=self.stock)


async def _join(fed: Federation, members: Mapping[str, int]) -> None:
    for name, count in members.items():
        await fed[name].members(count)


async def _open(fed: Federation, takes: Mapping[str, str], plan: Mapping[str, Any]) -> None:
    convener, *others = fed.names
    own = {"takes": takes[convener]} if convener in takes else {}
    await fed[convener].convene(*others, **own, **plan)
    await fed.settle()
    for name in others:
        says = takes.get(name, "binding")
        await fed[name].answer(says, fed.clock.now() + RATIFIED_AFTER if says == "ratifies" else None)
    await fed.settle()
    await fed.reach("opens")
