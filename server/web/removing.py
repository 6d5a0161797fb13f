"""Removing a text that our collective or its circles wrote: what goes, what stays, and what nobody can call back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from models import ledger
from models.rules.records import Record
from models.rules.refusals import Conflict, NotFound, Refusal
from server.actions import aftermath
from server.actions.concerned import check_not_about
from server.keys import HOME
from server.language import _
from server.web.answering import locked, member_only, members_decision, status_of
from server.web.chances import removals_for
from server.web.decisions import Known, known_decision
from server.web.forms import Form, Problems, problems_of
from server.web.names import Said
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import RECORDS, REDACTION_CODES, Choice


@dataclass(frozen=True)
class Place:
    """A record in which the text stands."""

    kind: str
    author: Said
    at: datetime


@dataclass(frozen=True)
class RemovePage:
    path: str
    action: str
    question: Said
    text: Said
    places: Sequence[Place]
    codes: Sequence[Choice]
    mandate: int
    cause: str = ""
    problems: Problems = field(default_factory=Problems)


async def remove_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _remove_page(request, Form(), Problems())


async def _remove_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known, digest = await known_decision(visit), request.match_info["text"]
        mandate = visit.viewer.require("moderate")
        await check_not_about(visit.session, visit.viewer, known.scope)
        text = known.names.said(digest)
        if await _is_removed(visit, known.scope):
            return see(f"{known.path}?done=removed")
        if text.text is None:
            raise NotFound("text", _("There is no such text here."))
        if digest not in removals_for(visit, known.scope, known.records):
            raise Conflict(
                "not-ours", _("Only the collective whose circle wrote a text can remove it. Ask them.")
            )
        context = RemovePage(
            path=known.path,
            action=request.path,
            question=known.question,
            text=text,
            places=_places(visit, known, digest),
            codes=list(REDACTION_CODES.values()),
            mandate=mandate.id,
            cause=form.one("cause"),
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/remove.html", context, status_of(problems))


def _places(visit: Visit, known: Known, digest: str) -> Sequence[Place]:
    """Every record that names the text, by date."""
    circles: Mapping[str, Said] = {
        one["key"]: known.names.title(one["name"])
        for answer in known.records
        if answer.type == "Answer"
        for one in answer["circles"]
    }

    def author(record: Record) -> Said:
        return circles.get(record.by) or Said(known.names.collective(record.by).name)

    naming = [record for record in known.records if digest in record.texts()]
    return [Place(RECORDS[one.type], author(one), one.at) for one in sorted(naming, key=lambda one: one.at)]


async def remove(request: web.Request, form: Form) -> web.StreamResponse:
    """Remove the text. A second time changes nothing."""
    name, digest = await members_decision(request), request.match_info["text"]
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            visit.viewer.require("moderate")
            if not await _is_removed(visit, scope):
                await aftermath.redact(
                    visit.session,
                    request.app[HOME],
                    visit.viewer,
                    scope,
                    digest,
                    form.one("cause"),
                    visit.now,
                )
    except Refusal as refusal:
        return await _remove_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=removed")


async def _is_removed(visit: Visit, scope: ledger.Scope) -> bool:
    digest = visit.request.match_info["text"]
    row = (await ledger.texts(visit.session, scope.id, [digest])).get(digest)
    return row is not None and row.redacted_by is not None
