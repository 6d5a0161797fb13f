"""Room to fetch from other servers what strangers name: a key, a profile, a post.

Whoever answers slowly, or is made to, keeps only so many waiting; for whom there is no room is told to come later, or tried again
later. At the door and behind it there is room apart. What we ask of our own accord needs none.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from activitypub.errors import Unreachable
from activitypub.signatures import authority
from activitypub.sites import site_of

AT_THE_DOOR: Final = 16  # half of those at the door: the other places are for those whom we need not ask for
BEHIND_IT: Final = 64  # half of what the inbox worker does at once
OF_A_SITE: Final = 12  # of either, for all servers below one registered name


class Room:
    """For how many we ask just now, by site."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._sites: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._sites.total()

    @contextmanager
    def place(self, uri: str) -> Iterator[None]:
        """While open, the server of `uri` may be asked. Raises Unreachable if enough are waited for already, it or others."""
        site = site_of(authority(uri))
        if len(self) >= self.most or self._sites[site] >= OF_A_SITE:
            raise Unreachable(
                "no-room", "We wait for other servers already. Please try again a little later."
            )
        self._sites[site] += 1
        try:
            yield
        finally:
            self._sites -= Counter([site])


DOOR: web.AppKey[Room] = web.AppKey("room to fetch at the door", Room)
WORKER: web.AppKey[Room] = web.AppKey("room to fetch behind the door", Room)


def prepare(app: web.Application) -> None:
    """Called once, while the application is put together."""
    app[DOOR], app[WORKER] = Room(AT_THE_DOOR), Room(BEHIND_IT)
