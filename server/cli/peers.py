"""`jura peers list|block|limit|allow|forget`: with which servers this instance deals, from the command line."""

import argparse
import asyncio
from datetime import datetime
from typing import Final

from models import neighbours
from models.base import open_database
from models.migrations import check
from models.neighbours import Neighbour
from models.rules.peering import read_host
from server.actions import peers
from server.actions.peers import ACTS, Act
from server.cli import counted
from server.clock import FileClock, SystemClock
from server.home import make_home
from server.settings import Settings, read_settings

MOST: Final = 10_000
WHAT: Final[dict[str, str]] = {
    "block": "nothing in, nothing out: it posts and finds nothing here, its follows end, what waits for it is dropped",
    "limit": "it is heard, but not counted in public, and what it says is folded",
    "allow": "put it on the list of those with whom we deal where only the listed may",
    "forget": "undo: as if nothing had been decided about it (follows that ended do not come back)",
}
DONE: Final[dict[str, str]] = {
    "block": "blocked",
    "limit": "limited",
    "allow": "on the list",
    "forget": "a server like any other",
}


def flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "A block and a limit hold for everything below the name too. Members do the same under /moderate."
    )
    acts = parser.add_subparsers(dest="act", metavar="list|block|limit|allow|forget", required=True)
    listed = acts.add_parser(
        "list", help="every server that is known here", description="Every server that is known here."
    )
    listed.add_argument("--show", choices=neighbours.SHOWN, default="all", help="only some of them")
    listed.add_argument("--search", default="", help="only names that hold this")
    for act in ACTS:
        described = acts.add_parser(act, help=WHAT[act], description=f"{act.title()}: {WHAT[act]}.")
        described.add_argument("host", metavar="HOST", help="such as social.example")
        if act != "forget":
            described.add_argument("--note", required=True, help="why, for whoever moderates later")


def run(args: argparse.Namespace) -> int:
    settings = read_settings()
    if args.act == "list":
        asyncio.run(_list(settings, args.search, args.show))
    else:
        asyncio.run(_decide(settings, args.act, args.host, getattr(args, "note", "")))
    return 0


async def _list(settings: Settings, looked_for: str, shown: str) -> None:
    database = open_database(settings.database)
    try:
        await check(database.engine)
        async with database.READ() as session:
            found, total = await neighbours.page(session, looked_for, shown, 0, MOST)
    finally:
        await database.close()
    for one in found:
        print(_line(one))
    print(counted(total, "server.", "servers."))


def _line(one: Neighbour) -> str:
    peer, sent = one.peer, one.destination
    said = [
        "blocked" if peer and peer.is_blocked else "",
        "limited" if peer and peer.is_limited else "",
        "listed" if peer and peer.is_allowed else "",
        f"seen {_day(peer.seen_at)}" if peer and peer.seen_at else "",
        counted(one.followers, "follower", "followers") if one.followers else "",
        f"{one.waiting} waiting" if one.waiting else "",
        f"{one.dead} given up" if one.dead else "",
        counted(sent.fails, "failure", "failures in a row") if sent and sent.fails else "",
        f"note: {peer.note}" if peer and peer.note else "",
    ]
    return f"{one.host}: " + (", ".join(part for part in said if part) or "nothing yet")


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


async def _decide(settings: Settings, act: Act, host: str, note: str) -> None:
    """Say what ends, do it, and say that it is done."""
    now = (FileClock(settings.clock) if settings.clock else SystemClock()).now()
    database = open_database(settings.database)
    try:
        await check(database.engine)
        async with database.ACT.begin() as session:
            ends = await peers.reach(session, read_host(host))
            name = await peers.decide(session, make_home(settings), None, act, host, note, now)
    finally:
        await database.close()
    if act == "block" and not ends.is_nothing:
        follows, waiting = (
            counted(ends.followers, "follow", "follows"),
            counted(ends.deliveries, "delivery", "deliveries"),
        )
        print(f"Ended: {follows}, {ends.followed} of ours, {waiting}.")
    if act == "block" and ends.decisions:
        running = counted(len(ends.decisions), "decision that runs", "decisions that run")
        print(f"It takes part in {running}: what it says there is not heard any more.")
    print(f"{name} is {DONE[act]}.")
