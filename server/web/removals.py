"""Whether somebody is a member any longer: asking all circles, following the question, and carrying out what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from models import decisions
from models.people import Member, member_count
from models.rules.refusals import Conflict, Invalid, NotFound
from server.actions import removals
from server.actions.charters import charter_at
from server.actions.concerned import Asked, asked_about
from server.actions.convening import Plan, as_chartered
from server.actions.hearing import refresh
from server.actions.recovering import member_here
from server.keys import HOME
from server.language import _
from server.web.convening import fresh_keys
from server.web.forms import Form, Problems, problems_of
from server.web.mine import status_of
from server.web.needs import decision_path
from server.web.plans import TALK, span_of, talks, usual_talk
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import METHODS, POWERS, STATES, Choice, Label

LENGTHS: Final = {value: span_of(value) for value in TALK}
SHORTLY: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Question:
    """What was asked about them last."""

    path: str
    state: Label
    is_running: bool
    is_due: bool
    until: datetime


@dataclass(frozen=True)
class RemovePage:
    """`alone`: what nobody else may do now."""

    number: int
    name: str
    since: datetime
    members: int
    asked: Question | None
    may_ask: bool
    may_erase: bool
    why: str
    method: str
    talk: str
    parting: str
    problems: Problems
    talks: Sequence[Choice]
    voting: timedelta
    alone: Sequence[str]
    methods: Sequence[Choice] = tuple(METHODS[value] for value in removals.METHODS)
    least: int = removals.SHORTEST_WHY


@dataclass(frozen=True)
class Subject:
    """For the pages of such a decision: whom it is about, and since when they are here, as names are not theirs alone. `until`: by
    when it can be carried out, if it can be now; `path`: where, by whoever looks."""

    name: str
    since: datetime
    is_gone: bool
    is_me: bool
    is_running: bool
    until: datetime | None
    path: str


async def subject_of(visit: Visit, scope_id: int) -> Subject | None:
    """Whom a decision is about, for members; None if it is about nobody."""
    member = await decisions.removal_in(visit.session, scope_id) if visit.viewer.is_member else None
    if member is None or visit.viewer.member is None:
        return None
    is_gone, is_me = member.left_at is not None, member.id == visit.viewer.member.id
    asked = None if is_gone else await asked_about(visit.session, member, visit.now)
    if asked is None or asked.scope.id != scope_id:
        return Subject(member.name, member.joined_at, is_gone, is_me, False, None, "")
    until = asked.until if asked.is_due(visit.now) else None
    path = f"/people/{member.id}/remove" if until and not is_me else ""
    return Subject(member.name, member.joined_at, is_gone, is_me, asked.is_running(), until, path)


async def remove_page(request: web.Request) -> web.StreamResponse:
    return await _remove(request, Form(), Problems())


async def to_page(request: web.Request) -> web.StreamResponse:
    """Where the form that asks goes, there is nothing to look at."""
    return see(f"/people/{request.match_info['number']}/remove")


async def _remove(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        member = await _other(visit)
        asked = await asked_about(visit.session, member, visit.now)
        charter = await charter_at(visit.session, visit.now)
        context = RemovePage(
            number=member.id,
            name=member.name,
            since=member.joined_at,
            members=await member_count(visit.session),
            asked=_question(asked, visit.now) if asked else None,
            may_ask=visit.viewer.may("convene"),
            may_erase=visit.viewer.may("admit"),
            why=form.one("why"),
            method=form.one("method", "consent"),
            talk=form.one("talk", usual_talk(charter)),
            parting=form.one("parting", "leave"),
            problems=problems,
            talks=[*talks(charter).values()],
            voting=as_chartered(Plan(""), charter).window,
            alone=[POWERS[power] for power in await removals.held_alone(visit.session, member, visit.now)],
        )
        return page(request, frame_of(visit), "people/remove.html", context, status_of(problems))


async def _other(visit: Visit) -> Member:
    """The member whom the address names; nobody is asked about themselves."""
    visit.viewer.require_member()
    member = await member_here(visit.session, int(visit.request.match_info["number"]))
    removals.check_other(visit.viewer, member)
    return member


def _question(asked: Asked, now: datetime) -> Question:
    path = decision_path(asked.scope.name)
    return Question(path, STATES[asked.state], asked.is_running(), asked.is_due(now), asked.until)


async def ask(request: web.Request, form: Form) -> web.StreamResponse:
    """Ask the question. Sent twice, it is asked once."""
    async with reading(request) as visit:
        await _other(visit)
        visit.viewer.require("convene")
    talk = LENGTHS.get(form.one("talk"), timedelta())
    keys = await fresh_keys(request)
    try:
        async with acting(request) as visit:
            member = await _other(visit)
            scope = await removals.ask(
                visit.session,
                request.app[HOME],
                visit.viewer,
                member,
                form.one("why"),
                form.one("method"),
                talk,
                keys,
                visit.now,
            )
            await refresh(visit.session, scope, visit.now)
    except Invalid as refusal:
        return await _remove(request, form, problems_of(refusal))
    except Conflict as refusal:
        return await _asked_meanwhile(request, form, refusal)
    return see(f"{decision_path(scope.name)}?done=removal-asked")


async def _asked_meanwhile(request: web.Request, form: Form, refusal: Conflict) -> web.StreamResponse:
    """The same form sent twice leads to what the first one did; where somebody else was faster, nothing typed is lost."""
    async with reading(request) as visit:
        asked = await asked_about(visit.session, await _other(visit), visit.now)
        if asked is not None and visit.now - asked.scope.created_at < SHORTLY:
            said = await removals.reason_of(visit.session, asked.scope)
            if said == form.one("why"):
                return see(f"{decision_path(asked.scope.name)}?done=removal-asked")
    return await _remove(request, form, Problems(refusal.sentence))


async def remove(request: web.Request, form: Form) -> web.StreamResponse:
    """Carry out that somebody is a member no longer. Sent twice, or by two at once, it is done once."""
    try:
        if form.one("parting") not in ("leave", "erase"):
            raise Invalid({"parting": _("Choose one of the two.")})
        async with acting(request) as visit:
            member = await _other(visit)
            erased = form.one("parting") == "erase"
            await removals.remove(
                visit.session, request.app[HOME], visit.viewer, member, visit.now, erased=erased
            )
    except (Invalid, Conflict) as refusal:
        return await _remove(request, form, problems_of(refusal))
    except NotFound:
        if not await _is_removed(request):
            raise
    return see("/people?done=person-removed")


async def _is_removed(request: web.Request) -> bool:
    async with reading(request) as visit:
        member = await visit.session.get(Member, int(request.match_info["number"]))
    return member is not None and member.removed_by is not None
