"""Where a refusal becomes a status. A `Refusal` says no for a rule; a `WireError` for what came over the wire.

Faces raise them; this middleware answers: machines get JSON with a stable code, people a page. What went wrong inside is logged
with an id that the answer quotes, and never shown.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from activitypub.errors import Forbidden, Malformed, NotAuthentic, TooLarge, WireError
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooEarly, TooLate, TooMany
from server.elsewhere import sentence_of
from server.language import accepted, speak

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


@dataclass(frozen=True)
class Trouble:
    """What an answer says when something does not work: a status, a stable code and a sentence for people."""

    status: int
    code: str
    sentence: str


ErrorPage = Callable[[web.Request, Trouble], Awaitable[web.Response]]
ERROR_PAGE: web.AppKey[ErrorPage] = web.AppKey("error_page", Callable)  # type: ignore[arg-type]

MISSING = Trouble(
    404, "not-found", phrase("Either nothing is at this address, or it is not open to everybody.")
)
OF_HTTP: dict[int, Trouble] = {
    404: MISSING,
    405: Trouble(405, "method", phrase("This address does not take such a request.")),
    503: Trouble(503, "busy", phrase("More is asked of this server than it can answer at once.")),
    413: Trouble(413, "too-large", phrase("This is more than we read at once.")),
}


def wants_page(request: web.Request) -> bool:
    """Is it a person's browser that asks? Machines name what they want, or take anything."""
    return "text/html" in request.headers.get("Accept", "")


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into answers. Unexpected errors become a 500 with an id to quote. It is said in the language that the
    request names; a visit (`server.web.sessions`) knows better."""
    speak(accepted(request.headers.get("Accept-Language", "")))
    try:
        if "\0" in request.path or "\0" in request.query_string:  # PostgreSQL takes none in a text
            raise web.HTTPNotFound
        return await handler(request)
    except (Refusal, WireError) as error:
        return await _answer(request, Trouble(status_of(error), error.code, sentence_of(error)), error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        trouble = OF_HTTP.get(error.status) or Trouble(
            error.status, "http", phrase("This request could not be answered.")
        )
        return await _answer(request, trouble, error)
    except Exception:
        quote = secrets.token_hex(4)
        logger.exception("error %s while answering %s %s", quote, request.method, _route(request))
        sentence = phrase("Something went wrong here. Please quote {id} to the operator.", id=quote)
        return await _answer(request, Trouble(500, "internal", sentence))


def _route(request: web.Request) -> str:
    """What was asked for, as the table of addresses has it: a path itself can hold the secret of an invitation."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no address of ours)"


async def _answer(request: web.Request, trouble: Trouble, error: Exception | None = None) -> web.Response:
    if wants_page(request) and ERROR_PAGE in request.app:
        response = await request.app[ERROR_PAGE](request, trouble)
    else:
        said: dict[str, object] = {"error": trouble.code, "message": trouble.sentence}
        if isinstance(error, Invalid):
            said["fields"] = error.fields
        response = web.json_response(said, status=trouble.status)
    if isinstance(error, web.HTTPException):  # such as Allow, Retry-After, Vary
        response.headers.update({k: v for k, v in error.headers.items() if not k.startswith("Content-")})
    return response
