"""What a collective or a circle says beside its ballots: we ratify it, we leave it, we were not heard and object.

Each is a page that says what will happen and what cannot be undone, and a form with one button. The same form sent twice says it
once.
"""

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from models.rules.refusals import Conflict, Refusal, TooLate
from server.actions import aftermath
from server.actions.balloting import seat
from server.keys import HOME
from server.language import _
from server.web.answering import locked, member_only, members_decision, status_of
from server.web.chances import can_leave, can_object, to_ratify
from server.web.decisions import Known, known_decision
from server.web.forms import Form, Problems, problems_of
from server.web.names import Said
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.rolls import option_titles
from server.web.rooms import READERS
from server.web.sessions import Visit, acting, reading


@dataclass(frozen=True)
class RatifyPage:
    path: str
    question: Said
    adopted: Said | None
    until: datetime | None
    mandate: int
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class LeavePage:
    path: str
    question: Said
    closes: datetime
    mandate: int
    reason: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class ObjectPage:
    path: str
    question: Said
    circle: str
    is_over: bool
    waits_until: datetime
    until: datetime
    readers: str
    reason: str = ""
    problems: Problems = field(default_factory=Problems)


def _has_said(known: Known, type_: str, key: str | None) -> bool:
    return any(record.type == type_ and record.by == key for record in known.records)


# Our assembly said yes


async def ratify_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _ratify_page(request, Problems())


async def _ratify_page(request: web.Request, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        mandate, us = visit.viewer.require("convene"), visit.collective.ed25519 or ""
        row = to_ratify(known.view, us)
        if row is None and not problems:
            if _has_said(known, "Ratify", us):
                return see(f"{known.path}?done=ratified")
            raise Conflict("nothing-to-ratify", _("There is nothing here for your collective to ratify now."))
        titles = option_titles(known.view, known.names)
        context = RatifyPage(
            path=known.path,
            question=known.question,
            adopted=titles.get(known.view.winner or ""),
            until=row.until if row else None,
            mandate=mandate.id,
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/ratify.html", context, status_of(problems))


async def ratify(request: web.Request, _form: Form) -> web.StreamResponse:
    """Say that our assembly said yes. A second time changes nothing."""
    name = await members_decision(request)
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            visit.viewer.require("convene")
            if not _has_said(await known_decision(visit), "Ratify", visit.collective.ed25519):
                await aftermath.ratify(visit.session, request.app[HOME], visit.viewer, scope, visit.now)
    except Refusal as refusal:
        return await _ratify_page(request, problems_of(refusal))
    return see(f"{decision_path(name)}?done=ratified")


# We leave


async def leave_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _leave_page(request, Form(), Problems())


async def _leave_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        mandate, us = visit.viewer.require("convene"), visit.collective.ed25519 or ""
        if not problems:
            if _has_said(known, "Leave", us):
                return see(f"{known.path}?done=left")
            _check_leave(known, us)
        context = LeavePage(
            known.path, known.question, known.view.closes, mandate.id, form.one("reason"), problems
        )
        return page(request, frame_of(visit), "decisions/leave.html", context, status_of(problems))


def _check_leave(known: Known, us: str) -> None:
    """Refuse kindly where there is nothing that our collective could leave."""
    if can_leave(known.view, us):
        return
    if known.view.now >= known.view.closes:
        raise TooLate("leave", _("The voting is over: what was said stands. Nobody can leave it afterwards."))
    raise Conflict("not-in", _("There is nothing here that your collective could leave now."))


async def leave(request: web.Request, form: Form) -> web.StreamResponse:
    """Leave the round. A second time changes nothing."""
    name = await members_decision(request)
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            visit.viewer.require("convene")
            known, us = await known_decision(visit), visit.collective.ed25519 or ""
            if not _has_said(known, "Leave", us):
                _check_leave(known, us)
                await aftermath.leave(
                    visit.session, request.app[HOME], visit.viewer, scope, form.one("reason"), visit.now
                )
    except Refusal as refusal:
        return await _leave_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=left")


# Our circle was not heard, and objects


async def object_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _object_page(request, Form(), Problems())


async def _object_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        _number, circle = await seat(visit.session, visit.viewer, known.scope)
        if not problems:
            if _has_said(known, "Objection", circle.actor.ed25519):
                return see(f"{known.path}?done=objected")
            if not can_object(known.view, circle):
                raise Conflict("heard", _("Only a circle that was not heard can object, and only in time."))
        view = known.view
        context = ObjectPage(
            path=known.path,
            question=known.question,
            circle=circle.actor.name,
            is_over=view.state == "heard",
            waits_until=view.times.wait_ends,
            until=view.times.ratify_ends,
            readers=READERS[known.scope.visibility],
            reason=form.one("reason"),
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/object.html", context, status_of(problems))


async def object_(request: web.Request, form: Form) -> web.StreamResponse:
    """Object in the name of a circle that was not heard. A second time changes nothing."""
    name = await members_decision(request)
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            if not await _objected(visit):
                await aftermath.object_afterwards(
                    visit.session, request.app[HOME], visit.viewer, scope, form.one("reason"), visit.now
                )
    except Refusal as refusal:
        return await _object_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=objected")


async def _objected(visit: Visit) -> bool:
    known = await known_decision(visit)
    _, circle = await seat(visit.session, visit.viewer, known.scope)
    return _has_said(known, "Objection", circle.actor.ed25519)
