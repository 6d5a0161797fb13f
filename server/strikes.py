"""Of which servers too many actors were asked for in vain lately. Strangers name whatever keys they like, so it is counted by who
named them: from one place nobody parts us from a server, and all together do not make us ask it for ever.

In memory and bounded.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from activitypub.errors import Unreachable
from activitypub.sites import SERVERS, site_of
from models.peers import HOUR

MISSES_PER_HOUR: Final = (
    60  # of one server, named from one place; then it is left alone for the rest of the hour
)
PLACES: Final = 5  # times as many, named from wherever
REMEMBERED: Final = 4_000


class Strikes:
    """How often it was in vain since when, by server or site, with and without the network or server that named it."""

    def __init__(self) -> None:
        self._counted: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counted)

    def add(self, authority: str, named_by: str, now: datetime) -> None:
        for what, _ in _bounds(authority, named_by):
            times, since = self._counted.pop(what, (0, now))
            self._counted[what] = (times + 1, since) if since > now - HOUR else (1, now)
        while len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)

    def check(self, authority: str, named_by: str, now: datetime) -> None:
        """Raises Unreachable for actors that we do not know, of a server or site where too many were asked for in vain. What we
        know there can still be asked for."""
        for what, most in _bounds(authority, named_by):
            times, since = self._counted.get(what, (0, now))
            if times >= most and since > now - HOUR:
                raise Unreachable("left-alone", "Too many were asked for in vain at the other server lately.")


def _bounds(authority: str, named_by: str) -> Iterator[tuple[str, int]]:
    for where, most in ((authority, MISSES_PER_HOUR), (f"*.{site_of(authority)}", SERVERS * MISSES_PER_HOUR)):
        yield f"{named_by} {where}", most
        yield where, PLACES * most
