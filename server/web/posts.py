"""What the collective said, for everybody: the list, one post with its history, and what is tagged with a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web
from markupsafe import Markup

from models import ledger, threads
from models.posts import Post, spoken
from models.rules.phrases import phrase
from models.rules.refusals import NotFound
from server.actions import speaking
from server.keys import HOME
from server.translate_posts import TAG_LENGTH
from server.web.names import web_address
from server.web.needs import decision_path
from server.web.outside import Outside, outside_of_post
from server.web.profiles import ACTIVITY
from server.web.render import frame_of, page, see
from server.web.searching import before_in
from server.web.sessions import Visit, reading
from server.web.words import DONE

AT_ONCE: Final = 20
MISSING: Final = phrase("Either nothing is at this address, or it is not open to everybody.")


@dataclass(frozen=True)
class Shown:
    """A picture on a page."""

    path: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Spoken:
    """A post on a page. `content` is HTML that we made from plain text."""

    path: str
    content: Markup
    language: str
    at: datetime
    edited: datetime | None
    pictures: Sequence[Shown]
    reply_to: str
    decision: str


@dataclass(frozen=True)
class Version:
    """What a post said from an instant on."""

    at: datetime
    content: Markup
    language: str


@dataclass(frozen=True)
class PostsPage:
    posts: Sequence[Spoken]
    older: str
    is_first_page: bool
    word: str = ""


@dataclass(frozen=True)
class PostPage:
    post: Spoken
    uri: str
    by: str
    by_path: str
    versions: Sequence[Version]
    replies: int
    outside: Outside
    done: str


@dataclass(frozen=True)
class GonePage:
    at: datetime


async def posts(request: web.Request) -> web.StreamResponse:
    """GET /posts: everything said as the collective, newest first."""
    return await _list(request, None)


async def tag(request: web.Request) -> web.StreamResponse:
    """GET /tags/<word>: what is tagged so."""
    return await _list(request, request.match_info["word"].casefold())


async def _list(request: web.Request, word: str | None) -> web.StreamResponse:
    before = before_in(request)
    if word is not None and len(word) > TAG_LENGTH:
        raise NotFound("not-found", MISSING)
    async with reading(request) as visit:
        rows = await spoken(visit.session, before, AT_ONCE + 1, word)
        path = request.path if len(rows) > AT_ONCE else ""
        context = PostsPage(
            posts=[await shown(visit, row) for row in rows[:AT_ONCE]],
            older=f"{path}?before={rows[AT_ONCE - 1].id}" if path else "",
            is_first_page=before is None,
            word=word or "",
        )
        return page(request, frame_of(visit), "posts/list.html", context)


async def shown(visit: Visit, row: Post) -> Spoken:
    """A post as its page shows it."""
    document: dict[str, Any] = orjson.loads(row.body)
    home = visit.request.app[HOME]
    scope = await ledger.scope_named(visit.session, row.scope) if row.scope else None
    return Spoken(
        path=str(document["url"]).removeprefix(home.url),
        content=Markup(document["content"]),
        language=next(iter(document.get("contentMap", {})), ""),
        at=row.published_at,
        edited=row.updated_at,
        pictures=pictures_of(document, home.url),
        reply_to=web_address(str(document.get("inReplyTo", ""))),
        decision=decision_path(scope.name) if scope is not None else "",
    )


def pictures_of(document: dict[str, Any], home_url: str) -> list[Shown]:
    return [
        Shown(one["url"].removeprefix(home_url), one["name"], one["width"], one["height"])
        for one in document.get("attachment", ())
    ]


async def post(request: web.Request) -> web.StreamResponse:
    """GET /posts/<token>: one post with its earlier versions; 410 once it was deleted; a document for other software."""
    home, token = request.app[HOME], request.match_info["token"]
    async with reading(request) as visit:
        row = await speaking.post_named(visit.session, home, token)
        if any(kind in request.headers.get("Accept", "") for kind in ACTIVITY):
            return see(row.uri)
        if row.deleted_at is not None:
            gone = GonePage(row.deleted_at)
            return page(request, frame_of(visit), "posts/gone.html", gone, HTTPStatus.GONE)
        context = PostPage(
            post=await shown(visit, row),
            uri=row.uri,
            by=visit.collective.name,
            by_path=f"/@{visit.collective.handle}",
            versions=await _versions(visit, token),
            replies=await threads.replies_below(visit.session, row.id),
            outside=await outside_of_post(visit, row),
            done=DONE.get(request.query.get("done", ""), ""),
        )
        return page(request, frame_of(visit), "posts/show.html", context)


async def _versions(visit: Visit, token: str) -> list[Version]:
    """What the post said before, oldest first; nothing for one that was never changed."""
    rows = await speaking.activities_of(visit.session, visit.request.app[HOME], token)
    said = [(row.published_at, orjson.loads(row.body)["object"]) for row in rows]
    return [
        Version(at, Markup(thing["content"]), next(iter(thing.get("contentMap", {})), ""))
        for at, thing in said[:-1]
    ]
