"""How much may arrive: so many activities a minute from one server, fewer by keys that we do not know, and no more than wait
already. Who sends more is told when to come again. In memory and bounded; lost when the process ends, and no harm done.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from activitypub.errors import Malformed
from activitypub.sites import SERVERS, site_of
from models import decisions, queues
from models.rules.pace import MINUTE, Bucket, take
from server import remote
from server.actions.telling import us
from server.keys import CLOCK, DATABASE

OF_A_SERVER: Final = 600  # activities a minute whose signature was right
OF_A_PARTICIPANT: Final = 6_000  # beyond these, for servers with which we decide
BY_UNKNOWN_KEYS: Final = (
    300  # of the server that a key names, who may have nothing to do with it; from one network
)
NETWORKS: Final = 5  # times as much from all networks together
OF_A_SITE: Final = SERVERS * OF_A_SERVER  # of all servers below one registered name; likewise
UNKNOWN_OF_A_SITE: Final = SERVERS * BY_UNKNOWN_KEYS
REMEMBERED: Final = 5_000  # bound of each table below
MOST_WAITING: Final = 20_000  # activities in the inbox that have no handler yet
TRY_AGAIN_AFTER: Final = 60  # seconds

Table = OrderedDict[str, Bucket]


@dataclass
class Pace:
    """What came lately, by server, and by site as `*.name`; and for how many more there is room before we count what waits."""

    servers: Table = field(default_factory=OrderedDict)
    participants: Table = field(default_factory=OrderedDict)
    unknown: Table = field(default_factory=OrderedDict)
    kin: OrderedDict[str, tuple[bool, datetime]] = field(default_factory=OrderedDict)
    room: int = 0
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)


PACE: web.AppKey[Pace] = web.AppKey("pace", Pace)


async def check_server(app: web.Application, authority: str) -> None:
    """Raises 429 if this server, which has signed, or all of its site together, send more than we take."""
    now, pace = app[CLOCK].now(), app[PACE]
    wait = _taken(pace.servers, authority, OF_A_SERVER, now)
    wait = wait or _taken(pace.servers, f"*.{site_of(authority)}", OF_A_SITE, now)
    if wait is not None and await _decides_with_us(app, authority, now):
        wait = _taken(pace.participants, authority, OF_A_PARTICIPANT, now)
    if wait is not None:
        raise _slower(wait)


def check_unknown(app: web.Application, key_id: str, network: str) -> None:
    """Raises 429 if too many come by keys of this server that we do not know. Whoever sends them only says so: it takes nothing
    from what the server itself may send by keys that we know, and from one network little of what others may say in its name."""
    try:
        authority = remote.authority_of(key_id)
    except Malformed:
        return  # such a key is nobody's, and nothing is asked for it
    unknown, now = app[PACE].unknown, app[CLOCK].now()
    for name, most in ((authority, BY_UNKNOWN_KEYS), (f"*.{site_of(authority)}", UNKNOWN_OF_A_SITE)):
        wait = _taken(unknown, f"{network} {name}", most, now)
        wait = wait or _taken(unknown, name, NETWORKS * most, now)
        if wait is not None:
            raise _slower(wait)


async def check_room(app: web.Application) -> None:
    """Raises 503 while as many wait for their handlers as may. What waits is counted now and then, not for each."""
    pace = app[PACE]
    async with pace.counting:  # once for all who come meanwhile
        if pace.room <= 0:
            async with app[DATABASE].READ() as session:
                waiting = await queues.waiting_count(session, MOST_WAITING)
            pace.room = (MOST_WAITING - waiting + 1) // 2
    if pace.room <= 0:
        raise later("More waits here than we can handle. Please try again a little later.")
    pace.room -= 1


def later(sentence: str) -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(text=sentence, headers={"Retry-After": str(TRY_AGAIN_AFTER)})


def _slower(wait: timedelta) -> web.HTTPTooManyRequests:
    sentence = "You send more than we take. Please try again a little later."
    return web.HTTPTooManyRequests(
        text=sentence, headers={"Retry-After": str(max(1, int(wait.total_seconds())))}
    )


def _taken(table: Table, authority: str, per_minute: int, now: datetime) -> timedelta | None:
    table[authority], wait = take(table.get(authority), per_minute, now)
    table.move_to_end(authority)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
    return wait


async def _decides_with_us(app: web.Application, authority: str, now: datetime) -> bool:
    """Does this server take part in a decision in which our collective has spoken? Looked up once a minute."""
    kin = app[PACE].kin
    found, at = kin.get(authority, (False, now - MINUTE))
    if at <= now - MINUTE or at > now:
        async with app[DATABASE].READ() as session:
            collective, _ = await us(session)
            found = await decisions.decides_with(session, collective.ed25519 or "", authority)
        kin[authority] = (found, now)
        if len(kin) > REMEMBERED:
            kin.popitem(last=False)
    return found
