"""`jura run`: one instance on this machine, for whoever wants to try it. Asks nothing; prints one address to open in a browser.

What the collective is called, and everything else, the founder says on the pages.
"""

import argparse
import asyncio
import os
import socket

from models.base import open_database
from models.migrations import migrate
from models.people import local_actor, member_count
from server.actions.founding import NEW_NAME
from server.cli.founding import found_as, init_flags, new_founder_link
from server.cli.serving import no_port, serve_it
from server.settings import Settings, SettingsError, read_settings

HANDLE = "collective"
LISTEN = "127.0.0.1:8080"


def flags(parser: argparse.ArgumentParser) -> None:
    init_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Found it if it is not, serve it, and say where to begin."""
    _settle_the_address(args.url)
    try:
        settings = read_settings()
    except SettingsError:
        settings = _found(args)  # there is no secret yet, or something is wrong that founding says again
    found, people = asyncio.run(_what_there_is(settings))
    if not found:
        settings = _found(args)
    asyncio.run(serve_it(settings, _said(settings, people), workers=True))
    return 0


def _settle_the_address(url: str | None) -> None:
    """Where it is: as the flag or the environment says, else at the port on which it listens."""
    os.environ.setdefault("JURA_DEVELOPMENT", "1")
    port = os.environ.get("JURA_LISTEN", LISTEN).rpartition(":")[2]
    os.environ.setdefault("JURA_URL", url or f"http://jura.localhost:{port}")


def _found(args: argparse.Namespace) -> Settings:
    _check_port(*os.environ.get("JURA_LISTEN", LISTEN).rsplit(":", 1))
    said = {
        name: getattr(args, name) or os.environ.get(f"JURA_{name.upper()}", "")
        for name in ("name", "handle", "summary")
    }
    name, handle = said["name"].strip() or NEW_NAME, said["handle"].strip() or HANDLE
    settings, _ = found_as(os.environ["JURA_URL"], name, handle, said["summary"].strip())
    return settings


def _check_port(host: str, port: str = "") -> None:
    """Before anything is founded: the port becomes a part of the address, which can never change."""
    if not port.isdecimal():
        return  # reading the settings says what is wrong
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host.strip("[]"), int(port)), family=family).close()
    except (OSError, OverflowError) as error:
        raise no_port(host, port, error if isinstance(error, OSError) else OSError()) from error


async def _what_there_is(settings: Settings) -> tuple[bool, int]:
    """Is there a collective, and how many people are in it?"""
    database = open_database(settings.database)
    try:
        await migrate(database.engine)
        async with database.READ() as session:
            return await local_actor(session, "collective") is not None, await member_count(session)
    finally:
        await database.close()


def _said(settings: Settings, people: int) -> str:
    """The one address. As long as nobody has joined, each start makes a new founder's link."""
    if people:
        return f"Jura runs. Open it in a browser:\n\n    {settings.url}/\n\nCtrl-C stops it."
    link = asyncio.run(new_founder_link(settings))
    return f"Jura runs. Open this in a browser (it works once, for 7 days):\n\n    {link}\n\nCtrl-C stops it."
