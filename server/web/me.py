"""The page of whoever is logged in: how they are known here, what they hold, and whether the world can find them.

A member is found by nobody outside until they ask for it. The handle of a profile is theirs for good, the profile is not.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from models.follows import follower_count
from models.people import Actor
from models.rules import mandates
from models.rules.refusals import Conflict, Refusal
from server.actions import appearing
from server.actions.founding import make_key_pair
from server.keys import HOME
from server.language import _, ngettext
from server.viewer import as_rule
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, problems_of
from server.web.recovering import Told, told
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import DONE, MANDATES, POWERS, Label


@dataclass(frozen=True)
class Held:
    """A mandate of one's own."""

    number: int
    powers: Sequence[str]
    starts: datetime
    ends: datetime
    status: Label


@dataclass(frozen=True)
class MePage:
    """`address` is that of the public profile, one that was taken away too."""

    name: str
    login: str
    since: datetime
    circle: str
    circle_path: str
    held: Sequence[Held]
    register: str
    host: str
    address: str
    profile: str
    is_public: bool
    about: str
    told: Sequence[Told]
    done: str
    handle: str = ""
    problems: Problems = field(default_factory=Problems)


async def to_me(_request: web.Request) -> web.StreamResponse:
    """Where a form of this page goes, there is nothing to look at."""
    return see("/me")


async def me_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see("/login?next=/me")
    return await _me_page(request, Form(), Problems())


async def _me_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        context = await _context(visit, form, problems)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "people/me.html", context, status)


async def _context(visit: Visit, form: Form, problems: Problems) -> MePage:
    member, circle, actor = visit.viewer.require_member(), visit.viewer.circle, await _actor(visit)
    return MePage(
        name=member.name,
        login=member.login,
        since=member.joined_at,
        circle=circle.actor.name if circle else "",
        circle_path=f"/@{circle.actor.handle}" if circle else "",
        held=[
            Held(
                number=row.id,
                powers=[POWERS[power] for power in row.powers],
                starts=row.starts_at,
                ends=row.ends_at,
                status=MANDATES[mandates.status(as_rule(row), visit.now)],
            )
            for row in visit.viewer.mandates
        ],
        register=f"/@{visit.collective.handle}#mandates",
        host=visit.request.app[HOME].authority,
        address=actor.address if actor else "",
        profile=f"/@{actor.handle}" if actor else "",
        is_public=actor is not None and actor.gone_at is None,
        about=member.about,
        told=await told(visit),
        done=DONE.get(visit.request.query.get("done", ""), ""),
        handle=form.one("handle"),
        problems=problems,
    )


async def _actor(visit: Visit) -> Actor | None:
    member = visit.viewer.require_member()
    return await visit.session.get(Actor, member.actor_id) if member.actor_id else None


async def appear(request: web.Request, form: Form) -> web.StreamResponse:
    """Become findable. Who is already stays as they are."""
    async with reading(request) as visit:
        visit.viewer.require_member()
    keys = await asyncio.to_thread(make_key_pair)  # before the transaction: RSA takes its time
    handle = form.one("handle").removeprefix("@").lower()
    try:
        async with acting(request) as visit:
            await _in_turn(visit)
            actor = await _actor(visit)
            if actor is None or actor.gone_at is not None:
                await appearing.appear(
                    visit.session, request.app[HOME], visit.viewer, handle, keys, visit.now
                )
    except Refusal as refusal:
        return await _me_page(request, form, problems_of(refusal))
    return see("/me?done=appeared")


async def disappear_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        visit.viewer.require_member()
        actor = await _actor(visit)
        if actor is None or actor.gone_at is not None:
            return see("/me")
        followers = await follower_count(visit.session, actor.id)
        context = Confirm(
            heading=_("Take your public profile away?"),
            about=actor.address,
            says=[
                _("Its address says that it is gone."),
                ngettext(
                    "It has {n} follower. Followers are told, and do not come back by themselves.",
                    "It has {n} followers. Followers are told, and do not come back by themselves.",
                    followers,
                ),
                _("What others have copied stays with them: that cannot be called back."),
                _("The name stays yours: you can come back under it, and nobody else gets it."),
            ],
            button=_("Take my public profile away"),
            action="/me/disappear",
            back="/me",
            above=_("You"),
        )
        return really(visit, context)


async def disappear(request: web.Request, _form: Form) -> web.StreamResponse:
    """Take the public profile away. A second time changes nothing."""
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            await _in_turn(visit)
            await appearing.disappear(visit.session, request.app[HOME], visit.viewer, visit.now)
    except Conflict:
        return see("/me")
    return see("/me?done=disappeared")


async def _in_turn(visit: Visit) -> None:
    """Profiles are made and taken away one after the other: a handle is given once, and two clicks are one."""
    await visit.session.get(Actor, visit.collective.id, with_for_update={"of": Actor}, populate_existing=True)
    await visit.session.refresh(visit.viewer.require_member())
