"""Leaving: what stays, what goes and why, before one says so; and everything about oneself as a file, to take along."""

import asyncio
import tempfile
from dataclasses import dataclass
from typing import IO, Final

from aiohttp import web

from models.people import member_count
from models.rules.refusals import Invalid
from models.uploads import bytes_of
from server.actions import departing, exporting, noted
from server.actions.departing import Traces
from server.keys import DATABASE, HOME
from server.language import _
from server.web.forms import Form, Problems, problems_of
from server.web.keepsake import Keepsake
from server.web.mine import status_of
from server.web.proving import Proof, proof_for, prove
from server.web.render import frame_of, page, see
from server.web.sessions import acting, forget_login, reading

PACKING: web.AppKey[asyncio.Semaphore] = web.AppKey("packing", asyncio.Semaphore)

CHUNK: Final = 65_536
IN_MEMORY: Final = 2_000_000  # what is larger is on the disk, in a file without a name


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
    """The file. One is made at a time, outside of any transaction, and never all of it is in memory."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        async with request.app[PACKING]:
            name, length = await _pack(request, file)
        headers = {
            "Content-Disposition": f'attachment; filename="{name}-about-me.zip"',
            "Cache-Control": "no-store",
        }
        response = web.StreamResponse(headers=headers)
        response.content_type, response.content_length = "application/zip", length
        await response.prepare(request)
        while piece := await asyncio.to_thread(file.read, CHUNK):
            await response.write(piece)
        await response.write_eof()
    return response


async def _pack(request: web.Request, file: IO[bytes]) -> tuple[str, int]:
    """Make it in this file; returns what our collective is called in addresses, and the length."""
    async with reading(request) as visit:
        found = await exporting.everything(visit.session, request.app[HOME], visit.viewer, visit.now)
        pictures = await noted.files(visit.session, visit.viewer.require_member())
        name = visit.collective.handle
    keepsake = await asyncio.to_thread(Keepsake, file, found)
    for path, picture in pictures.items():
        async with request.app[DATABASE].READ() as session:
            body = await bytes_of(session, picture)
        if body is not None:
            await asyncio.to_thread(keepsake.add, path, body)
    return name, await asyncio.to_thread(keepsake.finish)
