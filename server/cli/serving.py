"""`jura serve`, `work`, `migrate`: one process for everything, or many on PostgreSQL."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from models.base import open_database
from models.migrations import DatabaseProblem, check, check_writable, migrate
from models.people import local_actor
from server.app import create_app
from server.clock import FileClock
from server.home import make_home
from server.settings import Settings, SettingsError, read_settings

YOUNG_OBJECTS: Final = 10_000


def serve_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-workers", action="store_true", help="only answer requests; `jura work` does the rest"
    )


def work_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Any number of these may share one PostgreSQL database."


def migrate_flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Make a backup first. `jura serve` does this by itself on SQLite."


def serve(args: argparse.Namespace) -> int:
    settings = read_settings()
    said = f"Jura serves {settings.url} on {settings.listen_host}:{settings.listen_port}"
    asyncio.run(serve_it(settings, said, workers=not args.no_workers))
    return 0


def work(_args: argparse.Namespace) -> int:
    settings = read_settings()
    if settings.database.startswith("sqlite"):
        raise SettingsError("`jura work` needs PostgreSQL; on SQLite `jura serve` does all the work.")
    asyncio.run(_work(settings))
    return 0


def migrate_command(_args: argparse.Namespace) -> int:
    before, after = asyncio.run(_migrate(read_settings()))
    print(f"The database is at {after} (before: {before or 'empty'}).")
    return 0


async def _migrate(settings: Settings) -> tuple[str | None, str]:
    database = open_database(settings.database)
    try:
        return await migrate(database.engine)
    finally:
        await database.close()


def _log_plainly() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_is_our_trouble)


def _is_our_trouble(record: logging.LogRecord) -> bool:
    """What cannot be read as HTTP gets a 400 and no line: anybody can send any number of it, and what is quoted of it can be a
    secret address."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


async def _prepare(settings: Settings) -> None:
    """Migrate (SQLite) or check (PostgreSQL), and see that the address and the secret are those of this database, before the port
    is taken."""
    if settings.clock:
        _check_clock(settings.clock)
    database = open_database(settings.database)
    try:
        if database.is_postgresql:
            await check(database.engine)
        else:
            await migrate(database.engine)
            await check_writable(database.engine)
        async with database.READ() as session:
            instance = await local_actor(session, "instance")
        if instance is None:
            raise DatabaseProblem("There is no collective in this database yet: run `jura init` first.")
        home = make_home(settings)
        if not instance.uri.startswith(home.uri("")):
            raise SettingsError(
                f"JURA_URL is {settings.url}, but this database is the one of {instance.authority}: others know it by that "
                "address, and it can never change."
            )
        home.key_of(instance)
    finally:
        await database.close()


def _check_clock(path: Path) -> None:
    try:
        FileClock(path).now()
    except (OSError, ValueError) as error:
        raise SettingsError(f"JURA_CLOCK: the file {path} does not hold an instant (ISO 8601).") from error


def spare_the_collector() -> None:
    """What is there by now stays: the collector need not look at it again. And almost all that a request or a delivery makes goes
    by itself: it looks for the rest after ten thousand new objects, not after seven hundred."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


async def serve_it(settings: Settings, said: str, *, workers: bool) -> None:
    """Serve until stopped; once the port is taken, say so."""
    _log_plainly()
    await _prepare(settings)
    runner = web.AppRunner(create_app(settings, workers=workers), access_log=None)
    await runner.setup()
    try:
        await listen(runner, settings)
        spare_the_collector()
        print(said, flush=True)
        await _until_stopped()
    finally:
        await runner.cleanup()


async def listen(runner: web.AppRunner, settings: Settings) -> None:
    """Take the port; a taken one is said in one line."""
    try:
        await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
    except OSError as error:
        raise no_port(settings.listen_host, settings.listen_port, error) from error


def no_port(host: str, port: int | str, error: OSError) -> SettingsError:
    return SettingsError(
        f"Port {port} on {host} cannot be used ({os.strerror(error.errno or 0)}): "
        "stop what uses it, or choose another with JURA_LISTEN."
    )


async def _work(settings: Settings) -> None:
    _log_plainly()
    await _prepare(settings)
    runner = web.AppRunner(
        create_app(settings, workers=True)
    )  # without an address: nobody can ask it anything
    await runner.setup()
    try:
        spare_the_collector()
        print(f"Jura works for {settings.url}", flush=True)
        await _until_stopped()
    finally:
        await runner.cleanup()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    print("Jura stops: finishing what is in hand.", file=sys.stderr, flush=True)
