"""Activities verified, stored and handled per second, from the POST to the handler's word, on one core.

A third each are Follows by strangers, Creates of a Note with a ballot and its reason, and Adds with two receipts: twelve
senders on four servers post over 32 connections. The clock runs until the inbox worker has settled the last of them.

The limit does two things per activity and nothing else: it checks the same RSA signature over the same bytes with a key in
memory, and commits one row with the same body to a database as durable as ours, by the standard library's sqlite3.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from activitypub import codec, signatures, vocabulary
from activitypub.addressing import direct
from bench import load, place
from bench.cores import Child, alone, say
from bench.figures import Figure, rate
from bench.place import AUTHORITY, Stranger
from models import ledger, queues
from models.rules import records
from models.rules.records import stamp
from server.actions import hearing
from server.actions.hearing import Brought
from server.app import create_app
from server.cli.serving import spare_the_collector
from server.keys import DATABASE
from server.settings import Settings
from server.workers.inbox import inbox_due

ACTIVITIES = 1500
CONNECTIONS = 32
HOSTS = 4
KIN = 12
INBOX = f"http://{AUTHORITY}/inbox"
US = f"http://{AUTHORITY}/c/oak"


def measure(rounds: int) -> list[Figure]:
    """Handled, and for itself only what is stored and answered."""
    stored: list[float] = []
    cpu: list[float] = []

    def once() -> float:
        with place.folder() as where:
            handled, at_door, seconds = _round(where)
        stored.append(at_door)
        cpu.append(seconds)
        return handled

    def limit() -> float:
        with place.folder() as where:
            return float(alone("bench.inbox", "limit", where=str(where)))

    whole = rate(
        "inbox: verified, stored, handled",
        "per s",
        once,
        limit,
        "one RSA check and one committed insert each",
        rounds,
        at_least=0.25,
    )
    whole = replace(whole, note=f"{min(cpu) * 1e6:.0f} us of processor time per activity")
    door = Figure(
        "inbox: answered with 202 meanwhile",
        max(stored),
        "per s",
        whole.limit,
        whole.limit_is,
        rounds=tuple(stored),
    )
    return [whole, door]


def _round(where: Path) -> tuple[float, float, float]:
    """Handled per second, answered per second, seconds of processor time per activity."""
    settings = place.settings_in(where)
    place.found(settings)
    crowd = place.strangers(KIN + ACTIVITIES // 3, HOSTS)
    scope = asyncio.run(_prepare(settings, crowd))
    posts = [request for request, _, _ in _requests(scope, crowd, place.now())]
    with Child(
        "bench.inbox", "serve", where=str(where), port=settings.listen_port, wanted=len(posts)
    ) as child:
        child.hear()
        began = time.monotonic()
        answered, seconds = asyncio.run(
            load.send(settings.listen_port, iter(posts), CONNECTIONS, b"HTTP/1.1 202")
        )
        ended, cpu = child.hear()
    return len(posts) / (ended - began), answered / seconds, cpu / len(posts)


async def _prepare(settings: Settings, crowd: list[Stranger]) -> str:
    """We know everybody, and take part in a decision that the first of them convened with the other kin."""
    now = place.now()
    ours = await place.our_key(settings)
    signed = place.offer(crowd[0], [ours, *(kin.key for kin in crowd[1:KIN])], now)
    async with place.database(settings) as database, database.ACT.begin() as session:
        rows = [stranger.row(now) for stranger in crowd]
        session.add_all(rows)
        await session.flush()
        offer = Brought(hearing.verified([signed]), {}, crowd[0].authority, rows[1:KIN])
        await hearing.take_in(session, offer, now)
    return records.digest(signed)


def _requests(scope: str, crowd: list[Stranger], now: datetime) -> Iterator[tuple[bytes, Stranger, bytes]]:
    """Whole requests, each with who signed it and its body."""
    for number in range(ACTIVITIES):
        kind, turn = number % 3, number // 3
        by = crowd[KIN + turn] if kind == 0 else crowd[turn % KIN]
        id_ = f"{by.uri}/a/{number}"
        if kind == 0:
            activity = vocabulary.follow(id_, by.uri, US)
        elif kind == 1:
            activity = vocabulary.create(id_, _ballot(id_, scope, by, turn, now))
        else:
            activity = _receipts(id_, scope, by, turn, now)
        body = codec.encode(activity)
        headers = signatures.sign_request("POST", INBOX, body, by.key_id, by.rsa, now)
        yield load.request("POST", "/inbox", list(headers.items()), body), by, body


def _ballot(id_: str, scope: str, by: Stranger, turn: int, now: datetime) -> dict[str, Any]:
    digest, reason = place.text(f"It suits us well, and this is why we say so for the {turn}. time.")
    ballot = by.record(
        "Ballot",
        scope,
        now - timedelta(minutes=30),
        terms=place.digest_of("terms"),
        seq=turn + 1,
        position="concern",
        reason=digest,
        confirmed=3,
        entered="circle",
    )
    return vocabulary.note(
        id=f"{id_}/note",
        by=by.uri,
        content="<p>A circle has decided.</p>",
        published=stamp(now),
        audience=direct([US]),
        records=[ballot],
        texts={digest: reason},
    )


def _receipts(id_: str, scope: str, by: Stranger, turn: int, now: datetime) -> dict[str, Any]:
    at = now - timedelta(minutes=20)
    listed = [
        by.record(
            "Receipt", scope, at, held=[{"record": place.digest_of(f"{turn} {n}"), "received": stamp(at)}]
        )
        for n in range(2)
    ]
    target = f"http://{by.authority}/scopes/{scope}"
    return vocabulary.add(id_, by.uri, vocabulary.quiet_object(listed), target, direct([US]), stamp(now))


# On the measured core


def serve(where: str, port: int, wanted: int) -> None:
    asyncio.run(_serve(place.settings_in(Path(where), port), wanted))


async def _serve(settings: Settings, wanted: int) -> None:
    """The real application, and the inbox pass in the loop in which the server runs it."""
    app = create_app(settings, workers=False)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
    spare_the_collector()
    say("ready")
    before, handled, woken = time.process_time(), 0, app[DATABASE].woken("inbox")
    while handled < wanted:
        woken.clear()
        now = await inbox_due(app)
        handled += now
        if not now:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), settings.poll)
    say([time.monotonic(), time.process_time() - before])
    await _check(app, wanted)
    await runner.cleanup()


async def _check(app: web.Application, wanted: int) -> None:
    """Everything had an effect; else the figure would be one of something else."""
    async with app[DATABASE].READ() as session:
        scope = await ledger.scope_named(session, await _only_scope(app))
        held = 0 if scope is None else len(await ledger.digests(session, scope.id, place.now()))
    if held != 1 + wanted:  # the offer; one record per Create, two per Add
        raise RuntimeError(f"{held} records are held")


async def _only_scope(app: web.Application) -> str:
    async with app[DATABASE].ACT.begin() as session:
        return (await queues.scopes_to_repair(session, place.now(), timedelta(seconds=1), 1))[0]


def limit(where: str) -> None:
    crowd = place.strangers(KIN + ACTIVITIES // 3, HOSTS)
    work = [
        (by.rsa.public_key(), by.rsa.sign(body, padding.PKCS1v15(), hashes.SHA256()), body)
        for _, by, body in _requests(place.digest_of("scope"), crowd, place.now())
    ]
    connection = place.bare_database(Path(where), "limit.sqlite")
    connection.execute("CREATE TABLE item (id INTEGER PRIMARY KEY AUTOINCREMENT, uri TEXT UNIQUE, body BLOB)")
    began = time.monotonic()
    for number, (key, signature, body) in enumerate(work):
        key.verify(signature, body, padding.PKCS1v15(), hashes.SHA256())
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO item (uri, body) VALUES (?, ?)", (f"https://a.example/{number}", body)
        )
        connection.execute("COMMIT")
    say(len(work) / (time.monotonic() - began))
