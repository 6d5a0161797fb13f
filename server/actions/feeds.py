"""Federation feeds: a followable actor that passes on what linked collectives publish. Made, changed and ended under `speak`, as it
speaks to the public from our address.

Whom it passes on is looked up before; passing on is `server.actions.passing`.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from models import feeds, follows, people
from models.choices import choose
from models.events import log
from models.feeds import Feed, FeedSource
from models.follows import Follow
from models.peers import kept_apart
from models.people import Actor
from models.rules.passing import MOST_BUDGET
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound
from server import translate
from server.actions import asking, feed_items, outbox
from server.actions.appearing import HANDLE
from server.actions.founding import KeyPair, local_actor
from server.actions.languages import language_of
from server.actions.passing import BUDGET_CHOICE
from server.actions.telling import us
from server.home import Home
from server.language import said_in, speaking
from server.viewer import Viewer

POWER: Final = "speak"
MOST_FEEDS: Final = 20
MOST_SOURCES: Final = 50
NAME_LENGTH: Final = 120


async def make(
    session: AsyncSession, home: Home, viewer: Viewer, handle: str, name: str, keys: KeyPair, now: datetime
) -> Feed:
    """A feed that can be followed as `@handle@host` from now on; our own collective is its first source."""
    mandate = viewer.require(POWER)
    wrong = {}
    if not 1 <= len(name) <= NAME_LENGTH:
        wrong["name"] = phrase("Give it a name of at most {n} characters.", n=NAME_LENGTH)
    if not HANDLE.fullmatch(handle):
        wrong["handle"] = phrase("Use 2 to 30 small letters, digits or underscores.")
    elif await people.local_actor_by_handle(session, handle) is not None:
        wrong["handle"] = phrase("This name is taken here. Choose another.")
    if wrong:
        raise Invalid(wrong)
    if len(await feeds.feeds(session)) >= MOST_FEEDS:
        raise Conflict(
            "too-many-feeds",
            phrase("There are {n} feeds already. End one of them first.", n=MOST_FEEDS),
        )
    collective, _ = await us(session)
    with speaking(await language_of(session)):
        summary = said_in(
            phrase("What linked collectives publish, each post once. Kept by {name}.", name=collective.name)
        )
    actor = local_actor(home, "feed", "Group", handle, name, keys, now, summary)
    actor.scopes = None
    session.add(actor)
    await session.flush()
    feed = Feed(actor=actor, mandate_id=mandate.id, created_at=now)
    session.add(feed)
    await session.flush()
    session.add(FeedSource(feed_id=feed.id, actor_uri=collective.uri))
    log(session, "feed made", now, actor=actor.uri, mandate_id=mandate.id)
    return feed


async def named(session: AsyncSession, handle: str, *, lock: bool = False) -> Feed:
    """The feed of this handle; NotFound if there is none, or no more."""
    found = await feeds.feed_named(session, handle, lock=lock)
    if found is None:
        raise NotFound("feed", phrase("There is no such feed here, or it has ended."))
    return found


async def add(
    session: AsyncSession, home: Home, viewer: Viewer, handle: str, source: Actor, now: datetime
) -> None:
    """From now on the feed passes on what this collective publishes; one elsewhere is asked first."""
    mandate = viewer.require(POWER)
    feed = await named(session, handle, lock=True)
    sources = await feeds.sources(session, feed.id)
    problem = await _problem(session, source, [one.actor_uri for one in sources])
    if problem:
        raise Invalid({"source": problem})
    session.add(FeedSource(feed_id=feed.id, actor_uri=source.uri))
    if not source.is_local:
        await asking.ask(session, home, feed.actor, source, now)
    await feeds.feeds_due_now(session, [feed.id], now)
    log(session, "feed source added", now, actor=feed.actor.uri, mandate_id=mandate.id, source=source.uri)


async def _problem(session: AsyncSession, source: Actor, listed: list[str]) -> str:
    """Why a feed cannot pass on what this actor publishes; empty if it can."""
    is_ours = source.is_local and source.kind == "collective"
    if not is_ours and not source.is_kin:
        return phrase(
            "{address} is no collective: a feed passes on what collectives publish, and no other feed, circle or person.",
            address=source.address,
        )
    if source.uri in listed:
        return phrase("{address} is in this feed already.", address=source.address)
    if len(listed) >= MOST_SOURCES:
        return phrase("A feed passes on at most {n} collectives.", n=MOST_SOURCES)
    if not is_ours and await kept_apart(session, [source.authority]):
        return phrase("The server {authority} is blocked or limited here.", authority=source.authority)
    return ""


async def remove(
    session: AsyncSession, home: Home, viewer: Viewer, handle: str, source: str, now: datetime
) -> None:
    """The feed no longer passes on this collective, not even what waits; what it has passed on stays."""
    mandate = viewer.require(POWER)
    feed = await named(session, handle, lock=True)
    rows = await feeds.sources(session, feed.id)
    row = next((one for one in rows if one.actor_uri == source), None)
    if row is None:
        raise NotFound("source", phrase("This collective is not in the feed, or no longer."))
    await session.delete(row)
    await asking.ask_no_more(session, home, feed.actor, source, now)
    await feed_items.forget(session, source, now, feed.id)
    log(session, "feed source removed", now, actor=feed.actor.uri, mandate_id=mandate.id, source=source)


async def end(session: AsyncSession, home: Home, viewer: Viewer, handle: str, now: datetime) -> None:
    """The feed is over: its address answers 410, who followed it is told, and it follows nobody. It cannot come back."""
    mandate = viewer.require(POWER)
    feed = await named(session, handle, lock=True)
    for row in await feeds.followings(session, feed.actor_id):
        await asking.ask_no_more(session, home, feed.actor, row.followed, now)
    inboxes = await follows.follower_inboxes(session, feed.actor_id)
    await outbox.publish(session, home, feed.actor, translate.farewell(home, feed.actor, now), inboxes, now)
    await session.execute(delete(Follow).where(Follow.followed_id == feed.actor_id))
    feed.ended_at, feed.due_at, feed.actor.gone_at = now, None, now
    log(session, "feed ended", now, actor=feed.actor.uri, mandate_id=mandate.id)


async def set_budget(session: AsyncSession, viewer: Viewer, most: int, now: datetime) -> None:
    """Each feed shows at most so many posts within an hour from now on."""
    mandate = viewer.require(POWER)
    if not 1 <= most <= MOST_BUDGET:
        raise Invalid({"budget": phrase("Choose a number from 1 to {n}.", n=MOST_BUDGET)})
    await choose(session, BUDGET_CHOICE, most, now, mandate.id)
    await feeds.feeds_due_now(session, [feed.id for feed in await feeds.feeds(session)], now)
    log(session, "feed budget set", now, mandate_id=mandate.id, budget=most)
