"""`jura charter`: what this collective asks at least of what it convenes, since when and by which decision. It changes nothing: the
collective does, by a decision."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise

from models.base import open_database
from models.migrations import check
from models.rules.charters import PARAMETERS
from models.rules.records import stamp
from server.actions.charters import History, Version, document, history
from server.actions.telling import us
from server.actions.visible import ALL
from server.clock import FileClock, SystemClock
from server.settings import Settings, read_settings


def flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="all versions for machines, as at /charter.json for a member"
    )
    parser.epilog = (
        "A charter is changed by a decision of the collective only; members ask for one at /charter."
    )


def run(args: argparse.Namespace) -> int:
    print(asyncio.run(_read(read_settings(), as_json=args.json)))
    return 0


async def _read(settings: Settings, *, as_json: bool) -> str:
    database = open_database(settings.database)
    try:
        await check(database.engine)
        now = (FileClock(settings.clock) if settings.clock else SystemClock()).now()
        async with database.READ() as session:
            await us(session)  # it says so where nothing is founded yet
            known = await history(session, now)
    finally:
        await database.close()
    if as_json:
        return json.dumps(document(known, settings.url, now, ALL), indent=2)
    return "\n".join(_lines(known))


def _lines(known: History) -> Iterator[str]:
    yield f"In force: {_title(known.current)}"
    for name, row in PARAMETERS.items():
        yield f"  {row.label}: {row.words(known.current.charter[name])}"
    if known.underway and known.underway.scope:
        yield f"Being decided: version {known.underway.number}, by decision {known.underway.scope.name}"
        yield from _changes(known.current, known.underway)
    for before, one in reversed([*pairwise(known.versions)]):
        yield f"What changed with version {one.number}, since {stamp(one.since)}:"
        yield from _changes(before, one)


def _title(one: Version) -> str:
    by = f"by decision {one.scope.name}" if one.scope else "it comes with the software"
    return f"version {one.number}, since {stamp(one.since)}, {by}"


def _changes(before: Version, one: Version) -> Iterator[str]:
    for name in one.changed:
        row = PARAMETERS[name]
        yield f"  {row.label}: {row.words(one.charter[name])} (before: {row.words(before.charter[name])})"
