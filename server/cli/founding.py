"""`jura init` and `jura invite`: by questions, flags or environment."""

import argparse
import asyncio
import os
import re
import sys
from datetime import datetime
from pathlib import Path

from models.base import Database, open_database
from models.migrations import check, migrate
from models.people import local_actor, member_count
from models.rules.refusals import Refusal
from server.actions.founding import KeyPair, found, make_key_pair, offer_founder_link
from server.actions.people import new_token, token_digest
from server.clock import SystemClock
from server.home import make_home
from server.settings import Settings, SettingsError, make_secret, read_settings

HANDLE = re.compile(r"[a-z0-9_]{2,30}")


def init_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="public address, such as https://north.example (JURA_URL)")
    parser.add_argument("--name", help="what the collective is called (JURA_NAME)")
    parser.add_argument(
        "--handle", help="short name for @handle@host: small letters, digits, underscores (JURA_HANDLE)"
    )
    parser.add_argument("--summary", help="one or two sentences about the collective (JURA_SUMMARY)")


def init(args: argparse.Namespace) -> int:
    """Ask for what is missing, write the secret, prepare the database, found the collective, print the founder's link."""
    url = _ask(args.url, "JURA_URL", "Public address of this instance (such as https://north.example): ")
    name = _ask(args.name, "JURA_NAME", "What is your collective called? ")
    settings, link = found_as(url, name, *_rest(args, name))
    print(f"{name} is founded at {settings.url}.")
    print(f"The founder joins here, once, within 7 days:\n\n    {link}\n")
    print(f"Start it with:  JURA_URL={settings.url} jura serve")
    return 0


def _rest(args: argparse.Namespace, name: str) -> tuple[str, str]:
    """The short name and the sentence about it, where they are asked for."""
    suggestion = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:30] or "collective"
    handle = _ask(args.handle, "JURA_HANDLE", f"Short name for @…@host [{suggestion}]: ", suggestion)
    return handle, _ask(args.summary, "JURA_SUMMARY", "About it, in a sentence (may be empty): ", "")


def found_as(url: str, name: str, handle: str, summary: str) -> tuple[Settings, str]:
    """Write the secret, prepare the database and found the collective. Returns its settings and the founder's link."""
    if not HANDLE.fullmatch(handle):
        raise SettingsError(
            f"The short name {handle!r} must be 2 to 30 small letters, digits or underscores."
        )
    if not 1 <= len(name) <= 120:
        raise SettingsError("The name must have 1 to 120 characters.")
    env = dict(os.environ, JURA_URL=url)
    if not env.get("JURA_SECRET"):
        make_secret(Path(env.get("JURA_DATA", "data")))
    settings = read_settings(env)
    return settings, asyncio.run(found_instance(settings, handle, name, summary))


async def found_instance(
    settings: Settings,
    handle: str,
    name: str,
    summary: str,
    now: datetime | None = None,
    keys: tuple[KeyPair, KeyPair, KeyPair] | None = None,
) -> str:
    """Prepare the database and found the collective, with new keys unless some were made before; returns the founder's link."""
    database = open_database(settings.database)
    try:
        await migrate(database.engine)
        keys = keys or (make_key_pair(), make_key_pair(), make_key_pair())
        token = new_token()
        async with database.ACT.begin() as session:
            await found(
                session,
                make_home(settings),
                handle=handle,
                name=name,
                summary=summary,
                keys=keys,
                founder_token_hash=token_digest(token),
                now=now or SystemClock().now(),
            )
    finally:
        await database.close()
    return f"{settings.url}/join/{token}"


def invite_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Once somebody has joined, invitations are made on the page by whoever may admit."


def invite(_args: argparse.Namespace) -> int:
    settings = read_settings()
    print(asyncio.run(new_founder_link(settings)))
    return 0


async def new_founder_link(settings: Settings) -> str:
    """Another founder's link, for as long as nobody has joined."""
    from_database: Database = open_database(settings.database)
    try:
        await check(from_database.engine)
        token = new_token()
        async with from_database.ACT.begin() as session:
            if await local_actor(session, "collective") is None:
                raise Refusal("not-founded", "This instance is not founded yet: run `jura init`.")
            if await member_count(session):
                raise Refusal(
                    "used",
                    "Somebody has joined already: whoever may admit makes links, on the page “Invite people”.",
                )
            offer_founder_link(session, token_digest(token), SystemClock().now())
    finally:
        await from_database.close()
    return f"{settings.url}/join/{token}"


def _ask(given: str | None, name: str, question: str, default: str | None = None) -> str:
    """A flag, else the environment, else the person at the keyboard, else the default."""
    if given is not None:
        return given.strip()
    if name in os.environ:
        return os.environ[name].strip()
    if sys.stdin is not None and sys.stdin.isatty():
        return input(question).strip() or (default or "")
    if default is not None:
        return default
    raise SettingsError(f"Say {name} (or its flag): there is nobody at the keyboard to ask.")
