"""“Four steps to begin”: for whoever founded a collective, the way to the ordinary pages on which one begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from models.people import member_count
from server.actions import beginning
from server.language import _
from server.web.forms import Form
from server.web.render import see
from server.web.sessions import Visit, acting

POWERS: Final = ("operate", "admit", "convene")
OWN: Final = "/me/settings"


@dataclass(frozen=True)
class Step:
    """`own`: the page of one's own settings, where that belongs to the step."""

    words: str
    hint: str
    href: str
    is_done: bool
    own: str = ""


async def steps_of(visit: Visit, members: int) -> Sequence[Step]:
    """The four steps for whoever can do all of them, in a collective of so many members; none once they are done or put away."""
    viewer = visit.viewer
    if not viewer.is_member or not all(viewer.may(power) for power in POWERS):
        return []
    done = await beginning.first_steps(visit.session, visit.collective, visit.choices, members)
    return _steps(done) if done else []


def _steps(done: Mapping[str, bool]) -> Sequence[Step]:
    return [
        Step(
            _("Say who you are"),
            _("A name and a few sentences about your collective. They stand here and in other apps."),
            "/settings",
            done["described"],
            OWN,
        ),
        Step(
            _("Choose a colour"),
            _("For links and buttons. Each can be read well, in the light and in the dark."),
            "/settings#hue",
            done["coloured"],
        ),
        Step(
            _("Invite the first people"),
            _("Make a link and send it, or let them scan it from your screen."),
            "/people/invite",
            done["invited"],
        ),
        Step(
            _("Ask a first small question"),
            _("An example is filled in, with short times. It shows how a decision goes."),
            "/decisions/new?example=small",
            done["asked"],
        ),
    ]


async def next_step(visit: Visit) -> Step | None:
    """The first step that is not done, for the page on which one was just done."""
    steps = await steps_of(visit, await member_count(visit.session))
    return next((step for step in steps if not step.is_done), None)


async def put_away(request: web.Request, _form: Form) -> web.StreamResponse:
    async with acting(request) as visit:
        await beginning.put_away(visit.session, visit.viewer, visit.now)
    return see("/?done=steps-put-away")
