"""How often something was met lately at a server that somebody named: actors that are none, new actors. Strangers name whatever
keys they like, so it is counted by who named them: from one place nobody parts us from a server, and all together do not make us
ask it for ever.

In memory and bounded.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from activitypub.sites import SERVERS, site_of
from models.peers import HOUR

PLACES: Final = 5  # times as many from wherever as from one place
REMEMBERED: Final = 4_000


class Strikes:
    """How often since when, by server or site, with and without the network or server that named it."""

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

    def are_enough(self, authority: str, named_by: str, most: int, now: datetime) -> bool:
        """Were there so many within an hour, at the server as this one names it, or as many times more?"""
        for what, times_most in _bounds(authority, named_by):
            times, since = self._counted.get(what, (0, now))
            if times >= times_most * most and since > now - HOUR:
                return True
        return False


def _bounds(authority: str, named_by: str) -> Iterator[tuple[str, int]]:
    for where, servers in ((authority, 1), (f"*.{site_of(authority)}", SERVERS)):
        yield f"{named_by} {where}", servers
        yield where, PLACES * servers
