"""Publishing: the activity, what it carries and one delivery per inbox, all in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from activitypub.signatures import authority
from models import follows, ledger, queues
from models.ledger import Scope
from models.people import Actor
from models.posts import Activity, Post
from server.actions import feed_items
from server.home import Home


async def publish(
    session: AsyncSession,
    home: Home,
    actor: Actor,
    activity: Mapping[str, Any],
    inboxes: Iterable[str],
    now: datetime,
    *,
    is_public: bool = False,
    scope: str | None = None,
) -> None:
    """Store an activity of a local actor, with its proof and byte for byte as it will go out, and queue it for each inbox once."""
    await publish_all(session, home, [(actor, activity, inboxes)], now, is_public=is_public, scope=scope)


async def publish_all(
    session: AsyncSession,
    home: Home,
    said: Sequence[tuple[Actor, Mapping[str, Any], Iterable[str]]],
    now: datetime,
    *,
    is_public: bool = False,
    scope: str | None = None,
) -> None:
    """The same for several activities, each with its actor and its inboxes."""
    common = {"is_public": is_public, "scope": scope, "published_at": now}
    rows = [
        {
            "uri": activity["id"],
            "actor_id": actor.id,
            "type": activity["type"],
            "body": codec.encode(home.prove(activity, actor, now)),
            **common,
        }
        for actor, activity, _ in said
    ]
    numbers = {row.uri: row.id for row in await session.execute(PUBLISH, rows)} if rows else {}
    for actor, activity, inboxes in said:
        targets = {(authority(inbox), inbox) for inbox in inboxes}
        await queues.enqueue(session, numbers[activity["id"]], actor.id, targets, now)
        if actor.kind == "collective" and activity["type"] in feed_items.NOTED:
            await feed_items.noted(
                session, codec.tidy(dict(activity)), now
            )  # our own posts go into feeds, too


ACTIVITIES: Final[Any] = Activity.__table__
PUBLISH: Final = insert(ACTIVITIES).returning(ACTIVITIES.c.uri, ACTIVITIES.c.id)


async def keep_post(
    session: AsyncSession,
    actor: Actor,
    body: Mapping[str, Any],
    kind: str,
    now: datetime,
    *,
    is_public: bool,
    scope: str | None = None,
    digest: str | None = None,
    featured_until: datetime | None = None,
    thread: str | None = None,
    source: str | None = None,
    mandate_id: int | None = None,
) -> Post:
    """Store an object of ours so that it can be fetched by its id. What is featured is told to be over when it is."""
    row = Post(
        uri=body["id"],
        actor_id=actor.id,
        kind=kind,
        scope=scope,
        digest=digest,
        is_public=is_public,
        body=codec.encode(dict(body)),
        published_at=now,
        featured_until=featured_until,
        refresh_at=featured_until if is_public else None,
        in_reply_to=body.get("inReplyTo"),
        thread=thread if is_public else None,
        source=source,
        mandate_id=mandate_id,
    )
    session.add(row)
    await session.flush()
    return row


async def participant_inboxes(session: AsyncSession, scope: Scope, home_authority: str) -> list[str]:
    """Where records of a scope go: the collectives that take part, except our own."""
    uris = [
        p.actor_uri for p in await ledger.participants(session, scope.id) if p.authority != home_authority
    ]
    rows = (await session.scalars(select(Actor).where(Actor.uri.in_(uris)))).all()
    return sorted({actor.shared_inbox or actor.inbox for actor in rows})


async def inboxes_of(session: AsyncSession, uris: Any) -> set[str]:
    """Where actors elsewhere get what is for them, those that we know and that are not gone; `uris` is a list or a query."""
    known = select(Actor.shared_inbox, Actor.inbox).where(
        Actor.uri.in_(uris), Actor.kind == "remote", Actor.gone_at.is_(None)
    )
    return {shared or inbox for shared, inbox in (await session.execute(known)).all()}


async def audience_inboxes(
    session: AsyncSession, scope: Scope, speakers: Iterable[Actor], home_authority: str
) -> list[str]:
    """Participants, and where the decision is public also who follows one of the speakers: the collective, its circle."""
    inboxes = set(await participant_inboxes(session, scope, home_authority))
    for actor in speakers if scope.visibility == "public" else ():
        inboxes.update(await follows.follower_inboxes(session, actor.id))
    return sorted(inboxes)
