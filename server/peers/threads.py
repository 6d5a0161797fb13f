"""Threads at addresses of ours: what belongs to a public decision or post, and what replies to one of them. Ids only."""

from typing import Final

from aiohttp import web

from activitypub import vocabulary
from models import posts, threads
from server.keys import DATABASE, HOME
from server.peers.actors import VARY, answer

PAGE_SIZE: Final = 50
MOST_PAGES: Final = 2_000


async def thread(request: web.Request) -> web.Response:
    """GET of a `context`: ids of our public posts in it and of the replies that we keep, oldest first."""
    name = request.match_info["name"]
    async with request.app[DATABASE].READ() as session:
        if not await threads.has_thread(session, name):
            raise web.HTTPNotFound(headers=VARY)
        items = await threads.thread_of(session, name)
    return await _collection(request, request.app[HOME].uri(f"threads/{name}"), items)


async def replies(request: web.Request) -> web.Response:
    """GET of the replies to a public post of ours: ours and those that we keep."""
    uri = request.app[HOME].uri(f"o/{request.match_info['digest']}")
    async with request.app[DATABASE].READ() as session:
        post = await posts.post_by_uri(session, uri)
    if post is None or not post.is_public:
        raise web.HTTPNotFound(headers=VARY)
    if post.deleted_at is not None:
        raise web.HTTPGone(headers=VARY)
    async with request.app[DATABASE].READ() as session:
        items = await threads.replies_to(session, uri)
    return await _collection(request, f"{uri}/replies", items)


async def _collection(request: web.Request, uri: str, items: threads.Items) -> web.Response:
    """The collection, or with `page` one page of it."""
    number = _page(request.query.get("page"))
    async with request.app[DATABASE].READ() as session:
        if number is None:
            total = await threads.size_of(session, items)
            return answer(vocabulary.ordered_collection(uri, total=total, first=f"{uri}?page=1"))
        found = await threads.page_of(session, items, (number - 1) * PAGE_SIZE, PAGE_SIZE + 1)
    more = f"{uri}?page={number + 1}" if len(found) > PAGE_SIZE and number < MOST_PAGES else None
    return answer(vocabulary.ordered_collection_page(f"{uri}?page={number}", uri, found[:PAGE_SIZE], more))


def _page(text: str | None) -> int | None:
    """The number of a page in a query; HTTPNotFound for what is none."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST_PAGES:
        raise web.HTTPNotFound(headers=VARY)
    return int(text)
