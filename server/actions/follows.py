"""Following a local actor from elsewhere."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from models.events import log
from models.follows import Follow, follow_of
from models.peers import tombstone_of
from models.people import Actor


async def follow(
    session: AsyncSession, follower: Actor, followed: Actor, activity_uri: str, now: datetime
) -> bool:
    """`follower` follows from now on; False if that Follow was undone before it arrived. A repeat renews its id."""
    undone = await tombstone_of(session, activity_uri)
    if undone is not None and undone.owner == follower.uri:
        return False
    row = await follow_of(session, follower.uri, followed.id)
    if row is None:
        row = Follow(
            follower=follower.uri, followed_id=followed.id, activity_uri=activity_uri, inbox="", at=now
        )
        session.add(row)
        log(session, "follow", now, actor=follower.uri)
    row.activity_uri = activity_uri
    row.inbox = follower.shared_inbox or follower.inbox
    return True


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
