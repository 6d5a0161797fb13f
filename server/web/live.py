"""Pages that keep up with what happens: what their script is told, and the streams (server-sent events) that it listens to.

A stream says only that its page may show something else; the script then asks for the page itself, as anybody would who reloads
it. So whoever may not see a page is told nothing, and there is one way to show a thing (docs/decisions/0025).
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from models.ledger import Scope
from models.rules.refusals import NotAllowed
from server.actions.people import token_digest
from server.actions.visible import decision_for
from server.language import _
from server.networks import address_of, network_of
from server.web.moments import distance
from server.web.sessions import Visit, login_token, reading
from server.web.talking import seated
from server.web.watching import WATCHING, Place, Stream

SCRIPT: Final = "live.js"
WRITTEN_WITHIN: Final = 20.0  # seconds; who takes no byte for so long is not there
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx passes on every event at once
}


@dataclass(frozen=True)
class Live:
    """What a page says to its script: where the stream is, the mark of what it shows, and the words that the script may need."""

    stream: str
    words: str
    said: str


async def live_of(visit: Visit, scope: Scope, status: int, circle_id: int | None = None) -> Live | None:
    """For the page of a decision or of a circle's room, before anything of it but its scope is read: what comes to be there
    meanwhile has another mark. A page on which something is wrong stays as it is."""
    if status != 200:
        return None
    place = Place(scope.name, visit.viewer.is_member, circle_id)
    stream = f"{visit.request.path}/live?mark={await place.mark(visit.session)}"
    return Live(stream, words_for_times(), _("Brought up to date: {parts}."))


def live_by_the_clock() -> Live:
    """For a page that is about many decisions: nothing says that one of them changed, so its script counts the times and asks for
    the page now and then, and when somebody comes back to it."""
    return Live("", words_for_times(), _("Brought up to date: {parts}."))


async def _place(visit: Visit, *, in_room: bool) -> Place:
    """The page that the address names, if this viewer may see it; NotFound, as there, if they may not."""
    if in_room:
        scope, _member, circle = await seated(visit)
        return Place(scope.name, visit.viewer.is_member, circle.id)
    scope = await decision_for(visit.session, visit.viewer, visit.request.match_info["name"])
    return Place(scope.name, visit.viewer.is_member, None)


async def decision_stream(request: web.Request) -> web.StreamResponse:
    return await _stream(request, in_room=False)


async def room_stream(request: web.Request) -> web.StreamResponse:
    return await _stream(request, in_room=True)


async def _stream(request: web.Request, *, in_room: bool) -> web.StreamResponse:
    """Events for one open page, until somebody ends it."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("elsewhere", _("Only pages of this site may listen here."))
    async with reading(request) as visit:
        place = await _place(visit, in_room=in_room)
        member = visit.viewer.member if visit.viewer.is_member else None
    stream = Stream(
        place=place,
        who=f"member {member.id}" if member else network_of(address_of(request)),
        login=token_digest(login_token(request) or "") if member else "",
        member_id=member.id if member else 0,
        mark=request.headers.get("Last-Event-ID") or request.query.get("mark", ""),
        is_gone=lambda: request.transport is None or request.transport.is_closing(),
    )
    async with request.app[WATCHING].open(stream):
        response = web.StreamResponse(headers=HEADERS)
        try:
            await response.prepare(request)
            async for piece in stream.said():
                await asyncio.wait_for(response.write(piece), WRITTEN_WITHIN)
        except (ConnectionError, TimeoutError):
            pass  # they went away
        return response


# Words in which the script says how far away an instant is: those of `distance`, for every kind of number.

_UNITS: Final = {
    "minute": (timedelta(minutes=1), range(1, 120)),
    "hour": (timedelta(hours=1), range(2, 72)),
    "day": (timedelta(days=1), range(3, 400)),
}
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
NumberKind = Callable[[int], str]


def english(number: int) -> str:
    """CLDR's kind of plural."""
    return "one" if number == 1 else "other"


def words_for_times(kind_of: NumberKind = english) -> str:
    """JSON: for ahead and ago, for each unit, for each kind of number, the words with {n} in place of the number."""
    table: dict[str, dict[str, dict[str, str]]] = {}
    for way, sign in (("in", 1), ("ago", -1)):
        for unit, (length, numbers) in _UNITS.items():
            kinds: dict[str, int] = {}
            for number in numbers:
                kinds.setdefault(kind_of(number), number)
            for kind, number in kinds.items():
                words = distance(_NOW + sign * number * length, _NOW).replace(str(number), "{n}", 1)
                table.setdefault(way, {}).setdefault(unit, {})[kind] = words
    soon = {"soon": distance(_NOW + timedelta(seconds=1), _NOW), "now": distance(_NOW, _NOW)}
    return json.dumps({**table, **soon}, ensure_ascii=False)
