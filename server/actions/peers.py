"""Blocking, limiting and listing servers, and undoing it. Under the power to moderate, each act logged with its mandate.

Without a viewer it is the operator at the command line who acts: they could change the rows anyway, and the log says so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import choices, queues
from models.decisions import Decision
from models.events import log
from models.feeds import Following
from models.follows import Follow
from models.ledger import Participant, Scope
from models.peers import AT_ONCE, Peer, covers, note_decided
from models.people import Actor
from models.queues import Delivery, InboxItem
from models.rules.blocklists import Line
from models.rules.peering import ALLOW_LIST, AUTHORIZED_FETCH, FEDERATION, OPEN, names_covering, read_host
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server.actions import pulse
from server.home import Home
from server.viewer import Viewer

Act = Literal["block", "limit", "allow", "forget"]
ACTS: Final[tuple[Act, ...]] = ("block", "limit", "allow", "forget")
NOTE_LENGTH: Final = 500
RUNNING: Final = ("gathering", "deliberating", "voting", "closing", "provisional")
REFUSED: Final = {"outcome": "refused", "body": None, "due_at": None, "lease_until": None}


@dataclass(frozen=True)
class Reach:
    """What ends with a server if it is cut off: its followers here, whom we follow there, running decisions, deliveries."""

    host: str
    followers: int
    followed: int
    deliveries: int
    decisions: Sequence[str] = ()  # names of scopes

    @property
    def is_nothing(self) -> bool:
        return not (self.followers or self.followed or self.deliveries or self.decisions)


async def decide(
    session: AsyncSession, home: Home, viewer: Viewer | None, act: Act, host: str, note: str, now: datetime
) -> str:
    """Block, limit or list a server, or forget what was decided about it; returns the name under which that stands.
    A block, a limit and an entry of the allow-list replace one another. What a block ended does not come back by itself."""
    mandate = _under(viewer)
    name = _named(home, host)
    if act != "forget":
        note = _noted(note)
    await note_decided(session, {name: note or None}, act, now, mandate)
    if act == "block":
        await _cut_off(session, [one for one in await _known(session) if name in names_covering(one)], now)
    await pulse.recount(session, now)
    log(session, f"server {PAST[act]}", now, actor=_who(viewer), mandate_id=mandate, host=name, note=note)
    return name


PAST: Final[dict[Act, str]] = {
    "block": "blocked",
    "limit": "limited",
    "allow": "allowed",
    "forget": "forgotten",
}


RUNNING_WITH: Final = (
    select(Participant.authority, Scope.name)
    .join(Scope, Scope.id == Participant.scope_id)
    .join(Decision, Decision.scope_id == Scope.id)
    .where(Decision.state.in_(RUNNING))
    .distinct()
)


async def reach(session: AsyncSession, host: str) -> Reach:
    """What ends if this server and those below it are cut off now, to be shown before."""
    there = select(Actor.uri).where(Actor.kind == "remote", covers(Actor.authority, host))
    counts = [
        select(func.count()).select_from(Follow).where(Follow.follower.in_(there)),
        select(func.count()).select_from(Following).where(Following.followed.in_(there)),
        select(func.count())
        .select_from(Delivery)
        .where(covers(Delivery.host, host), Delivery.dead_at.is_(None)),
    ]
    followers, followed, deliveries = [await session.scalar(query) or 0 for query in counts]
    running = await session.execute(RUNNING_WITH.where(covers(Participant.authority, host)))
    return Reach(host, followers, followed, deliveries, sorted({name for _, name in running}))


async def take_over(
    session: AsyncSession, home: Home, viewer: Viewer | None, lines: Iterable[Line], now: datetime
) -> int:
    """Block and limit what a list says; servers about which something was decided here stay as they are. Returns how many
    were new."""
    mandate = _under(viewer)
    fresh = {line.host: line for line in await new_among(session, home, lines)}
    notes = {host: line.note or "From a list." for host, line in fresh.items()}
    blocked = {line.host for line in fresh.values() if line.act == "block"}
    for act, hosts in (("block", blocked), ("limit", notes.keys() - blocked)):
        await note_decided(session, {host: notes[host] for host in sorted(hosts)}, act, now, mandate)
    known = await _known(session)
    await _cut_off(session, [one for one in known if not blocked.isdisjoint(names_covering(one))], now)
    await pulse.recount(session, now)
    limited = len(fresh) - len(blocked)
    log(
        session,
        "list of servers taken over",
        now,
        actor=_who(viewer),
        mandate_id=mandate,
        blocked=len(blocked),
        limited=limited,
    )
    return len(fresh)


async def new_among(session: AsyncSession, home: Home, lines: Iterable[Line]) -> list[Line]:
    """Those lines of a list that can be followed and about whose server nothing was decided here yet."""
    asked = [line for line in lines if line.act and not line.problem]
    decided = or_(Peer.is_blocked, Peer.is_limited, Peer.is_allowed)
    taken = set(await session.scalars(select(Peer.authority).where(decided)))
    return [one for one in asked if one.host not in taken and not _is_ours(home, one.host)]


async def would_end(session: AsyncSession, home: Home, listed: Iterable[Line]) -> list[Reach]:
    """The servers that these lines would cut off, with what ends for each."""
    blocked = {line.host for line in listed if line.act == "block"}
    found = [one for one in await _reach_of_each(session) if not blocked.isdisjoint(names_covering(one.host))]
    return [one for one in found if not _is_ours(home, one.host)]


async def lines(session: AsyncSession) -> list[Line]:
    """Every block and limit, as a list for others."""
    query = select(Peer).where(or_(Peer.is_blocked, Peer.is_limited)).order_by(Peer.authority)
    rows = (await session.scalars(query)).all()
    return [Line(one.authority, "block" if one.is_blocked else "limit", one.note or "") for one in rows]


async def only_allowed(session: AsyncSession) -> bool:
    """Do we deal with listed servers only?"""
    return bool(await choices.choice(session, FEDERATION, OPEN) == ALLOW_LIST)


async def would_cut_off(session: AsyncSession, home: Home) -> list[Reach]:
    """The servers that would be cut off if from now on only listed ones may, with what ends for each."""
    allowed = set(await session.scalars(select(Peer.authority).where(Peer.is_allowed)))
    found = [one for one in await _reach_of_each(session) if one.host not in allowed]
    return [one for one in found if not _is_ours(home, one.host)]


async def _reach_of_each(session: AsyncSession) -> list[Reach]:
    """The same as `reach` for every server with which something ends, each without those below it, in four queries."""
    there = select(Actor.authority, func.count()).where(Actor.kind == "remote").group_by(Actor.authority)
    sent = select(Delivery.host, func.count()).where(Delivery.dead_at.is_(None)).group_by(Delivery.host)
    followers = await _by_host(session, there.join(Follow, Follow.follower == Actor.uri))
    followed = await _by_host(session, there.join(Following, Following.followed == Actor.uri))
    deliveries = await _by_host(session, sent)
    running: dict[str, list[str]] = {}
    for host, name in (await session.execute(RUNNING_WITH.order_by(Scope.name))).all():
        running.setdefault(host, []).append(name)
    hosts = sorted({*followers, *followed, *deliveries, *running})
    return [
        Reach(host, followers[host], followed[host], deliveries[host], running.get(host, ()))
        for host in hosts
    ]


async def _by_host(session: AsyncSession, query: Select[str, int]) -> Counter[str]:
    return Counter({row[0]: row[1] for row in (await session.execute(query)).all()})


async def deal_only_with_allowed(
    session: AsyncSession, home: Home, viewer: Viewer, seen: int, now: datetime
) -> None:
    """From now on only listed servers may post, follow, fetch and be sent to, and what we publish is shown to signed requests
    only. `seen` is how many servers whoever decides was told would be cut off."""
    mandate = _under(viewer)
    if await only_allowed(session):
        raise Conflict("federation", phrase("This instance deals only with listed servers already."))
    ends = await would_cut_off(session, home)
    if len(ends) != seen:
        raise Conflict("cut-off", phrase("Meanwhile other servers would be cut off. Look at the list again."))
    await choices.choose(session, FEDERATION, ALLOW_LIST, now, mandate)
    await choices.choose(session, AUTHORIZED_FETCH, True, now, mandate)
    await _cut_off(session, [one.host for one in ends], now)
    await pulse.recount(session, now)
    log(session, "allow-list begun", now, actor=_who(viewer), mandate_id=mandate, cut_off=len(ends))


async def deal_with_all(session: AsyncSession, viewer: Viewer, now: datetime) -> None:
    """From now on every server may that is not blocked. That what we publish is shown to signed requests only ends too."""
    mandate = _under(viewer)
    if not await only_allowed(session):
        raise Conflict(
            "federation", phrase("This instance deals with all servers already that are not blocked.")
        )
    await choices.choose(session, FEDERATION, OPEN, now, mandate)
    await choices.choose(session, AUTHORIZED_FETCH, False, now, mandate)
    await pulse.recount(session, now)
    log(session, "allow-list ended", now, actor=_who(viewer), mandate_id=mandate)


async def _cut_off(session: AsyncSession, hosts: Sequence[str], now: datetime) -> None:
    """Nothing more goes out to exactly these servers, who follows from there no longer does, nor do we there, and what waits in the
    inbox is refused. However many they are, the statements are few."""
    reason = "blocked: We no longer deal with this server."
    for start in range(0, len(hosts), AT_ONCE):
        some = hosts[start : start + AT_ONCE]
        there = select(Actor.uri).where(Actor.kind == "remote", Actor.authority.in_(some))
        await session.execute(delete(Follow).where(Follow.follower.in_(there)))
        await session.execute(delete(Following).where(Following.followed.in_(there)))
        waiting = update(InboxItem).where(InboxItem.outcome.is_(None), InboxItem.signer.in_(there))
        await session.execute(waiting.values(**REFUSED, reason=reason, done_at=now))
    for start in range(0, len(hosts), AT_ONCE):  # like the workers: items, then hosts, then deliveries
        for host in (await queues.locked_hosts(session, hosts[start : start + AT_ONCE])).values():
            host.due_at = None
    await session.flush()
    for start in range(0, len(hosts), AT_ONCE):
        await session.execute(delete(Delivery).where(Delivery.host.in_(hosts[start : start + AT_ONCE])))


async def _known(session: AsyncSession) -> list[str]:
    """Every server of which we know an actor, a participant or a delivery."""
    hosts = (
        select(Actor.authority)
        .where(Actor.kind == "remote")
        .union(select(Participant.authority), select(Delivery.host))
    )
    return sorted(set(await session.scalars(hosts)))


def _under(viewer: Viewer | None) -> int | None:
    """The mandate under which this is done; none at the command line."""
    return None if viewer is None else viewer.require("moderate").id


def _who(viewer: Viewer | None) -> str | None:
    """Who acts, as the log has it: nobody beside the mandate; at the command line its operator."""
    return "operator" if viewer is None else None


def _named(home: Home, host: str) -> str:
    name = read_host(host)
    if _is_ours(home, name):
        raise Invalid({"host": phrase("This is our own server.")})
    return name


def _is_ours(home: Home, name: str) -> bool:
    """Would a block of this name concern ourselves?"""
    return name in names_covering(home.authority)


def _noted(note: str) -> str:
    note = note.strip()
    if not note:
        raise Invalid({"note": phrase("Say why, for whoever moderates after you.")})
    if len(note) > NOTE_LENGTH:
        raise Invalid({"note": phrase("At most {n} characters.", n=NOTE_LENGTH)})
    return note
