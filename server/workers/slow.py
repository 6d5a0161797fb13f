"""Names below which several servers took long to answer: of those servers only a few are sent to at the same time.

Whoever registered one name has as many servers below it as they like. Each that answers as late as we wait keeps a place of the
delivery worker, and some hundreds would keep all of them. In memory and bounded; lost when the process ends, and no harm done.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from aiohttp import web

from activitypub.sites import site_of
from models.queues import Destination

LONG: Final = 5.0  # seconds for one delivery
SERVERS: Final = (
    8  # of one name that took so long within an hour: one or two have their troubles, and harm nobody
)
HOUR: Final = 3_600.0
AT_ONCE: Final = 8
LATER: Final = timedelta(minutes=1)
REMEMBERED: Final = 1_000  # names


class Slow:
    """What took long lately, by site and server; and to how many servers of slow sites we send just now."""

    def __init__(self) -> None:
        self._late: OrderedDict[str, dict[str, float]] = OrderedDict()
        self.sending = 0

    def took(self, host: str, seconds: float) -> bool:
        """A delivery to this server took so long; was that long, as for others of its site?"""
        if seconds < LONG:
            return False
        site = site_of(host)
        late = self._late.pop(site, {})
        late.pop(host, None)
        late[host] = time.monotonic()
        if len(late) > SERVERS:
            del late[next(iter(late))]
        self._late[site] = late
        if len(self._late) > REMEMBERED:
            self._late.popitem(last=False)
        return self.is_slow(host)

    def is_slow(self, host: str) -> bool:
        """Did several servers of this one's site take long within the last hour?"""
        if not self._late:
            return False
        since = time.monotonic() - HOUR
        return sum(at > since for at in self._late.get(site_of(host), {}).values()) >= SERVERS

    def split(
        self, taken: Sequence[Destination], hosts: Sequence[Destination]
    ) -> tuple[list[Destination], list[Destination]]:
        """Those that are sent to now, beside those that were taken already, and those for which there is no room now."""
        now, later = list[Destination](), list[Destination]()
        room = AT_ONCE - self.sending - sum(self.is_slow(host.host) for host in taken)
        for host in hosts:
            slow = self.is_slow(host.host)
            (later if slow and room <= 0 else now).append(host)
            room -= slow
        return now, later


SLOW: web.AppKey[Slow] = web.AppKey("slow_sites", Slow)
