"""Public profiles: the collective's, with its decisions and its register of mandates, and a circle's, which says little.

A member has one only if they asked for it (`server.web.me`). Otherwise members' names are shown to members only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from models import decisions, people
from models.mandates import MandateRow, all_mandates
from models.people import Actor, Circle
from models.rules import mandates
from models.rules.circles import ASSEMBLY_BELOW, LARGEST, SMALLEST
from models.rules.refusals import NotFound
from server.actions.charters import history
from server.actions.convening import Plan, as_chartered
from server.actions.visible import decision_for
from server.language import _
from server.viewer import as_rule
from server.web.charters import Shown, shown_to
from server.web.home import Row, both_lists
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.rulebook import share_words
from server.web.sessions import Visit, reading
from server.web.words import MANDATES, POWERS, Label

MOST_SEEN: Final = 100
ACTIVITY = ("application/activity+json", "application/ld+json")


@dataclass(frozen=True)
class MandateLine:
    number: int
    holder: str
    powers: Sequence[str]
    instruction: str
    source: str
    starts: datetime
    ends: datetime
    term: int
    status: Label


@dataclass(frozen=True)
class CirclePart:
    """A circle in the list of its collective."""

    name: str
    path: str
    size: int


@dataclass(frozen=True)
class Rules:
    """The numbers by which the collective decides: of circles, and what a question usually says of its times."""

    quorum: str
    window: timedelta
    grace: timedelta
    challenge: timedelta
    assembly_below: int = ASSEMBLY_BELOW
    smallest: int = SMALLEST
    largest: int = LARGEST


@dataclass(frozen=True)
class CollectivePage:
    name: str
    address: str
    uri: str
    summary: str
    since: datetime
    members: int
    circles: Sequence[CirclePart]
    running: Sequence[Row]
    over: Sequence[Row]
    mandates: Sequence[MandateLine]
    seen: Sequence[Actor]
    seen_total: int
    rules: Rules
    charter: Shown
    coming: Shown | None


@dataclass(frozen=True)
class MemberPage:
    name: str
    address: str
    uri: str


@dataclass(frozen=True)
class CirclePage:
    name: str
    address: str
    uri: str
    is_assembly: bool
    size: int
    members: Sequence[str]
    decision: str


async def profile(request: web.Request) -> web.StreamResponse:
    """The page of a collective, a circle or a member of ours; other software that asks for the actor is sent to it."""
    async with reading(request) as visit:
        actor = await people.local_actor_by_handle(visit.session, request.match_info["handle"])
        if actor is None or actor.kind == "instance" or actor.gone_at is not None:
            raise NotFound(
                "not-found", _("Either nothing is at this address, or it is not open to everybody.")
            )
        if any(kind in request.headers.get("Accept", "") for kind in ACTIVITY):
            return see(actor.uri)
        if actor.kind == "feed":
            return see(f"/feeds/{actor.handle}")
        if actor.kind == "member":
            shown = MemberPage(actor.name, actor.address, actor.uri)
            return page(request, frame_of(visit), "actors/member.html", shown)
        if actor.kind == "circle":
            return page(request, frame_of(visit), "actors/circle.html", await _circle(visit, actor))
        return page(request, frame_of(visit), "actors/collective.html", await _collective(visit, actor))


async def _collective(visit: Visit, actor: Actor) -> CollectivePage:
    rows = await all_mandates(visit.session)
    holders = await people.members_by_id(visit.session, {row.member_id for row in rows})
    running, over, _older = await both_lists(visit)
    seen, seen_total = await people.seen_members(visit.session, MOST_SEEN)
    known = await history(visit.session, visit.now)
    usual = as_chartered(Plan(""), known.current.charter)
    charter, coming, _earlier = shown_to(visit, known)
    circles = [
        CirclePart(
            one.actor.name, f"/@{one.actor.handle}", len(await people.members_of(visit.session, one.id))
        )
        for one in await people.circles(visit.session)
    ]
    return CollectivePage(
        name=actor.name,
        address=actor.address,
        uri=actor.uri,
        summary=actor.summary,
        since=actor.created_at,
        members=await people.member_count(visit.session),
        circles=[one for one in circles if one.size],
        running=running,
        over=over,
        mandates=[_mandate(visit, row, holders.get(row.member_id)) for row in rows],
        seen=seen,
        seen_total=seen_total,
        rules=Rules(share_words(tuple(usual.rule["quorum"])), usual.window, usual.grace, usual.challenge),
        charter=charter,
        coming=coming,
    )


def _mandate(visit: Visit, row: MandateRow, member: people.Member | None) -> MandateLine:
    shown = visit.viewer.is_member and member is not None
    return MandateLine(
        number=row.id,
        holder=member.name if shown and member else _("A member"),
        powers=[POWERS[power] for power in row.powers],
        instruction=row.instruction,
        source=row.source,
        starts=row.starts_at,
        ends=row.ends_at,
        term=row.term,
        status=MANDATES[mandates.status(as_rule(row), visit.now)],
    )


async def _circle(visit: Visit, actor: Actor) -> CirclePage:
    circle = await people.circle_by_actor(visit.session, actor.id)
    if circle is None:
        raise NotFound("not-found", _("Either nothing is at this address, or it is not open to everybody."))
    sitting = await _sitting(visit, circle)
    return CirclePage(
        name=actor.name,
        address=actor.address,
        uri=actor.uri,
        is_assembly=circle.is_assembly,
        size=len(sitting),
        members=sitting if visit.viewer.is_member else [],
        decision=decision_path(circle.dealt_for) if circle.dealt_for else "",
    )


async def _sitting(visit: Visit, circle: Circle) -> list[str]:
    """Names of those who sit in it. A circle dealt for a decision is as visible as that decision."""
    if circle.dealt_for is None:
        return [member.name for member in await people.members_of(visit.session, circle.id)]
    scope = await decision_for(visit.session, visit.viewer, circle.dealt_for)
    return [member.name for member in await decisions.seats(visit.session, scope.id, circle.id)]
