"""Documents that are on their way to the inbox. Nothing is proved yet while they arrive, and any key can be claimed; what costs
something is a network to send from. So whoever sends slowly, or much at once, takes no place from those in other networks, nor do
strangers in many networks take all places from those that brought us something signed before. What came in one piece needs no
place.

In memory and bounded; lost when the process ends, and no harm done.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from activitypub import codec
from activitypub.errors import TooLarge
from server.networks import EVERYBODY
from server.peers import pace

SHORT: Final = 65_536  # bytes
SHORT_AT_ONCE: Final = 240  # with the long ones 32 MB in all
LONG_AT_ONCE: Final = 16
SHARES: Final = 4  # a network gets one of so many equal shares of the places
STRANGERS: Final = 2  # networks that never brought anything signed get, together, one of so many
REMEMBERED: Final = 5_000  # networks that did
BODY_SECONDS: Final = 30.0
BEGINNING: Final = 10.0  # seconds in which a document may come as slowly as it likes
RATE: Final = 32_768  # bytes a second, afterwards, on the whole


class Room:
    """How many documents of one kind are on their way, and from which networks."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.strangers = 0
        self._coming = 0
        self._networks: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._coming

    def has_place(self, network: str, *, stranger: bool) -> bool:
        share = network != EVERYBODY and self._networks[network] >= self.most // SHARES
        crowd = stranger and self.strangers >= self.most // STRANGERS
        return not share and not crowd and self._coming < self.most

    @contextmanager
    def place(self, network: str, *, stranger: bool) -> Iterator[None]:
        self._coming += 1
        self._networks[network] += 1
        self.strangers += stranger
        try:
            yield
        finally:
            self._coming -= 1
            self.strangers -= stranger
            self._networks[network] -= 1
            if not self._networks[network]:
                del self._networks[network]


class Arriving:
    """The room for short documents and for long ones, and the networks from which something signed came lately."""

    def __init__(self) -> None:
        self.short, self.long = Room(SHORT_AT_ONCE), Room(LONG_AT_ONCE)
        self._proved: OrderedDict[str, None] = OrderedDict()

    def proved(self, network: str) -> None:
        """What came from there was signed by whoever says so."""
        self._proved[network] = None
        self._proved.move_to_end(network)
        if len(self._proved) > REMEMBERED:
            self._proved.popitem(last=False)

    async def body(self, request: web.Request, network: str) -> bytes:
        """The raw bytes, within size and time. Raises 503 where there is no room for them now."""
        length = request.content_length
        if length is not None and length > codec.MAX_BYTES:
            raise _too_large()
        if length is not None and request.content.is_eof():  # all of it is here already
            return await request.read()
        # Of one that does not say how long it is, we think the worst.
        short = length is not None and length <= SHORT
        room, patience = (self.short, BEGINNING + SHORT / RATE) if short else (self.long, BODY_SECONDS)
        stranger = network not in self._proved
        if not room.has_place(network, stranger=stranger):
            raise pace.later("Too much is on its way here. Please try again a little later.")
        with room.place(network, stranger=stranger):
            return await _read(request, patience, hurried=not short)


async def _read(request: web.Request, patience: float, *, hurried: bool) -> bytes:
    """All of it, within so many seconds; `hurried`, it is given up as soon as it comes too slowly."""
    try:
        async with asyncio.timeout(patience) as limit:
            if not hurried:
                return await request.read()
            with _hurry(request, limit):
                return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large() from error
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="The document did not arrive in time.") from error


@contextmanager
def _hurry(request: web.Request, limit: asyncio.Timeout) -> Iterator[None]:
    """Ends `limit` once less has come than should have."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    looking: asyncio.TimerHandle

    def look() -> None:
        nonlocal looking
        until = began + BEGINNING + request.content.total_bytes / RATE
        if until > loop.time():
            looking = loop.call_at(until, look)
        else:
            limit.reschedule(until)

    looking = loop.call_later(BEGINNING, look)
    try:
        yield
    finally:
        looking.cancel()


def _too_large() -> TooLarge:
    return TooLarge("too-many-bytes", f"The document has more than {codec.MAX_BYTES} bytes.")
