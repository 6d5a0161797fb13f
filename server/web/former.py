"""Who has left or was removed and kept their name here: erased when they ask for it, as they cannot do it themselves any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from models import people
from server.actions import departing
from server.web.forms import Form
from server.web.mine import done_in
from server.web.render import frame_of, page, see
from server.web.searching import before_in, list_path
from server.web.sessions import acting, reading

HERE: Final = "/people/former"
AT_ONCE: Final = 50


@dataclass(frozen=True)
class Former:
    number: int
    name: str
    since: datetime
    left: datetime | None


@dataclass(frozen=True)
class FormerPage:
    """`one`: who is about to be erased; `older`: where the next page is; `is_first`: whether this is the first."""

    people: Sequence[Former]
    mandate: int
    mandate_ends: datetime
    done: str = ""
    one: Former | None = None
    older: str = ""
    is_first: bool = True


async def former_page(request: web.Request) -> web.StreamResponse:
    before = before_in(request)
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        found = await people.former_page(visit.session, before, AT_ONCE + 1)
        shown = [_former(row) for row in found[:AT_ONCE]]
        older = list_path(HERE, before=shown[-1].number) if len(found) > AT_ONCE else ""
        context = FormerPage(
            shown,
            mandate.id,
            mandate.ends_at,
            done_in(request),
            older=older,
            is_first=before is None,
        )
        return page(request, frame_of(visit), "people/former.html", context)


async def erase_page(request: web.Request) -> web.StreamResponse:
    """What goes and what stays, before it is done."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        row = await departing.former(visit.session, int(request.match_info["number"]))
        context = FormerPage((), mandate.id, mandate.ends_at, one=_former(row))
        return page(request, frame_of(visit), "people/former.html", context)


async def erase(request: web.Request, _form: Form) -> web.StreamResponse:
    async with acting(request) as visit:
        visit.viewer.require_member()
        number = int(request.match_info["number"])
        await departing.erase_former(visit.session, visit.viewer, number, visit.now)
    return see("/people/former?done=person-erased")


def _former(row: people.Member) -> Former:
    return Former(row.id, row.name, row.joined_at, row.left_at)
