"""How the pulse of an open round stands, told to who follows it: new counts while it runs, its end once it is over.

The text of the Question never changes here, so `updated` is left as it was: another one would count as an edit, and leaving out
the last one would make some servers drop the counts. Called by the pulses pass and where a Question is fetched.
"""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec, vocabulary
from models import follows, talk
from models.events import log
from models.people import Actor
from models.posts import Post
from models.rules.records import instant
from server import translate
from server.actions import outbox, pulse
from server.home import Home

Json = dict[str, Any]


async def as_now(session: AsyncSession, post: Post, now: datetime) -> Json:
    """The object of a post as it stands at this instant: a Question with its fresh counts, closed once it is over."""
    document: Json = orjson.loads(post.body)
    if document["type"] != "Question" or post.deleted_at is not None:
        return document
    counted = await pulse.counts(session, post)
    over = instant(document["endTime"]) <= now
    return vocabulary.recounted(
        document, dict(counted.options), counted.voters, document["endTime"] if over else None
    )


async def refresh(session: AsyncSession, home: Home, post: Post, now: datetime) -> None:
    """Tell how a round stands to followers and to who answered; at its end also that it is over and no longer pinned."""
    actor = await session.get_one(Actor, post.actor_id)
    if post.deleted_at is not None:
        post.refresh_at = None
        return
    followers = await follows.follower_inboxes(session, actor.id)
    body = await as_now(session, post, now)
    ends = post.featured_until
    over = ends is None or ends <= now
    if body["type"] == "Question":
        post.body = codec.encode(body)
        activity = translate.changed(home, body, f"{post.digest}-{int(now.timestamp())}", now)
        inboxes = {*followers, *await inboxes_of_voters(session, post)}
        await outbox.publish(session, home, actor, activity, inboxes, now, is_public=True, scope=post.scope)
    if over:
        unpin = translate.unpin(home, actor, post.uri, post.digest or "", now)
        await outbox.publish(session, home, actor, unpin, followers, now, is_public=True, scope=post.scope)
    post.refresh_at = None if over else ends
    log(session, "round over" if over else "pulse told", now, scope=post.scope)


async def inboxes_of_voters(session: AsyncSession, post: Post) -> set[str]:
    """Where those are told who answered a pulse or passed it on."""
    voted = select(talk.PulseVote.voter).where(talk.PulseVote.post_id == post.id)
    boosted = select(talk.Reaction.actor).where(
        talk.Reaction.post_id == post.id, talk.Reaction.kind == "announce"
    )
    return await outbox.inboxes_of(session, voted.union(boosted))
