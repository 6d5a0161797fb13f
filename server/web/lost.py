"""Who cannot log in asks for a link by e-mail, and reads which other way there is. The answer is the same for everybody."""

from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from models.rules.refusals import Invalid, TooMany
from server.actions import lost, people
from server.keys import CLOCK, DATABASE, SETTINGS
from server.language import _
from server.web.accounts import form_frame
from server.web.forms import Form, Problems, Stale, posted, problems_of
from server.web.places import place_of
from server.web.render import page
from server.web.sessions import reading


@dataclass(frozen=True)
class LostPage:
    sends: bool
    asked: bool
    longest: int = lost.LONGEST
    who: str = ""
    problems: Problems = field(default_factory=Problems)


async def lost_page(request: web.Request) -> web.StreamResponse:
    return await _lost(request, LostPage(_sends(request), asked=False))


def _sends(request: web.Request) -> bool:
    return request.app[SETTINGS].smtp is not None


async def _lost(request: web.Request, context: LostPage, status: int = HTTPStatus.OK) -> web.Response:
    async with reading(request) as visit:
        return page(request, form_frame(visit), "people/lost.html", context, status)


async def _again(request: web.Request, form: Form, problems: Problems, status: int) -> web.Response:
    context = LostPage(_sends(request), asked=False, who=form.one("who"), problems=problems)
    return await _lost(request, context, status)


async def ask(request: web.Request) -> web.StreamResponse:
    """It is written down, whatever was typed, and looked up when nobody waits for an answer any more."""
    try:
        form = await posted(request)
    except Stale as stale:
        late = Problems(_("This page had been open for long. Please send it once more."))
        return await _again(request, stale.form, late, HTTPStatus.OK)
    if not _sends(request):
        return await lost_page(request)
    app, now, place = request.app, request.app[CLOCK].now(), place_of(request)
    try:
        lost.check_who(form.one("who"))
        async with app[DATABASE].ACT.begin() as session:
            await people.check_tries(session, now, lost=place)
            await people.note_tries(session, now, lost=place)
            await lost.ask(session, form.one("who"), now)
    except Invalid as refusal:
        return await _again(request, form, problems_of(refusal), HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooMany as refusal:
        return await _again(request, form, Problems(refusal.sentence), HTTPStatus.TOO_MANY_REQUESTS)
    return await _lost(request, LostPage(sends=True, asked=True))
