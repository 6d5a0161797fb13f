"""The actors of this instance as others fetch them: the collective, its circles, the instance itself; and their collections.

A document is encoded once and kept for a few seconds, as one server after the other asks for the same.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec, vocabulary
from activitypub.fetch import is_activity_type
from models import feeds, follows, people, posts
from models.people import Actor
from server import pictures, translate
from server.actions.images import icon_of
from server.actions.languages import language_of
from server.keys import CLOCK, DATABASE, HOME

CONTENT_TYPE: Final = "application/activity+json"
VARY: Final = {"Vary": "Accept, Signature"}
KEPT_FOR: Final = timedelta(seconds=5)
MOST_KEPT: Final = 500
PAGE_SIZE: Final = 20


@dataclass(frozen=True)
class Document:
    """An actor's document as bytes, or what stands in its place."""

    body: bytes
    etag: str
    page: str
    is_gone: bool
    until: datetime


DOCUMENTS: web.AppKey[dict[str, Document]] = web.AppKey("actor documents", dict)


async def actor(request: web.Request) -> web.Response:
    """GET of an actor: its document, for browsers a way to its page, 410 for one that is gone."""
    found = await _document(request.app, request.match_info["handle"])
    if found.is_gone:
        raise web.HTTPGone(headers=VARY)
    if wants_page(request):
        raise web.HTTPSeeOther(found.page, headers=VARY)
    headers = {**VARY, "ETag": found.etag, "Cache-Control": "max-age=60"}
    if request.headers.get("If-None-Match") == found.etag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=found.body, headers={**headers, "Content-Type": CONTENT_TYPE})


def wants_page(request: web.Request) -> bool:
    """Does whoever asks want a page for people? HTTPNotAcceptable if they want neither a page nor a document."""
    accept = request.headers.get("Accept", "*/*")
    if accept == CONTENT_TYPE:
        return False
    wanted = [part.strip() for part in accept.split(",")]
    if any(is_activity_type(part) for part in wanted):
        return False
    kinds = {part.partition(";")[0].strip().lower() for part in wanted}
    if kinds & {"text/html", "application/xhtml+xml"}:
        return True
    if kinds & {"*/*", "application/*", "application/json", "application/ld+json"}:
        return False
    raise web.HTTPNotAcceptable(headers=VARY)


async def is_served(app: web.Application, handle: str) -> bool:
    """Is there an actor of this handle that others may know of?"""
    try:
        return not (await _document(app, handle)).is_gone
    except web.HTTPNotFound:
        return False


async def _document(app: web.Application, handle: str) -> Document:
    now, kept = app[CLOCK].now(), app[DOCUMENTS]
    found = kept.get(handle)
    if found is not None and now < found.until <= now + KEPT_FOR:
        return found
    async with app[DATABASE].READ() as session:
        row = await served(session, handle)
        language = await language_of(session)
        members = await people.member_count(session) if row.kind == "collective" else None
        shown = await icon_of(session, app[HOME]) if row.kind == "collective" else None
    if len(kept) >= MOST_KEPT:
        kept.clear()
    body = codec.encode(translate.actor_document(app[HOME], row, members, shown, language))
    kept[handle] = Document(
        body=body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        page=row.url or f"/@{handle}",
        is_gone=row.gone_at is not None,
        until=now + KEPT_FOR,
    )
    return kept[handle]


async def served(session: AsyncSession, handle: str) -> Actor:
    """The actor of exactly this handle (a member has one only if they asked for it); HTTPNotFound otherwise."""
    row = await people.local_actor_by_handle(session, handle)
    if row is None or row.handle != handle:
        raise web.HTTPNotFound(headers=VARY)
    return row


async def _present(session: AsyncSession, request: web.Request) -> Actor:
    """The actor whose collection is asked for; HTTPGone once it is gone."""
    row = await served(session, request.match_info["handle"])
    if row.gone_at is not None:
        raise web.HTTPGone(headers=VARY)
    return row


async def outbox(request: web.Request) -> web.Response:
    """What the actor published for everybody: `?page=1` the newest, then on by `before`."""
    before = _number(request.query.get("before"))
    async with request.app[DATABASE].READ() as session:
        row = await _present(session, request)
        uri = f"{row.uri}/outbox"
        if "page" not in request.query:
            total = await posts.outbox_size(session, row.id)
            return answer(vocabulary.ordered_collection(uri, total=total, first=f"{uri}?page=1", by=row.uri))
        rows = await posts.outbox_page(session, row.id, before, PAGE_SIZE)
    page = f"{uri}?page=1" + (f"&before={before}" if before is not None else "")
    following = f"{uri}?page=1&before={rows[-1].id}" if len(rows) == PAGE_SIZE else None
    items = [orjson.loads(each.body) for each in rows]
    return answer(vocabulary.ordered_collection_page(page, uri, items, following))


async def followers(request: web.Request) -> web.Response:
    """How many follow; never who."""
    async with request.app[DATABASE].READ() as session:
        row = await _present(session, request)
        total = await follows.follower_count(session, row.id)
    return answer(vocabulary.ordered_collection(row.followers, total=total, by=row.uri))


async def following(request: web.Request) -> web.Response:
    """How many an actor of ours follows; never whom. Only feeds follow anybody."""
    async with request.app[DATABASE].READ() as session:
        row = await _present(session, request)
        total = await feeds.following_count(session, row.id)
    return answer(vocabulary.ordered_collection(f"{row.uri}/following", total=total, by=row.uri))


async def featured(request: web.Request) -> web.Response:
    """The ids of the open rounds: what a new follower is shown first."""
    async with request.app[DATABASE].READ() as session:
        row = await _present(session, request)
        rounds = await posts.featured(session, row.id, request.app[CLOCK].now())
    uris = [each.uri for each in rounds]
    return answer(vocabulary.ordered_collection(f"{row.uri}/featured", items=uris, by=row.uri))


async def moderators(request: web.Request) -> web.Response:
    """Who moderates a group, for servers that ask: nobody who can be seen from outside. Powers here are lent to members."""
    async with request.app[DATABASE].READ() as session:
        row = await _present(session, request)
    return answer(vocabulary.ordered_collection(f"{row.uri}/moderators", items=(), by=row.uri))


async def icon(request: web.Request) -> web.Response:
    """The picture of an actor for which nobody uploaded one: drawn from its key."""
    async with request.app[DATABASE].READ() as session:
        row = await _present(session, request)
    headers = {"Content-Type": "image/png", "Cache-Control": "public, max-age=86400"}
    return web.Response(body=pictures.pattern(row.ed25519 or row.uri), headers=headers)


def answer(document: codec.Json, status: int = 200, *, public: bool = True) -> web.Response:
    """A document of ours for other servers; one that not everybody may read is kept by no cache."""
    headers = {**VARY, "Content-Type": CONTENT_TYPE} | ({} if public else {"Cache-Control": "no-store"})
    return web.Response(status=status, body=codec.encode(document), headers=headers)


def _number(text: str | None) -> int | None:
    """A row number in a query; HTTPNotFound for what is none."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise web.HTTPNotFound(headers=VARY)
    return int(text)
