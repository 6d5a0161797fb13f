"""Where a refusal becomes a status. A `Refusal` says no for a rule; a `WireError` for what came over the wire.

Faces raise them; this middleware answers: machines get JSON with a stable code, people a page. What went wrong inside is logged
with an id that the answer quotes, and never shown.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from activitypub.errors import Forbidden, Malformed, NotAuthentic, TooLarge, WireError
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooEarly, TooLate, TooMany

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
logger = logging.getLogger(__name__)

STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    NotAllowed: 403,
    Invalid: 422,
    Conflict: 409,
    TooEarly: 409,
    TooLate: 409,
    TooMany: 429,
    Malformed: 400,
    NotAuthentic: 401,
    Forbidden: 403,
    TooLarge: 413,
}


def status_of(error: Exception) -> int:
    """The HTTP status of a refusal or wire error; 400 for kinds not listed."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)


def wants_page(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into answers. Unexpected errors become a 500 with an id to quote."""
    try:
        return await handler(request)
    except (Refusal, WireError) as error:
        return web.json_response({"error": error.code, "message": error.sentence}, status=status_of(error))
    except web.HTTPException:
        raise
    except Exception:
        quote = secrets.token_hex(4)
        logger.exception("error %s while answering %s %s", quote, request.method, request.path)
        return web.json_response(
            {
                "error": "internal",
                "message": f"Something went wrong here. Please quote {quote} to the operator.",
            },
            status=500,
        )
