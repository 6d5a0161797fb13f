"""The people of the collective, for each other; and removing one of them because the collective decided so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from models import ledger, people
from models.mandates import all_mandates
from models.rules import mandates
from models.rules.refusals import Invalid
from server.actions import departing, recovering, requests
from server.keys import HOME
from server.language import _
from server.viewer import as_rule
from server.web.forms import Form, Problems, problems_of
from server.web.mine import done_in, status_of
from server.web.names import Names
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import POWERS, Choice, Named

NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Person:
    number: int
    name: str
    about: str
    since: datetime
    powers: Sequence[str]
    profile: str
    is_me: bool


@dataclass(frozen=True)
class PeoplePage:
    people: Sequence[Person]
    may_admit: bool
    waiting: int
    done: str


@dataclass(frozen=True)
class RemovePage:
    number: int
    name: str
    decisions: Sequence[Choice]
    decision: str
    parting: str
    mandate: int
    mandate_ends: datetime
    problems: Problems


async def people_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        me = visit.viewer.require_member()
        everybody, powers = await people.members(visit.session), await _powers(visit)
        profiles = await _profiles(visit, everybody)
        may_admit = visit.viewer.may("admit")
        waiting = len(await requests.waiting(visit.session, visit.viewer, visit.now)) if may_admit else 0
        context = PeoplePage(
            people=[
                Person(
                    number=one.id,
                    name=one.name,
                    about=one.about,
                    since=one.joined_at,
                    powers=powers.get(one.id, []),
                    profile=profiles.get(one.actor_id or 0, ""),
                    is_me=one.id == me.id,
                )
                for one in everybody
            ],
            may_admit=may_admit,
            waiting=waiting,
            done=done_in(request),
        )
        return page(request, frame_of(visit), "people/list.html", context)


async def _profiles(visit: Visit, members: Sequence[people.Member]) -> dict[int, str]:
    """The public profiles of those who have one, by the number of their actor."""
    found = await people.actors_by_id(visit.session, [one.actor_id for one in members if one.actor_id])
    return {number: f"/@{actor.handle}" for number, actor in found.items() if actor.gone_at is None}


async def _powers(visit: Visit) -> dict[int, list[str]]:
    """What each member may do under mandates in force now, in words."""
    held: dict[int, set[str]] = {}
    for row in await all_mandates(visit.session):
        if mandates.in_force(as_rule(row), visit.now):
            held.setdefault(row.member_id, set()).update(row.powers)
    return {
        number: [POWERS[power] for power in mandates.POWERS if power in powers]
        for number, powers in held.items()
    }


async def remove_page(request: web.Request) -> web.StreamResponse:
    return await _remove(request, Form(), Problems())


async def _remove(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        member = await recovering.member_here(visit.session, int(request.match_info["number"]))
        context = RemovePage(
            number=member.id,
            name=member.name,
            decisions=await _decisions(visit),
            decision=form.one("decision"),
            parting=form.one("parting", "leave"),
            mandate=mandate.id,
            mandate_ends=mandate.ends_at,
            problems=problems,
        )
        return page(request, frame_of(visit), "people/remove.html", context, status_of(problems))


async def _decisions(visit: Visit) -> list[Choice]:
    """Decisions that may be meant, by their questions."""
    found = await departing.removable_by(visit.session)
    texts = await ledger.texts_named(visit.session, [row.question for row, _ in found])
    return [
        Named(name, Names(texts.get(name, {}), {}, {}, {}).title(row.question).plain, decision_path(name))
        for row, name in found
    ]


async def remove(request: web.Request, form: Form) -> web.StreamResponse:
    """Carry out a decision that somebody is no member any more."""
    found = NAME.search(form.one("decision"))
    try:
        if found is None:
            raise Invalid({"decision": _("Choose the decision by which this person is removed.")})
        async with acting(request) as visit:
            visit.viewer.require_member()
            visit.viewer.require("admit")
            member = await recovering.member_here(visit.session, int(request.match_info["number"]))
            await departing.remove(
                visit.session,
                request.app[HOME],
                visit.viewer,
                member,
                found[0],
                visit.now,
                erased=form.one("parting") == "erase",
            )
    except Invalid as refusal:
        return await _remove(request, form, problems_of(refusal))
    return see("/people?done=person-removed")
