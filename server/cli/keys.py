"""`jura keys`: changing the keys that sign requests."""

import argparse
import asyncio
import sys

from models.base import open_database
from models.migrations import check
from models.rules.refusals import Refusal
from server.actions.rotating import actors_with_keys, make_request_key, rotate_keys
from server.clock import FileClock, SystemClock
from server.home import make_home
from server.settings import SettingsError, read_settings


def flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `jura keys`."""
    parser.add_argument(
        "act", choices=["rotate"], help="rotate: make new RSA keys for all actors of this instance"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask whether to go on")
    parser.epilog = "The keys that sign records are not changed: there the key is the identity. The server may keep running."


def run(args: argparse.Namespace) -> int:
    if not args.yes:
        _confirm()
    changed = asyncio.run(_rotate())
    print(f"{changed} actors have new keys. Followers and participants are told as soon as the server sends.")
    return 0


def _confirm() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise SettingsError("Say --yes to change the keys: there is nobody at the keyboard to ask.")
    print(
        "All actors of this instance get new keys for signing requests. The old ones are erased once everybody was told."
    )
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise SettingsError("Nothing was changed.")


async def _rotate() -> int:
    settings = read_settings()
    now = (FileClock(settings.clock) if settings.clock else SystemClock()).now()
    home, database = make_home(settings), open_database(settings.database)
    try:
        await check(database.engine)
        async with database.READ() as session:
            actors = await actors_with_keys(session)
        if not actors:
            raise Refusal("not-founded", "This instance is not founded yet: run `jura init`.")
        home.rsa_of(actors[0])  # with another secret nothing is changed
        keys = {actor.id: make_request_key() for actor in actors}
        async with database.ACT.begin() as session:
            return await rotate_keys(session, home, keys, now)
    finally:
        await database.close()
