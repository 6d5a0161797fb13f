"""The roll's local half: which circles a collective brings to a decision, and who sits in which.

Below six members the assembly is the one circle. From six on, members who sit in no standing circle are dealt into circles of
three to five by a reproducible deal (`models.rules.circles.deal`); such circles last for that decision.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions, people
from models.decisions import Seat
from models.ledger import Scope
from models.people import Actor, Circle, Member
from models.rules.circles import ASSEMBLY_BELOW, deal
from models.rules.phrases import phrase
from models.rules.refusals import Conflict
from server.actions.founding import KeyPair, local_actor
from server.actions.languages import language_of
from server.home import Home
from server.language import said_in, speaking

MOST_CIRCLES: Final = 60  # as many as an Answer of 16 kB can list


async def circles_to_deal(session: AsyncSession) -> int:
    """How many fresh circle keys an answer given now would need."""
    loose = await _without_circle(session)
    total = await people.member_count(session)
    return len(deal([str(m.id) for m in loose], "count")) if total >= ASSEMBLY_BELOW and loose else 0


async def seat_everybody(
    session: AsyncSession, home: Home, scope: Scope, seed: str, keys: Sequence[KeyPair], now: datetime
) -> list[tuple[Circle, list[Member]]]:
    """Write the seats of this decision; returns each circle with its members."""
    seated = [(c, list(await people.members_of(session, c.id))) for c in await people.circles(session)]
    seated = [(circle, sitting) for circle, sitting in seated if sitting]
    total = await people.member_count(session)
    loose = await _without_circle(session)
    if total >= ASSEMBLY_BELOW and loose:
        seated += await _dealt(session, home, scope, seed, loose, keys, now)
    if len(seated) > MOST_CIRCLES:
        raise Conflict(
            "too-many-circles",
            phrase(
                "A collective brings at most {n} circles into one decision.",
                n=MOST_CIRCLES,
            ),
        )
    for circle, sitting in seated:
        session.add_all(Seat(scope_id=scope.id, circle_id=circle.id, member_id=m.id) for m in sitting)
    return seated


async def _without_circle(session: AsyncSession) -> list[Member]:
    in_circles = {m.id for c in await people.circles(session) for m in await people.members_of(session, c.id)}
    return [m for m in await people.members(session) if m.id not in in_circles]


async def _dealt(
    session: AsyncSession,
    home: Home,
    scope: Scope,
    seed: str,
    loose: Sequence[Member],
    keys: Sequence[KeyPair],
    now: datetime,
) -> list[tuple[Circle, list[Member]]]:
    by_id = {str(m.id): m for m in loose}
    hands = deal(sorted(by_id), seed)
    if len(keys) < len(hands):
        raise Conflict(
            "members-changed", phrase("Somebody joined or left just now. Please answer once more.")
        )
    dealt, language = [], await language_of(session)
    for number, (hand, pair) in enumerate(zip(hands, keys, strict=False), start=1):
        handle = f"circle_{scope.name[:8]}_{number}"
        with speaking(language):
            name = said_in(phrase("Circle {n}", n=str(number)))
        actor: Actor = local_actor(home, "circle", "Group", handle, name, pair, now)
        session.add(actor)
        await session.flush()
        circle = Circle(actor_id=actor.id, dealt_for=scope.name, created_at=now, actor=actor)
        session.add(circle)
        await session.flush()
        dealt.append((circle, [by_id[id_] for id_ in hand]))
    return dealt


async def circle_on_roll(session: AsyncSession, scope: Scope, member: Member) -> Circle | None:
    """The circle in which a member sits for this decision."""
    seat = await decisions.seat_of(session, scope.id, member.id)
    return None if seat is None else await session.get(Circle, seat.circle_id)
