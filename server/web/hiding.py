"""Hiding a reply from outside, showing it again, and taking back the stamp of a quote: each asked once more, under `moderate`."""

from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from markupsafe import Markup

from activitypub.content import sanitise
from models import people
from models.rules.phrases import phrase
from models.rules.refusals import Refusal
from models.talk import Quote, Reply
from server.actions import quoting, threads
from server.actions.visible import decision_for
from server.keys import HOME
from server.web.answering import member_only, status_of
from server.web.decisions import known_decision
from server.web.forms import Form, Problems, problems_of
from server.web.names import Said
from server.web.needs import decision_path
from server.web.outside import name_of
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading


@dataclass(frozen=True)
class Act:
    """What is asked: a heading, what follows from it, and the words on the button."""

    title: str
    follows: str
    button: str
    danger: bool = True


ACTS: Final = {
    "hide": Act(
        phrase("Hide this reply?"),
        phrase(
            "Visitors and members no longer see it here; who moderates still does, and can show it again. Its author is not told. "
            "The original stays where it is."
        ),
        phrase("Hide it"),
    ),
    "show": Act(
        phrase("Show this reply again?"),
        phrase("Everybody who may see the decision sees it again."),
        phrase("Show it"),
        danger=False,
    ),
    "revoke": Act(
        phrase("Take back the consent to this quote?"),
        phrase(
            "The server of its author is told, and the stamp is no longer served. Servers that honour stamps stop showing our post "
            "inside theirs. It cannot be given again for this post."
        ),
        phrase("Take it back"),
    ),
}


@dataclass(frozen=True)
class HidePage:
    path: str
    action: str
    question: Said
    act: Act
    author: str
    content: Markup
    url: str
    mandate: int
    problems: Problems = field(default_factory=Problems)


async def ask(request: web.Request) -> web.StreamResponse:
    """GET of the question."""
    return await member_only(request) or await _page(request, Problems())


async def _page(request: web.Request, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        mandate = visit.viewer.require("moderate")
        row = await _named(visit, known.scope.name)
        author = await people.actor_by_uri(visit.session, row.author)
        context = HidePage(
            path=known.path,
            action=request.path,
            question=known.question,
            act=ACTS[request.match_info["act"]],
            author=name_of(author, row.author),
            content=Markup(sanitise(row.content)) if isinstance(row, Reply) else Markup(""),
            url=(row.url or row.uri) if isinstance(row, Reply) else row.quoting,
            mandate=mandate.id,
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/hide.html", context, status_of(problems))


async def _named(visit: Visit, scope: str) -> Reply | Quote:
    """The reply or the quote that the address names."""
    number = int(visit.request.match_info["number"])
    if visit.request.match_info["act"] == "revoke":
        return await quoting.quote_in(visit.session, scope, number)
    return await threads.reply_in(visit.session, scope, number)


async def do(request: web.Request, _form: Form) -> web.StreamResponse:
    """It is done. A second time changes nothing."""
    act, number = request.match_info["act"], int(request.match_info["number"])
    try:
        async with acting(request) as visit:
            scope = (await decision_for(visit.session, visit.viewer, request.match_info["name"])).name
            if act == "revoke":
                home = request.app[HOME]
                await quoting.revoke(visit.session, home, visit.viewer, scope, number, visit.now)
            else:
                await threads.hide(visit.session, visit.viewer, scope, number, act == "hide", visit.now)
    except Refusal as refusal:
        return await _page(request, problems_of(refusal))
    done = {"hide": "hidden", "show": "shown", "revoke": "revoked"}[act]
    return see(f"{decision_path(request.match_info['name'])}?done={done}")
