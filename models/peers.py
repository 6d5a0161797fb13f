"""Other servers: their health, blocks, and what was undone before it arrived."""

from datetime import datetime

from sqlalchemy import Boolean, Float, Integer, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Peer(Base):
    """One other server, by authority (host[:port])."""

    __tablename__ = "peers"

    authority: Mapped[str] = mapped_column(String(300), primary_key=True)
    is_blocked: Mapped[bool] = mapped_column(Boolean, default=False)
    seen_at: Mapped[datetime | None]
    clock_offset: Mapped[float | None] = mapped_column(
        Float
    )  # seconds their Date header is ahead of our clock
    keys_refetched_at: Mapped[datetime | None]
    new_actors: Mapped[int] = mapped_column(Integer, default=0)  # discovered since `new_actors_since`
    new_actors_since: Mapped[datetime | None]


class Tombstone(Base):
    """An object or activity that was deleted or undone, perhaps before we ever saw it."""

    __tablename__ = "tombstones"

    uri: Mapped[str] = mapped_column(Text, primary_key=True)
    owner: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


async def is_blocked(session: AsyncSession, authority: str) -> bool:
    return bool(await session.scalar(select(Peer.is_blocked).where(Peer.authority == authority)))


async def tombstone_of(session: AsyncSession, uri: str) -> Tombstone | None:
    return await session.get(Tombstone, uri)
