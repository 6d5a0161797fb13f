"""A world for tests of what other servers may ask: real instances of ours and strangers, all on loopback under invented names.

A `Stranger` is another server: it shows actors, remembers what it was asked, answers what it is told to, and posts what a test
makes it post, signed rightly or wrongly.
"""

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from multidict import CIMultiDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import keypairs, proofs, signatures
from activitypub.claims import Scheme
from models import people
from models.base import Database
from models.events import Event
from models.people import Actor
from models.queues import InboxItem
from models.rules import records
from server.cli.founding import found_instance
from server.cli.stage import Instance
from server.keys import DATABASE
from server.workers.inbox import inbox_due
from tests.federation.harness import Federation

ACTIVITY = "application/activity+json"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
numbers = itertools.count(1)


@cache
def rsa_key(number: int) -> RSAPrivateKey:
    """One of a few RSA keys that all tests share: making one takes a tenth of a second."""
    return keypairs.generate_rsa()


@dataclass
class Person:
    """An actor of a stranger, with both its private keys."""

    server: "Stranger"
    handle: str
    rsa: RSAPrivateKey
    ed25519: Ed25519PrivateKey
    type: str = "Person"
    changed: dict[str, Any] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"{self.server.url}/users/{self.handle}"

    @property
    def key_id(self) -> str:
        return f"{self.uri}#main-key"

    @property
    def key(self) -> str:
        return keypairs.multikey(self.ed25519)

    def document(self) -> dict[str, Any]:
        return {
            "@context": ["https://www.w3.org/ns/activitystreams"],
            "id": self.uri,
            "type": self.type,
            "preferredUsername": self.handle,
            "name": self.handle.title(),
            "inbox": f"{self.uri}/inbox",
            "publicKey": {
                "id": self.key_id,
                "owner": self.uri,
                "publicKeyPem": keypairs.pem(self.rsa.public_key()),
            },
            "assertionMethod": [
                {
                    "id": f"{self.uri}#ed25519-key",
                    "type": "Multikey",
                    "controller": self.uri,
                    "publicKeyMultibase": self.key,
                }
            ],
            **self.changed,
        }

    def activity(self, type_: str, **fields: Any) -> dict[str, Any]:
        """An activity of this actor, with an id of its own that no other has."""
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.uri}/activities/{next(numbers)}",
            "type": type_,
            "actor": self.uri,
            **fields,
        }

    def proved(self, activity: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
        """The activity with a proof by this actor, made now."""
        at = records.stamp(self.server.world.clock.now())
        return proofs.sign_activity({**activity, **changed}, self.ed25519, f"{self.uri}#ed25519-key", at)

    def record(self, type_: str, scope: str | None, **fields: Any) -> dict[str, Any]:
        """A record signed by this actor's key, dated by the world's clock."""
        now = self.server.world.clock.now().replace(microsecond=0)
        return proofs.sign_record(records.draft(type_, self.key, scope, now, **fields), self.ed25519)


@dataclass
class Asked:
    """One request that a stranger got."""

    method: str
    target: str
    headers: "CIMultiDict[str]"
    body: bytes

    @property
    def activity(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


class Stranger:
    """Another server. `people` are its actors by handle; `answers` by path with query go before everything else."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.url = f"http://{name}.test"
        self.people: dict[str, Person] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self.inbox_status = 202
        self.inbox_headers: dict[str, str] = {}
        self.heard = asyncio.Event()  # set whenever a request has arrived
        self.is_down = False
        self.tried = 0  # requests while it was down

    def person(self, handle: str = "ana", *, key: int = 0, **changed: Any) -> Person:
        """A new actor there; `changed` replaces properties of its document."""
        made = Person(self, handle, rsa_key(key), keypairs.generate_ed25519(), changed=changed)
        self.people[handle] = made
        return made

    def kin(self, handle: str = "assembly", *, key: int = 0) -> Person:
        """A collective of another instance of our kind."""
        record = {"v": 1, "type": "Collective", "scopes": f"{self.url}/scopes/{{scope}}"}
        made = self.person(handle, key=key, **{"jura:record": record})
        made.type = "Group"
        return made

    def says(self, target: str, document: Any, *, type_: str = ACTIVITY, status: int = 200) -> None:
        """From now on this document is at that path."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=orjson.dumps(document), status=status, headers={"Content-Type": type_})

        self.answers[target] = answer

    def gets(self, start: str = "/") -> list[str]:
        """The targets of the GETs it was asked."""
        return [a.target for a in self.asked if a.method == "GET" and a.target.startswith(start)]

    def posts(self, type_: str | None = None) -> list[dict[str, Any]]:
        """The activities that were posted to it."""
        found = [a.activity for a in self.asked if a.method == "POST"]
        return [a for a in found if type_ is None or a["type"] == type_]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.is_down and request.transport is not None:
            self.tried += 1
            request.transport.abort()
            return web.Response()
        self.asked.append(Asked(request.method, request.raw_path, CIMultiDict(request.headers), body))
        self.heard.set()
        if answer := self.answers.get(request.raw_path):
            return await answer(request)
        if request.method == "POST":
            return web.Response(status=self.inbox_status, headers=self.inbox_headers)
        person = self.people.get(request.path.removeprefix("/users/"))
        if person is None:
            return web.Response(status=404)
        return web.Response(body=orjson.dumps(person.document()), headers={"Content-Type": ACTIVITY})


class World(Federation):
    """`async with World("oak", folder=tmp_path) as world:`; strangers come with `world.stranger("masto")`.

    `founded` is a folder of instances founded before by other tests, to be copied: making keys takes its time.
    """

    def __init__(self, *names: str, founded: Path | None = None, **options: Any) -> None:
        super().__init__(*names, **options)
        self.founded = founded
        self.strangers: dict[str, Stranger] = {}
        self._runners: list[web.AppRunner] = []
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._http = aiohttp.ClientSession(auto_decompress=False)
        return self

    async def __aexit__(self, *details: object) -> None:
        if self._http is not None:
            await self._http.close()
        await super().__aexit__(*details)
        for runner in self._runners:
            await runner.cleanup()

    async def start(self, name: str, port: int, title: str, summary: str = "") -> Instance:
        if self.founded is None or self._database is not None:
            return await super().start(name, port, title, summary)
        kept = self.founded / name
        if kept.exists():
            shutil.copytree(kept, self.folder / name)
            return await self.serve(name, self.settings_of(name, port))
        link = await found_instance(self.settings_of(name, port), name, title, summary, now=self.clock.now())
        shutil.copytree(self.folder / name, kept)
        return await self.serve(name, self.settings_of(name, port), link)

    def prepare(self, name: str, app: web.Application) -> None:
        """Requests arrive as they were sent; only whole hosts can be cut."""

        @web.middleware
        async def cable(request: web.Request, handler: Answer) -> web.StreamResponse:
            if name in self.faults.cut and request.transport is not None:
                request.transport.abort()
            return await handler(request)

        app.middlewares.insert(0, cable)

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    async def stranger(self, name: str) -> Stranger:
        """Another server, up and listening."""
        made = Stranger(self, name)
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/{tail:.*}", made.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._ports[name] = runner.addresses[0][1]
        self._runners.append(runner)
        self.strangers[name] = made
        return made

    def of(self, name: str = "oak") -> Instance:
        return self.instances[name]

    def database(self, name: str = "oak") -> Database:
        return self.of(name).app[DATABASE]

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, "CIMultiDict[str]", bytes]:
        """One request to an instance or stranger by its invented name: status, headers, body; redirects are not followed."""
        host, _, path = url.removeprefix("http://").partition("/")
        port = self._ports[host.removesuffix(".test")]
        said = CIMultiDict(headers or {})
        said.setdefault("Host", host)
        async with self.http.request(
            method, f"http://127.0.0.1:{port}/{path}", headers=said, data=body, allow_redirects=False
        ) as response:
            return response.status, CIMultiDict(response.headers), await response.read()

    async def get(
        self, url: str, *, by: Person | None = None, accept: str = ACTIVITY
    ) -> tuple[int, "CIMultiDict[str]", Any]:
        """GET, signed by somebody or not; the body is parsed if it is JSON."""
        signed = self.signed("GET", url, None, by) if by else {}
        status, headers, body = await self.request("GET", url, headers={**signed, "Accept": accept})
        return status, headers, orjson.loads(body) if "json" in headers.get("Content-Type", "") else body

    def signed(
        self, method: str, url: str, body: bytes | None, by: Person, scheme: Scheme = "cavage"
    ) -> dict[str, str]:
        how = (by.key_id, by.rsa, self.clock.now())
        return signatures.sign_request(method, url, body, *how, scheme=scheme)

    async def post(
        self,
        by: Person,
        activity: Mapping[str, Any],
        *,
        to: str = "http://oak.test/inbox",
        scheme: Scheme = "cavage",
    ) -> int:
        """Post an activity to an inbox, signed by somebody; returns the status."""
        body = orjson.dumps(activity)
        headers = self.signed("POST", to, body, by, scheme)
        status, _, _ = await self.request("POST", to, headers=headers, body=body)
        return status

    async def tell(self, by: Person, activity: Mapping[str, Any], *, to: str = "oak") -> str | None:
        """Post an activity to an instance, let it be handled, and return its outcome."""
        assert await self.post(by, activity, to=f"http://{to}.test/inbox") == 202
        await inbox_due(self.of(to).app)
        return (await self.item(str(activity["id"]), to)).outcome

    async def item(self, uri: str, name: str = "oak") -> InboxItem:
        async with self.database(name).READ() as session:
            found = await session.scalar(select(InboxItem).where(InboxItem.activity_uri == uri))
        assert found is not None
        return found

    async def count(self, table: Any, *where: Any, name: str = "oak") -> int:
        async with self.database(name).READ() as session:
            return await session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    async def events(self, kind: str, name: str = "oak") -> list[Event]:
        async with self.database(name).READ() as session:
            return list((await session.scalars(select(Event).where(Event.kind == kind))).all())

    async def collective(self, name: str = "oak") -> Actor:
        async with self.database(name).READ() as session:
            return await collective_of(session)

    def pass_time(self, by: timedelta) -> None:
        """Move the clock without running any pass."""
        self.clock.advance(by)


async def collective_of(session: AsyncSession) -> Actor:
    found = await people.local_actor(session, "collective")
    assert found is not None
    return found
