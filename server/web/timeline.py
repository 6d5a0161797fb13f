"""The page of all that happened in a decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server.web.decisions import known_decision
from server.web.happening import Happening, happenings
from server.web.names import Said
from server.web.render import frame_of, page
from server.web.sessions import reading

AT_ONCE: Final = 100


@dataclass(frozen=True)
class TimelinePage:
    path: str
    question: Said
    rows: Sequence[Happening]
    total: int
    first: int
    earlier: str
    later: str


async def timeline(request: web.Request) -> web.StreamResponse:
    """All of it, the first first."""
    asked = request.query.get("from", "")
    first = max(int(asked), 1) if asked.isdecimal() and len(asked) < 7 else 1
    async with reading(request) as visit:
        known = await known_decision(visit)
        rows = happenings(known.records, known.view, known.names)
        last = first - 1 + AT_ONCE
        path = f"{known.path}/timeline"
        context = TimelinePage(
            path=known.path,
            question=known.question,
            rows=rows[first - 1 : last],
            total=len(rows),
            first=first,
            earlier=f"{path}?from={max(first - AT_ONCE, 1)}" if first > 1 else "",
            later=f"{path}?from={last + 1}" if last < len(rows) else "",
        )
        return page(request, frame_of(visit), "decisions/timeline.html", context)
