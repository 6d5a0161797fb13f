"""What changed in a post of a decision, told to who got it: new counts of a round while it runs, its end, words that were removed.

A new count changes no words, so `updated` is left as it was: another one would count as an edit, and leaving out the last one
would make some servers drop the counts. Called by the pulses pass, where a Question is fetched, and when a decision ends early.
"""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec, vocabulary
from models import follows, ledger, talk
from models.base import wake
from models.events import log
from models.people import Actor
from models.posts import Post
from models.rules.records import instant, stamp
from server import translate
from server.actions import outbox, pulse
from server.actions.telling import us
from server.home import Home

Json = dict[str, Any]


async def as_now(session: AsyncSession, post: Post, now: datetime) -> Json:
    """The object of a post as it stands at this instant: a Question with its fresh counts, closed once it is over."""
    document: Json = orjson.loads(post.body)
    if document["type"] != "Question" or post.deleted_at is not None:
        return document
    counted = await pulse.counts(session, post)
    over = instant(document["endTime"]) <= now
    closed = document.get("closed") or (document["endTime"] if over else None)
    return vocabulary.recounted(document, dict(counted.options), counted.voters, closed)


async def refresh(session: AsyncSession, home: Home, post: Post, now: datetime) -> None:
    """Tell how a post stands to followers and to who answered; of a round at its end also that it is no longer pinned."""
    actor = await session.get_one(Actor, post.actor_id)
    if post.deleted_at is not None:
        post.refresh_at = None
        return
    body = await as_now(session, post, now)
    ends, name = post.featured_until, post.uri.rpartition("/")[2]
    over = ends is None or ends <= now
    if body["type"] == "Question" or post.updated_at is not None:
        post.body = codec.encode(body)
        activity = translate.changed(home, body, f"{name}-{int(now.timestamp())}", now)
        inboxes = await _holders(session, home, post, actor)
        await outbox.publish(session, home, actor, activity, inboxes, now, is_public=True, scope=post.scope)
    if ends is not None and over:
        unpin = translate.unpin(home, actor, post.uri, name, now)
        followers = await follows.follower_inboxes(session, actor.id)
        await outbox.publish(session, home, actor, unpin, followers, now, is_public=True, scope=post.scope)
        post.featured_until = None
    post.refresh_at = None if over else ends
    log(session, _done(post, over=over), now, scope=post.scope)


def _done(post: Post, *, over: bool) -> str:
    if post.kind != "round":
        return "removal told"
    return "round over" if over else "pulse told"


async def end_early(session: AsyncSession, scope: str, now: datetime) -> None:
    """The decision is over before its voting closed: so are its rounds, from this instant on."""
    open_still = (Post.scope == scope, Post.kind == "round", Post.is_public, Post.featured_until > now)
    for post in (await session.scalars(select(Post).where(*open_still))).all():
        post.body = codec.encode(closed(orjson.loads(post.body), now))
        post.featured_until = post.refresh_at = now
        await wake(session, "pulses")


def closed(document: Json, now: datetime) -> Json:
    """A Question that is closed from now on. Its `endTime` stays: another one would begin the poll anew on some servers."""
    return {**document, "closed": stamp(now)} if document["type"] == "Question" else document


async def _holders(session: AsyncSession, home: Home, post: Post, actor: Actor) -> set[str]:
    """Where copies of a post are: with followers, and with who answered a pulse, replied or passed it on. Where its words changed
    also with whoever else got them first."""
    voted = select(talk.PulseVote.voter).where(talk.PulseVote.post_id == post.id)
    replied = select(talk.Reply.author).where(talk.Reply.post_id == post.id)
    boosted = select(talk.Reaction.actor).where(
        talk.Reaction.post_id == post.id, talk.Reaction.kind == "announce"
    )
    found = set(await follows.follower_inboxes(session, actor.id))
    found |= await outbox.inboxes_of(session, voted.union(replied, boosted))
    scope = await ledger.scope_named(session, post.scope) if post.scope and post.updated_at else None
    if scope is not None:
        collective, _ = await us(session)
        found.update(await outbox.audience_inboxes(session, scope, (collective, actor), home.authority))
    return found
