"""What is new since a number: records, replies from outside and members' remarks, counted by decision. Only what is above the
number is read, however much there is below it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.decisions import Decision
from models.ledger import RecordRow, Scope
from models.remarks import Remark, heard_since, highest
from models.talk import Reply

TABLES: Final = {"records": RecordRow, "replies": Reply, "remarks": Remark}


async def upto(session: AsyncSession) -> dict[str, int]:
    """How much there is now: the highest number of each kind."""
    return await highest(session, TABLES)


async def records_since(
    session: AsyncSession, after: int, types: Sequence[str], now: datetime
) -> Sequence[tuple[int, str, int]]:
    """(scope, type, how many) of the records above this number that are not dated ahead."""
    query = (
        select(RecordRow.scope_id, RecordRow.type, func.count().label("many"))
        .where(RecordRow.id > after, RecordRow.type.in_(types), RecordRow.at <= now)
        .group_by(RecordRow.scope_id, RecordRow.type)
    )
    return [(scope, kind, many) for scope, kind, many in (await session.execute(query)).all()]


async def replies_since(session: AsyncSession, after: int) -> Sequence[tuple[int, int]]:
    """(scope, how many) of the replies from outside above this number that members may see."""
    query = (
        select(Scope.id, func.count().label("many"))
        .join(Reply, Reply.scope == Scope.name)
        .where(Reply.id > after, Reply.deleted_at.is_(None), Reply.hidden_at.is_(None))
        .group_by(Scope.id)
    )
    return [(scope, many) for scope, many in (await session.execute(query)).all()]


async def remarks_since(session: AsyncSession, member_id: int, after: int) -> Sequence[tuple[int, bool, int]]:
    """(scope, whether in the member's circle, how many) of the remarks by others above this number."""
    return await heard_since(session, member_id, after)


async def decisions_of(session: AsyncSession, scopes: Iterable[int]) -> dict[int, tuple[Decision, Scope]]:
    """These decisions, by scope."""
    query = (
        select(Decision, Scope)
        .join(Scope, Scope.id == Decision.scope_id)
        .where(Decision.scope_id.in_(list(scopes)))
    )
    return {scope.id: (row, scope) for row, scope in (await session.execute(query)).all()}
