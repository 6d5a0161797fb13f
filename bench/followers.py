"""One post to 10,000 followers on 500 servers, by the delivery worker on one core, to receivers on loopback that answer at once.

One more server never answers: it slows nobody, and its deliveries wait. The limit is the RSA signature alone, as each inbox
needs one. Memory is measured before the sending and at its end.
"""

import asyncio
import contextlib
import resource
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import delivery, place
from bench.cores import Child, alone, say
from bench.figures import Figure, rate
from models import people
from server.actions import outbox
from server.app import create_app
from server.home import make_home
from server.settings import Settings
from server.workers.delivery import deliveries_due

SERVERS, INBOXES = 500, 20
DEAD = "dead.test"
PAGE = resource.getpagesize()


def measure(rounds: int) -> list[Figure]:
    said: list[dict[str, float]] = []

    def once() -> float:
        with place.folder() as where:
            said.append(asyncio.run(_round(where)))
        return SERVERS * INBOXES / said[-1]["seconds"]

    figure = rate(
        "one post to 10,000 followers",
        "per s",
        once,
        lambda: float(alone("bench.delivery", "limit")),
        "one RSA signature each",
        rounds,
        at_least=0.6,
    )
    cpu = min(one["cpu"] for one in said) / (SERVERS * INBOXES) * 1e6
    grown = max(one["grown"] for one in said) / 1e6
    return [
        replace(figure, note=f"{cpu:.0f} us of processor time per delivery; memory grew by {grown:.0f} MB")
    ]


async def _round(where: Path) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    receivers = await loop.create_server(delivery.Receiver, "127.0.0.1", 0, backlog=1000)
    silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    ports = {"port": receivers.sockets[0].getsockname()[1], "silent": silent.sockets[0].getsockname()[1]}

    def heard() -> Any:
        with Child("bench.followers", "deliver", where=str(where), **ports) as child:
            return child.hear()

    found: dict[str, float] = await asyncio.to_thread(heard)
    receivers.close()
    silent.close()
    return found


# On the measured core


def deliver(where: str, port: int, silent: int) -> None:
    settings = place.settings_in(Path(where))
    place.found(settings)
    asyncio.run(_deliver(settings, lambda host, _: ("127.0.0.1", silent if host == DEAD else port)))


async def _deliver(settings: Settings, names: Callable[[str, int], tuple[str, int]]) -> None:
    """The clock stops when all that live have it; the one that never answers is still being waited for then."""
    await _publish(settings)
    app = create_app(settings, names=names, workers=False)
    app.freeze()
    await app.startup()
    place.run_in()
    before, began, cpu = _memory(), time.monotonic(), time.process_time()
    sending = asyncio.create_task(deliveries_due(app))
    with contextlib.closing(place.bare_database(settings.data, "jura.sqlite")) as connection:
        while _more_than_one(connection):  # noqa: ASYNC110 - looked at from outside, as nobody would tell
            await asyncio.sleep(0.02)
    seconds, used = time.monotonic() - began, time.process_time() - cpu
    say({"seconds": seconds, "cpu": used, "grown": _memory() - before})
    await sending
    await app.cleanup()


def _more_than_one(connection: sqlite3.Connection) -> bool:
    """Whether more waits than what goes to the dead server; asked so that it costs what is measured next to nothing."""
    waiting = "SELECT 1 FROM deliveries WHERE dead_at IS NULL LIMIT 1 OFFSET 1"
    return connection.execute(waiting).fetchone() is not None


def _memory() -> int:
    """Bytes that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def _publish(settings: Settings) -> None:
    inboxes = [f"http://r{s}.test/users/a{n}/inbox" for s in range(SERVERS) for n in range(INBOXES)]
    us = f"http://{place.AUTHORITY}/c/oak"
    activity = {
        "id": f"http://{place.AUTHORITY}/a/1",
        "type": "Create",
        "actor": us,
        "object": {
            "id": f"{us}/1",
            "type": "Note",
            "attributedTo": us,
            "content": "<p>We have decided.</p>" * 20,
        },
    }
    async with place.database(settings) as database, database.ACT.begin() as session:
        collective = await people.local_actor(session, "collective")
        if collective is None:
            raise LookupError("nothing is founded here")
        targets = [*inboxes, f"http://{DEAD}/inbox"]
        home = make_home(settings)
        await outbox.publish(session, home, collective, activity, targets, place.now(), is_public=True)
