"""What the collective has set on its instance, each choice with the mandate under which it was set."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Choice(Base):
    __tablename__ = "choices"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    at: Mapped[datetime]
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))


async def choice(session: AsyncSession, name: str, default: Any = None) -> Any:
    """What is set under this name, or `default`."""
    row = await session.get(Choice, name)
    return default if row is None else row.value


async def all_choices(session: AsyncSession) -> Mapping[str, Any]:
    """All that is set, by name: a page asks several things of it."""
    found = (await session.execute(select(Choice.name, Choice.value))).all()
    return dict(found)


async def choose(session: AsyncSession, name: str, value: Any, now: datetime, mandate_id: int | None) -> None:
    """Set it; the last one to set it stands."""
    await session.merge(Choice(name=name, value=value, at=now, mandate_id=mandate_id))
