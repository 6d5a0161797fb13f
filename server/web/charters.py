"""Our charter on the pages: what is in force and since when, what it was, and asking all circles to change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from models.charters import is_proposed_in
from models.rules import charters as rules
from models.rules.charters import PARAMETERS, Charter, Value
from models.rules.phrases import Phrase
from models.rules.refusals import Conflict, Invalid
from server.actions import chartering
from server.actions.chartering import Change
from server.actions.charters import History, Version, document, history
from server.actions.convening import Plan, as_chartered
from server.actions.hearing import refresh
from server.actions.removals import reason_of
from server.actions.visible import visibilities
from server.keys import HOME
from server.web.convening import fresh_keys
from server.web.forms import Form, Problems, problems_of
from server.web.mine import status_of
from server.web.needs import decision_path
from server.web.plans import TALK, span_of, talks, usual_talk
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import METHODS, VISIBILITY, Choice

SHORTLY: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Line:
    """A parameter in words; `before`: what it was, if this version changed it."""

    label: Phrase
    least: Phrase
    before: Phrase | None


@dataclass(frozen=True)
class Shown:
    """A version as a page shows it. `path`: its decision, where this viewer may see it."""

    number: int
    since: datetime
    path: str
    lines: Sequence[Line]

    @property
    def changed(self) -> Sequence[Line]:
        return [line for line in self.lines if line.before]


@dataclass(frozen=True)
class CharterPage:
    home: str
    current: Shown
    underway: Shown | None
    earlier: Sequence[Shown]
    may_ask: bool
    takes: timedelta
    longest: timedelta = timedelta(seconds=rules.seconds(rules.STRICTEST))


@dataclass(frozen=True)
class Field:
    """A parameter in the form: its steps, the one that is chosen, and what is in force."""

    name: str
    label: Phrase
    steps: Sequence[Choice]
    chosen: str
    now: Phrase


@dataclass(frozen=True)
class ChangePage:
    """`underway`: where another change is being decided; nobody can ask for this one before that is over."""

    number: int
    underway: str
    fields: Sequence[Field]
    why: str
    method: str
    talk: str
    talks: Sequence[Choice]
    visibility: str
    problems: Problems
    methods: Sequence[Choice] = tuple(METHODS[value] for value in chartering.METHODS)
    visibilities: Sequence[Choice] = tuple(VISIBILITY[value] for value in chartering.VISIBLE)


@dataclass(frozen=True)
class AboutCharter:
    """For the page of a decision about our charter: which version it would be or became; None if it came to nothing.
    `is_stricter`: it would ask more circles to take part, which only as many can undo."""

    version: Shown | None
    is_running: bool
    is_in_force: bool
    is_stricter: bool = False
    is_me: bool = False  # it is about nobody


async def charter_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        known = await history(visit.session, visit.now)
        current, underway, earlier = shown_to(visit, known)
        context = CharterPage(
            home=f"/@{visit.collective.handle}",
            current=current,
            underway=underway,
            earlier=earlier,
            may_ask=visit.viewer.is_member and visit.viewer.may("convene") and known.underway is None,
            takes=_shortest_change(known.current.charter),
        )
        return page(request, frame_of(visit), "charters/show.html", context)


def _shortest_change(charter: Charter) -> timedelta:
    """How long a change of it takes, from the question to the final result, if it is talked over as briefly as can be: in whole
    days, so that people can read it."""
    plan = as_chartered(Plan("", gather=min(chartering.TALK)), charter)
    return timedelta(days=(plan.gather + plan.window + plan.grace + plan.challenge).days)


async def charter_json(request: web.Request) -> web.StreamResponse:
    """The same for machines."""
    async with reading(request) as visit:
        known = await history(visit.session, visit.now)
        body = document(known, request.app[HOME].url, visit.now, visibilities(visit.viewer))
    headers = {"Cache-Control": "no-store" if visit.viewer.is_member else "no-cache", "Vary": "Cookie"}
    return web.json_response(body, headers=headers)


def shown_to(visit: Visit, known: History) -> tuple[Shown, Shown | None, Sequence[Shown]]:
    """For this viewer: the version in force, the change that is being decided, and the earlier ones, the latest first."""
    rows = [_shown(visit, known.versions, one) for one in known.versions]
    underway = known.underway
    coming = None
    if underway and underway.scope and underway.scope.visibility in visibilities(visit.viewer):
        coming = _shown(visit, [*known.versions, underway], underway)
    return rows[-1], coming, rows[-2::-1]


def _shown(visit: Visit, versions: Sequence[Version], one: Version) -> Shown:
    before = versions[one.number - 2].charter if one.number > 1 else one.charter
    scope, seen = one.scope, visibilities(visit.viewer)
    path = decision_path(scope.name) if scope and scope.visibility in seen else ""
    lines = [
        Line(
            row.label,
            row.words(one.charter[name]),
            row.words(before[name]) if name in one.changed else None,
        )
        for name, row in PARAMETERS.items()
    ]
    return Shown(one.number, one.since, path, lines)


async def about_charter(visit: Visit, scope_id: int) -> AboutCharter | None:
    """What a decision would make of our charter, or made of it; None if it is about something else."""
    if not await is_proposed_in(visit.session, scope_id):
        return None
    known = await history(visit.session, visit.now)
    running = [known.underway] if known.underway else []
    versions = [*known.versions, *running]
    for one in versions:
        if one.scope is not None and one.scope.id == scope_id:
            shown = _shown(visit, versions, one)
            before = versions[one.number - 2].charter
            is_stricter = not rules.is_enough(one.charter["quorum"], before["quorum"])
            return AboutCharter(shown, one in running, one is known.current, is_stricter)
    return AboutCharter(None, is_running=False, is_in_force=False)


async def change_page(request: web.Request) -> web.StreamResponse:
    return await _form(request, Form(), Problems())


async def _form(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("convene")
        known = await history(visit.session, visit.now)
        current, before = known.current, _written_from(known, form)
        underway = known.underway.scope if known.underway else None
        context = ChangePage(
            number=current.number,
            underway=decision_path(underway.name) if underway else "",
            fields=[_field(name, current.charter[name], before[name], form) for name in PARAMETERS],
            why=form.one("why"),
            method=form.one("method", "consent"),
            talk=form.one("talk", usual_talk(current.charter)),
            talks=[*talks(current.charter).values()],
            visibility=form.one("visibility", "public"),
            problems=problems,
        )
        return page(request, frame_of(visit), "charters/change.html", context, status_of(problems))


def _written_from(known: History, form: Form) -> Charter:
    """The charter that was in force when whoever filled in this form began to."""
    number = form.number("version", known.current.number)
    return next((one.charter for one in known.versions if one.number == number), known.current.charter)


def _field(name: str, now: Value, before: Value, form: Form) -> Field:
    """What was left as it was follows the charter: nobody asks unawares to undo what was decided while they wrote."""
    one = PARAMETERS[name]
    steps = [Choice(_code(step), one.words(step)) for step in one.steps]
    typed = form.one(name, _code(before))
    chosen = _code(now) if typed == _code(before) else typed
    return Field(name, one.label, steps, chosen, one.words(now))


def _code(value: Value) -> str:
    """A value as the form sends it."""
    return str(value) if isinstance(value, int) else "/".join(map(str, value))


async def change(request: web.Request, form: Form) -> web.StreamResponse:
    """Ask all circles. Sent twice, it is asked once."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("convene")
    wanted = Change(
        charter=_asked(form),
        why=form.one("why"),
        method=form.one("method"),
        talk=span_of(form.one("talk")) if form.one("talk") in TALK else timedelta(),
        visibility=form.one("visibility"),
        seen=form.number("version"),
    )
    keys = await fresh_keys(request)
    try:
        async with acting(request) as visit:
            scope = await chartering.ask(
                visit.session, request.app[HOME], visit.viewer, wanted, keys, visit.now
            )
            await refresh(visit.session, scope, visit.now)
    except Invalid as refusal:
        return await _form(request, form, problems_of(refusal))
    except Conflict as refusal:
        return await _asked_meanwhile(request, form, wanted, refusal)
    return see(f"{decision_path(scope.name)}?done=charter-asked")


def _asked(form: Form) -> Mapping[str, Value]:
    """The charter that the form asks for; without what is not offered."""
    found = {}
    for name, one in PARAMETERS.items():
        steps = {_code(step): step for step in one.steps}
        if form.one(name) in steps:
            found[name] = steps[form.one(name)]
    return found


async def _asked_meanwhile(
    request: web.Request, form: Form, wanted: Change, refusal: Conflict
) -> web.StreamResponse:
    """The same form sent twice leads to what the first one did; where somebody else was faster, nothing typed is lost."""
    async with reading(request) as visit:
        known = await history(visit.session, visit.now)
        name = await _same(visit, known, wanted)
    if name:
        return see(f"{decision_path(name)}?done=charter-asked")
    return await _form(request, form, Problems(refusal.sentence))


async def _same(visit: Visit, known: History, wanted: Change) -> str:
    """The decision that a first click on the same form has just made."""
    one = known.underway
    if one is None or one.scope is None or visit.now - one.scope.created_at >= SHORTLY:
        return ""
    is_same = one.charter == wanted.charter and await reason_of(visit.session, one.scope) == wanted.why
    return one.scope.name if is_same else ""
