"""Several jobs at a time, each in its own place."""

import asyncio
from collections.abc import Sequence

import pytest

from server.keys import DATABASE, STOPPING
from server.workers.slots import keep_busy
from tests.server.peers.world import World


class Jobs:
    """Numbers that wait to be claimed; a test says when each is finished."""

    def __init__(self, count: int) -> None:
        self.waiting = list(range(count))
        self.begun: dict[int, asyncio.Event] = {}
        self.news = asyncio.Event()
        self.most = 0

    async def claim(self, most: int) -> Sequence[int]:
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    async def work(self, job: int) -> int:
        self.begun[job] = asyncio.Event()
        self.news.set()
        self.most = max(self.most, sum(not event.is_set() for event in self.begun.values()))
        await self.begun[job].wait()
        if job == 13:
            raise ValueError("thirteen")
        return 1

    async def until_begun(self, *jobs: int) -> None:
        async with asyncio.timeout(20):
            while not set(jobs) <= self.begun.keys():
                self.news.clear()
                await self.news.wait()


async def test_a_free_place_is_taken_while_others_are_still_busy(two: World) -> None:
    jobs, app = Jobs(4), two.of().app
    busy = asyncio.create_task(keep_busy(app, "test", 2, jobs.claim, jobs.work))
    await jobs.until_begun(0, 1)
    jobs.begun[1].set()
    await jobs.until_begun(2)
    jobs.begun[2].set()
    await jobs.until_begun(3)
    for job in (0, 3):
        jobs.begun[job].set()
    assert await busy == 4
    assert jobs.most == 2


async def test_what_becomes_due_meanwhile_is_taken_when_woken(two: World) -> None:
    jobs, app = Jobs(1), two.of().app
    busy = asyncio.create_task(keep_busy(app, "test", 5, jobs.claim, jobs.work))
    await jobs.until_begun(0)
    jobs.waiting = [7]
    app[DATABASE].woken("test").set()
    await jobs.until_begun(7)
    jobs.begun[0].set()
    jobs.begun[7].set()
    assert await busy == 2


async def test_when_the_server_stops_what_runs_is_finished_and_nothing_is_begun(two: World) -> None:
    jobs, app = Jobs(3), two.of().app
    busy = asyncio.create_task(keep_busy(app, "test", 1, jobs.claim, jobs.work))
    await jobs.until_begun(0)
    app[STOPPING].set()
    jobs.begun[0].set()
    assert await busy == 1
    assert jobs.waiting == [1, 2]


async def test_a_job_that_fails_is_logged_and_the_others_go_on(
    two: World, caplog: pytest.LogCaptureFixture
) -> None:
    jobs, app = Jobs(0), two.of().app
    jobs.waiting = [13, 1]
    busy = asyncio.create_task(keep_busy(app, "test", 2, jobs.claim, jobs.work))
    await jobs.until_begun(13, 1)
    for event in jobs.begun.values():
        event.set()
    assert await busy == 1
    assert "thirteen" in caplog.text


async def test_a_slow_job_keeps_the_others_waiting_no_longer_than_they_gather(two: World) -> None:
    jobs, app = Jobs(4), two.of().app
    busy = asyncio.create_task(keep_busy(app, "test", 3, jobs.claim, jobs.work, 0.001))
    await jobs.until_begun(0, 1, 2)
    jobs.begun[1].set()
    jobs.begun[2].set()
    await jobs.until_begun(3)
    for job in (0, 3):
        jobs.begun[job].set()
    assert await busy == 4


async def test_nobody_gathers_once_all_are_done(two: World) -> None:
    jobs, app = Jobs(3), two.of().app
    busy = asyncio.create_task(keep_busy(app, "test", 3, jobs.claim, jobs.work, 3600.0))
    await jobs.until_begun(0, 1, 2)
    for event in jobs.begun.values():
        event.set()
    async with asyncio.timeout(20):
        assert await busy == 3
