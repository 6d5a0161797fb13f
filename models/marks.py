"""What a page about a decision was made from, in one short mark: another mark means that the page may show something else.

A mark says nothing about what changed, and holds nothing that the page would not show to whoever may read it. Called by the pages
and by those who watch them (`server.web.watching`).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.decisions import Confirmation, Decision, Draft, Position, Seat
from models.ledger import Scope
from models.remarks import Remark
from models.talk import Reply

NOTHING: Final = "0" * 16
_NAMED: Final[ColumnElement[bool]] = Scope.name == bindparam("name")
_STANDING: Final = (
    *(Decision.state, Decision.outcome, Decision.winner, Decision.terms),
    *(Decision.count_root, Decision.set_root, Decision.set_size),
)


async def of_public_page(session: AsyncSession, name: str) -> str:
    """The page of a decision, as visitors see it."""
    return await _mark(session, _PUBLIC, name=name)


async def of_members_page(session: AsyncSession, name: str) -> str:
    """The same page as members see it, with their talk."""
    return await _mark(session, _MEMBERS, name=name)


async def of_room(session: AsyncSession, name: str, circle_id: int) -> str:
    """A circle's room."""
    return await _mark(session, _ROOM, name=name, circle=circle_id)


async def seated(session: AsyncSession, name: str, circle_id: int) -> set[int]:
    """The members who sit in this circle for the decision."""
    query = select(Seat.member_id).join(Scope, Scope.id == Seat.scope_id)
    found = await session.scalars(query.where(Scope.name == name, Seat.circle_id == circle_id))
    return set(found)


async def _mark(session: AsyncSession, query: Select[Any], **asked: Any) -> str:
    row = (await session.execute(query, asked)).first()
    return NOTHING if row is None else hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:16]


def _of(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*_STANDING, *columns)
        .select_from(Scope)
        .outerjoin(Decision, Decision.scope_id == Scope.id)
        .where(_NAMED)
    )


def _one(column: Any, *where: ColumnElement[bool]) -> ColumnElement[Any]:
    return select(column).where(*where).correlate(Scope).scalar_subquery()


def _replies(*where: ColumnElement[bool]) -> Sequence[ColumnElement[Any]]:
    here = (Reply.scope == bindparam("name"), Reply.deleted_at.is_(None), *where)
    return [_one(column, *here) for column in (func.count(), func.max(Reply.id), func.max(Reply.updated_at))]


def _remarks(where: ColumnElement[bool]) -> Sequence[ColumnElement[Any]]:
    latest = [func.max(column) for column in (Remark.id, Remark.edited_at, Remark.deleted_at)]
    columns = (*latest, func.max(Remark.hidden_at), func.count(Remark.hidden_at))
    return [_one(column, Remark.scope_id == Scope.id, where) for column in columns]


def _latest(column: Any) -> ColumnElement[Any]:
    """Of the circle's latest draft."""
    mine = (Draft.scope_id == Scope.id, Draft.circle_id == bindparam("circle"))
    query = select(column).where(*mine).order_by(Draft.number.desc()).limit(1)
    return query.correlate(Scope).scalar_subquery()


_POSITIONS: Final = and_(Position.scope_id == Scope.id, Position.circle_id == bindparam("circle"))
_CONFIRMED: Final = Confirmation.draft_id == _latest(Draft.id)
_PUBLIC: Final = _of(*_replies(Reply.is_public.is_(True), Reply.hidden_at.is_(None)))
_MEMBERS: Final = _of(
    *_replies(),
    _one(func.count(Reply.hidden_at), Reply.scope == bindparam("name")),
    *_remarks(Remark.circle_id.is_(None)),
)
_ROOM: Final = _of(
    *_remarks(Remark.circle_id == bindparam("circle")),
    *(_one(column, _POSITIONS) for column in (func.count(Position.id), func.max(Position.at))),
    *(_latest(column) for column in (Draft.number, Draft.ballot)),
    *(_one(column, _CONFIRMED) for column in (func.count(Confirmation.id), func.max(Confirmation.id))),
)
