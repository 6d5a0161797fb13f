"""Authorised fetch: where the collective chose so, what we publish is shown to signed requests only.

Whoever signs is known, so who is blocked finds nothing. The instance actor is shown to everybody, lest two servers that both
ask for signatures wait for each other's keys; so are WebFinger, NodeInfo, images, and the pages for people.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Final

from aiohttp import web

from activitypub.errors import Forbidden, NotAuthentic, Unreachable
from activitypub.signatures import read_signature
from models.choices import choice
from models.rules.peering import AUTHORIZED_FETCH
from server.actions import dealing
from server.actions.founding import INSTANCE_HANDLE
from server.keys import CLOCK, DATABASE, HOME
from server.peers import pace
from server.peers.actors import wants_page
from server.peers.callers import FOR_THEM_ALONE, signer_of

KEPT_FOR: Final = timedelta(seconds=5)
PRIVATE: Final = "private, no-store"

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Demand:
    """Whether signatures are asked for, as of a moment ago."""

    made: bool = False
    until: datetime | None = None


DEMAND: web.AppKey[Demand] = web.AppKey("authorised fetch", Demand)


def to_signed(handler: Handler) -> Handler:
    """The handler of a document, asked only by who may see it."""

    @wraps(handler)
    async def shown(request: web.Request) -> web.Response:
        if not await _is_demanded(request.app) or request.match_info.get("handle") == INSTANCE_HANDLE:
            return await handler(request)
        if "Signature" not in request.headers and wants_page(request):
            await handler(request)  # leads browsers on to a page, if there is one
            raise _unauthorised("This is shown to signed requests only.")
        await _check_caller(request)
        response = await handler(request)
        response.headers["Cache-Control"] = PRIVATE
        return response

    return shown


async def _is_demanded(app: web.Application) -> bool:
    kept, now = app[DEMAND], app[CLOCK].now()
    if kept.until is None or not now < kept.until <= now + KEPT_FOR:
        async with app[DATABASE].READ() as session:
            kept.made = bool(await choice(session, AUTHORIZED_FETCH, False))
        kept.until = now + KEPT_FOR
    return kept.made


async def _check_caller(request: web.Request) -> None:
    """Raises 401 for who does not show who they are, 404 for a server with which we do not deal."""
    try:
        actor = await signer_of(request, read_signature(request.headers), b"")
    except NotAuthentic as error:
        raise _unauthorised(error.sentence) from error
    except Forbidden as error:
        raise web.HTTPNotFound(headers=FOR_THEM_ALONE) from error
    except Unreachable as error:
        raise pace.later(error.sentence) from error
    async with request.app[DATABASE].READ() as session:
        if await dealing.refused(session, request.app[HOME], [actor.authority]):
            raise web.HTTPNotFound(headers=FOR_THEM_ALONE)


def _unauthorised(sentence: str) -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(text=sentence, headers=FOR_THEM_ALONE)
