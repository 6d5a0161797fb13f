"""Who follows a local actor from elsewhere."""

from collections.abc import Iterable, Sequence
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


UNDONE: Final = select(Tombstone.uri, Tombstone.owner).where(
    Tombstone.uri.in_(bindparam("uris", expanding=True))
)
FOLLOWED: Final = select(Follow.follower, Follow.followed_id).where(
    Follow.follower.in_(bindparam("followers", expanding=True))
)


async def undone(session: AsyncSession, activity_uris: Iterable[str]) -> set[tuple[str, str]]:
    """Those of these Follows that were undone before they arrived, each with who did that."""
    rows = await session.execute(UNDONE, {"uris": list(activity_uris)})
    return {(uri, owner) for uri, owner in rows}


async def followed_by(session: AsyncSession, followers: Iterable[str]) -> set[tuple[str, int]]:
    """Whom these follow here: (follower, id of the followed)."""
    rows = await session.execute(FOLLOWED, {"followers": list(followers)})
    return {(follower, followed_id) for follower, followed_id in rows}


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
