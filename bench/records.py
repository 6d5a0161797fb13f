"""Records verified and appended per second, in transactions of as many as arrive together.

Measured are `hearing.verified` and `ledger.append` as the inbox and repair call them. The limit checks the same Ed25519
signatures, with keys in memory over 64 bytes at hand, and inserts the same bytes by the standard library's sqlite3, in
transactions of the same size.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from bench import place
from bench.cores import alone, say
from bench.figures import Figure, rate
from models import ledger
from models.base import Database
from models.ledger import Scope
from models.migrations import migrate
from models.rules import records
from server.actions import hearing
from server.settings import Settings

RECORDS = 1200
TOGETHER = (1, 20, 100)
SIGNERS = 30


def measure(rounds: int) -> list[Figure]:
    return [_measured(rounds, together) for together in TOGETHER]


def _measured(rounds: int, together: int) -> Figure:
    def run(function: str) -> float:
        with place.folder() as where:
            return float(alone("bench.records", function, where=str(where), together=together))

    return rate(
        f"records appended, {together} together",
        "per s",
        lambda: run("append"),
        lambda: run("limit"),
        "one Ed25519 check and one insert each",
        rounds,
    )


def _documents() -> list[dict[str, Any]]:
    """Ballots by so many circles."""
    signers, at = place.strangers(SIGNERS, SIGNERS), place.now() - timedelta(hours=1)
    return [
        signers[number % SIGNERS].record(
            "Ballot",
            place.digest_of("scope"),
            at,
            terms=place.digest_of("terms"),
            seq=number + 1,
            position="concern",
            reason=place.digest_of(str(number)),
            confirmed=3,
            entered="circle",
        )
        for number in range(RECORDS)
    ]


def _parts(documents: list[Any], together: int) -> Iterator[list[Any]]:
    for start in range(0, len(documents), together):
        yield documents[start : start + together]


# On the measured core


def append(where: str, together: int) -> None:
    asyncio.run(_append(place.settings_in(Path(where)), together))


async def _append(settings: Settings, together: int) -> None:
    documents, name, now = _documents(), place.digest_of("scope"), place.now()
    async with place.database(settings) as database:
        await migrate(database.engine)
        await _open(database, name)
        began = time.monotonic()
        for part in _parts(documents, together):
            signed = hearing.verified(part)
            async with database.ACT.begin() as session:
                scope = await ledger.locked_scope(session, name)
                if scope is None or len(await ledger.append(session, scope, signed, {}, now)) != len(part):
                    raise RuntimeError("not everything was new")
        say(len(documents) / (time.monotonic() - began))


async def _open(database: Database, name: str) -> None:
    async with database.ACT.begin() as session:
        session.add(Scope(name=name, kind="decision", visibility="federation", created_at=place.now()))


def limit(where: str, together: int) -> None:
    work = []
    for document in _documents():
        options = {key: value for key, value in document["proof"].items() if key != "proofValue"}
        signed = records.signing_input(document, options)
        work.append((orjson.dumps(document), signed))
    key = place.strangers(1, 1)[0].ed25519
    public = key.public_key()
    ready = [(body, signed, key.sign(signed)) for body, signed in work]
    connection = place.bare_database(Path(where), "limit.sqlite")
    connection.execute(
        "CREATE TABLE record (id INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB UNIQUE, body BLOB)"
    )
    began = time.monotonic()
    for part in _parts(ready, together):
        connection.execute("BEGIN IMMEDIATE")
        for body, signed, signature in part:
            public.verify(signature, signed)
            connection.execute("INSERT INTO record (name, body) VALUES (?, ?)", (signed, body))
        connection.execute("COMMIT")
    say(len(ready) / (time.monotonic() - began))
