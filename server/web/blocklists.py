"""Lists of servers: ours to download, and others' to take over, looked at before anything changes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from models.rules import blocklists
from models.rules.blocklists import Line
from models.rules.refusals import Refusal
from server.actions import peers
from server.actions.peers import Reach
from server.keys import HOME
from server.web.forms import Form, Problems, problems_of
from server.web.moderating import doing, looking
from server.web.render import frame_of, page, see


@dataclass(frozen=True)
class ListPage:
    """`preview` once a list was read: what is new, what of it cuts off whom, what cannot be done; `known` are left alone."""

    mandate: int
    text: str = ""
    preview: bool = False
    fresh: Sequence[Line] = ()
    cut_off: Sequence[Reach] = ()
    passed_over: Sequence[Line] = ()
    known: int = 0
    problems: Problems = field(default_factory=Problems)


async def download(request: web.Request) -> web.StreamResponse:
    """Our blocks and limits, as Mastodon and others read them."""
    async with looking(request) as (visit, _):
        text = blocklists.write(await peers.lines(visit.session))
    headers = {
        "Content-Disposition": 'attachment; filename="blocklist.csv"',
        "Cache-Control": "no-store",
    }
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


async def list_page(request: web.Request) -> web.StreamResponse:
    return await _list_page(request, "", Problems())


async def _list_page(request: web.Request, text: str, problems: Problems) -> web.Response:
    async with looking(request) as (visit, mandate):
        context = ListPage(mandate=mandate.id, text=text, problems=problems)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "moderate/list.html", context, status)


async def take_over(request: web.Request, form: Form) -> web.StreamResponse:
    """First what would change; with `sure`, change it."""
    text = form.one("list")
    try:
        lines = blocklists.read(text)
        if form.one("sure") != "yes":
            return await _preview(request, text, lines)
        async with doing(request) as visit:
            await peers.take_over(visit.session, request.app[HOME], visit.viewer, lines, visit.now)
    except Refusal as refusal:
        return await _list_page(request, text, problems_of(refusal))
    return see("/moderate/servers?done=list")


async def _preview(request: web.Request, text: str, lines: Sequence[Line]) -> web.Response:
    async with looking(request) as (visit, mandate):
        home = request.app[HOME]
        fresh = await peers.new_among(visit.session, home, lines)
        passed_over = [line for line in lines if line.problem]
        context = ListPage(
            mandate=mandate.id,
            text=text,
            preview=True,
            fresh=fresh,
            cut_off=await peers.would_end(visit.session, home, fresh),
            passed_over=passed_over,
            known=len(lines) - len(passed_over) - len(fresh),
        )
        return page(request, frame_of(visit), "moderate/list.html", context)
