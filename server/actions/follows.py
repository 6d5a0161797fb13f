"""Following a local actor from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.events import log
from models.follows import Follow, follow_of, followed_by, undone
from models.people import Actor


@dataclass(frozen=True)
class Wish:
    """`follower` asks, by an activity of this id, to follow an actor of ours."""

    follower: Actor
    followed: Actor
    activity_uri: str


async def follow(session: AsyncSession, wishes: Sequence[Wish], now: datetime) -> list[bool]:
    """The followers follow from now on; False for each Follow that was undone before it arrived. A repeat renews its id."""
    over = await undone(session, [wish.activity_uri for wish in wishes]) if wishes else set()
    may = [(wish.activity_uri, wish.follower.uri) not in over for wish in wishes]
    rows = {(wish.follower.uri, wish.followed.id): wish for wish, ok in zip(wishes, may, strict=True) if ok}
    known = await followed_by(session, {follower for follower, _ in rows}) if rows else set()
    new = []
    for (follower, followed_id), wish in rows.items():
        row = {
            "activity_uri": wish.activity_uri,
            "inbox": wish.follower.shared_inbox or wish.follower.inbox,
        }
        if (follower, followed_id) in known:
            theirs = (Follow.follower == follower, Follow.followed_id == followed_id)
            await session.execute(update(Follow).where(*theirs).values(**row))
        else:
            new.append({"follower": follower, "followed_id": followed_id, "at": now, **row})
            log(session, "follow", now, actor=follower)
    if new:
        await session.execute(FOLLOW, new)
    return may


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
