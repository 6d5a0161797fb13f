"""Who watches which page just now, in this process; and the one task that tells them when it may show something else.

A stream waits here and holds neither a session nor a connection to the database. The task looks at the rows when it hears that
something changed, and every half minute at everything: whose log-in is over or who left a circle is sent away, and whose page has
another mark is told so. `server.web.live` opens the streams.
"""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import marks
from models.base import LOGINS, Database
from server.actions.people import still_logged_in
from server.clock import Clock
from server.keys import CLOCK, DATABASE

EVERYTHING_EVERY: Final = 30.0  # seconds between looks at everything
TOGETHER: Final = 0.1  # seconds in which what changes is told as one change
APART: Final = 1.0  # seconds between two events, at least
EACH: Final = 0.03  # seconds that one reader's look at the page may take of a core
HEARTBEAT: Final = 25.0  # seconds: proxies close what is silent for longer
MOST: Final = 1_000  # streams in this process
MOST_OF_VISITORS: Final = 500
MOST_OF_ONE_MEMBER: Final = 12
MOST_OF_ONE_ADDRESS: Final = 50  # visitors; behind one address there may be a hall full of people

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A page that is watched: of the decision of this name, as visitors or as members see it, or a circle's room in it."""

    name: str
    is_member: bool
    circle_id: int | None = None

    async def mark(self, session: AsyncSession) -> str:
        if self.circle_id is not None:
            return await marks.of_room(session, self.name, self.circle_id)
        return await (marks.of_members_page if self.is_member else marks.of_public_page)(session, self.name)


@dataclass(eq=False)
class Stream:
    """One page that is open in somebody's browser. `login` is the digest of their token, `mark` that of what they have."""

    place: Place
    who: str
    login: str
    member_id: int
    mark: str
    is_gone: Callable[[], bool]
    within: float = 0.0
    is_told: bool = False
    is_over: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, mark: str, within: float) -> None:
        """There is something else to see; all who are told now look within so many seconds."""
        self.mark, self.within, self.is_told = mark, within, True
        self._news.set()

    def end(self, *, for_good: bool) -> None:
        """Nothing more comes. `for_good`: the browser is told not to ask again."""
        self.is_over, self.is_told = True, for_good
        self._news.set()

    async def said(self) -> AsyncIterator[bytes]:
        """What goes over the wire, piece by piece, until the end."""
        yield b"retry: %d\n\n" % random.randint(3_000, 9_000)
        while not self.is_over:
            try:
                await asyncio.wait_for(self._news.wait(), HEARTBEAT)
            except TimeoutError:
                yield b":\n\n"
                continue
            self._news.clear()
            if self.is_told and not self.is_over:
                self.is_told = False
                yield b"id: %b\nevent: changed\ndata: %d\n\n" % (self.mark.encode(), self.within * 1_000)
        if self.is_told:
            yield b"event: end\ndata: 0\n\n"


class Watching:
    """All streams of this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._streams: set[Stream] = set()
        self._names: Counter[str] = Counter()  # how often each decision is watched
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        database.wakes.hearers.append(self._hear)

    def __len__(self) -> int:
        return len(self._streams)

    def _hear(self, what: str) -> None:
        if what == LOGINS or self._names[what]:
            self._changed.add(what)
            self._news.set()

    @contextlib.asynccontextmanager
    async def open(self, stream: Stream) -> AsyncIterator[None]:
        """While open, the stream is told. If it has another mark than its page now, at once."""
        if self._is_stopping or not self._has_room(stream):
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "60"})
        self._streams.add(stream)
        self._names[stream.place.name] += 1
        try:
            await self._database.listen()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._tell(), name="watching")
            await self.look([stream])
            yield
        finally:
            self._streams.discard(stream)
            self._names -= Counter([stream.place.name])

    def _has_room(self, stream: Stream) -> bool:
        """Who went away leaves their place at once, although the stream may not know yet."""
        here = [one for one in self._streams if not one.is_gone()]
        visitors = sum(not one.login for one in here)
        mine = Counter(one.who for one in here)[stream.who]
        if stream.login:
            return len(here) < MOST and mine < MOST_OF_ONE_MEMBER
        return len(here) < MOST and visitors < MOST_OF_VISITORS and mine < MOST_OF_ONE_ADDRESS

    async def look(self, streams: Collection[Stream] | None = None) -> int:
        """Compare what is there with what these (else all) have; returns how many were told."""
        streams = list(self._streams) if streams is None else streams
        places = {stream.place for stream in streams}
        logins = sorted({stream.login for stream in streams if stream.login})
        async with self._database.READ() as session:
            good = await still_logged_in(session, logins, self._clock.now())
            found = {place: await place.mark(session) for place in places}
            seated = {
                place: await marks.seated(session, place.name, place.circle_id)
                for place in places
                if place.circle_id is not None
            }
        told = []
        for stream in streams:
            has_left = stream.place in seated and stream.member_id not in seated[stream.place]
            if has_left or (stream.login and stream.login not in good):
                stream.end(for_good=True)
            elif stream.mark != found[stream.place]:
                told.append(stream)
        for stream in told:
            stream.tell(found[stream.place], len(told) * EACH)
        return len(told)

    async def _tell(self) -> None:
        """Look when something changed, and at everything now and then, as long as anybody watches."""
        clock = asyncio.get_running_loop().time
        everything_at = clock() + EVERYTHING_EVERY
        while self._streams:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), max(0.0, everything_at - clock()))
                await asyncio.sleep(TOGETHER)
            self._news.clear()
            names, self._changed = self._changed, set()
            is_time = clock() >= everything_at
            everything_at = clock() + EVERYTHING_EVERY if is_time else everything_at
            told = 0
            try:
                told = await self.look(None if is_time else self._concerned(names))
            except Exception:  # the database may be away for a while; everything is looked at again soon
                logger.exception("those who watch could not be told; it is tried again")
            await asyncio.sleep(max(APART, told * EACH))

    def _concerned(self, names: Collection[str]) -> list[Stream]:
        ended = LOGINS in names
        return [one for one in self._streams if one.place.name in names or (ended and one.login)]

    async def stop(self) -> None:
        """Every stream ends now; browsers ask again, and find whoever answers then."""
        self._is_stopping = True
        for stream in self._streams:
            stream.end(for_good=False)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


WATCHING: web.AppKey[Watching] = web.AppKey("watching", Watching)


def set_up(app: web.Application) -> None:
    app[WATCHING] = Watching(app[DATABASE], app[CLOCK])

    async def stop(_app: web.Application) -> None:
        await app[WATCHING].stop()

    app.on_shutdown.append(stop)
