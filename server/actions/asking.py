"""A feed asks collectives elsewhere for what they publish: the Follow, asked again when there is no answer, and its end."""

import secrets
from datetime import datetime

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import feeds, people
from models.events import log
from models.feeds import Following
from models.people import Actor
from models.posts import Activity
from models.rules.passing import ask_again_at
from server import translate_feeds
from server.actions import outbox
from server.home import Home


async def ask(session: AsyncSession, home: Home, feed: Actor, whom: Actor, now: datetime) -> None:
    """The feed follows `whom` as soon as they accept."""
    uri = await _send(session, home, feed, whom, now)
    session.add(
        Following(follower_id=feed.id, followed=whom.uri, activity_uri=uri, state="asked", times=1, at=now)
    )


async def _send(session: AsyncSession, home: Home, feed: Actor, whom: Actor, now: datetime) -> str:
    activity = translate_feeds.follow(home, feed, whom.uri, secrets.token_hex(16))
    await outbox.publish(session, home, feed, activity, [whom.inbox], now, is_public=True)
    return str(activity["id"])


async def ask_again(session: AsyncSession, home: Home, feed: Actor, now: datetime) -> datetime | None:
    """Who has not answered for days is asked again, a few times; returns when somebody has to be asked next."""
    moments = []
    for row in await feeds.followings(session, feed.id):
        if row.state != "asked":
            continue
        due = ask_again_at(row.at, row.times)
        whom = await people.actor_by_uri(session, row.followed)
        if due is not None and due <= now and whom is not None and whom.gone_at is None:
            row.activity_uri = await _send(session, home, feed, whom, now)
            row.at, row.times = now, row.times + 1
            due = ask_again_at(now, row.times)
        if due is not None and due > now:
            moments.append(due)
    return min(moments, default=None)


async def ask_no_more(session: AsyncSession, home: Home, feed: Actor, followed: str, now: datetime) -> None:
    """The feed no longer follows them, whether or not they had answered; they are told."""
    row = await feeds.following_of(session, feed.uri, followed)
    if row is None:
        return
    asked = await session.scalar(select(Activity.body).where(Activity.uri == row.activity_uri))
    whom = await people.actor_by_uri(session, followed)
    if asked is not None and whom is not None:
        undo = translate_feeds.unfollow(home, feed, orjson.loads(asked), now)
        await outbox.publish(session, home, feed, undo, [whom.inbox], now)
    await session.delete(row)


async def answered(session: AsyncSession, follower: str, by: str, state: str, now: datetime) -> bool:
    """`by` accepted or rejected that an actor of ours follows them; False if it had not asked, or they had said so."""
    row = await feeds.following_of(session, follower, by)
    if row is None or row.state == state:
        return False
    row.state = state
    log(session, f"following {state}", now, actor=by)
    return True
