"""Who follows a local actor from elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, Text, UniqueConstraint, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.peers import Tombstone, limited_among, limited_names
from models.people import Actor


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


STANDING: Final = select(
    select(Tombstone.owner).where(Tombstone.uri == bindparam("activity_uri")).scalar_subquery(),
    select(Follow.id)
    .where(Follow.follower == bindparam("follower"), Follow.followed_id == bindparam("followed_id"))
    .scalar_subquery(),
)


async def standing_of(
    session: AsyncSession, activity_uri: str, follower: str, followed_id: int
) -> tuple[str | None, bool]:
    """Who undid this Follow before it arrived, if anybody did, and whether the follower follows already."""
    asked = {"activity_uri": activity_uri, "follower": follower, "followed_id": followed_id}
    undone_by, follow = (await session.execute(STANDING, asked)).one()
    return undone_by, follow is not None


async def follower_inboxes(session: AsyncSession, followed_id: int) -> Sequence[str]:
    """Where a post of this actor goes: each inbox once."""
    return (
        await session.scalars(select(Follow.inbox).where(Follow.followed_id == followed_id).distinct())
    ).all()


async def follower_count(session: AsyncSession, followed_id: int) -> int:
    """How many follow this actor, those of limited servers apart."""
    query = select(func.count()).select_from(Follow).where(Follow.followed_id == followed_id)
    total = await session.scalar(query) or 0
    if not await limited_names(session):
        return total
    by_server = select(Actor.authority, func.count()).join(Follow, Follow.follower == Actor.uri)
    rows = (
        await session.execute(by_server.where(Follow.followed_id == followed_id).group_by(Actor.authority))
    ).all()
    limited = await limited_among(session, [authority for authority, _ in rows])
    return total - sum(count for authority, count in rows if authority in limited)
