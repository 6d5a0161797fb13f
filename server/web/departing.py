"""Leaving: what stays, what goes and why, before one says so; and everything about oneself as a file, to take along."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from models.people import member_count
from models.rules.refusals import Invalid
from server.actions import departing, exporting
from server.actions.departing import Traces
from server.keys import HOME
from server.language import _
from server.web.forms import Form, Problems, problems_of
from server.web.keepsake import packed
from server.web.mine import status_of
from server.web.proving import Proof, proof_for, prove
from server.web.render import frame_of, page, see
from server.web.sessions import acting, forget_login, reading

PACKING: web.AppKey[asyncio.Semaphore] = web.AppKey("packing", asyncio.Semaphore)


@dataclass(frozen=True)
class LeavePage:
    traces: Traces
    members: int
    name: str
    proof: Proof
    parting: str
    problems: Problems


@dataclass(frozen=True)
class ExportPage:
    left_out: list[tuple[str, str]]


async def leave_page(request: web.Request) -> web.StreamResponse:
    return await _leave(request, Form(), Problems())


async def _leave(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        context = LeavePage(
            traces=await departing.traces(visit.session, visit.viewer),
            members=await member_count(visit.session),
            name=visit.viewer.require_member().name,
            proof=await proof_for(visit),
            parting=form.one("parting"),
            problems=problems,
        )
        status = status_of(problems)
        return page(request, frame_of(visit), "people/leave.html", context, status, "passkeys.js")


async def leave(request: web.Request, form: Form) -> web.StreamResponse:
    """Be no member any more, and if so chosen, be forgotten."""
    try:
        if form.one("parting") not in ("leave", "erase"):
            raise Invalid({"parting": _("Choose one of the two.")})
        await prove(request, form)
        async with acting(request) as visit:
            erased = form.one("parting") == "erase"
            await departing.leave(visit.session, request.app[HOME], visit.viewer, visit.now, erased=erased)
    except Invalid as refusal:
        return await _leave(request, form, problems_of(refusal))
    response = see("/?done=you-left")
    forget_login(request, response)
    return response


async def export_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        visit.viewer.require_member()
        context = ExportPage(list(exporting.LEFT_OUT.items()))
        return page(request, frame_of(visit), "people/export.html", context)


async def export(request: web.Request, _form: Form) -> web.StreamResponse:
    """The file. One is made at a time, outside of any transaction."""
    async with request.app[PACKING]:
        async with reading(request) as visit:
            found = await exporting.everything(visit.session, request.app[HOME], visit.viewer, visit.now)
            name = visit.collective.handle
        body = await asyncio.to_thread(packed, found)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}-about-me.zip"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, content_type="application/zip", headers=headers)
