"""Who is told of what: looked for in the rows, written once each. What is told of a circle is what its members all may know;
who stands where in it, who wrote and who confirmed is never told.

Something that happened is a key; once whom it concerns has been told, the key stays, and nobody is told again.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts, decisions, ledger, notices
from models.accounts import Recovery
from models.decisions import Confirmation, Decision, Draft, Removal, Seat
from models.ledger import RecordRow, Scope
from models.mandates import MandateRow
from models.notices import Notice
from models.people import Actor, Circle, Member
from models.remarks import Remark
from models.rules.mandates import in_force
from models.rules.standing import standing
from models.rules.view import Standing
from server.actions.requests import WAITS
from server.actions.telling import us
from server.viewer import as_rule

SOON: Final = timedelta(hours=12)
RECENT: Final = timedelta(days=14)  # what is older is told to nobody any more
BEFORE: Final = ("gathering", "deliberating")
INVITING: Final = (*BEFORE, "voting")
COUNTED: Final = ("final", "heard", "contested", "undecided")
WITHOUT: Final = ("void", "withdrawn", "lapsed")
MOST_TOLD: Final = 5  # changes of one version by one circle; the page has them all
PASSING: Final = ("offer", "closing", "draft", "asked", "amendment", "changed")
"""Kinds that matter only as long as what they tell of is still so."""


@dataclass(frozen=True)
class Told:
    """Something to be told: to members by id, or to those who sit in a decision (in one circle of it)."""

    key: str
    kind: str
    scope_id: int | None = None
    circle_id: int | None = None
    until: datetime | None = None
    to: Collection[int] | None = None
    but: Collection[int] = field(default_factory=frozenset)
    always: bool = False


Found = Sequence[tuple[Decision, Scope]]


async def find(session: AsyncSession, now: datetime) -> list[Told]:
    """All that members are, or have been, told of these days."""
    query = select(Decision, Scope).join(Scope, Scope.id == Decision.scope_id)
    recent = or_(Decision.is_over.is_(False), Decision.closes_at > now - RECENT)
    rows: Found = [(row, scope) for row, scope in await session.execute(query.where(recent))]
    ids = [scope.id for _, scope in rows]
    seats = select(Seat.scope_id, Seat.circle_id).where(Seat.scope_id.in_(ids)).distinct()
    circles = defaultdict[int, list[int]](list)
    for scope_id, circle_id in await session.execute(seats):
        circles[scope_id].append(circle_id)
    seated = [(row, scope) for row, scope in rows if circles[scope.id]]
    return [
        *_stages(seated, now),
        *await _circles(session, seated, circles, now),
        *await _objections(session, seated, now),
        *await _proposals(session, seated, circles, now),
        *await _mandates(session, now),
        *await _waiting(session, now),
        *await _links(session, now),
        *await _hidden(session, now),
        *await _removals(session, rows, now),
    ]


def _stages(rows: Found, now: datetime) -> list[Told]:
    """That a circle takes part in a decision, and what came of it."""
    found = []
    for row, scope in rows:
        if row.state in INVITING and now < row.closes_at:
            found.append(Told(f"seat:{scope.name}", "seat", scope.id))
        elif row.state == "provisional":
            found.append(Told(f"provisional:{scope.name}", "provisional", scope.id))
        elif row.state in COUNTED:
            found.append(Told(f"result:{scope.name}", "result", scope.id))
        elif row.state in WITHOUT:
            found.append(Told(f"ended:{scope.name}", "ended", scope.id))
    return found


async def _circles(
    session: AsyncSession, rows: Found, circles: Mapping[int, Sequence[int]], now: datetime
) -> list[Told]:
    """Drafts that wait for confirmations, ballots that were published, and circles for which time runs out."""
    voting = [(row, s) for row, s in rows if row.state == "voting" and now < row.closes_at]
    latest, cast, found = dict[tuple[int, int], Draft](), set[tuple[int, int]](), list[Told]()
    query = select(Draft).where(Draft.scope_id.in_([scope.id for _, scope in voting]))
    for draft in await session.scalars(query.order_by(Draft.number)):
        place = (draft.scope_id, draft.circle_id)
        latest[place] = draft
        if draft.ballot is not None:
            cast.add(place)
            found.append(Told(f"ballot:{draft.ballot}", "ballot", *place))
    waiting = {draft.id: draft for draft in latest.values() if draft.ballot is None}
    confirmed = defaultdict[int, set[int]](set)
    who = select(Confirmation.draft_id, Confirmation.member_id).where(Confirmation.draft_id.in_(waiting))
    for draft_id, member_id in await session.execute(who):
        confirmed[draft_id].add(member_id)
    closes = {scope.id: (row.closes_at, scope.name) for row, scope in voting}
    for draft in waiting.values():
        but, until = {draft.by_member_id, *confirmed[draft.id]}, closes[draft.scope_id][0]
        found.append(Told(f"draft:{draft.id}", "draft", draft.scope_id, draft.circle_id, until, but=but))
    for scope_id, (until, name) in closes.items():
        if until - now <= SOON:
            silent = [one for one in circles[scope_id] if (scope_id, one) not in cast]
            found += [Told(f"closing:{name}:{one}", "closing", scope_id, one, until) for one in silent]
    return found


async def _objections(session: AsyncSession, rows: Found, now: datetime) -> list[Told]:
    """Ballots by which a circle objects, and objections after the count. All of them are published."""
    ids = [scope.id for _, scope in rows]
    new = select(RecordRow.scope_id).where(
        RecordRow.scope_id.in_(ids),
        RecordRow.type.in_(("Ballot", "Objection")),
        RecordRow.received_at > now - timedelta(days=2),
    )
    found = []
    for scope_id in sorted(set(await session.scalars(new))):
        for record in await ledger.of_types(session, scope_id, ("Ballot", "Objection")):
            if record.type == "Objection" or record.get("position") == "object":
                found.append(Told(f"objection:{record.digest}", "objection", scope_id))
    return found


async def _proposals(
    session: AsyncSession, rows: Found, circles: Mapping[int, Sequence[int]], now: datetime
) -> list[Told]:
    """Before a vote: to whoever made a proposal, that somebody would change it or has a concern; to those who supported one, that
    it says something else now."""
    open_ = {scope.id: scope for row, scope in rows if row.state in BEFORE and now < row.opens_at}
    query = select(RecordRow.scope_id).where(
        RecordRow.scope_id.in_(open_), RecordRow.type.in_(("Option", "Support"))
    )
    busy = sorted(set(await session.scalars(query.group_by(RecordRow.scope_id).having(func.count() > 1))))
    if not busy:
        return []
    actors = select(Actor.ed25519, Circle.id).join(Circle, Circle.actor_id == Actor.id)
    ours = {key or "": number for key, number in await session.execute(actors)}
    collective, _ = await us(session)
    holders = (await _holders(session, now))["convene"]
    found: list[Told] = []
    for number in busy:
        view = standing(await ledger.records(session, number, now), now)
        mine = {key: circle for key, circle in ours.items() if circle in circles[number]}
        found += _of_proposals(view, open_[number], mine, collective.ed25519 or "", holders)
    return found


def _of_proposals(
    view: Standing, scope: Scope, circles: Mapping[str, int], collective: str, holders: Collection[int]
) -> Iterator[Told]:
    def told(key: str, kind: str, whom: str, until: datetime) -> Iterator[Told]:
        if whom in circles:
            yield Told(key, kind, scope.id, circles[whom], until)
        elif whom == collective:
            yield Told(key, kind, scope.id, until=until, to=holders)

    current = {one.option.digest: one for one in view.proposals}
    many = Counter[tuple[str, str]]()
    for one in sorted(view.amendments, key=lambda one: (one.option.at, one.option.digest)):
        amends, by = one.option["amends"], one.option.by
        if one.declined is None and amends in current and many[amends, by] < MOST_TOLD:
            many[amends, by] += 1
            until = view.times.gather_until
            yield from told(f"amendment:{one.option.digest}", "amendment", one.first.by, until)
    for digest, proposal in current.items():
        said = view.support[digest]
        for record in said.concern.values():
            yield from told(f"concern:{record.digest}", "concern", proposal.author, view.opens)
        before = {key for one in proposal.versions[:-1] for key in view.support[one.digest].support}
        for key in sorted(before.intersection(circles) - {*said.support, *said.concern}):
            yield from told(f"changed:{digest}:{circles[key]}", "changed", key, view.opens)


async def _holders(session: AsyncSession, now: datetime) -> Mapping[str, set[int]]:
    """Who holds what it takes to answer for the collective, by power."""
    query = select(MandateRow).where(MandateRow.ends_at > now)
    held = [row for row in await session.scalars(query) if in_force(as_rule(row), now)]
    return {power: {row.member_id for row in held if power in row.powers} for power in ("convene", "admit")}


async def _mandates(session: AsyncSession, now: datetime) -> list[Told]:
    """Mandates that were recalled or have ended, each for its holder."""
    since = now - RECENT
    ended = (MandateRow.ends_at > since) & (MandateRow.ends_at <= now)
    query = select(MandateRow).where(or_(MandateRow.recalled_at > since, ended))
    found = []
    for row in await session.scalars(query.where(MandateRow.resigned_at.is_(None))):
        kind = "recall" if row.recalled_at is not None else "mandate-over"
        found.append(Told(f"{kind}:{row.id}", kind, to=[row.member_id]))
    return found


async def _waiting(session: AsyncSession, now: datetime) -> list[Told]:
    """Offers that wait for the collective's answer, and requests to join, for those who may answer."""
    may = await _holders(session, now)
    collective, _ = await us(session)
    offers = await decisions.unanswered(session, collective.ed25519 or "", BEFORE)
    requests = await accounts.requests_waiting(session, now - WAITS)
    return [
        *(Told(f"offer:{scope.name}", "offer", scope.id, to=may["convene"]) for _, scope in offers),
        *(Told(f"asked:{row.id}", "asked", to=may["admit"]) for row in requests),
    ]


async def _links(session: AsyncSession, now: datetime) -> list[Told]:
    """Links that somebody made to log in as a member, for that member."""
    query = select(Recovery).where(Recovery.created_at > now - RECENT)
    rows = (await session.scalars(query)).all()
    return [
        Told(f"recovery:{row.id}", "recovery-mail" if row.by_mail else "recovery", to=[row.member_id])
        for row in rows
    ]


async def _hidden(session: AsyncSession, now: datetime) -> list[Told]:
    """Remarks that who moderates has hidden, each for its author, whatever they have silenced."""
    query = select(Remark).where(Remark.hidden_at > now - RECENT, Remark.deleted_at.is_(None))
    return [
        Told(
            f"hidden:{row.id}:{row.hidden_at:%Y%m%dT%H%M%S}",
            "remark-hidden",
            row.scope_id,
            to=[row.member_id],
            always=True,
        )
        for row in await session.scalars(query)
    ]


async def _removals(session: AsyncSession, rows: Found, now: datetime) -> list[Told]:
    """Questions whether somebody is a member any longer, each for whom it is about, whatever they have silenced."""
    open_ = {scope.id: scope.name for row, scope in rows if row.state in INVITING and now < row.closes_at}
    found = await session.scalars(select(Removal).where(Removal.scope_id.in_(open_)))
    return [
        Told(f"removal:{open_[one.scope_id]}", "removal", one.scope_id, to=[one.member_id], always=True)
        for one in found
    ]


async def tell(session: AsyncSession, all_told: Sequence[Told], now: datetime) -> int:
    """Write what was not told yet; returns how many notices there are now more."""
    count = 0
    for told in all_told:
        if told.to is not None and not told.to:  # nobody whom it concerns yet
            continue
        if await notices.note(session, told.key, now):
            count += await _write(session, told, now)
    return count


async def _write(session: AsyncSession, told: Told, now: datetime) -> int:
    """One notice for each of those whom it concerns, save who left, and who wants to hear nothing of the decision."""
    here = select(Member.id).where(Member.left_at.is_(None))
    if told.to is not None:
        query = here.where(Member.id.in_(told.to))
    else:
        query = here.join(Seat, Seat.member_id == Member.id).where(Seat.scope_id == told.scope_id)
        if told.circle_id is not None:
            query = query.where(Seat.circle_id == told.circle_id)
    quiet = await notices.who_muted(session, told.scope_id) if told.scope_id and not told.always else set()
    whom = set(await session.scalars(query)) - quiet - set(told.but)
    values = {"key": told.key, "kind": told.kind, "scope_id": told.scope_id, "until": told.until, "at": now}
    session.add_all([Notice(member_id=member_id, **values) for member_id in sorted(whom)])
    return len(whom)


async def stale(session: AsyncSession, all_told: Sequence[Told]) -> list[int]:
    """Numbers of unread notices of what is not so any more, or not for their member: they count as read."""
    still = {told.key: told for told in all_told if told.kind in PASSING}
    query = select(Notice).where(Notice.read_at.is_(None), Notice.kind.in_(PASSING))
    rows = (await session.scalars(query)).all()
    return [row.id for row in rows if row.key not in still or row.member_id in still[row.key].but]


async def settle_stale(session: AsyncSession, numbers: Sequence[int], now: datetime) -> None:
    """They count as read."""
    over = update(Notice).where(Notice.id.in_(numbers), Notice.read_at.is_(None)).values(read_at=now)
    await session.execute(over.execution_options(synchronize_session=False))
