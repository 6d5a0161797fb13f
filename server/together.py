"""Work that costs about the same for one as for many: whoever asks while it is being done is served in the next go, all at once.

A single one is hardly kept waiting. Used where each would otherwise need a session or a commit of its own: at the inbox's door and
by the worker behind it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class Together(Generic[Job, Answer]):
    """`work` takes up to `most` jobs and returns their answers in the same order. Others are waited for as many seconds as `gather`
    says each time.

    If it fails for several, it is asked for each half of them, and so on: nobody suffers for another, and one among many costs the
    others little. So a failed attempt must leave nothing behind.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Job]], Awaitable[Sequence[Answer]]],
        most: int,
        gather: Callable[[], float] = float,
    ) -> None:
        self._work = work
        self._most = most
        self._gather = gather
        self._waiting: list[tuple[Job, asyncio.Future[Answer]]] = []
        self._going: asyncio.Task[None] | None = None

    async def ask(self, job: Job) -> Answer:
        """The answer to this job, or what its work raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, answer))
        if self._going is None:
            self._going = asyncio.create_task(self._go())
        return await answer

    async def _go(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < self._most:
                    await asyncio.sleep(self._gather())
                asked, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._answer(asked)
        finally:
            self._going = None
            for _, waits in self._waiting:  # none, unless this task was cancelled
                waits.cancel()

    async def _answer(self, asked: Sequence[tuple[Job, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([job for job, _ in asked])
        except Exception as error:  # noqa: BLE001 - it is raised again where it was asked
            if half := len(asked) // 2:
                await self._answer(asked[:half])
                await self._answer(asked[half:])
            elif not asked[0][1].done():
                asked[0][1].set_exception(error)
        except asyncio.CancelledError:
            for _, waits in asked:
                waits.cancel()
            raise
        else:
            for (_, waits), answer in zip(asked, answers, strict=True):
                if not waits.done():
                    waits.set_result(answer)
