"""Deliveries made per second by the delivery worker, on one core, to receivers on loopback that answer 202 at once.

Each delivery is a signed POST with a body of its activity, claimed and settled in the database. Two crowds: twenty servers
with many followers' inboxes each, whose connections stay open, and five hundred servers with one inbox each, each of which
needs a connection of its own. The limit is the RSA signature alone, as each inbox needs one.
"""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from activitypub import keypairs, vocabulary
from activitypub.addressing import public
from bench import place
from bench.cores import Child, alone, say
from bench.figures import Figure, rate
from models import people
from models.rules.records import stamp
from server.actions import outbox
from server.app import create_app
from server.home import make_home
from server.settings import Settings
from server.workers.delivery import deliveries_due

CROWDS = (("20 servers", 20, 50), ("500 servers", 500, 1))  # name, servers, inboxes of each
POSTS = 2
SIGNATURES = 10_000  # as many as what is measured makes: a short run would be as fast as a core can be for half a second
US = f"http://{place.AUTHORITY}/c/oak"
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def measure(rounds: int) -> list[Figure]:
    return [_measured(rounds, *crowd) for crowd in CROWDS]


def _measured(rounds: int, name: str, servers: int, inboxes: int) -> Figure:
    cpu: list[float] = []

    def once() -> float:
        with place.folder() as where:
            per_second, seconds = asyncio.run(_round(where, servers, inboxes))
        cpu.append(seconds)
        return per_second

    figure = rate(
        f"deliveries to {name}",
        "per s",
        once,
        lambda: float(alone("bench.delivery", "limit")),
        "one RSA signature each",
        rounds,
        at_least=0.5,
    )
    return replace(figure, note=f"{min(cpu) * 1e6:.0f} us of processor time per delivery")


async def _round(where: Path, servers: int, inboxes: int) -> tuple[float, float]:
    receivers = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0, backlog=1000)
    arguments = {
        "where": str(where),
        "port": receivers.sockets[0].getsockname()[1],
        "servers": servers,
        "inboxes": inboxes,
    }

    def heard() -> Any:
        with Child("bench.delivery", "deliver", **arguments) as child:
            return child.hear()

    seconds, cpu = await asyncio.to_thread(heard)
    receivers.close()
    total = servers * inboxes * POSTS
    return total / seconds, cpu / total


class Receiver(asyncio.Protocol):
    """Answers each whole request with 202."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while True:
            head, found, rest = self._held.partition(b"\r\n\r\n")
            at = head.lower().find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if not found or len(rest) < size:
                return
            self._held = rest[size:]
            self._transport.write(ANSWER)


# On the measured core


def deliver(where: str, port: int, servers: int, inboxes: int) -> None:
    settings = place.settings_in(Path(where))
    place.found(settings)
    asyncio.run(_deliver(settings, port, servers, inboxes))


async def _deliver(settings: Settings, port: int, servers: int, inboxes: int) -> None:
    await _publish(settings, servers, inboxes)
    app = create_app(settings, names=lambda host, _: ("127.0.0.1", port), workers=False)
    app.freeze()
    await app.startup()
    place.run_in()
    began, cpu = time.monotonic(), time.process_time()
    sent = await deliveries_due(app)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    if sent != servers * inboxes * POSTS or await deliveries_due(app):
        raise RuntimeError(f"{sent} deliveries were tried")
    say([seconds, cpu])
    await app.cleanup()


async def _publish(settings: Settings, servers: int, inboxes: int) -> None:
    at = stamp(place.now() - timedelta(minutes=1))
    targets = [f"http://r{s}.test/users/a{n}/inbox" for s in range(servers) for n in range(inboxes)]
    home = make_home(settings)
    async with place.database(settings) as database, database.ACT.begin() as session:
        collective = await people.local_actor(session, "collective")
        if collective is None:
            raise LookupError("nothing is founded here")
        for number in range(POSTS):
            note = vocabulary.note(
                id=f"{US}/o/{number}",
                by=US,
                content="<p>" + "We have decided together. " * 20 + "</p>",
                published=at,
                audience=public(f"{US}/followers"),
            )
            activity = vocabulary.create(f"{US}/a/{number}", note)
            await outbox.publish(session, home, collective, activity, targets, place.now(), is_public=True)


def limit() -> None:
    key = keypairs.generate_rsa()
    message = b"(request-target): post /inbox\nhost: r1.test\ndate: Sun, 22 Nov 2026 10:00:00 GMT\n" * 2
    began = time.monotonic()
    for _ in range(SIGNATURES):
        key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    say(SIGNATURES / (time.monotonic() - began))
