"""What a collective and its circles say before the voting: answering an offer, making a proposal, taking a question back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import Final

from aiohttp import web

from models import decisions, ledger, people
from models.ledger import Scope
from models.rules.circles import ASSEMBLY_BELOW, deal
from models.rules.refusals import Conflict, Invalid, Refusal
from server.actions import convening, proposing
from server.actions.balloting import REASON_AT_MOST
from server.actions.seating import circles_to_deal
from server.actions.visible import decision_for
from server.keys import CLOCK, HOME
from server.language import _
from server.web.convening import fresh_keys
from server.web.decisions import Known, known_decision
from server.web.forms import Form, Problems, problems_of
from server.web.names import Said, Who
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import METHODS, TAKES, VISIBILITY, Choice

LATEST_ASSEMBLY: Final = timedelta(days=366)
END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class AnswerPage:
    path: str
    question: Said
    convener: Who
    invited: Sequence[Who]
    method: Choice
    visibility: Choice
    respond_by: datetime
    opens: datetime
    closes: datetime
    choices: Sequence[Choice]
    members: int
    hands: Sequence[int]
    is_assembly: bool
    mandate: int
    takes: str = ""
    ratify_by: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class ProposePage:
    path: str
    question: Said
    until: datetime
    made: int
    most: int
    speaks: str
    title: str = ""
    details: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class WithdrawPage:
    path: str
    question: Said
    reason: str = ""
    problems: Problems = field(default_factory=Problems)


def status_of(problems: Problems) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK


def check_length(name: str, text: str, most: int) -> None:
    """Nothing typed is cut in silence."""
    if len(text) > most:
        raise Invalid({name: _("Keep this under {most} characters; it has {has}.", most=most, has=len(text))})


async def member_only(request: web.Request) -> web.Response | None:
    """Visitors of a decision that they may see are sent to log in first."""
    async with reading(request) as visit:
        await decision_for(visit.session, visit.viewer, request.match_info["name"])
        return None if visit.viewer.is_member else see(f"/login?next={request.path}")


async def members_decision(request: web.Request) -> str:
    """The name of the decision, if a member asks who may see it; before anything costly is done for the form."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        return (await decision_for(visit.session, visit.viewer, request.match_info["name"])).name


async def locked(visit: Visit, name: str) -> Scope:
    """The decision inside the transaction that acts; forms about one decision are let in one after the other."""
    await ledger.locked_scope(visit.session, name)
    return await decision_for(visit.session, visit.viewer, name)


# Answering an offer


async def answer_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _answer_page(request, Form(), Problems())


async def _answer_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        mandate, offer, names = visit.viewer.require("convene"), known.view.offer, known.names
        if (visit.collective.ed25519 or "") in known.view.answers and not problems:
            return see(f"{known.path}?done=answered")
        members, hands = await _hands(visit)
        context = AnswerPage(
            path=known.path,
            question=known.question,
            convener=names.collective(offer.by),
            invited=[names.collective(key) for key in offer["invited"]],
            method=METHODS[known.view.method.name],
            visibility=VISIBILITY[offer["visibility"]],
            respond_by=known.view.times.respond_by,
            opens=known.view.opens,
            closes=known.view.closes,
            choices=list(TAKES.values()),
            members=members,
            hands=hands,
            is_assembly=members < ASSEMBLY_BELOW,
            mandate=mandate.id,
            takes=form.one("takes"),
            ratify_by=form.one("ratify_by"),
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/answer.html", context, status_of(problems))


async def _hands(visit: Visit) -> tuple[int, list[int]]:
    """How many members there are, and the sizes of the circles that an answer given now would bring."""
    everybody = await people.members(visit.session)
    standing = [await people.members_of(visit.session, one.id) for one in await people.circles(visit.session)]
    sizes = [len(sitting) for sitting in standing if sitting]
    if await circles_to_deal(visit.session):
        seated = {member.id for sitting in standing for member in sitting}
        loose = [str(member.id) for member in everybody if member.id not in seated]
        sizes += [len(hand) for hand in deal(loose, "sizes")]
    return len(everybody), sizes


async def answer(request: web.Request, form: Form) -> web.StreamResponse:
    """Say how the collective takes part. The same answer sent twice is given once."""
    name = await members_decision(request)
    takes, now = form.one("takes"), request.app[CLOCK].now()
    try:
        if takes not in TAKES:
            raise Invalid({"takes": _("Choose how your collective takes part.")})
        ratify_by = _day(form.one("ratify_by"), now) if takes == "ratifies" else None
        keys = await fresh_keys(request)
        async with acting(request) as visit:
            scope = await locked(visit, name)
            await convening.answer(
                visit.session, request.app[HOME], visit.viewer, scope, takes, ratify_by, keys, visit.now
            )
    except Conflict as refusal:
        if not await _said_already(request, takes):
            return await _answer_page(request, form, problems_of(refusal))
    except Refusal as refusal:
        return await _answer_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=answered")


async def _said_already(request: web.Request, takes: str) -> bool:
    async with reading(request) as visit:
        known = await known_decision(visit)
        given = known.view.answers.get(visit.collective.ed25519 or "")
        return given is not None and given["takes"] == takes


def _day(text: str, now: datetime) -> datetime:
    """The end (UTC) of the day that a date field holds."""
    try:
        day = datetime.combine(date.fromisoformat(text), END_OF_DAY)
    except ValueError as error:
        raise Invalid({"ratify_by": _("Say the day of your assembly, such as 2027-03-14.")}) from error
    if day > now + LATEST_ASSEMBLY:
        raise Invalid({"ratify_by": _("Choose a day within a year: the others wait for your assembly.")})
    return day


# Making a proposal


async def propose_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _propose_page(request, Form(), Problems())


async def _propose_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        like = _like(known, request.query.get("like", ""))
        context = ProposePage(
            path=known.path,
            question=known.question,
            until=known.view.times.gather_until,
            made=len(known.view.options),
            most=known.view.offer["maxOptions"],
            speaks=await _speaks(visit, known),
            title=form.one("title") if form.pairs else like[0],
            details=form.one("details") if form.pairs else like[1],
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/propose.html", context, status_of(problems))


def _like(known: Known, digest: str) -> tuple[str, str]:
    """The words of a change that was not taken in, to be proposed by themselves."""
    found = next((one.option for one in known.view.amendments if one.option.digest == digest), None)
    return ("", "") if found is None else known.words_of(found)


async def _speaks(visit: Visit, known: Known) -> str:
    """In whose name the member would propose; NotAllowed if in nobody's."""
    member = visit.viewer.require_member()
    seat = await decisions.seat_of(visit.session, known.scope.id, member.id)
    if seat is None:
        visit.viewer.require("convene")
        return visit.collective.name
    circle = await visit.session.get_one(people.Circle, seat.circle_id)
    return circle.actor.name


async def propose(request: web.Request, form: Form) -> web.StreamResponse:
    """Add a proposal. The same one sent twice is made once."""
    name = await members_decision(request)
    title, details = form.one("title"), form.one("details")
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            if not await _proposed_already(visit, title, details):
                await proposing.propose(
                    visit.session, request.app[HOME], visit.viewer, scope, title, details, visit.now
                )
    except Refusal as refusal:
        return await _propose_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=proposed#proposals")


async def _proposed_already(visit: Visit, title: str, details: str) -> bool:
    known = await known_decision(visit)
    return any(
        (known.names.said(one["title"]).text, one.get("details") and known.names.said(one["details"]).text)
        == (title, details or None)
        for one in known.view.options
    )


# Taking a question back


async def withdraw_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _withdraw_page(request, Form(), Problems())


async def _withdraw_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known = await known_decision(visit)
        visit.viewer.require("convene")
        context = WithdrawPage(known.path, known.question, form.one("reason"), problems)
        return page(request, frame_of(visit), "decisions/withdraw.html", context, status_of(problems))


async def withdraw(request: web.Request, form: Form) -> web.StreamResponse:
    """Take the question back. A second time changes nothing."""
    name = await members_decision(request)
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            check_length("reason", form.one("reason"), REASON_AT_MOST)
            if (await known_decision(visit)).view.withdrawn is None:
                await convening.withdraw(
                    visit.session, request.app[HOME], visit.viewer, scope, form.one("reason"), visit.now
                )
    except Refusal as refusal:
        return await _withdraw_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=withdrawn")
