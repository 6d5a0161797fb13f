"""How long the server takes for its pages, to a member and to a visitor, with ten and with ten thousand past decisions.

One collective of 1,000 members; the running decision is the one whose page is asked for, with all its circles on the roll. One
request after the other over one connection: what is measured is the whole answer on one core.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import keypairs
from bench import load, place
from bench.cores import Child, say, wait_for_end
from bench.figures import Figure
from models.decisions import Decision
from models.ledger import RecordRow, Scope, TextRow
from models.people import Member
from server.actions import convening, people, seating
from server.actions.founding import KeyPair, make_key_pair
from server.actions.telling import us
from server.app import create_app
from server.cli.founding import found_instance
from server.cli.serving import spare_the_collector
from server.home import make_home
from server.settings import Settings
from server.workers.decisions import decisions_due

PAST: Final = (10, 10_000)
MEMBERS: Final = 1_000
SEATED: Final = 200  # in circles; the others joined later (a collective brings at most sixty circles)
SECONDS: Final = 1.5
AT_MOST: Final = 30.0  # ms
TOKEN: Final = "a-token-that-nobody-else-has"


def measure(rounds: int) -> list[Figure]:
    return [figure for past in PAST for figure in _with(past, rounds)]


def _with(past: int, rounds: int) -> list[Figure]:
    with place.folder() as where:
        settings = place.settings_in(where)
        name = asyncio.run(prepare(settings, past))
        asked = (
            ("home, a member", "/", True),
            ("home, a visitor", "/", False),
            ("all decisions", "/decisions", True),
            ("all decisions, searched", "/decisions?q=number+7", True),
            ("all decisions, searched for what is nowhere", "/decisions?q=nowhere", True),
            ("decision, a member", f"/decisions/{name}", True),
            ("decision, a visitor", f"/decisions/{name}", False),
            ("a circle's room", f"/decisions/{name}/circle", True),
            (f"people, of {MEMBERS:,}: a page of the list", "/people", True),
            (f"people, of {MEMBERS:,}: found by name", "/people?q=member+7", True),
        )
        with Child("bench.pages", "serve", where=str(where), port=settings.listen_port) as child:
            child.hear()
            return [
                _figure(settings, f"{what}, {past:,} past", path, known, rounds)
                for what, path, known in asked
            ]


def _figure(settings: Settings, name: str, path: str, known: bool, rounds: int) -> Figure:
    cookie = [("Cookie", f"jura={TOKEN}")] if known else []
    request = load.request("GET", path, [("Host", place.AUTHORITY), ("Accept", "text/html"), *cookie])
    runs = []
    for _ in range(rounds):
        many, seconds = asyncio.run(
            load.send(settings.listen_port, load.repeated(request, SECONDS), 1, b"HTTP/1.1 200")
        )
        runs.append(seconds / many * 1000)
    best = min(runs)
    return Figure(name, best, "ms", aim=f"< {AT_MOST:g} ms", met=best < AT_MOST, rounds=tuple(runs))


async def prepare(settings: Settings, past: int) -> str:
    """Members, past decisions, a running one; returns its name."""
    now = place.now() - timedelta(minutes=5)
    link = await found_instance(settings, "oak", "Oak Street Bakery", "A worker-owned bakery.", now)
    home, spare = make_home(settings), make_key_pair()
    async with place.database(settings) as database:
        async with database.ACT.begin() as session:
            founder = await people.join(session, link.rsplit("/", 1)[1], "ana", "Ana", "no password", now)
            await people.log_in(session, founder, people.token_digest(TOKEN), now)
            await session.execute(insert(Member), _members(range(1, SEATED), now))
            collective, _ = await us(session)
            await _add_past(session, past, collective.ed25519 or "", now)
        async with database.ACT.begin() as session:
            viewer = await people.viewer_for(session, founder, now)
            keys = [_another(spare) for _ in range(await seating.circles_to_deal(session))]
            plan = convening.Plan("Shall we bake on Sundays?", proposals=[("Yes, from May on", "")])
            scope = await convening.convene(session, home, viewer, plan, (), keys, now)
        async with database.ACT.begin() as session:
            await session.execute(insert(Member), _members(range(SEATED, MEMBERS), now))
    app = create_app(settings, workers=False)
    runner = web.AppRunner(app)
    await runner.setup()
    while await decisions_due(app):
        pass
    await runner.cleanup()
    return scope.name


def _another(pair: KeyPair) -> KeyPair:
    """A pair of its own, as far as records care: making RSA keys takes its time."""
    key = keypairs.generate_ed25519()
    return replace(pair, ed25519=keypairs.private_bytes(key), multikey=keypairs.multikey(key))


def _members(numbers: range, now: datetime) -> list[dict[str, object]]:
    return [
        {"login": f"m{number}", "name": f"Member {number}", "password_hash": "none", "joined_at": now}
        for number in numbers
    ]


async def _add_past(session: AsyncSession, past: int, collective: str, now: datetime) -> None:
    """Rows of final decisions which a collective answered, as lists read them."""
    for batch in (range(start, min(start + 500, past)) for start in range(0, past, 500)):
        names = {number: place.digest_of(f"decision {number}") for number in batch}
        scopes = [
            {"name": name, "kind": "decision", "visibility": "public", "created_at": now}
            for name in names.values()
        ]
        ids = list(
            await session.scalars(insert(Scope).returning(Scope.id, sort_by_parameter_order=True), scopes)
        )
        texts = [
            {
                "scope_id": id_,
                "digest": name,
                "salt": "0" * 32,
                "text": f"Question number {number}, about bread?",
            }
            for id_, (number, name) in zip(ids, names.items(), strict=True)
        ]
        await session.execute(insert(TextRow), texts)
        await session.execute(
            insert(RecordRow), [_answer(row["scope_id"], row["digest"], collective, now) for row in texts]
        )
        await session.execute(
            insert(Decision), [_final(row["scope_id"], row["digest"], now) for row in texts]
        )


def _answer(scope_id: object, digest: object, collective: str, now: datetime) -> dict[str, object]:
    return {
        "scope_id": scope_id,
        "digest": digest,
        "type": "Answer",
        "by": collective,
        "at": now - timedelta(days=9),
        "body": b'{"takes": "binding"}',
        "received_at": now,
    }


def _final(scope_id: object, question: object, now: datetime) -> dict[str, object]:
    return {
        "scope_id": scope_id,
        "question": question,
        "convener": "z6Mk",
        "method": "consent",
        "opens_at": now - timedelta(days=9),
        "closes_at": now - timedelta(days=7),
        "state": "final",
        "is_over": True,
        "outcome": "adopted",
        "set_root": "",
        "set_size": 0,
        "as_of": now,
    }


# On the measured core


def serve(where: str, port: int) -> None:
    asyncio.run(_serve(place.settings_in(Path(where), port), port))


async def _serve(settings: Settings, port: int) -> None:
    runner = web.AppRunner(create_app(settings, workers=False), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    spare_the_collector()
    say("ready")
    await asyncio.to_thread(wait_for_end)
    await runner.cleanup()
