"""What needs this member, or their circle, now: the top of the home page, and the box on a decision's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models import decisions, ledger
from models.decisions import Decision
from models.ledger import Scope
from models.rules.circles import confirmations_needed
from models.rules.methods import METHODS
from models.rules.records import instant
from models.rules.standing import standing
from models.rules.view import Standing
from server.actions.proposing import speakers
from server.language import _, ngettext
from server.web.sessions import Visit

BEFORE: Final = ("gathering", "deliberating")
RUNNING: Final = (*BEFORE, "voting", "closing", "provisional")
SeatedIn = Sequence[tuple[Decision, Scope, int]]


@dataclass(frozen=True)
class Need:
    """One thing to do: why, where, and until when. `urgent`: it waits for this member."""

    words: str
    href: str
    button: str
    until: datetime
    urgent: bool
    question: str = ""  # digest

    @property
    def scope(self) -> str:
        """The name of the decision it is about."""
        return self.href.removeprefix("/decisions/").partition("/")[0]


@dataclass(frozen=True)
class Turn:
    """Where a decision stands, as far as needs ask: from its cached row or from its standing."""

    state: str
    opens_at: datetime
    closes_at: datetime
    question: str


def turn_of(row: Decision) -> Turn:
    return Turn(row.state, row.opens_at, row.closes_at, row.question)


def decision_path(name: str) -> str:
    return f"/decisions/{name}"


async def needs_of(visit: Visit, seated: SeatedIn) -> Sequence[Need]:
    """All that waits for the member who looks; `seated`: the decisions in which they sit, each with the id of their circle."""
    found: list[Need] = []
    if visit.viewer.may("convene"):
        key = visit.collective.ed25519 or ""
        for decision, scope in await decisions.unanswered(visit.session, key, BEFORE):
            found += await answer_needed(visit, turn_of(decision), scope)
    for decision, scope, circle_id in seated:
        if decision.state == "gathering":
            found += [need for need in await proposals_needed(visit, turn_of(decision), scope) if need.urgent]
        need = await circle_need(visit, turn_of(decision), scope, circle_id)
        if need is not None and need.urgent:
            found.append(need)
    return found


async def answer_needed(visit: Visit, turn: Turn, scope: Scope) -> Sequence[Need]:
    """An offer that nobody of us has answered, as long as there is time."""
    offer = await ledger.record_named(visit.session, scope.id, scope.name)
    if offer is None or visit.now > instant(offer["respondBy"]):
        return []
    words = _("You are invited to decide together. Say how your collective takes part.")
    path = f"{decision_path(scope.name)}/answer"
    until = instant(offer["respondBy"])
    return [Need(words, path, _("Read the offer and answer"), until, urgent=True, question=turn.question)]


async def proposals_needed(visit: Visit, turn: Turn, scope: Scope) -> Sequence[Need]:
    """Room for proposals, while they are gathered, urgent as long as there are too few for a vote; and changes that wait for us."""
    offer = await ledger.record_named(visit.session, scope.id, scope.name)
    if offer is None or visit.now > instant(offer["gatherUntil"]):
        return []
    if offer["options"] == "convener" and offer.by != visit.collective.ed25519:
        return []
    view = standing(await ledger.records(visit.session, scope.id, visit.now), visit.now)
    found = await _changes_waiting(visit, view, turn, scope)
    made, most = len(view.proposals), offer["maxOptions"]
    if made >= most:
        return found
    words = _("Proposals are gathered: {made} of {most} so far.", made=made, most=most)
    path = f"{decision_path(scope.name)}/propose"
    until = instant(offer["gatherUntil"])
    enough = METHODS[offer["method"]].options[0]
    room = Need(words, path, _("Make a proposal"), until, urgent=made < enough, question=turn.question)
    return [*found, room]


async def _changes_waiting(visit: Visit, view: Standing, turn: Turn, scope: Scope) -> list[Need]:
    """Changes to a proposal of ours that have no answer yet: in whose name the member can speak, they wait for them."""
    if not view.amendments:
        return []
    keys = {one.actor.ed25519 for one in await speakers(visit.session, visit.viewer, scope)}
    in_force = {one.digest for one in view.options}
    waiting = [
        one.option
        for one in view.amendments
        if one.first.by in keys and one.declined is None and one.option["amends"] in in_force
    ]
    if not waiting:
        return []
    first = min(waiting, key=lambda one: (one.at, one.digest))
    words = ngettext(
        "{n} change to your proposal waits for an answer.",
        "{n} changes to your proposals wait for an answer.",
        len(waiting),
    )
    path = f"{decision_path(scope.name)}/proposals/{first.digest}/answer"
    until = view.times.gather_until
    return [Need(words, path, _("Read it and answer"), until, urgent=True, question=turn.question)]


async def circle_need(visit: Visit, turn: Turn, scope: Scope, circle_id: int) -> Need | None:
    """What the member's circle has to do in a decision; nothing once the voting is over."""
    member, session = visit.viewer.require_member(), visit.session
    room = f"{decision_path(scope.name)}/circle"
    go = _("Go to your circle’s room")
    if turn.state in BEFORE:
        words = _("Talk it over in your circle, and note where you stand.")
        return Need(words, room, go, turn.opens_at, urgent=False, question=turn.question)
    if turn.state != "voting" or visit.now >= turn.closes_at:
        return None
    draft = await decisions.latest_draft(session, scope.id, circle_id)
    if draft is None:
        words, button, urgent = _("Your circle has no draft yet."), _("Write your circle’s ballot"), True
    elif draft.ballot is not None:
        words = _("Your circle’s ballot is published. It can be replaced until the voting closes.")
        button, urgent = go, False
    else:
        confirmed = await decisions.confirmed_by(session, draft.id)
        seats = await decisions.seats(session, scope.id, circle_id)
        needed = confirmations_needed(len(seats))
        urgent = member.id not in confirmed
        words = ngettext(
            "A draft of your circle’s ballot has {confirmed} of the {n} confirmation it needs.",
            "A draft of your circle’s ballot has {confirmed} of the {n} confirmations it needs.",
            needed,
            confirmed=len(confirmed),
        )
        button = _("Read it, and confirm or change it") if urgent else go
    return Need(words, room, button, turn.closes_at, urgent=urgent, question=turn.question)
