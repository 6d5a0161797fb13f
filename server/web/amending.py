"""What circles do with proposals before the voting: say whether they support one, change one, take a change in or decline it; and
the page of one proposal with all its versions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from aiohttp import web

from models.rules.proposals import Proposal
from models.rules.refusals import Invalid, NotAllowed, NotFound, Refusal
from server.actions import proposing
from server.actions.seating import circle_on_roll
from server.keys import HOME
from server.language import _
from server.web.answering import locked, member_only, members_decision, status_of
from server.web.decisions import Known, known_decision
from server.web.forms import Form, Problems, problems_of
from server.web.names import Said
from server.web.needs import decision_path
from server.web.proposals import MOST, Author, Change, ProposalRow, Teller, Version, looking_of
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import Choice, table

SAYS: Final = table(
    (
        Choice("support", "We support it", "You would like it to be voted on as it is."),
        Choice(
            "concern", "We have a concern", "Say what it is, so that whoever made the proposal can change it."
        ),
        Choice("none", "We say nothing, or take back what we said"),
    )
)
ANSWERS: Final = table(
    (
        Choice("integrate", "Take it in", "This version takes the place of yours, and is what is voted on."),
        Choice(
            "decline", "Decline it", "Say why. Whoever wrote it can propose it by itself, if there is room."
        ),
    )
)


@dataclass(frozen=True)
class ProposalPage:
    path: str
    question: Said
    row: ProposalRow
    versions: Sequence[Version]
    is_over: bool


@dataclass(frozen=True)
class SupportPage:
    path: str
    action: str
    question: Said
    version: Version
    speaks: str
    until: datetime
    choices: Sequence[Choice]
    says: str
    reason: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class ChangePage:
    """`stands`: it takes the place of what it changes at once, as it is by the proposal's author."""

    path: str
    action: str
    question: Said
    author: Author
    speaks: str
    stands: bool
    until: datetime
    title: str
    details: str
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class AnswerPage:
    path: str
    action: str
    question: Said
    change: Change
    speaks: str
    until: datetime
    choices: Sequence[Choice]
    answer: str = ""
    reason: str = ""
    problems: Problems = field(default_factory=Problems)


def proposal_of(known: Known, option: str) -> Proposal:
    """The proposal of which this is a version, or that this would change."""
    change = next((one for one in known.view.amendments if one.option.digest == option), None)
    named = change.first.digest if change else option
    for one in known.view.proposals:
        if named in {version.digest for version in one.versions}:
            return one
    raise NotFound("option", _("There is no such proposal here."))


async def proposal_page(request: web.Request) -> web.StreamResponse:
    """One proposal: its versions, who supports it, what others would change."""
    async with reading(request) as visit:
        known, option, teller = await _told(visit)
        proposal = proposal_of(known, option)
        context = ProposalPage(
            path=known.path,
            question=known.question,
            row=teller.row(proposal, MOST),
            versions=teller.versions(proposal),
            is_over=not teller.is_before,
        )
        return page(request, frame_of(visit), "decisions/proposal.html", context)


# Support


async def support_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _support_page(request, Form(), Problems())


async def _support_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known, option, teller = await _told(visit)
        if not teller.looking.circle:
            raise NotAllowed("seat", _("You sit in no circle of this decision."))
        version = teller.records[option]
        said = teller.support(version)
        reason = said.mine.reason.text if said.mine and said.mine.reason else None
        context = SupportPage(
            path=known.path,
            action=request.path,
            question=known.question,
            version=teller.version(version),
            speaks=teller.author(teller.looking.circle).plain,
            until=known.view.opens,
            choices=list(SAYS.values()),
            says=form.one("says") or said.says,
            reason=form.one("reason") if form.pairs else reason or "",
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/support.html", context, status_of(problems))


async def support(request: web.Request, form: Form) -> web.StreamResponse:
    """The circle says so. A second time changes nothing."""
    name, option = await members_decision(request), request.match_info["option"]
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            await proposing.support(
                visit.session,
                request.app[HOME],
                visit.viewer,
                scope,
                option,
                form.one("says"),
                form.one("reason"),
                visit.now,
            )
    except Refusal as refusal:
        return await _support_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done=supported#{option[:12]}")


# Changing a proposal


async def change_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _change_page(request, Form(), Problems())


async def _change_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known, option, teller = await _told(visit)
        proposal = proposal_of(known, option)
        possible = await proposing.speakers(visit.session, visit.viewer, known.scope)
        speaker = proposing.amending(visit.viewer, possible, proposal)
        title, details = known.words_of(teller.records[option])
        context = ChangePage(
            path=known.path,
            action=request.path,
            question=known.question,
            author=teller.author(proposal.author),
            speaks=speaker.actor.name,
            stands=speaker.actor.ed25519 == proposal.author,
            until=known.view.times.gather_until,
            title=form.one("title") if form.pairs else title,
            details=form.one("details") if form.pairs else details,
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/change.html", context, status_of(problems))


async def change(request: web.Request, form: Form) -> web.StreamResponse:
    """Another version is written. The same one sent twice is written once."""
    name, option = await members_decision(request), request.match_info["option"]
    said = (form.one("title"), form.one("details"))
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            if not await _changed_already(visit, option, said):
                await proposing.amend(
                    visit.session, request.app[HOME], visit.viewer, scope, option, *said, visit.now
                )
            known = await known_decision(visit)
            stands = option not in {one.digest for one in known.view.options}
    except Refusal as refusal:
        return await _change_page(request, form, problems_of(refusal))
    return see(f"{decision_path(name)}?done={'changed' if stands else 'change-proposed'}#proposals")


async def _changed_already(visit: Visit, option: str, said: tuple[str, str]) -> bool:
    """Did we say this very thing already, in a name that the member can speak in?"""
    known = await known_decision(visit)
    possible = await proposing.speakers(visit.session, visit.viewer, known.scope)
    keys = {one.actor.ed25519 for one in possible}
    return any(
        one.type == "Option"
        and one.get("amends") == option
        and one.by in keys
        and known.words_of(one) == said
        for one in known.records
    )


# Taking a change in, or declining it


async def answer_page(request: web.Request) -> web.StreamResponse:
    return await member_only(request) or await _answer_page(request, Form(), Problems())


async def _answer_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        known, option, teller = await _told(visit)
        amendment = next((one for one in known.view.amendments if one.option.digest == option), None)
        if amendment is None:
            return see(f"{known.path}#{option[:12]}")  # it is taken in already
        shown = teller.change(amendment)
        if not shown.answerable and not problems:
            return see(f"{known.path}/proposals/{option}#{option[:12]}")
        context = AnswerPage(
            path=known.path,
            action=request.path,
            question=known.question,
            change=shown,
            speaks=teller.author(amendment.first.by).plain,
            until=known.view.times.gather_until,
            choices=list(ANSWERS.values()),
            answer=form.one("answer"),
            reason=form.one("reason"),
            problems=problems,
        )
        return page(request, frame_of(visit), "decisions/take_in.html", context, status_of(problems))


async def answer(request: web.Request, form: Form) -> web.StreamResponse:
    """The author takes the change in, or declines it. A second time changes nothing."""
    name, option = await members_decision(request), request.match_info["option"]
    choice, home = form.one("answer"), request.app[HOME]
    try:
        async with acting(request) as visit:
            scope = await locked(visit, name)
            if choice not in ANSWERS:
                raise Invalid({"answer": _("Choose one of these.")})
            if choice == "integrate":
                await proposing.integrate(visit.session, home, visit.viewer, scope, option, visit.now)
            else:
                reason = form.one("reason")
                await proposing.decline(visit.session, home, visit.viewer, scope, option, reason, visit.now)
    except Refusal as refusal:
        return await _answer_page(request, form, problems_of(refusal))
    done = "taken-in" if choice == "integrate" else "change-declined"
    return see(f"{decision_path(name)}?done={done}#proposals")


async def _told(visit: Visit) -> tuple[Known, str, Teller]:
    """The decision, the version that the address names (NotFound if there is none), and how to tell of it."""
    known, option = await known_decision(visit), visit.request.match_info["option"]
    proposal_of(known, option)
    member = visit.viewer.member
    circle = await circle_on_roll(visit.session, known.scope, member) if member else None
    looking = looking_of(visit, known.view.offer, circle)
    return known, option, Teller(known.view, known.names, looking)
