"""What others say to us outside of decisions: mentions, and answers to posts. For members; hidden under `moderate`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
from aiohttp import web
from markupsafe import Markup

from activitypub.content import sanitise
from models import people, talk
from models.posts import Post
from models.rules.phrases import phrase
from models.rules.refusals import Refusal
from models.talk import Reply
from server.actions import threads
from server.keys import HOME
from server.web.accounts import for_members, taking
from server.web.answering import status_of
from server.web.forms import Form, Problems, problems_of
from server.web.hiding import ACTS, Act
from server.web.mine import done_in
from server.web.outside import Voice, name_of, voices_of
from server.web.render import frame_of, page, see
from server.web.searching import before_in
from server.web.sessions import Visit, acting, reading

HERE: Final = "/mentions"
REPLY: Final = f"{HERE}/replies/{{number:[0-9]{{1,9}}}}/{{act:hide|show}}"
AT_ONCE: Final = 30
HIDDEN: Final = phrase(
    "Members no longer see it here; who moderates still does, and can show it again. Its author is not told. "
    "The original stays where it is."
)
SHOWN: Final = phrase("Every member sees it again.")


@dataclass(frozen=True)
class Said:
    """Somebody's words, and the page of our post that they answer, if they answer one."""

    voice: Voice
    post: str


@dataclass(frozen=True)
class MentionsPage:
    said: Sequence[Said]
    older: str
    done: str


@dataclass(frozen=True)
class HideMentionPage:
    action: str
    act: Act
    follows: str
    author: str
    content: Markup
    url: str
    mandate: int
    problems: Problems = field(default_factory=Problems)


def routes() -> list[web.RouteDef]:
    return [
        web.get(HERE, for_members(mentions_page)),
        web.get(REPLY, for_members(ask)),
        web.post(REPLY, taking(do)),
    ]


async def mentions_page(request: web.Request) -> web.StreamResponse:
    """GET /mentions: the latest first."""
    before = before_in(request)
    async with reading(request) as visit:
        visit.viewer.require_member()
        moderates = visit.viewer.may("moderate")
        found = await talk.mentions(visit.session, before, AT_ONCE + 1, with_hidden=moderates)
        context = MentionsPage(
            said=await _said(visit, found[:AT_ONCE], moderates),
            older=f"{HERE}?before={found[AT_ONCE - 1][0].id}" if len(found) > AT_ONCE else "",
            done=done_in(request),
        )
        return page(request, frame_of(visit), "mentions/list.html", context)


async def _said(visit: Visit, found: Sequence[tuple[Reply, Post | None]], moderates: bool) -> list[Said]:
    voices = await voices_of(visit, [row for row, _ in found], HERE if moderates else "")
    return [Said(voices[row.id], _path(visit, post)) for row, post in found if row.id in voices]


def _path(visit: Visit, post: Post | None) -> str:
    """Where our post can be read here."""
    if post is None or post.deleted_at is not None:
        return ""
    return str(orjson.loads(post.body).get("url", "")).removeprefix(visit.request.app[HOME].url)


async def ask(request: web.Request) -> web.StreamResponse:
    """GET of the question."""
    return await _question(request, Problems())


async def _question(request: web.Request, problems: Problems) -> web.Response:
    hides = request.match_info["act"] == "hide"
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("moderate")
        row = await threads.reply_in(visit.session, None, int(request.match_info["number"]))
        author = await people.actor_by_uri(visit.session, row.author)
        context = HideMentionPage(
            action=request.path,
            act=ACTS[request.match_info["act"]],
            follows=HIDDEN if hides else SHOWN,
            author=name_of(author, row.author),
            content=Markup(sanitise(row.content)),
            url=row.url or row.uri,
            mandate=mandate.id,
            problems=problems,
        )
        return page(request, frame_of(visit), "mentions/hide.html", context, status_of(problems))


async def do(request: web.Request, _form: Form) -> web.StreamResponse:
    """It is done. A second time changes nothing."""
    hides, number = request.match_info["act"] == "hide", int(request.match_info["number"])
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            await threads.hide(visit.session, visit.viewer, None, number, hides, visit.now)
    except Refusal as refusal:
        return await _question(request, problems_of(refusal))
    return see(f"{HERE}?done={'hidden' if hides else 'shown'}")
