"""Reports, for those who moderate: those that came in, to be closed with a note, and ours to other servers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from activitypub.errors import WireError
from models.people import Actor
from models.reports import Report, reports
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound, Refusal
from server import remote
from server.actions import reporting
from server.keys import HOME
from server.web.forms import Form, Problems, problems_of
from server.web.moderating import AT_ONCE, Tab, Turning, doing, looking, skipped, turning
from server.web.names import web_address
from server.web.render import frame_of, page, see
from server.web.words import DONE, Choice, table

REPORTS = "/moderate/reports"
SHOWN = table((Choice("open", "Open"), Choice("closed", "Closed"), Choice("sent", "Sent by us")))
NOT_FOUND = phrase(
    "Nobody was found at this address. Write it as @name@server, or paste the address of their page."
)


@dataclass(frozen=True)
class ReportsPage:
    show: str
    tabs: Sequence[Tab]
    rows: Sequence[Report]
    total: int
    turning: Turning
    done: str


@dataclass(frozen=True)
class ReportPage:
    """`about`: addresses, each with where it leads if that may be a link."""

    report: Report
    about: Sequence[tuple[str, str]]
    server: str
    mandate: int
    note: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class NewReportPage:
    whom: str
    posts: str
    comment: str
    mandate: int
    problems: Problems = field(default_factory=Problems)


async def reports_page(request: web.Request) -> web.StreamResponse:
    show, skip = request.query.get("show", "open"), skipped(request)
    show = show if show in SHOWN else "open"
    direction, is_open = ("out", True) if show == "sent" else ("in", show == "open")
    async with looking(request) as (visit, _):
        rows, total = await reports(visit.session, direction, is_open=is_open, skip=skip, size=AT_ONCE)
        context = ReportsPage(
            show=show,
            tabs=[Tab(one.words, f"{REPORTS}?show={one.value}", one.value == show) for one in SHOWN.values()],
            rows=rows,
            total=total,
            turning=turning((f"{REPORTS}?show={show}&skip=", ""), skip, total),
            done=DONE.get(request.query.get("done", ""), ""),
        )
        return page(request, frame_of(visit), "moderate/reports.html", context)


async def report_page(request: web.Request) -> web.StreamResponse:
    return await _report_page(request, Form(), Problems())


async def _report_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with looking(request) as (visit, mandate):
        row = await visit.session.get(Report, int(request.match_info["number"]))
        if row is None:
            raise NotFound("report", phrase("There is no such report."))
        context = ReportPage(
            report=row,
            about=[(uri, web_address(uri)) for uri in row.about],
            server=f"/moderate/servers/{row.authority}",
            mandate=mandate.id,
            note=form.one("note"),
            problems=problems,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "moderate/report.html", context, status)


async def close(request: web.Request, form: Form) -> web.StreamResponse:
    try:
        async with doing(request) as visit:
            number = int(request.match_info["number"])
            await reporting.close_report(visit.session, visit.viewer, number, form.one("note"), visit.now)
    except Conflict:
        return see(f"{REPORTS}?done=report-closed")
    except Invalid as refusal:
        return await _report_page(request, form, problems_of(refusal))
    return see(f"{REPORTS}?done=report-closed")


async def new_page(request: web.Request) -> web.StreamResponse:
    return await _new_page(request, Form((("whom", request.query.get("whom", "")[:500]),)), Problems())


async def _new_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with looking(request) as (visit, mandate):
        context = NewReportPage(
            form.one("whom"), form.one("posts"), form.one("comment"), mandate.id, problems
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "moderate/new_report.html", context, status)


async def new(request: web.Request, form: Form) -> web.StreamResponse:
    """Look up who is meant, then send the report."""
    async with looking(request):
        pass
    try:
        whom = await _found(request, form.one("whom"))
        async with doing(request) as visit:
            actor = await visit.session.get_one(Actor, whom.id)
            posts, comment = form.one("posts").split(), form.one("comment")
            home = request.app[HOME]
            await reporting.send_report(visit.session, home, visit.viewer, actor, posts, comment, visit.now)
    except Refusal as refusal:
        return await _new_page(request, form, problems_of(refusal))
    return see(f"{REPORTS}?show=sent&done=report-sent")


async def _found(request: web.Request, whom: str) -> Actor:
    try:
        return await remote.find(request.app, whom)
    except WireError as error:
        raise Invalid({"whom": NOT_FOUND}) from error
