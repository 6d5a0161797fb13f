"""What linked collectives publish, noted for the feeds that pass it on: public posts that begin something, each once.

Called for what comes in (`server.peers.feeding`) and for what our own collective publishes (`server.actions.outbox`). Passing on is
`server.actions.passing`. Announces are never noted, so that feeds of each other's collectives do not go round in circles.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import PUBLIC, Activity, Thing
from activitypub.origin import same_origin
from models import feeds
from models.feeds import FeedItem
from models.peers import is_buried
from server.actions.titles import title_of

TYPES: Final = frozenset({"Note", "Question", "Article"})
NOTED: Final = frozenset({"Create", "Update", "Delete"})
MOST_WAITING: Final = 1_000  # of one feed; what comes then is not passed on


async def noted(session: AsyncSession, activity: Activity, now: datetime) -> bool:
    """A Create, Update or Delete by `activity.actor`, who did sign it; True if some feed has to look at it."""
    if activity.type == "Create":
        return await _published(session, activity, now)
    if activity.type == "Update":
        return await _changed(session, activity, now)
    if activity.type == "Delete":
        return await _taken_back(session, activity, now)
    return False


async def _published(session: AsyncSession, activity: Activity, now: datetime) -> bool:
    """A new public post by a source of some feeds waits there to be passed on."""
    post = activity.inner
    if post is None or post.id is None or not _is_for_everybody(activity, post):
        return False
    if post.owner != activity.actor or not same_origin(post.id, activity.actor):
        return False
    found = [
        feed for feed in await feeds.feeds_of(session, activity.actor) if await _wants(session, feed, post)
    ]
    if not found or await is_buried(session, post.id, activity.actor):
        return False
    row = {
        "object_uri": post.id,
        "author": activity.actor,
        "title": title_of(post.raw),
        "link": _link(post, post.id),
        "seen_at": now,
    }
    await feeds.note_items(session, [{"feed_id": feed, **row} for feed in found])
    await feeds.feeds_due_now(session, found, now)
    return True


def _is_for_everybody(activity: Activity, post: Thing) -> bool:
    """Is it a post to the public, and not one that is only not secret?"""
    return post.type in TYPES and PUBLIC in (post.to or activity.to)


async def _wants(session: AsyncSession, feed_id: int, post: Thing) -> bool:
    """Does it begin something, or answer to a collective of the same feed? (A conversation with others is not passed on.)"""
    if await feeds.waiting_count(session, feed_id) >= MOST_WAITING:
        return False
    if post.in_reply_to is None:
        return True
    sources = await feeds.sources(session, feed_id)
    return any(same_origin(post.in_reply_to, source.actor_uri) for source in sources)


def _link(post: Thing, uri: str) -> str:
    """Where people read it: its page if that lies on the same server."""
    page = post.raw.get("url")
    return page if isinstance(page, str) and len(page) <= 2048 and same_origin(page, uri) else uri


async def _changed(session: AsyncSession, activity: Activity, now: datetime) -> bool:
    """What still waits goes under its new title, and not at all if it is no longer for everybody."""
    post = activity.inner
    if post is None or post.id is None or post.owner != activity.actor:
        return False
    found = await feeds.items_of(session, post.id, activity.actor)
    for item in found:
        item.title = title_of(post.raw)
    if _is_for_everybody(activity, post):
        return False
    for item in found:
        item.gone_at = now
    return await _look_again(session, found, now)


async def _taken_back(session: AsyncSession, activity: Activity, now: datetime) -> bool:
    """What its author deleted is not passed on, or is taken back; with the author itself, all that waits."""
    if activity.object_id == activity.actor:
        return await forget(session, activity.actor, now)
    found = await feeds.items_of(session, activity.object_id or "", activity.actor)
    for item in found:
        item.gone_at = now
    return await _look_again(session, found, now)


async def forget(session: AsyncSession, author: str, now: datetime, feed_id: int | None = None) -> bool:
    """Nothing of this author that waits is passed on, by any feed or by this one."""
    query = select(FeedItem).where(FeedItem.author == author, FeedItem.passed_on_at.is_(None))
    if feed_id is not None:
        query = query.where(FeedItem.feed_id == feed_id)
    found = (await session.scalars(query.where(FeedItem.gone_at.is_(None)))).all()
    for item in found:
        item.gone_at = now
    return bool(found)


async def _look_again(session: AsyncSession, items: Sequence[FeedItem], now: datetime) -> bool:
    if items:
        await feeds.feeds_due_now(session, sorted({item.feed_id for item in items}), now)
    return bool(items)
