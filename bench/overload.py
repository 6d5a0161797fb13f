"""The inbox at four times its capacity: who is told to come later, whether all that was accepted is handled, how soon nothing waits
any more, and whether all is as before then.

What it can do is measured in the same run, by as many connections as find a place. Then four times as much is offered, at a
steady pace over many connections; whoever is turned away does not come again. A 503 without `Retry-After` ends the run.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from activitypub import codec, signatures, vocabulary
from bench import load, place
from bench.cores import Child, say, wait_for_end
from bench.figures import Figure
from bench.inbox import INBOX, US
from bench.place import Stranger
from server.app import create_app
from server.cli.serving import spare_the_collector
from server.keys import DATABASE
from server.peers.inbox import AT_ONCE
from server.settings import Settings
from server.workers.inbox import inbox_due

CALM, SECONDS = 1_000, 5
TIMES = 4
CONNECTIONS = 8 * AT_ONCE
HOSTS = 40  # so many that none of them alone sends too much


@dataclass(frozen=True)
class Outcome:
    """What was answered, by status; in how many seconds; how many of the accepted were never handled; seconds until all were."""

    answers: Counter[str]
    seconds: float
    lost: int
    recovery: float

    @property
    def handled(self) -> float:
        """Per second, from the first to the last that was handled."""
        return self.answers["202"] / (self.seconds + self.recovery)


def measure(rounds: int) -> list[Figure]:
    found = []
    for _ in range(rounds):
        with place.folder() as where:
            found.append(_round(where))
    calm, flood, after = max(found, key=lambda three: three[1].handled / three[0].handled)
    lost = max(outcome.lost for three in found for outcome in three)
    refused = max(
        outcome.answers.total() - outcome.answers["202"] for three in found for outcome in three[::2]
    )
    said = ", ".join(f"{status}: {many}" for status, many in sorted(flood.answers.items()))
    limit = "handled per second without overload"
    offered = flood.answers.total() / flood.seconds
    return [
        Figure("overload: offered", offered, "per s", calm.handled, limit, note=said),
        Figure("overload: accepted and handled", flood.handled, "per s", calm.handled, limit),
        Figure("overload: accepted, never handled", lost, aim="0", met=lost == 0, unit=""),
        Figure("overload: until nothing waited", flood.recovery, "s", note="after the last was sent"),
        Figure("overload: handled afterwards", after.handled, "per s", calm.handled, limit),
        Figure("overload: refused before or afterwards", refused, aim="0", met=refused == 0, unit=""),
    ]


def _round(where: Path) -> tuple[Outcome, Outcome, Outcome]:
    """Calm, four times as much, calm again."""
    settings = place.settings_in(where)
    place.found(settings)
    crowd = place.strangers(CALM, HOSTS)
    asyncio.run(_know(settings, crowd))
    first, last = list(_follows(crowd, 0, CALM)), list(_follows(crowd, CALM, CALM))
    with Child("bench.overload", "serve", where=str(where), port=settings.listen_port) as child:
        child.hear()
        calm = _sent(settings, first, AT_ONCE)
        offered = TIMES * calm.handled
        many = list(_follows(crowd, 2 * CALM, int(SECONDS * offered)))
        return calm, _sent(settings, many, CONNECTIONS, offered), _sent(settings, last, AT_ONCE)


def _sent(
    settings: Settings, requests: list[bytes], connections: int, per_second: float | None = None
) -> Outcome:
    """Send each once, then wait until nothing waits to be handled."""
    answers: Counter[str] = Counter()
    before, _ = _stored(settings)
    began = time.monotonic()
    port = settings.listen_port
    asyncio.run(load.send(port, iter(requests), connections, b"HTTP/1.1 ", answers, per_second))
    ended = time.monotonic()
    while (stored := _stored(settings))[1]:
        time.sleep(0.02)
    return Outcome(answers, ended - began, answers["202"] - (stored[0] - before), time.monotonic() - ended)


def _stored(settings: Settings) -> tuple[int, int]:
    """How many activities were handled with an effect, and how many wait."""
    with contextlib.closing(sqlite3.connect(settings.data / "jura.sqlite")) as connection:
        (done,) = connection.execute("SELECT count(*) FROM inbox_items WHERE outcome = 'done'").fetchone()
        (wait,) = connection.execute("SELECT count(*) FROM inbox_items WHERE outcome IS NULL").fetchone()
    return done, wait


async def _know(settings: Settings, crowd: list[Stranger]) -> None:
    async with place.database(settings) as database, database.ACT.begin() as session:
        session.add_all(stranger.row(place.now()) for stranger in crowd)


def _follows(crowd: list[Stranger], first: int, many: int) -> Iterator[bytes]:
    for number in range(first, first + many):
        by = crowd[number % len(crowd)]
        body = codec.encode(vocabulary.follow(f"{by.uri}/f/{number}", by.uri, US))
        headers = signatures.sign_request("POST", INBOX, body, by.key_id, by.rsa, place.now())
        yield load.request("POST", "/inbox", list(headers.items()), body)


# On the measured core


def serve(where: str, port: int) -> None:
    asyncio.run(_serve(place.settings_in(Path(where), port)))


async def _serve(settings: Settings) -> None:
    """The real application, and the inbox pass in its loop, until nobody listens any more."""
    app = create_app(settings, workers=False)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
    spare_the_collector()
    say("ready")
    over = asyncio.get_running_loop().run_in_executor(None, wait_for_end)
    while not over.done():
        woken = app[DATABASE].woken("inbox")
        woken.clear()
        if not await inbox_due(app):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), settings.poll)
    await runner.cleanup()
