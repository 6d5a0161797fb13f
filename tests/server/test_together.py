"""Work done together: one go for all who ask meanwhile, and nobody suffers for another."""

import asyncio
from collections.abc import Sequence

import pytest

from server.together import Together


class Work:
    """Doubles numbers, remembers in which groups it was asked, refuses what it is told to, and waits where it is told to."""

    def __init__(self, *bad: int) -> None:
        self.bad = bad
        self.groups: list[list[int]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        await self.go_on.wait()
        for number in numbers:
            if number in self.bad:
                raise ValueError(number)
        return [2 * number for number in numbers]


async def test_who_asks_alone_is_served_alone_and_at_once() -> None:
    work = Work()
    assert await Together(work, 10).ask(1) == 2
    assert work.groups == [[1]]


async def test_who_asks_meanwhile_is_served_in_the_next_go_in_order() -> None:
    work = Work()
    together = Together(work, 10)
    work.go_on.clear()
    first = asyncio.create_task(together.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(together.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    work.go_on.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


async def test_no_go_is_larger_than_it_may_be() -> None:
    work = Work()
    together = Together(work, 3)
    assert await asyncio.gather(*map(together.ask, range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert [len(group) for group in work.groups] == [3, 3, 1]


async def test_one_that_fails_fails_alone() -> None:
    work = Work(2)
    together = Together(work, 10)
    answers = await asyncio.gather(*map(together.ask, (1, 2, 3)), return_exceptions=True)
    assert [repr(answer) for answer in answers] == ["2", "ValueError(2)", "6"]
    assert work.groups == [[1, 2, 3], [1], [2, 3], [2], [3]]


async def test_who_does_not_wait_any_more_keeps_nobody_from_an_answer() -> None:
    work = Work()
    together = Together(work, 10)
    work.go_on.clear()
    asking = [asyncio.create_task(together.ask(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    asking[0].cancel()
    work.go_on.set()
    assert await asking[1] == 4
    assert await together.ask(3) == 6


async def test_when_the_work_is_cancelled_nobody_waits_for_ever() -> None:
    class Cancelled(Work):
        async def __call__(self, numbers: Sequence[int]) -> list[int]:
            raise asyncio.CancelledError

    together = Together(Cancelled(), 1)
    asking = [asyncio.create_task(together.ask(number)) for number in (1, 2)]
    for one in asking:
        with pytest.raises(asyncio.CancelledError):
            await one
