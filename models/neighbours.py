"""How other servers do, for those who moderate: what was decided about each, how deliveries go, what was given up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.follows import Follow
from models.ledger import Participant
from models.peers import Peer
from models.people import Actor
from models.posts import Activity
from models.queues import Delivery, Destination
from models.rules.phrases import phrase

SHOWN: Final = ("all", "blocked", "limited", "allowed", "trouble", "dead")


@dataclass(frozen=True)
class Neighbour:
    """A server: what was decided, when it was seen, and how it goes with what we send there."""

    host: str
    peer: Peer | None
    destination: Destination | None
    waiting: int = 0
    dead: int = 0
    followers: int = 0
    actors: int = 0
    decisions: int = 0


@dataclass(frozen=True)
class Letter:
    """A delivery that was given up."""

    id: int
    host: str
    inbox: str
    kind: str
    published_at: datetime
    attempts: int
    dead_at: datetime
    reason: str


async def page(
    session: AsyncSession, looked_for: str, shown: str, skip: int, size: int
) -> tuple[Sequence[Neighbour], int]:
    """Servers whose names hold `looked_for`, by name; and how many there are."""
    hosts = _hosts(shown).subquery()
    query = select(hosts.c.host)
    if looked_for:
        query = query.where(hosts.c.host.contains(looked_for.lower(), autoescape=True))
    total = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    names = (await session.scalars(query.order_by(hosts.c.host).limit(size).offset(skip))).all()
    return await neighbours(session, names), total


def _hosts(shown: str) -> Select[Any] | Any:
    """The names of all servers, or of some."""
    decided = {"blocked": Peer.is_blocked, "limited": Peer.is_limited, "allowed": Peer.is_allowed}
    if shown in decided:
        return select(Peer.authority.label("host")).where(decided[shown])
    if shown == "trouble":
        return select(Destination.host.label("host")).where(Destination.fails > 0)
    if shown == "dead":
        return select(Delivery.host.label("host")).where(Delivery.dead_at.is_not(None)).distinct()
    actors = select(Actor.authority).where(Actor.kind == "remote")
    return select(Peer.authority.label("host")).union(select(Destination.host), actors)


async def neighbours(session: AsyncSession, hosts: Sequence[str]) -> Sequence[Neighbour]:
    """These servers, in this order."""
    peers = {
        row.authority: row for row in await session.scalars(select(Peer).where(Peer.authority.in_(hosts)))
    }
    found = select(Destination).where(Destination.host.in_(hosts))
    destinations = {row.host: row for row in await session.scalars(found)}
    remote = Actor.kind == "remote"
    waiting = await _counted(session, hosts, Delivery.host, Delivery.dead_at.is_(None))
    dead = await _counted(session, hosts, Delivery.host, Delivery.dead_at.is_not(None))
    actors = await _counted(session, hosts, Actor.authority, remote)
    followers = await _counted(session, hosts, Actor.authority, remote, Follow.follower == Actor.uri)
    decisions = await _counted(session, hosts, Participant.authority)
    return [
        Neighbour(
            host=host,
            peer=peers.get(host),
            destination=destinations.get(host),
            waiting=waiting.get(host, 0),
            dead=dead.get(host, 0),
            followers=followers.get(host, 0),
            actors=actors.get(host, 0),
            decisions=decisions.get(host, 0),
        )
        for host in hosts
    ]


async def _counted(session: AsyncSession, hosts: Iterable[str], host: Any, *where: Any) -> Mapping[str, int]:
    """How many rows there are of each of these servers."""
    query = select(host, func.count()).where(host.in_(list(hosts)), *where).group_by(host)
    rows = (await session.execute(query)).all()
    return {row[0]: row[1] for row in rows}


async def letters(
    session: AsyncSession, host: str | None, skip: int, size: int
) -> tuple[Sequence[Letter], int]:
    """What was given up, latest first, to all servers or one; and how many there are."""
    query = select(Delivery, Activity.type, Activity.published_at).join(
        Activity, Activity.id == Delivery.activity_id
    )
    where = [Delivery.dead_at.is_not(None), *([Delivery.host == host] if host else [])]
    total = await session.scalar(select(func.count()).select_from(Delivery).where(*where)) or 0
    latest = query.where(*where).order_by(Delivery.dead_at.desc(), Delivery.id.desc())
    rows = (await session.execute(latest.limit(size).offset(skip))).all()
    found = [
        Letter(
            row.id,
            row.host,
            row.inbox,
            kind,
            at,
            row.attempts,
            row.dead_at or at,
            row.reason or phrase("no reason is known"),
        )
        for row, kind, at in rows
    ]
    return found, total


async def in_trouble(session: AsyncSession) -> int:
    """How many servers failed last time."""
    query = select(func.count()).select_from(Destination).where(Destination.fails > 0)
    return await session.scalar(query) or 0


async def decided_about(session: AsyncSession) -> int:
    """About how many servers something was decided."""
    decided = or_(Peer.is_blocked, Peer.is_limited, Peer.is_allowed)
    return await session.scalar(select(func.count()).select_from(Peer).where(decided)) or 0
