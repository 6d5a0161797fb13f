"""What this instance published, at its own address: objects at /o/<digest>, the activities that carried them at /a/<digest>.

Public ones are for everybody. Others are for participants of their decision who sign the request; for everybody else, whoever
they say they are, there is nothing.
"""

import orjson
from aiohttp import web

from activitypub import codec, vocabulary
from activitypub.origin import same_origin
from models import ledger, posts
from models.ledger import Scope
from models.rules.records import stamp
from server.actions import refreshing
from server.keys import CLOCK, DATABASE, HOME
from server.peers.actors import VARY, answer, wants_page
from server.peers.callers import may_read


async def object_(request: web.Request) -> web.Response:
    """GET of a Note, or of a Question with its fresh counts; a Tombstone with 410 once it was deleted; browsers go to its page."""
    uri = request.app[HOME].uri(f"o/{request.match_info['digest']}")
    async with request.app[DATABASE].READ() as session:
        row = await posts.post_by_uri(session, uri)
        scope = await _scope(request, row.scope if row else None)
        now = request.app[CLOCK].now()
        document: codec.Json = await refreshing.as_now(session, row, now) if row else {}
    if not (row is not None and row.is_public) and not await may_read(request, scope):
        raise web.HTTPNotFound(headers=VARY)
    if row is None:
        raise web.HTTPNotFound(headers=VARY)
    if row.deleted_at is not None:
        gone = vocabulary.tombstone(uri, document["type"], stamp(row.deleted_at))
        return answer(vocabulary.alone(gone), status=410, public=row.is_public)
    page = document.get("url")
    if isinstance(page, str) and same_origin(page, uri) and wants_page(request):
        raise web.HTTPSeeOther(page, headers=VARY)
    response = answer(vocabulary.alone(document), public=row.is_public)
    if row.is_public:  # counts change, and so may words
        response.headers["Cache-Control"] = "max-age=10"
    return response


async def activity(request: web.Request) -> web.Response:
    """GET of an activity, byte for byte as it went out."""
    uri = request.app[HOME].uri(f"a/{request.match_info['digest']}")
    async with request.app[DATABASE].READ() as session:
        row = await posts.activity_by_uri(session, uri)
        scope = await _scope(request, row.scope if row else None)
    if not (row is not None and row.is_public) and not await may_read(request, scope):
        raise web.HTTPNotFound(headers=VARY)
    if row is None:
        raise web.HTTPNotFound(headers=VARY)
    return answer(orjson.loads(row.body), public=row.is_public)


async def _scope(request: web.Request, name: str | None) -> Scope | None:
    if name is None:
        return None
    async with request.app[DATABASE].READ() as session:
        return await ledger.scope_named(session, name)
