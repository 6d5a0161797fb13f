"""Rows around a decision that are not records: what a page lists (a cache that can be rebuilt) and what never leaves the
instance (seats, positions, drafts, confirmations).

`Decision` is derived from the records of its scope by `server.actions.hearing.refresh`; `jura doctor --rebuild` compares.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    delete,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from models.base import Base
from models.ledger import Participant, RecordRow, Scope, TextRow
from models.peers import covers
from models.people import Member


class Decision(Base):
    """Cache of what the records of a scope say, for lists. Every column follows from the records and an instant."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_is_over", "is_over", "scope_id"),
        Index("ix_decisions_state", "state", "closes_at"),
    )

    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"), primary_key=True)
    question: Mapped[str] = mapped_column(String(64))  # digest of the question's text
    convener: Mapped[str] = mapped_column(String(64))  # key
    method: Mapped[str] = mapped_column(String(16))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16))
    is_over: Mapped[bool] = mapped_column(Boolean)  # its state is one that ends it
    outcome: Mapped[str | None] = mapped_column(String(16))
    winner: Mapped[str | None] = mapped_column(String(64))
    ratify_until: Mapped[datetime | None] = mapped_column(index=True)  # the last instant at which anybody can
    terms: Mapped[str | None] = mapped_column(String(64))
    count_root: Mapped[str | None] = mapped_column(String(64))
    set_root: Mapped[str] = mapped_column(String(64))
    set_size: Mapped[int] = mapped_column(Integer)
    as_of: Mapped[datetime]  # the instant at which all this was computed


class Seat(Base):
    """Who sat in which circle when the collective answered: the local part of the roll. Never leaves the instance."""

    __tablename__ = "seats"
    __table_args__ = (UniqueConstraint("scope_id", "member_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    circle_id: Mapped[int] = mapped_column(ForeignKey("circles.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))


class Removal(Base):
    """Whom a decision is about that asks whether somebody is a member any longer. Never leaves the instance."""

    __tablename__ = "removals"

    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)


class Position(Base):
    """A member's own position, for their circle's eyes only."""

    __tablename__ = "positions"
    __table_args__ = (UniqueConstraint("scope_id", "member_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    circle_id: Mapped[int] = mapped_column(ForeignKey("circles.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    position: Mapped[dict[str, Any]] = mapped_column(JSON)  # {"position": …} or {"choices": […]}
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class Draft(Base):
    """A version of a circle's ballot before it is one. A changed draft is a new row: confirmations are of exact words."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("scope_id", "circle_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    circle_id: Mapped[int] = mapped_column(ForeignKey("circles.id"))
    number: Mapped[int] = mapped_column(Integer)
    position: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text, default="")
    resolve: Mapped[str] = mapped_column(Text, default="")
    lang: Mapped[str] = mapped_column(String(35), default="en")
    by_member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime]
    ballot: Mapped[str | None] = mapped_column(String(64))  # digest of the ballot it became


class Confirmation(Base):
    """A member says: these exact words are my circle's ballot."""

    __tablename__ = "confirmations"
    __table_args__ = (UniqueConstraint("draft_id", "member_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime]


async def decisions_page(
    session: AsyncSession,
    is_over: bool | None,
    visible: Sequence[str],
    before: int | None,
    size: int,
    words: Sequence[str] = (),
) -> Sequence[tuple[Decision, Scope]]:
    """Decisions that are over, or running, or (None) all, of one of these visibilities, newest first, older than scope
    `before`, whose question has all these words in it. However many there are, only what is shown is read."""
    query = _asking(_decisions().where(Scope.visibility.in_(visible)), words)
    if is_over is not None:
        query = query.where(Decision.is_over.is_(is_over))
    if before is not None:
        query = query.where(Decision.scope_id < before)
    query = query.order_by(Decision.scope_id.desc()).limit(size)
    return [(d, s) for d, s in (await session.execute(query)).all()]


async def closing(
    session: AsyncSession, visible: Sequence[str], now: datetime, size: int, words: Sequence[str] = ()
) -> Sequence[tuple[Decision, Scope]]:
    """Decisions in which the voting is open `now`, of one of these visibilities, the next to close first."""
    query = _asking(_decisions().where(Scope.visibility.in_(visible)), words)
    query = query.where(Decision.is_over.is_(False), Decision.state == "voting", Decision.closes_at > now)
    query = query.order_by(Decision.closes_at, Decision.scope_id).limit(size)
    return [(d, s) for d, s in (await session.execute(query)).all()]


def _asking(query: Select[Decision, Scope], words: Sequence[str]) -> Select[Decision, Scope]:
    """Those of them whose question has all these words in it."""
    if not words:
        return query
    asked = and_(TextRow.scope_id == Scope.id, TextRow.digest == Decision.question)
    return query.join(TextRow, asked).where(*(TextRow.text.icontains(w, autoescape=True) for w in words))


async def unanswered(
    session: AsyncSession, collective: str, states: Sequence[str]
) -> Sequence[tuple[Decision, Scope]]:
    """Decisions in one of `states` for which this collective (its key) has signed no Answer here."""
    query = _decisions().where(Decision.state.in_(states), ~_has_said("Answer", collective))
    return [(d, s) for d, s in (await session.execute(query.order_by(Decision.opens_at))).all()]


async def seated_in(
    session: AsyncSession, member_id: int, states: Sequence[str], since: datetime | None = None
) -> Sequence[tuple[Decision, Scope, int]]:
    """Decisions in one of `states` in which this member sits, each with the id of their circle, next to close first; only those
    that close after `since`."""
    query = (
        select(Decision, Scope, Seat.circle_id)
        .join(Scope, Scope.id == Decision.scope_id)
        .join(Seat, Seat.scope_id == Decision.scope_id)
        .where(Seat.member_id == member_id, Decision.state.in_(states))
        .order_by(Decision.closes_at)
    )
    if since is not None:
        query = query.where(Decision.closes_at > since)
    return [(d, s, c) for d, s, c in (await session.execute(query)).all()]


async def unratified(
    session: AsyncSession, collective: str, now: datetime, most: int
) -> Sequence[tuple[Decision, Scope, Mapping[str, Any]]]:
    """Decisions that somebody can still ratify, which this collective (its key) answered and did not ratify; each with the answer.
    The soonest first. However many there were, only those that can be ratified are read: by their index, then by their scopes."""
    ours = _has_said("Answer", collective), ~_has_said("Ratify", collective)
    query = _decisions().where(Decision.ratify_until >= now, *ours).order_by(Decision.ratify_until)
    found = (await session.execute(query.limit(most))).all()
    answers = await _answers(session, collective, [scope.id for _, scope in found]) if found else ()
    rows = {scope.id: (decision, scope) for decision, scope in found}
    return [(*rows[answer.scope_id], answer.document) for answer in answers]


async def _answers(session: AsyncSession, collective: str, scopes: Sequence[int]) -> Sequence[RecordRow]:
    """What a collective answered in these scopes."""
    query = select(RecordRow).where(RecordRow.type == "Answer", RecordRow.by == collective)
    found = (await session.scalars(query.where(RecordRow.scope_id.in_(scopes)))).all()
    return sorted(found, key=lambda row: scopes.index(row.scope_id))


def _has_said(type_: str, key: str) -> ColumnElement[bool]:
    """Is there a record of this type by this key in the scope of a decision? Looked up in that scope only: all that the key ever
    signed may be much."""
    said = aliased(RecordRow)
    query = select(said.id).where(said.scope_id == Decision.scope_id, said.type == type_, said.by == key)
    return query.exists()


def _decisions() -> Select[Decision, Scope]:
    return select(Decision, Scope).join(Scope, Scope.id == Decision.scope_id)


async def seats(session: AsyncSession, scope_id: int, circle_id: int) -> Sequence[Member]:
    """The members of a circle on the roll of a decision."""
    query = (
        select(Member)
        .join(Seat, Seat.member_id == Member.id)
        .where(Seat.scope_id == scope_id, Seat.circle_id == circle_id)
        .order_by(Member.id)
    )
    return (await session.scalars(query)).all()


async def seat_of(session: AsyncSession, scope_id: int, member_id: int) -> Seat | None:
    return await session.scalar(select(Seat).where(Seat.scope_id == scope_id, Seat.member_id == member_id))


async def positions(
    session: AsyncSession, scope_id: int, circle_id: int
) -> Sequence[tuple[Position, Member]]:
    query = (
        select(Position, Member)
        .join(Member, Member.id == Position.member_id)
        .where(Position.scope_id == scope_id, Position.circle_id == circle_id)
        .order_by(Member.id)
    )
    return [(p, m) for p, m in (await session.execute(query)).all()]


async def removals_of(session: AsyncSession, member_id: int) -> Sequence[Scope]:
    """The decisions that ask whether this member is removed, the latest first."""
    query = select(Scope).join(Removal, Removal.scope_id == Scope.id).where(Removal.member_id == member_id)
    return (await session.scalars(query.order_by(Scope.id.desc()))).all()


async def removals_decided(
    session: AsyncSession, since: datetime
) -> Sequence[tuple[Decision, Scope, Member]]:
    """Decisions closed since then by which somebody is removed who is still a member. Asked from the few questions about members
    on, not from the many decisions."""
    asked = select(Removal.scope_id, Member).join(Member, Member.id == Removal.member_id)
    rows = await session.execute(asked.where(Member.left_at.is_(None)))
    about = {row.scope_id: row.Member for row in rows}
    if not about:
        return []
    query = select(Decision, Scope).join(Scope, Scope.id == Decision.scope_id)
    query = query.where(Decision.scope_id.in_(about), Decision.closes_at > since)
    query = query.where(Decision.state == "final", Decision.outcome == "adopted")
    return [(decision, scope, about[scope.id]) for decision, scope in await session.execute(query)]


async def removal_in(session: AsyncSession, scope_id: int) -> Member | None:
    """Whom a decision is about, if it asks whether somebody is removed."""
    query = select(Member).join(Removal, Removal.member_id == Member.id)
    return await session.scalar(query.where(Removal.scope_id == scope_id))


async def forget_drafts(session: AsyncSession, scope_id: int) -> None:
    """The words of drafts that became no ballot go, where who wrote them was erased."""
    gone = select(Member.id).where(Member.erased_at.is_not(None))
    theirs = update(Draft).where(
        Draft.scope_id == scope_id, Draft.by_member_id.in_(gone), Draft.ballot.is_(None)
    )
    await session.execute(theirs.values(reason="", resolve=""))


async def latest_draft(session: AsyncSession, scope_id: int, circle_id: int) -> Draft | None:
    query = select(Draft).where(Draft.scope_id == scope_id, Draft.circle_id == circle_id)
    return await session.scalar(query.order_by(Draft.number.desc()).limit(1))


async def drafts(
    session: AsyncSession, scope_id: int, circle_id: int, before: int | None, most: int
) -> Sequence[Draft]:
    """The latest versions of a circle's draft (those before number `before`), the latest first."""
    query = select(Draft).where(Draft.scope_id == scope_id, Draft.circle_id == circle_id)
    if before is not None:
        query = query.where(Draft.number < before)
    return (await session.scalars(query.order_by(Draft.number.desc()).limit(most))).all()


async def confirmed_by(session: AsyncSession, draft_id: int) -> Sequence[int]:
    """Ids of the members who confirmed a draft."""
    return (
        await session.scalars(select(Confirmation.member_id).where(Confirmation.draft_id == draft_id))
    ).all()


async def withdraw_confirmation(session: AsyncSession, draft_id: int, member_id: int) -> None:
    await session.execute(
        delete(Confirmation).where(Confirmation.draft_id == draft_id, Confirmation.member_id == member_id)
    )


async def decides_with(session: AsyncSession, key: str, authority: str) -> bool:
    """Does the instance at this authority take part in a scope in which this key has signed something?"""
    spoken = select(RecordRow.id).where(RecordRow.scope_id == Participant.scope_id, RecordRow.by == key)
    query = select(Participant.id).where(Participant.authority == authority, spoken.exists())
    return await session.scalar(query.limit(1)) is not None


async def offers_since(session: AsyncSession, since: datetime, authority: str, site: str) -> tuple[int, int]:
    """How many decisions came here after `since` by Offers of collectives at this authority, and at all of its site."""
    query = (
        select(Participant.authority)
        .join(Scope, Scope.id == Participant.scope_id)
        .join(RecordRow, and_(RecordRow.scope_id == Scope.id, RecordRow.digest == Scope.name))
        .where(RecordRow.by == Participant.key, Scope.created_at > since, covers(Participant.authority, site))
    )
    homes = (await session.scalars(query)).all()
    return sum(home == authority for home in homes), len(homes)
