"""What is measured needs a place: a founded instance in a temporary folder, strangers that it knows, and a decision of theirs."""

import asyncio
import contextlib
import hashlib
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub import keypairs, proofs, signatures
from models import people
from models.base import Database, open_database
from models.people import Actor
from models.rules import records
from server.cli.founding import found_instance
from server.cli.serving import spare_the_collector
from server.settings import Settings, make_secret

AUTHORITY = "oak.test"
SALT = b"sixteen bytes it"
RSA_KEYS = 4  # making one takes a tenth of a second: strangers share some


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jura-bench-") as name:
        yield Path(name)


def settings_in(where: Path, port: int = 0) -> Settings:
    return Settings(
        url=f"http://{AUTHORITY}",
        data=where,
        database=f"sqlite+aiosqlite:///{where / 'jura.sqlite'}",
        secret=make_secret(where),
        listen_host="127.0.0.1",
        listen_port=port or free_port(),
        development=True,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def found(settings: Settings) -> None:
    """Oak's instance, with its collective, in this folder."""
    asyncio.run(found_instance(settings, "oak", "Oak Street Bakery", "A worker-owned bakery of four."))


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = open_database(settings.database)
    try:
        yield opened
    finally:
        await opened.close()


def bare_database(where: Path, name: str) -> sqlite3.Connection:
    """A database of its own that is as durable as ours, without anything of ours around it."""
    connection = sqlite3.connect(where / name, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@dataclass(frozen=True)
class Stranger:
    """An actor of another server, with its keys."""

    uri: str
    rsa: RSAPrivateKey
    ed25519: Ed25519PrivateKey

    @property
    def key_id(self) -> str:
        return f"{self.uri}#main-key"

    @property
    def authority(self) -> str:
        return self.uri.split("/")[2]

    @cached_property
    def key(self) -> str:
        return keypairs.multikey(self.ed25519)

    def row(self, now: datetime) -> Actor:
        """How our database knows it."""
        return Actor(
            uri=self.uri,
            kind="remote",
            type="Group",
            handle=self.uri.rsplit("/", 1)[1],
            authority=self.authority,
            inbox=f"{self.uri}/inbox",
            shared_inbox=f"http://{self.authority}/inbox",
            key_id=self.key_id,
            rsa_pem=keypairs.pem(self.rsa.public_key()),
            ed25519=self.key,
            scopes=f"http://{self.authority}/scopes/{{scope}}",
            created_at=now,
            fetched_at=now,
        )

    def record(self, kind: str, scope: str | None, at: datetime, **fields: Any) -> dict[str, Any]:
        """A signed record as it travels."""
        return proofs.sign_record(records.draft(kind, self.key, scope, at, **fields), self.ed25519)


def strangers(count: int, hosts: int) -> list[Stranger]:
    """So many actors on so many servers."""
    keys = [keypairs.generate_rsa() for _ in range(min(count, RSA_KEYS))]
    return [
        Stranger(
            f"http://host{number % hosts}.test/users/a{number}",
            keys[number % len(keys)],
            keypairs.generate_ed25519(),
        )
        for number in range(count)
    ]


async def our_key(settings: Settings) -> str:
    """The record key of oak's collective."""
    async with database(settings) as opened, opened.READ() as session:
        collective = await people.local_actor(session, "collective")
    if collective is None or collective.ed25519 is None:
        raise LookupError("nothing is founded here")
    return collective.ed25519


def text(words: str) -> tuple[str, dict[str, str]]:
    """A text's digest, and the text as it travels."""
    return records.text_digest(SALT, words), {"salt": SALT.hex(), "text": words, "lang": "en"}


def digest_of(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def offer(convener: Stranger, invited: Sequence[str], now: datetime) -> dict[str, Any]:
    """The Offer of a decision whose voting began an hour ago and lasts two more days."""
    began = now - timedelta(hours=3)
    rule = {"quorum": [1, 2], "collectives": [1, 2], "threshold": [1, 2], "base": "cast", "strict": True}
    return convener.record(
        "Offer",
        None,
        began,
        question=text("Shall we?")[0],
        method="consent",
        rule=rule,
        visibility="federation",
        reveal="open",
        options="answering",
        maxOptions=1,
        gatherUntil=began + timedelta(hours=1),
        respondBy=began + timedelta(hours=1),
        opensAt=began + timedelta(hours=2),
        closesAt=began + timedelta(hours=50),
        grace=6 * 3600,
        challenge=48 * 3600,
        maxWait=7 * 86400,
        ratify=7 * 86400,
        receiptSlack=600,
        minCircle=1,
        maxKeepers=15,
        tie="status-quo",
        invited=sorted(invited),
        actor=convener.uri,
        instance=convener.key,
    )


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def run_in() -> None:
    """A server that runs has signed before, and its collector is spared: what the first signature loads, and a search for garbage
    among all that a server is made of, are no part of what a delivery costs."""
    signatures.sign_request("POST", "http://r.test/", b"", "k", keypairs.generate_rsa(), now())
    spare_the_collector()
