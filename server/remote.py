"""Actors of other servers: fetched by our signed GET, checked, and remembered.

Fetching is done outside of any transaction; what is remembered is written in a short one of its own. What did not work is
remembered for a while too, in memory and bounded, so that strangers cannot make us ask the same in vain again and again.
Called by the faces and workers, never by actions.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from aiohttp import web
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import keypairs, signatures, webfinger
from activitypub.actors import RemoteActor, read_actor
from activitypub.codec import RECORD
from activitypub.errors import Forbidden, Malformed, NotAuthentic, Unreachable, WireError
from activitypub.fetch import Fetcher
from activitypub.knocking import Knocks
from activitypub.network import DEVELOPMENT_NAMES
from activitypub.origin import ListedKey, origin, owner_of, same_origin, signing_key
from activitypub.sites import SERVERS, site_of
from models import people
from models.events import log
from models.peers import (
    SEEN_AGAIN_AFTER,
    key_holders,
    may_refetch_keys,
    new_actors_lately,
    note_new_actor,
)
from models.people import Actor
from server.actions import dealing
from server.home import Home
from server.keys import CLOCK, DATABASE, HOME, NETWORK
from server.strikes import PLACES, Strikes

Json = dict[str, Any]

NEW_ACTORS_PER_HOUR: Final = 200  # of one server, named from one place
MISSES_PER_HOUR: Final = 60  # likewise; then nobody new there is asked for during the rest of the hour
REFETCH_PAUSE: Final = timedelta(minutes=1)  # between refetches of keys, per actor and per server
MISS_LASTS: Final = timedelta(minutes=5)
FIRST_PAUSE: Final = timedelta(seconds=30)  # for a server that does not answer; doubled each time
LONGEST_PAUSE: Final = timedelta(hours=1)
REMEMBERED: Final = 2_000  # bound of each table below
SUMMARY_LIMIT: Final = 5_000


@dataclass
class Memory:
    """What did not work lately, and who is being asked right now. Lost when the process ends, and no harm done."""

    misses: OrderedDict[str, tuple[datetime, WireError]] = field(default_factory=OrderedDict)
    silent: OrderedDict[str, tuple[int, datetime]] = field(default_factory=OrderedDict)
    in_vain: Strikes = field(default_factory=Strikes)
    met: Strikes = field(default_factory=Strikes)
    seen: OrderedDict[str, datetime] = field(default_factory=OrderedDict)
    taken: OrderedDict[str, Knocks] = field(default_factory=OrderedDict)
    asking: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def check(self, uri: str, now: datetime) -> None:
        """Raises again what asking for `uri` raised a moment ago."""
        until, error = self.misses.get(uri, (now, None))
        if error is not None and until > now:
            raise error.with_traceback(None)

    def missed(self, uri: str, error: WireError, now: datetime, named_by: str = "") -> None:
        """Asking for `uri` gave nothing. What may pass is asked for again, but not without end: it was in vain too."""
        if error.final:
            _keep(self.misses, uri, (now + MISS_LASTS, error))
        if error.code != "left-alone":  # else nobody was asked
            self.in_vain.add(signatures.authority(uri), named_by, now)

    def check_host(self, authority: str, now: datetime) -> None:
        """Raises Unreachable while a server that did not answer is left alone."""
        _, until = self.silent.get(authority, (0, now))
        if until > now:
            raise Unreachable("left-alone", "The other server did not answer a moment ago.")

    def was_silent(self, authority: str, now: datetime) -> None:
        times, _ = self.silent.get(authority, (0, now))
        pause = min(FIRST_PAUSE * 2 ** min(times, 10), LONGEST_PAUSE)
        _keep(self.silent, authority, (times + 1, now + pause))

    def answered(self, authority: str) -> None:
        self.silent.pop(authority, None)

    def knocks(self, authority: str) -> Knocks:
        """The scheme in which this server is asked."""
        _keep(self.taken, authority, self.taken.get(authority) or Knocks())
        return self.taken[authority]

    def is_news(self, authority: str, now: datetime) -> bool:
        """Was this server not seen within the last minute? It is from now on. (Writing it down each time costs.)"""
        before = self.seen.get(authority)
        if before is not None and before <= now < before + SEEN_AGAIN_AFTER:
            return False
        _keep(self.seen, authority, now)
        return True

    def lock(self, uri: str) -> asyncio.Lock:
        return self.asking.setdefault(uri, asyncio.Lock())


MEMORY: web.AppKey[Memory] = web.AppKey("remote memory", Memory)


def prepare(app: web.Application) -> None:
    """Give the application its memory; called once, while it is put together."""
    app[MEMORY] = Memory()


def _keep(table: OrderedDict[str, Any], key: str, value: Any) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > REMEMBERED:
        table.popitem(last=False)


def authority_of(uri: str) -> str:
    """The host[:port] that a server is known by; Malformed if `uri` is no http or https URI."""
    origin(uri)
    return signatures.authority(uri)


async def remote_actor(app: web.Application, uri: str, *, refresh: bool = False, named_by: str = "") -> Actor:
    """The actor of this id: from our rows, else (or with `refresh`) from its own server, and then remembered. `named_by`: the
    network or server that made us ask.

    One of our own is only looked up. Raises Forbidden (blocked, or an address where we do not go), Gone, Malformed,
    NotAuthentic, Refused, and Unreachable for what may work later.
    """
    known = await _known(app, uri)
    if known is not None and (known.is_local or not refresh):
        return known
    memory, now = app[MEMORY], app[CLOCK].now()
    async with memory.lock(uri):
        if not refresh and (known := await _known(app, uri)):
            return known
        memory.check(uri, now)
        await _admit(app, authority_of(uri), known is None, named_by)
        try:
            read = read_actor(await document(app, uri))
            return await _remember(app, read, _request_key(read), known is None, named_by)
        except WireError as error:
            memory.missed(uri, error, now, named_by)
            raise


async def actor_of_key(
    app: web.Application, key_id: str, *, refresh: bool = False, named_by: str = ""
) -> Actor:
    """The actor that lists this key as its own for signing requests; `refresh` asks its server again.

    Raises NotAuthentic for a key that is nobody's or was asked for again a moment ago; else like `remote_actor`.
    """
    known, _ = await known_by_key(app, key_id)
    if known is not None and (known.is_local or not refresh):
        return known
    memory, now = app[MEMORY], app[CLOCK].now()
    if refresh:
        await _check_refetch(app, known, key_id, now)
    async with memory.lock(key_id):
        if not refresh and (known := (await known_by_key(app, key_id))[0]):
            return known
        memory.check(key_id, now)
        await _admit(app, authority_of(key_id), known is None, named_by)
        try:
            found = await _actor_document(app, key_id)
            key = signing_key(found, key_id)
            return await _remember(app, read_actor(found), key, known is None, named_by)
        except WireError as error:
            memory.missed(key_id, error, now, named_by)
            raise


async def find(app: web.Application, text: str) -> Actor:
    """The actor that somebody means by @name@server, by its address or by that of its page."""
    text = text.strip()
    if "://" in text:
        origin(text)
        host, name = urlsplit(text).netloc, urlsplit(text).path.strip("/")
        if not name.startswith("@") or "/" in name:
            return await remote_actor(app, text)
        text = f"{name}@{host}"
    handle = webfinger.Handle.read(text)
    if handle.host == app[HOME].authority:
        return await remote_actor(app, app[HOME].uri(f"c/{handle.name}"))
    scheme = "http" if _is_plain(app[HOME]) and _is_invented(handle.host) else "https"
    await _admit(app, handle.host, unknown=False)
    fetcher = await _fetcher(app)
    answer = await webfinger.look_up(fetcher, handle, scheme)
    actor = await remote_actor(app, answer.actor)
    if actor.authority != answer.handle.host:
        loop = await webfinger.confirmed_handle(fetcher, await document(app, actor.uri), scheme)
        if loop != answer.handle:
            raise NotAuthentic("no-loop", "The handle belongs to another actor.")
    return actor


async def document(app: web.Application, url: str) -> Json:
    """The document of another server at its own address, by a GET that our instance signs.

    A server that did not answer is left alone for a while, longer each time: Unreachable at once. One with which we do not
    deal is never asked: Forbidden.
    """
    memory, authority = app[MEMORY], authority_of(url)
    memory.check_host(authority, app[CLOCK].now())
    try:
        found = await (await _fetcher(app)).document(url)
    except Unreachable as error:
        if error.status is None:
            memory.was_silent(authority, app[CLOCK].now())
        raise
    memory.answered(authority)
    return found


async def _fetcher(app: web.Application) -> Fetcher:
    memory, home, clock = app[MEMORY], app[HOME], app[CLOCK]
    async with app[DATABASE].READ() as session:
        instance = await people.local_actor(session, "instance")  # its key may have been changed meanwhile
    if instance is None:
        raise Forbidden("not-founded", "This instance has no actor yet in whose name it could ask.")
    key = home.rsa_of(instance)
    return Fetcher(
        app[NETWORK],
        lambda method, url, scheme: signatures.sign_request(
            method, url, None, instance.key_id, key, clock.now(), scheme=scheme
        ),
        knocks=memory.knocks,
        admit=lambda where: _admit(app, authority_of(where), unknown=False),
    )


async def _known(app: web.Application, uri: str) -> Actor | None:
    async with app[DATABASE].READ() as session:
        found = await people.actor_by_uri(session, uri)
    return None if found is None or found.gone_at is not None else found


async def known_by_key(app: web.Application, key_id: str) -> tuple[Actor | None, str | None]:
    """The actor of this key as far as we know it, and why we do not deal with its server, if so; nobody is asked."""
    return (await known_by_keys(app, [key_id]))[0]


async def known_by_keys(
    app: web.Application, key_ids: Sequence[str]
) -> list[tuple[Actor | None, str | None]]:
    """The same for several keys, in their order."""
    async with app[DATABASE].READ() as session:
        found = await key_holders(session, set(key_ids))
        homes = {key_id: _home_of(key_id, found.get(key_id)) for key_id in key_ids}
        out = await dealing.refused(session, app[HOME], homes.values())
    return [(found.get(key_id), out.get(homes[key_id])) for key_id in key_ids]


def _home_of(key_id: str, known: Actor | None) -> str:
    """The server of a key: its actor's, else where the key says it lies."""
    if known is not None:
        return known.authority
    try:
        return authority_of(key_id)
    except Malformed:
        return ""


async def _admit(app: web.Application, authority: str, unknown: bool, named_by: str = "") -> None:
    """May we ask this server? Not ourselves, not one with which we do not deal, and not for too many new actors within an hour."""
    if authority == app[HOME].authority:
        raise Forbidden("ours", "There is no such actor on this server.")
    memory, now = app[MEMORY], app[CLOCK].now()
    if unknown and memory.in_vain.are_enough(authority, named_by, MISSES_PER_HOUR, now):
        raise Unreachable("left-alone", "Too many were asked for in vain at the other server lately.")
    async with app[DATABASE].READ() as session:
        await dealing.check(session, app[HOME], authority)
        there = below = 0
        if unknown:
            there, below = await new_actors_lately(session, authority, site_of(authority), now)
    full = there >= PLACES * NEW_ACTORS_PER_HOUR or below >= SERVERS * PLACES * NEW_ACTORS_PER_HOUR
    if full or (unknown and memory.met.are_enough(authority, named_by, NEW_ACTORS_PER_HOUR, now)):
        raise Unreachable("too-many-new", "Too many new actors of this server within an hour.", status=429)


async def _check_refetch(app: web.Application, known: Actor | None, key_id: str, now: datetime) -> None:
    """Raises NotAuthentic if this actor, or any key of its server, was fetched a moment ago."""
    fresh = known is not None and known.fetched_at is not None and known.fetched_at > now - REFETCH_PAUSE
    if not fresh:
        async with app[DATABASE].ACT.begin() as session:
            fresh = not await may_refetch_keys(session, authority_of(key_id), REFETCH_PAUSE, now)
    if fresh:
        raise NotAuthentic("wrong-signature", "The signature does not fit the key that we know.")


async def _actor_document(app: web.Application, key_id: str) -> Json:
    """The document of the actor that may own a key: at the key's own address, or named there as its owner."""
    found = await document(app, key_id)
    if "inbox" in found:
        return found
    owner = owner_of(found)
    if owner is None or not same_origin(owner, key_id):
        raise NotAuthentic("not-their-key", "The key does not name an owner on its own server.")
    return await document(app, owner)


def _request_key(read: RemoteActor) -> ListedKey:
    if not read.signing_keys:
        raise NotAuthentic("no-key", "The actor lists no key of its own for signing requests.")
    return read.signing_keys[0]


async def _remember(
    app: web.Application, read: RemoteActor, key: ListedKey, new: bool, named_by: str
) -> Actor:
    """Write the actor down as its server describes it now; a change of its record key is an event."""
    keypairs.public_from_pem(key.text)
    now = app[CLOCK].now()
    values = _values(read, key) | {"fetched_at": now, "gone_at": None}
    async with app[DATABASE].ACT.begin() as session:
        before = await people.actor_by_uri(session, read.id)
        if before is not None and before.ed25519 not in (None, values["ed25519"]):
            log(session, "actor key changed", now, actor=read.id)
        if new:
            await note_new_actor(session, values["authority"], now)
            app[MEMORY].met.add(values["authority"], named_by, now)
        return await _upserted(session, {"uri": read.id, "kind": "remote", "created_at": now}, values)


async def _upserted(session: AsyncSession, new: Json, values: Json) -> Actor:
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = insert(Actor).values(**new, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["uri"], set_=values, where=Actor.kind == new["kind"])
    )
    session.expire_all()
    found = await people.actor_by_uri(session, new["uri"])
    if found is None:
        raise LookupError(f"{new['uri']} was written and is not there")
    return found


def _values(read: RemoteActor, key: ListedKey) -> Json:
    multikey = _record_key(read)
    return {
        "type": read.type,
        "handle": read.username.lower()[:255],
        "authority": authority_of(read.id),
        "name": read.name,
        "summary": read.summary[:SUMMARY_LIMIT],
        "url": read.url,
        "inbox": read.inbox,
        "shared_inbox": read.shared_inbox,
        "key_id": key.id,
        "rsa_pem": key.text,
        "ed25519": multikey,
        "scopes": _scopes(read) if multikey else None,
    }


def _record_key(read: RemoteActor) -> str | None:
    """The first Ed25519 key that the actor lists for signing documents."""
    for key in read.assertion_keys:
        try:
            keypairs.public_from_multikey(key.text)
        except Malformed:
            continue
        return key.text
    return None


def _scopes(read: RemoteActor) -> str | None:
    """The address template of a collective's scopes: what makes it kin that can be invited.

    Circles of kin name one too; it is not kept, so that nobody invites a circle in place of its collective.
    """
    record = read.raw.get(RECORD)
    template = (
        record.get("scopes") if isinstance(record, dict) and record.get("type") == "Collective" else None
    )
    if not isinstance(template, str) or template.count("{scope}") != 1:
        return None
    return template if same_origin(template, read.id) else None


def _is_plain(home: Home) -> bool:
    """Are we in development, and served by plain http ourselves? Then so are the others of our kind."""
    return home.development and home.url.startswith("http://")


def _is_invented(host: str) -> bool:
    return host.partition(":")[0].endswith(DEVELOPMENT_NAMES)
