"""Convening a decision: the form, whom it invites, and the one act."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from aiohttp import web

from activitypub.errors import WireError
from models import ledger
from models.ledger import Scope
from models.people import Actor
from models.rules.refusals import Invalid, Refusal
from server.actions.charters import charter_at
from server.actions.convening import Plan, check_plan, convene
from server.actions.founding import KeyPair, make_key_pair
from server.actions.hearing import refresh
from server.actions.seating import circles_to_deal
from server.elsewhere import sentence_of
from server.keys import DATABASE, HOME
from server.language import _
from server.remote import find
from server.web import plans
from server.web.forms import Form, Problems, problems_of
from server.web.needs import decision_path
from server.web.plans import Filled, filled, plan_of
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import Choice

MOST_INVITED: Final = 60
TWICE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class ConvenePage:
    filled: Filled
    problems: Problems
    choices: Mapping[str, Sequence[Choice]]
    leasts: Mapping[str, str]
    units: Sequence[Choice]
    address: str
    mandate: int

    @property
    def is_open(self) -> bool:
        """Does something stand under “More choices” that has to be seen?"""
        return self.filled.is_advanced or any(self.problems.of(name) for name in plans.ADVANCED)


async def convene_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see("/login?next=/decisions/new")
        charter = await charter_at(visit.session, visit.now)
        is_example = request.query.get("example") == plans.SMALL
        words = plans.fitting(plans.small_question() if is_example else filled(Form()), charter)
    return await _form(request, words, Problems())


async def _form(request: web.Request, form: Filled, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        mandate = visit.viewer.require("convene")
        charter = await charter_at(visit.session, visit.now)
        context = ConvenePage(
            filled=form,
            problems=problems,
            choices=plans.offered(form, charter),
            leasts=plans.leasts(charter),
            units=list(plans.UNITS.values()),
            address=visit.collective.address,
            mandate=mandate.id,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "decisions/new.html", context, status)


async def convene_decision(request: web.Request, form: Form) -> web.StreamResponse:
    """Ask the question. The same question sent twice within ten minutes is asked once."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("convene")
        charter = await charter_at(visit.session, visit.now)
    words = filled(form)
    plan, problems = plan_of(words)
    invited, unknown = await _find_invited(request.app, words.invited)
    wrong = {**problems.fields, **unknown}
    try:
        check_plan(plan, invited, charter)
    except Invalid as refusal:
        wrong = {**refusal.fields, **wrong}
    if wrong:
        return await _form(request, words, Problems(fields=wrong))
    keys = await fresh_keys(request)
    try:
        async with acting(request) as visit:
            scope = await _already(visit, plan)
            if scope is None:
                scope = await convene(
                    visit.session, request.app[HOME], visit.viewer, plan, invited, keys, visit.now
                )
                await refresh(visit.session, scope, visit.now)
    except Refusal as refusal:
        return await _form(request, words, problems_of(refusal))
    return see(f"{decision_path(scope.name)}?done={'convened' if invited else 'convened-alone'}")


async def fresh_keys(request: web.Request) -> list[KeyPair]:
    """As many new key pairs as dealing circles would take now; made in threads, before the transaction."""
    async with request.app[DATABASE].READ() as session:
        count = await circles_to_deal(session)
    return list(await asyncio.gather(*(asyncio.to_thread(make_key_pair) for _ in range(count))))


async def _already(visit: Visit, plan: Plan) -> Scope | None:
    """The decision that a first click on the same form has just made. Forms are let in one after the other."""
    await visit.session.get(Actor, visit.collective.id, with_for_update={"of": Actor}, populate_existing=True)
    since = visit.now - TWICE
    for scope, offer in await ledger.signed_since(
        visit.session, "Offer", visit.collective.ed25519 or "", since
    ):
        texts = await ledger.texts(visit.session, scope.id)
        question, details = texts.get(offer["question"]), texts.get(offer.get("details", ""))
        said = (question.text if question else None, (details.text if details else None) or "")
        if said == (plan.question.strip(), plan.details.strip()):
            return scope
    return None


async def _find_invited(app: web.Application, text: str) -> tuple[list[Actor], dict[str, str]]:
    """The collectives named on the lines of the field, each once; and what is wrong with those that were not found."""
    lines = plans.addresses(text)
    if len(lines) > MOST_INVITED:
        return [], {"invited": _("Invite at most {most} collectives.", most=MOST_INVITED)}
    found = await asyncio.gather(*(_find(app, line) for line in lines))
    actors = {one.ed25519 or one.uri: one for one in found if isinstance(one, Actor)}
    wrong = [one for one in found if isinstance(one, str)]
    wrong += [
        _("{address} is your own collective; it takes part anyway.", address=a.address)
        for a in actors.values()
        if a.is_local
    ]
    return list(actors.values()), {"invited": " ".join(wrong)} if wrong else {}


async def _find(app: web.Application, line: str) -> Actor | str:
    """The actor, or a sentence that says why there is none."""
    try:
        return await find(app, line)
    except (Refusal, WireError) as error:
        return _("“{address}” was not found: {problem}", address=line, problem=sentence_of(error))
