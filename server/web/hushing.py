"""Hiding a remark of the members' talk and showing it again, each asked once more, under `moderate`."""

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from models.people import Member
from models.rules.refusals import Conflict, Invalid
from server.actions import hushing
from server.actions.visible import decision_for
from server.web.decisions import known_decision
from server.web.forms import Form, Problems, problems_of
from server.web.mine import status_of
from server.web.names import Said
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.sessions import acting, reading

DONE = {"hide": "remark-hidden", "show": "remark-shown"}


@dataclass(frozen=True)
class HushPage:
    path: str
    action: str
    question: Said
    hides: bool
    author: str
    at: datetime
    words: str
    is_hidden: bool
    mandate: int
    longest: int
    why: str
    problems: Problems = field(default_factory=Problems)


async def ask(request: web.Request) -> web.StreamResponse:
    """The question, with what was said."""
    return await _page(request, Form(), Problems())


async def _page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known, number = await known_decision(visit), int(request.match_info["number"])
        said = await hushing.remark_in(visit.session, visit.viewer, known.scope, number)
        author = await visit.session.get_one(Member, said.member_id)
        context = HushPage(
            path=known.path,
            action=request.path,
            question=known.question,
            hides=request.match_info["act"] == "hide",
            author=author.name,
            at=said.at,
            words=said.words,
            is_hidden=said.hidden_at is not None,
            mandate=visit.viewer.require("moderate").id,
            longest=hushing.LONGEST_WHY,
            why=form.one("why"),
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/hush.html", context, status_of(problems))


async def do(request: web.Request, form: Form) -> web.StreamResponse:
    """It is hidden, or shown again."""
    act, number = request.match_info["act"], int(request.match_info["number"])
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            scope = await decision_for(visit.session, visit.viewer, request.match_info["name"])
            if act == "hide":
                await hushing.hide(visit.session, visit.viewer, scope, number, form.one("why"), visit.now)
            else:
                await hushing.show(visit.session, visit.viewer, scope, number, visit.now)
    except (Invalid, Conflict) as refusal:
        return await _page(request, form, problems_of(refusal))
    return see(f"{decision_path(scope.name)}?done={DONE[act]}#remark-{number}")
