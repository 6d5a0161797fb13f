"""A server made of bovine: it signs, verifies, fetches and writes its documents with that library alone.

Its actors and objects are shown only to those who sign for them (authorised fetch), except the server's own actor, whose key
others need to believe the first request. It remembers what it believed.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from bovine import BovineActor
from bovine.activitystreams import Actor, factories_for_actor_object
from bovine.activitystreams.activity_factory import Activity
from bovine.activitystreams.controller import Multikey
from bovine.activitystreams.object_factory import Object
from bovine.clients import lookup_uri_with_webfinger
from bovine.crypto import (
    build_validate_http_signature_raw,
    generate_ed25519_private_key,
    generate_rsa_public_private_key,
    private_key_to_did_key,
)
from bovine.crypto.types import CryptographicIdentifier
from bovine.utils import now_isoformat, parse_fediverse_handle, webfinger_response_json

from tests.peers.neighbour import LOGINS
from tests.peers.town import Town

Json = dict[str, Any]

ACTIVITY = "application/activity+json"
SERVER = "server"


@dataclass
class Person:
    """An actor of the server (`tests.peers.neighbour.Person`)."""

    server: "Server"
    login: str
    keys: tuple[str, str]  # public, private
    kin: bool = False
    actor: BovineActor = field(init=False)
    arrived: list[Json] = field(default_factory=list)
    followers: list[str] = field(default_factory=list)
    following: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.uri = f"{self.server.url}/users/{self.login}"
        self.document = Actor(
            id=self.uri,
            type="Group" if self.kin else "Person",
            preferred_username=self.login,
            name=self.login.title(),
            inbox=f"{self.uri}/inbox",
            outbox=f"{self.uri}/outbox",
            followers=f"{self.uri}/followers",
            public_key=self.keys[0],
            public_key_name="main-key",
            assertion_method=[Multikey.from_multibase_and_controller(self.uri, ed25519())],
            properties={
                "endpoints": {"sharedInbox": f"{self.server.url}/inbox"},
                **({"jura:record": self.server.record} if self.kin else {}),
            },
        ).build()
        self.activities, self.objects = factories_for_actor_object(self.document, self.server.new_id)
        self.actor = BovineActor(
            actor_id=self.uri, public_key_url=f"{self.uri}#main-key", secret=self.keys[1]
        )

    async def look_up(self, handle: str) -> Json:
        uri, _ = await lookup_uri_with_webfinger(self.server.session, f"acct:{handle.removeprefix('@')}")
        assert uri is not None, f"bovine finds nobody by {handle}"
        return await self.fetch(uri)

    async def fetch(self, uri: str) -> Json:
        found: Json = await self.actor.get(uri)
        return found

    async def status(self, uri: str) -> int:
        answer = await self.actor.client.get(uri)
        return int(answer.status)

    async def follow(self, actor: str) -> str:
        self.following.add(actor)
        return await self._send(self.activities.follow(actor), [actor])

    async def unfollow(self, actor: str, follow: str) -> str:
        return await self._send(self.activities.undo(follow, to={actor}), [actor])

    async def publish(self, words: str) -> str:
        note = self._keep(self.objects.note(content=words).as_public(), self.followers)
        await self._send(self.activities.create(note), self.followers)
        return str(note["id"])

    async def reply(self, post: Json, words: str) -> tuple[str, str]:
        author = post["attributedTo"]
        note = self._keep(self.objects.reply(post, content=words).as_public(), [author])
        return str(note["id"]), await self._send(self.activities.create(note), [author])

    async def vote(self, question: Json, option: str) -> str:
        author = question["attributedTo"]
        vote = self.objects.note(name=option, in_reply_to=question["id"], to={author}).build()
        return await self._send(self.activities.create(vote), [author])

    async def boost(self, post: Json) -> str:
        author = post["attributedTo"]
        return await self._send(self.activities.announce(post["id"], cc={author}).as_public(), [author])

    async def like(self, post: Json) -> str:
        author = post["attributedTo"]
        return await self._send(self.activities.like(post["id"], to={author}), [author])

    async def edit(self, note: str, words: str) -> str:
        changed = self.server.shown[note] = {
            **self.server.shown[note],
            "content": words,
            "updated": now_isoformat(),
        }
        return await self._send(self.activities.update(changed), self.server.told[note])

    async def delete(self, note: str) -> str:
        gone = self.server.shown[note] = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": note,
            "type": "Tombstone",
        }
        return await self._send(self.activities.delete(gone).as_public(), self.server.told[note])

    async def heard(self) -> list[Json]:
        return self.arrived

    async def arrive(self, activity: Json) -> None:
        """Something for this actor was believed. A Follow is accepted at once."""
        self.arrived.append(activity)
        if activity["type"] == "Follow":
            self.followers.append(activity["actor"])
            accept = self.activities.accept(activity, include_activity=True)
            await self._send(accept, [activity["actor"]])

    def _keep(self, thing: Object, told: Sequence[str]) -> Json:
        built: Json = thing.build()
        self.server.shown[built["id"]], self.server.told[built["id"]] = built, list(told)
        return built

    async def _send(self, activity: Activity, to: Sequence[str]) -> str:
        """Post it to the inboxes of these actors; bovine raises for every answer that is not a success."""
        built: Json = activity.build()
        for uri in to:
            await self.actor.post((await self.fetch(uri))["inbox"], built)
        return str(built["id"])


def ed25519() -> str:
    """A new public key, as a Multikey says it."""
    return str(private_key_to_did_key(generate_ed25519_private_key())).removeprefix("did:key:")


class Server:
    """`async with Server(town) as bovine:`, at bovine.test."""

    host = "bovine.test"
    first_knock = "cavage"

    def __init__(self, town: Town) -> None:
        self.url = f"https://{self.host}"
        self.session = town.client()
        self.people: dict[str, Person] = {}
        self.shown: dict[str, Json] = {}
        self.told: dict[str, list[str]] = {}
        self.refused: list[str] = []
        self._town = town
        self._numbers = itertools.count(1)
        self._validate = build_validate_http_signature_raw(self._key)
        self._runner = web.AppRunner(self._application(), access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        port, certificate = self._town.ports[self.host], self._town.certificate_for(self.host)
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=certificate).start()
        self.itself = await self._join(SERVER)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self.session.close()

    async def person(self, *, kin: bool = False) -> Person:
        return await self._join(LOGINS[len(self.people) - 1], kin)

    async def turned_away(self, *, forget: bool = False) -> list[str]:
        found = list(self.refused)
        if forget:
            self.refused.clear()
        return found

    def new_id(self) -> str:
        return f"{self.url}/things/{next(self._numbers)}"

    @property
    def record(self) -> Json:
        """What makes a group kin."""
        return {"v": 1, "type": "Collective", "scopes": f"{self.url}/scopes/{{scope}}"}

    async def _join(self, login: str, kin: bool = False) -> Person:
        made = self.people[login] = Person(self, login, generate_rsa_public_private_key(), kin)
        await made.actor.init(session=self.session)
        return made

    # What others ask

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/webfinger", self._webfinger)
        app.router.add_get("/users/{login}", self._show_person)
        app.router.add_get("/things/{number}", self._show_thing)
        app.router.add_post("/users/{login}/inbox", self._receive)
        app.router.add_post("/inbox", self._receive)
        return app

    async def _webfinger(self, request: web.Request) -> web.Response:
        account = request.query["resource"]
        login, host = parse_fediverse_handle(account.removeprefix("acct:"))
        if host != self.host or login not in self.people:
            raise web.HTTPNotFound
        answer = webfinger_response_json(account, self.people[login].uri)
        return web.json_response(answer, content_type="application/jrd+json")

    async def _show_person(self, request: web.Request) -> web.Response:
        login = request.match_info["login"]
        if login != SERVER:
            await self._signer(request)
        return web.json_response(self.people[login].document, content_type=ACTIVITY)

    async def _show_thing(self, request: web.Request) -> web.Response:
        await self._signer(request)
        found = self.shown.get(f"{self.url}{request.path}")
        if found is None:
            raise web.HTTPNotFound
        return web.json_response(
            found, status=410 if found["type"] == "Tombstone" else 200, content_type=ACTIVITY
        )

    async def _receive(self, request: web.Request) -> web.Response:
        signer = await self._signer(request)
        activity = json.loads(await request.read())
        if activity["actor"] != signer:
            self.refused.append(f"{signer} signed for {activity['actor']}")
            raise web.HTTPForbidden
        login = request.match_info.get("login")
        for person in [self.people[login]] if login else self._concerned(activity):
            self._town.soon(person.arrive(activity))
        return web.Response(status=202)

    def _concerned(self, activity: Json) -> list[Person]:
        """For whom something in the shared inbox is: who follows its actor, or is named."""
        named = {*activity.get("to", []), *activity.get("cc", [])}
        people = [person for login, person in self.people.items() if login != SERVER]
        return [p for p in people if p.uri in named or activity["actor"] in p.following]

    # Whom to believe

    async def _signer(self, request: web.Request) -> str:
        """Who signed the request, as bovine sees it; 401 if it does not believe it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = f"{self.url}{request.path_qs}"
        signer = await self._validate(request.method, url, headers, request.read)
        if signer is None:
            self.refused.append(f"{request.method} {request.path_qs}: {headers}")
            raise web.HTTPUnauthorized
        return str(signer)

    async def _key(self, key_id: str) -> CryptographicIdentifier:
        """The key of that id, fetched by the server's own actor."""
        owner = await self.itself.fetch(key_id)
        return CryptographicIdentifier.from_public_key(owner["publicKey"])
