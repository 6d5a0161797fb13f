"""What several jobs end with is settled together, and nobody waits long for that."""

import asyncio
from collections.abc import Sequence

import pytest

from server.workers.slots import keep_settling
from tests.server.peers.world import World
from tests.server.workers.test_slots import Jobs

LONG = 3600.0


class Settled:
    """Which jobs were settled in one go; refuses the first if it is told to."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.refuse = refuse

    async def __call__(self, results: Sequence[int]) -> int:
        self.groups.append(sorted(results))
        if self.refuse:
            self.refuse = False
            raise RuntimeError("the database is away")
        return sum(results)


async def begin(two: World, jobs: Jobs, settled: Settled, gather: float) -> "asyncio.Task[int]":
    app = two.of().app
    busy = asyncio.create_task(keep_settling(app, "test", 3, jobs.claim, jobs.work, settled, gather))
    await jobs.until_begun(0, 1, 2)
    return busy


async def test_jobs_that_are_all_done_are_settled_at_once(two: World) -> None:
    jobs, settled = Jobs(3), Settled()
    busy = await begin(two, jobs, settled, LONG)
    for event in jobs.begun.values():
        event.set()
    async with asyncio.timeout(20):
        assert await busy == 3
    assert settled.groups == [[1, 1, 1]]


async def test_a_slow_job_keeps_the_others_waiting_no_longer_than_they_gather(two: World) -> None:
    jobs, settled = Jobs(4), Settled()
    busy = await begin(two, jobs, settled, 0.001)
    jobs.begun[1].set()
    jobs.begun[2].set()
    await jobs.until_begun(3)
    assert settled.groups == [[1, 1]]
    jobs.begun[3].set()
    jobs.begun[0].set()
    assert await busy == 4


async def test_a_job_that_fails_is_not_settled(two: World, caplog: pytest.LogCaptureFixture) -> None:
    jobs, settled = Jobs(0), Settled()
    jobs.waiting = [0, 1, 2, 13]
    busy = await begin(two, jobs, settled, 0.001)
    jobs.begun[0].set()
    await jobs.until_begun(13)
    for event in jobs.begun.values():
        event.set()
    assert await busy == 3
    assert sum(map(len, settled.groups)) == 3
    assert "thirteen" in caplog.text


async def test_when_settling_fails_the_rows_keep_their_leases_and_the_work_goes_on(
    two: World, caplog: pytest.LogCaptureFixture
) -> None:
    jobs, settled = Jobs(4), Settled(refuse=True)
    busy = await begin(two, jobs, settled, 0.001)
    jobs.begun[0].set()
    await jobs.until_begun(3)
    for event in jobs.begun.values():
        event.set()
    assert await busy == 3
    assert "the database is away" in caplog.text
