"""All decisions: the running ones, those that close next, the past ones, and those whose question has certain words in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from models import decisions
from server.actions.visible import visibilities
from server.web.home import AT_ONCE, MOST_RUNNING, Row, rows_of
from server.web.render import frame_of, page
from server.web.sessions import Visit, reading
from server.web.words import Choice, table

MOST_WORDS: Final = 8
LONGEST: Final = 200  # characters of a search
SHOWN: Final[Mapping[str, Choice]] = table(
    (
        Choice("all", "All"),
        Choice("running", "Running"),
        Choice("closing", "Closing next"),
        Choice("over", "Decided"),
    )
)
IS_OVER: Final[Mapping[str, bool | None]] = {"all": None, "running": False, "over": True}


@dataclass(frozen=True)
class Tab:
    words: str
    path: str
    is_here: bool


@dataclass(frozen=True)
class ListPage:
    """`q` is what was searched for, `older` where the next page is, `is_first` whether this is the first."""

    q: str
    show: str
    tabs: Sequence[Tab]
    rows: Sequence[Row]
    older: str
    is_first: bool


async def list_page(request: web.Request) -> web.StreamResponse:
    q = " ".join(request.query.get("q", "")[:LONGEST].split())
    show = request.query.get("show", "all")
    show = show if show in SHOWN else "all"
    before = request.query.get("before", "")
    number = int(before) if before.isdecimal() and len(before) < 16 else None
    async with reading(request) as visit:
        rows, older = await _found(visit, show, q, number)
        context = ListPage(
            q=q,
            show=show,
            tabs=[Tab(one.words, _path(q, one.value), one.value == show) for one in SHOWN.values()],
            rows=rows,
            older=_path(q, show, older) if older else "",
            is_first=number is None,
        )
        return page(request, frame_of(visit), "decisions/list.html", context)


async def _found(visit: Visit, show: str, q: str, before: int | None) -> tuple[Sequence[Row], int | None]:
    seen, words = visibilities(visit.viewer), q.split()[:MOST_WORDS]
    if show == "closing":
        return await rows_of(
            visit, await decisions.closing(visit.session, seen, visit.now, MOST_RUNNING, words)
        ), None
    found = await decisions.decisions_page(visit.session, IS_OVER[show], seen, before, AT_ONCE + 1, words)
    more = found[AT_ONCE - 1][1].id if len(found) > AT_ONCE else None
    return await rows_of(visit, found[:AT_ONCE]), more


def _path(q: str, show: str, before: int | None = None) -> str:
    said = {"q": q, "show": show if show != "all" else "", "before": str(before or "")}
    query = urlencode({name: value for name, value in said.items() if value})
    return f"/decisions?{query}" if query else "/decisions"
