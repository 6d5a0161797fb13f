"""Who follows a local actor from elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Follow(Base):
    """`follower` (an actor's uri) follows a local actor; `activity_uri` is the Follow that said so last."""

    __tablename__ = "follows"
    __table_args__ = (UniqueConstraint("follower", "followed_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    follower: Mapped[str] = mapped_column(Text, index=True)
    followed_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), index=True)
    activity_uri: Mapped[str] = mapped_column(Text)
    inbox: Mapped[str] = mapped_column(Text)  # the shared inbox where there is one
    at: Mapped[datetime]


async def follow_of(session: AsyncSession, follower: str, followed_id: int) -> Follow | None:
    return await session.scalar(
        select(Follow).where(Follow.follower == follower, Follow.followed_id == followed_id)
    )


async def follower_inboxes(session: AsyncSession, followed_id: int) -> Sequence[str]:
    """Where a post of this actor goes: each inbox once."""
    return (
        await session.scalars(select(Follow.inbox).where(Follow.followed_id == followed_id).distinct())
    ).all()


async def follower_count(session: AsyncSession, followed_id: int) -> int:
    query = select(func.count()).select_from(Follow).where(Follow.followed_id == followed_id)
    return await session.scalar(query) or 0
