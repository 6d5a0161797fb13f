"""All decisions: the running ones, those that close next, the past ones, and those whose question has certain words in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from models import decisions
from server.actions.visible import visibilities
from server.web.home import AT_ONCE, MOST_RUNNING, Row, rows_of
from server.web.render import frame_of, page
from server.web.searching import Search, list_path, search_in
from server.web.sessions import Visit, reading
from server.web.words import Choice, table

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
    search = search_in(request)
    show = request.query.get("show", "all")
    show = show if show in SHOWN else "all"
    async with reading(request) as visit:
        rows, older = await _found(visit, show, search)
        context = ListPage(
            q=search.q,
            show=show,
            tabs=[Tab(one.words, _path(search, one.value), one.value == show) for one in SHOWN.values()],
            rows=rows,
            older=_path(search, show, older) if older else "",
            is_first=search.before is None,
        )
        return page(request, frame_of(visit), "decisions/list.html", context)


async def _found(visit: Visit, show: str, search: Search) -> tuple[Sequence[Row], int | None]:
    seen, words = visibilities(visit.viewer), search.words
    if show == "closing":
        return await rows_of(
            visit, await decisions.closing(visit.session, seen, visit.now, MOST_RUNNING, words)
        ), None
    found = await decisions.decisions_page(
        visit.session, IS_OVER[show], seen, search.before, AT_ONCE + 1, words
    )
    more = found[AT_ONCE - 1][1].id if len(found) > AT_ONCE else None
    return await rows_of(visit, found[:AT_ONCE]), more


def _path(search: Search, show: str, before: int | None = None) -> str:
    return list_path("/decisions", q=search.q, show=show if show != "all" else "", before=before)
