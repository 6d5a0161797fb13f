"""A feed passes on what waits: shown by an Announce while the budget lasts, else told in a digest; and takes back what its author
took back. All from rows, in the caller's transaction: who is killed in between has done nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from activitypub.signatures import authority
from models import feeds, follows, people, posts
from models.choices import choice
from models.events import log
from models.feeds import Feed, FeedItem
from models.peers import kept_apart
from models.posts import Activity
from models.rules import passing
from models.rules.passing import BUDGET, HOUR
from server import translate_feeds
from server.actions import asking, outbox
from server.actions.languages import language_of
from server.home import Home

BUDGET_CHOICE = "feed-budget"


async def budget(session: AsyncSession) -> int:
    """How many posts each feed shows within an hour."""
    return int(await choice(session, BUDGET_CHOICE, BUDGET))


async def advance(session: AsyncSession, home: Home, feed_id: int, now: datetime) -> None:
    """Do for a feed what is due now, and write down when to look again."""
    feed = await session.get(Feed, feed_id, with_for_update={"of": Feed}, populate_existing=True)
    if feed is None or feed.ended_at is not None:
        return
    await _take_back(session, home, feed, now)
    waiting = await _wanted(session, home, await feeds.waiting(session, feed.id), now)
    lately = await feeds.passed_on_since(session, feed.id, now - HOUR)
    announced = _announced(lately)
    plan = passing.plan([item.seen_at for item in waiting], announced, await budget(session), now)
    for item in waiting[: plan.show]:
        await _show(session, home, feed, item, now)
    if plan.digest:
        await _tell(session, home, feed, waiting, now)
    passed = len(waiting) if plan.digest else plan.show
    if passed:
        log(session, "posts passed on", now, actor=feed.actor.uri, posts=passed, digest=plan.digest)
    again = await asking.ask_again(session, home, feed.actor, now)
    feed.due_at = min((at for at in (plan.look_at, again) if at is not None), default=None)


async def _wanted(
    session: AsyncSession, home: Home, items: Sequence[FeedItem], now: datetime
) -> list[FeedItem]:
    """Without those of servers that are blocked or limited by now: these are never passed on."""
    servers = {authority(item.author) for item in items} - {home.authority}
    unwanted = await kept_apart(session, servers)
    for item in items:
        if authority(item.author) in unwanted:
            item.gone_at = now
    return [item for item in items if item.gone_at is None]


def _announced(items: Sequence[FeedItem]) -> list[datetime]:
    """When posts were shown by an Announce, also such as were taken back since: followers have seen them."""
    return [item.passed_on_at for item in items if item.passed_on_at is not None and not item.is_in_digest]


async def _show(session: AsyncSession, home: Home, feed: Feed, item: FeedItem, now: datetime) -> None:
    activity = translate_feeds.announce(home, feed.actor, item, now)
    inboxes = await _inboxes(session, home, feed, [item.author])
    await outbox.publish(session, home, feed.actor, activity, inboxes, now, is_public=True)
    item.passed_on_at, item.passed_on_by = now, activity["id"]


async def _tell(
    session: AsyncSession, home: Home, feed: Feed, items: Sequence[FeedItem], now: datetime
) -> None:
    """One Note for all of them; its id follows from the first, so that it cannot be told twice."""
    body = translate_feeds.digest(
        home,
        feed.actor,
        items[0].object_uri,
        items,
        await _names(session, items),
        now,
        await language_of(session),
    )
    await outbox.keep_post(session, feed.actor, body, "digest", now, is_public=True)
    inboxes = await _inboxes(session, home, feed)
    await outbox.publish(
        session, home, feed.actor, translate_feeds.tell_digest(home, body), inboxes, now, is_public=True
    )
    for item in items:
        item.passed_on_at, item.passed_on_by, item.is_in_digest = now, body["id"], True


async def _take_back(session: AsyncSession, home: Home, feed: Feed, now: datetime) -> None:
    """Undo what shows a post that its author deleted; leave its title out of the digest."""
    query = select(FeedItem).where(FeedItem.feed_id == feed.id, FeedItem.gone_at.is_not(None))
    gone = (
        await session.scalars(query.where(FeedItem.passed_on_by.is_not(None)).order_by(FeedItem.id))
    ).all()
    digests = sorted({item.passed_on_by for item in gone if item.is_in_digest and item.passed_on_by})
    for item in gone:
        if not item.is_in_digest:
            await _unannounce(session, home, feed, item, now)
        item.passed_on_by = None
    await session.flush()
    for uri in digests:
        await _retell(session, home, feed, uri, now)
    if gone:
        log(session, "posts taken back", now, actor=feed.actor.uri, posts=len(gone))


async def _unannounce(session: AsyncSession, home: Home, feed: Feed, item: FeedItem, now: datetime) -> None:
    row = await session.scalar(select(Activity).where(Activity.uri == item.passed_on_by))
    if row is None:
        raise LookupError(f"{item.passed_on_by} was published and is not there")
    row.is_public = False  # no longer in the outbox, nor at its address
    undo = translate_feeds.unannounce(home, orjson.loads(row.body), now)
    await outbox.publish(
        session, home, feed.actor, undo, await _inboxes(session, home, feed, [item.author]), now
    )


async def _retell(session: AsyncSession, home: Home, feed: Feed, uri: str, now: datetime) -> None:
    post = await posts.post_by_uri(session, uri)
    if post is None:
        raise LookupError(f"{uri} was published and is not there")
    left = await feeds.items_in(session, feed.id, uri)
    names = await _names(session, left)
    told: dict[str, Any] = orjson.loads(post.body)
    body = translate_feeds.shorter_digest(told, left, names, now, await language_of(session))
    post.body, post.updated_at = codec.encode(body), now
    inboxes = await _inboxes(session, home, feed)
    await outbox.publish(
        session,
        home,
        feed.actor,
        translate_feeds.retell_digest(home, body, now),
        inboxes,
        now,
        is_public=True,
    )


async def _names(session: AsyncSession, items: Iterable[FeedItem]) -> dict[str, str]:
    known = await people.actors_by_uri(session, {item.author for item in items})
    return {uri: actor.name for uri, actor in known.items()}


async def _inboxes(session: AsyncSession, home: Home, feed: Feed, authors: Iterable[str] = ()) -> set[str]:
    """Where a feed's activity goes: to who follows it, and to the authors of what it shows, if they live elsewhere."""
    known = await people.actors_by_uri(session, authors)
    there = {a.shared_inbox or a.inbox for a in known.values() if not a.is_local}
    return {*await follows.follower_inboxes(session, feed.actor_id), *there}
