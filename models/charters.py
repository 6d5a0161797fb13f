"""What decisions propose as the charter of this collective. Which of them is in force is computed (`server.actions.charters`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.ledger import Scope
from models.people import Actor
from models.rules.charters import Charter, charter_of


class ProposedCharter(Base):
    """The charter that a decision of ours is about, whole: what it says in words is in the records of its scope. It is never
    changed; whether it is in force follows from those records and the instant."""

    __tablename__ = "proposed_charters"

    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"), primary_key=True)
    parameters: Mapped[Mapping[str, Any]] = mapped_column(JSON)


async def begun_at(session: AsyncSession) -> datetime:
    """Since when there is a collective here, and so the charter that comes with the software."""
    query = select(Actor.created_at).where(Actor.kind == "collective")
    return (await session.scalars(query)).one()


async def proposed(session: AsyncSession) -> Sequence[tuple[Scope, Charter]]:
    """Every decision about our charter, with what it proposes, in the order in which they were asked."""
    query = select(Scope, ProposedCharter).join(ProposedCharter, ProposedCharter.scope_id == Scope.id)
    rows = (await session.execute(query.order_by(Scope.id))).all()
    return [(scope, charter_of(row.parameters)) for scope, row in rows]


async def is_proposed_in(session: AsyncSession, scope_id: int) -> bool:
    """Is this decision about our charter?"""
    return await session.get(ProposedCharter, scope_id) is not None
