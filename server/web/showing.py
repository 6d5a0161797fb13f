"""Whether documents are shown to everybody or to signed requests only: asked once more, under `moderate`."""

from dataclasses import dataclass, field

from aiohttp import web

from models.rules.refusals import Conflict
from server.actions import showing
from server.actions.peers import only_allowed
from server.web.forms import Form, Problems, problems_of
from server.web.mine import status_of
from server.web.moderating import doing, looking
from server.web.render import frame_of, page, see


@dataclass(frozen=True)
class ShowingPage:
    signed_only: bool
    only_listed: bool
    mandate: int
    problems: Problems = field(default_factory=Problems)


async def showing_page(request: web.Request) -> web.StreamResponse:
    return await _page(request, Problems())


async def _page(request: web.Request, problems: Problems) -> web.Response:
    async with looking(request) as (visit, mandate):
        context = ShowingPage(
            signed_only=await showing.signed_only(visit.session),
            only_listed=await only_allowed(visit.session),
            mandate=mandate.id,
            problems=problems,
        )
        return page(request, frame_of(visit), "moderate/showing.html", context, status_of(problems))


async def choose(request: web.Request, form: Form) -> web.StreamResponse:
    """Show them so from now on. A second time changes nothing."""
    demanded = form.one("signed") == "yes"
    try:
        async with doing(request) as visit:
            if await showing.signed_only(visit.session) != demanded:
                await showing.show_to_signed_only(visit.session, visit.viewer, demanded, visit.now)
    except Conflict as refusal:
        return await _page(request, problems_of(refusal))
    return see(f"/moderate?done={'signed-only' if demanded else 'shown-to-all'}")
