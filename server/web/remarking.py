"""Forms of members' talk: saying something, changing or deleting a remark of one's own. Nothing typed is lost on the way."""

import re
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aiohttp import web

from models.rules.refusals import Invalid, NotFound, Refusal, TooMany
from server.actions import remarks
from server.actions.visible import decision_for
from server.web.decisions import known_decision, show_page
from server.web.forms import Form, Problems, problems_of
from server.web.names import Said
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.rooms import Wrong, entered, room_page
from server.web.sessions import acting, reading

DONE: Final = {"edit": "remark-edited", "delete": "remark-deleted"}


@dataclass(frozen=True)
class OwnPage:
    """A remark of one's own, about to be changed or deleted. `is_gone`: it was deleted meanwhile."""

    path: str
    back: str
    action: str
    act: str
    question: Said
    in_circle: bool
    now: str
    words: str
    base: str
    longest: int
    is_gone: bool
    problems: Problems = field(default_factory=Problems)


async def to_decision(request: web.Request) -> web.StreamResponse:
    return see(decision_path(request.match_info["name"]))


async def say(request: web.Request, form: Form) -> web.StreamResponse:
    """To all members, on the page of the decision."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        await decision_for(visit.session, visit.viewer, request.match_info["name"])
    try:
        number = await _said(request, form, in_circle=False)
    except Refusal as refusal:
        answer, _ = await show_page(request, form, problems_of(refusal), _status(refusal))
        return answer
    return see(f"{decision_path(request.match_info['name'])}?done=said#remark-{number}")


async def say_in_circle(request: web.Request, form: Form) -> web.StreamResponse:
    """To those who sit in the circle, in its room."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        await entered(visit)
    try:
        number = await _said(request, form, in_circle=True)
    except Refusal as refusal:
        answer, _ = await room_page(request, form, Wrong(talk=problems_of(refusal)), _status(refusal))
        return answer
    return see(f"{decision_path(request.match_info['name'])}/circle?done=said#remark-{number}")


async def _said(request: web.Request, form: Form, *, in_circle: bool) -> int:
    once = form.one("once")
    once = once if re.fullmatch("[0-9a-f]{32}", once) else secrets.token_hex(16)
    async with acting(request) as visit:
        scope = await decision_for(visit.session, visit.viewer, request.match_info["name"])
        said = await remarks.say(
            visit.session, visit.viewer, scope, form.one("words"), once, visit.now, in_circle=in_circle
        )
        return said.id


def _status(refusal: Refusal) -> HTTPStatus:
    if isinstance(refusal, Invalid):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.TOO_MANY_REQUESTS if isinstance(refusal, TooMany) else HTTPStatus.CONFLICT


async def own_page(request: web.Request) -> web.StreamResponse:
    return await _own_page(request, Form(), Problems())


async def _own_page(request: web.Request, form: Form, problems: Problems, status: int = 200) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        said = await remarks.own(visit.session, visit.viewer, known.scope, int(request.match_info["number"]))
        back = known.path if said.circle_id is None else f"{known.path}/circle"
        context = OwnPage(
            path=known.path,
            back=f"{back}#remark-{said.id}",
            action=request.path,
            act=request.match_info["act"],
            question=known.question,
            in_circle=said.circle_id is not None,
            now=said.words,
            words=form.one("words") if form.pairs else said.words,
            base=remarks.version(said),
            longest=remarks.LONGEST,
            is_gone=said.deleted_at is not None,
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/remark.html", context, status)


async def change(request: web.Request, form: Form) -> web.StreamResponse:
    """The remark is changed or deleted, if it is the viewer's own."""
    act, number = request.match_info["act"], int(request.match_info["number"])
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            scope = await decision_for(visit.session, visit.viewer, request.match_info["name"])
            if act == "edit":
                words, base = form.one("words"), form.one("base")
                said = await remarks.edit(visit.session, visit.viewer, scope, number, words, base, visit.now)
            else:
                said = await remarks.delete(visit.session, visit.viewer, scope, number, visit.now)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _own_page(request, form, problems_of(refusal), _status(refusal))
    path = decision_path(scope.name) + ("" if said.circle_id is None else "/circle")
    return see(f"{path}?done={DONE[act]}#remark-{number}")
