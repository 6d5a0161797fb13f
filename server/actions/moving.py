"""Somebody whom we follow has moved to another account: we follow that one from then on."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import vocabulary
from activitypub.addressing import direct
from models import people
from models.events import log
from models.feeds import FeedSource, Following
from models.people import Actor
from models.rules.records import stamp
from server import translate
from server.actions import outbox
from server.home import Home

COOLDOWN: Final = timedelta(days=7)


async def follow_to(session: AsyncSession, home: Home, old: Actor, target: Actor, now: datetime) -> bool:
    """Each of our actors that followed `old` follows `target`; False if `old` moved within the last week, or either moved on."""
    moved = await session.get_one(Actor, old.id, with_for_update=True, populate_existing=True)
    if moved.moved_at is not None and moved.moved_at > now - COOLDOWN:
        return False
    arrived = await people.actor_by_uri(session, target.uri)
    if arrived is None or arrived.is_local or (arrived.moved_at or now - COOLDOWN) > now - COOLDOWN:
        return False
    moved.moved_to, moved.moved_at = target.uri, now
    rows = (await session.scalars(select(Following).where(Following.followed == old.uri))).all()
    for row in rows:
        await _follow(session, home, row, arrived, moved, now)
    for source in (await session.scalars(select(FeedSource).where(FeedSource.actor_uri == old.uri))).all():
        same = (FeedSource.feed_id == source.feed_id, FeedSource.actor_uri == target.uri)
        if await session.scalar(select(FeedSource.id).where(*same)) is None:
            source.actor_uri = target.uri
        else:
            await session.delete(source)
    log(session, "moved", now, actor=old.uri, to=target.uri)
    return True


async def _follow(
    session: AsyncSession, home: Home, before: Following, target: Actor, old: Actor, now: datetime
) -> None:
    """One actor of ours unfollows the old account and asks to follow the new one, unless it does already."""
    follower = await session.get_one(Actor, before.follower_id)
    follow = vocabulary.follow(before.activity_uri, follower.uri, old.uri)
    undo_uri = translate.activity_uri(home, _digest("unfollow", before.activity_uri, stamp(now)))
    undo = vocabulary.undo(undo_uri, follow, direct([old.uri]), stamp(now))
    await outbox.publish(session, home, follower, undo, [old.inbox], now)
    await session.execute(delete(Following).where(Following.id == before.id))
    same = (Following.follower_id == follower.id, Following.followed == target.uri)
    if await session.scalar(select(Following.id).where(*same)) is not None:
        return
    uri = translate.activity_uri(home, _digest("follow", follower.uri, target.uri, stamp(now)))
    row = {
        "follower_id": follower.id,
        "followed": target.uri,
        "activity_uri": uri,
        "state": "asked",
        "at": now,
    }
    session.add(Following(**row))
    await outbox.publish(
        session, home, follower, vocabulary.follow(uri, follower.uri, target.uri), [target.inbox], now
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
