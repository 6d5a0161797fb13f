"""What can be said about a decision beside its ballots: that we ratify it, that we leave it, that a circle which was not heard
objects, that a text of ours is removed. The page of the decision asks for its links, and the pages where it is done ask again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from models import decisions, ledger
from models.ledger import Scope
from models.people import Circle
from models.rules.records import Record
from models.rules.standing import standing
from models.rules.view import Binding, Standing
from server.actions.concerned import LASTS, asked_about
from server.actions.seating import circle_on_roll
from server.language import _
from server.web.moments import moment
from server.web.needs import RUNNING, Need, SeatedIn, decision_path, needs_of
from server.web.sessions import Visit

LEAVABLE: Final = ("deliberating", "voting")
LONGEST_AFTER: Final = timedelta(days=30 + 30 + 90)  # grace, waiting and ratifying at their longest
MOST_LOOKED_AT: Final = 10
MOST_ANSWERS: Final = 100
UNHEARD_IN: Final = ("heard", "provisional")


def to_ratify(view: Standing, collective: str) -> Binding | None:
    """What the outcome means for a collective that has to ratify it, as long as it can."""
    return next(
        (row for row in view.collectives if (row.collective, row.status) == (collective, "ratifying")), None
    )


def can_leave(view: Standing, collective: str) -> bool:
    """Can a collective leave the round? Not a decision of its own alone: that ends by itself."""
    takes_part = any(row.collective == collective and row.left is None for row in view.collectives)
    return takes_part and len(view.invited) > 1 and view.state in LEAVABLE


def can_object(view: Standing, circle: Circle | None) -> bool:
    """Was a circle of ours not heard, and would an objection of it still be in time?"""
    entry = view.entry(circle.actor.ed25519 or "") if circle else None
    in_time = view.state in UNHEARD_IN and view.now <= view.times.ratify_ends
    return entry is not None and entry.status == "unheard" and in_time


def keys_of(records: Iterable[Record], collective: str) -> set[str]:
    """The keys for which a collective answers: its own, and those of the circles with which it takes part."""
    answers = [record for record in records if (record.type, record.by) == ("Answer", collective)]
    return {collective} | {circle["key"] for answer in answers for circle in answer["circles"]}


def removals_for(visit: Visit, scope: Scope, records: Iterable[Record]) -> Mapping[str, str]:
    """The texts that this viewer may remove, those that we and our circles wrote, each with the page for it."""
    if not (visit.viewer.is_member and visit.viewer.may("moderate")):
        return {}
    found = list(records)
    ours, path = keys_of(found, visit.collective.ed25519 or ""), decision_path(scope.name)
    texts = (text for record in found if record.by in ours for text in record.texts())
    return {text: f"{path}/remove/{text}" for text in texts}


async def aftermath_needs(visit: Visit, view: Standing, scope: Scope) -> list[Need]:
    """What this member can say once the voting is over."""
    path, question = decision_path(scope.name), view.offer["question"]
    found, member = [], visit.viewer.require_member()
    row = to_ratify(view, visit.collective.ed25519 or "")
    if row is not None and row.until is not None and visit.viewer.may("convene"):
        words = _("Your assembly has said yes? It binds your collective once you say so here.")
        found.append(Need(words, f"{path}/ratify", _("Ratify it"), row.until, urgent=True, question=question))
    circle = await circle_on_roll(visit.session, scope, member) if view.state in UNHEARD_IN else None
    if circle is not None and can_object(view, circle):
        until = view.times.ratify_ends
        words = _("Your circle was not heard. It can object until {until}.", until=moment(until))
        button = _("Object in your circle’s name")
        found.append(Need(words, f"{path}/object", button, until, urgent=False, question=question))
    return found


async def all_needs(visit: Visit) -> Sequence[Need]:
    """All that waits for the member who looks, before a vote, during it and afterwards, the soonest first."""
    member, since = visit.viewer.require_member(), visit.now - LONGEST_AFTER
    seated = await decisions.seated_in(visit.session, member.id, (*RUNNING, *UNHEARD_IN), since)
    found = [*await needs_of(visit, seated), *await _aftermath_of(visit, seated), *await _to_carry_out(visit)]
    return sorted(found, key=lambda need: need.until)


async def _to_carry_out(visit: Visit) -> list[Need]:
    """Removals that were decided: any other member can carry them out, and nothing does it by itself."""
    member, found = visit.viewer.require_member(), []
    for row, scope, subject in await decisions.removals_decided(visit.session, visit.now - LASTS):
        asked = await asked_about(visit.session, subject, visit.now)
        is_due = asked is not None and asked.scope.id == scope.id and asked.is_due(visit.now)
        if asked is not None and is_due and subject.id != member.id:
            words = _(
                "It is decided that {name} is a member no longer. Somebody has to carry it out.",
                name=subject.name,
            )
            path, button = decision_path(scope.name), _("Look at it and carry it out")
            found.append(Need(words, path, button, asked.until, urgent=True, question=row.question))
    return found


async def _aftermath_of(visit: Visit, seated: SeatedIn) -> list[Need]:
    """What can be said after the vote in all decisions that may ask it of this member. Few are looked at closely: those that can
    still be ratified or objected to by their dates."""
    unheard = [scope for row, scope, _ in seated if row.state in UNHEARD_IN]
    scopes = {scope.id: scope for scope in unheard[:MOST_LOOKED_AT]}
    if visit.viewer.may("convene"):
        us = visit.collective.ed25519 or ""
        for row, scope, answer in await decisions.unratified(visit.session, us, visit.now, MOST_ANSWERS):
            if row.state == "heard" or answer["takes"] == "ratifies":
                scopes[scope.id] = scope
    needs: list[Need] = []
    for scope in list(scopes.values())[:MOST_LOOKED_AT]:
        view = standing(await ledger.records(visit.session, scope.id, visit.now), visit.now)
        needs += await aftermath_needs(visit, view, scope)
    return needs
