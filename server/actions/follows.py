"""Following a local actor from elsewhere."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.events import log
from models.follows import Follow, follow_of, standing_of
from models.people import Actor


async def follow(
    session: AsyncSession, follower: Actor, followed: Actor, activity_uri: str, now: datetime
) -> bool:
    """`follower` follows from now on; False if that Follow was undone before it arrived. A repeat renews its id."""
    undone_by, follows = await standing_of(session, activity_uri, follower.uri, followed.id)
    if undone_by == follower.uri:
        return False
    row = {"activity_uri": activity_uri, "inbox": follower.shared_inbox or follower.inbox}
    if follows:
        theirs = (Follow.follower == follower.uri, Follow.followed_id == followed.id)
        await session.execute(update(Follow).where(*theirs).values(**row))
    else:
        new = {"follower": follower.uri, "followed_id": followed.id, "at": now}
        await session.execute(FOLLOW, {**new, **row})
        log(session, "follow", now, actor=follower.uri)
    return True


FOLLOWS: Final[Any] = Follow.__table__
FOLLOW: Final = insert(FOLLOWS)


async def unfollow(session: AsyncSession, follower_uri: str, followed: Actor, now: datetime) -> bool:
    """`follower_uri` no longer follows; False if it did not."""
    row = await follow_of(session, follower_uri, followed.id)
    if row is None:
        return False
    await session.delete(row)
    log(session, "unfollow", now, actor=follower_uri)
    return True


async def forget_follower(session: AsyncSession, follower_uri: str, now: datetime) -> int:
    """`follower_uri` follows nobody here any more; returns how many it had followed."""
    result = await session.execute(delete(Follow).where(Follow.follower == follower_uri).returning(Follow.id))
    forgotten = len(result.all())
    if forgotten:
        log(session, "unfollow", now, actor=follower_uri, followed=forgotten)
    return forgotten
