"""Somebody elsewhere follows an actor of ours, or no longer does."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import vocabulary
from models import people
from models.base import kept
from models.follows import Follow, follow_of
from models.peers import bury
from models.people import Actor
from models.queues import InboxItem
from server import translate
from server.actions import follows, outbox
from server.actions.follows import Wish
from server.home import Home
from server.keys import HOME
from server.peers.received import DONE, IGNORED, REFUSED, Received, Word

FOLLOWED = frozenset({"collective", "circle", "member", "feed"})

Json = dict[str, Any]
Say = Callable[[Home, Actor, Json, str, str], Json]
Answer = tuple[Actor, Json, list[str]]


async def check_follow(app: web.Application, item: Received) -> str | None:
    """The id of what is followed, or None if it lies on another server."""
    item.require_owner(item.activity.actor)
    whom = item.activity.object_id
    return whom if whom is not None and whom.startswith(app[HOME].uri("")) else None


async def on_follow(
    session: AsyncSession, home: Home, items: Sequence[tuple[Received, str | None]], now: datetime
) -> list[Word]:
    """The signers follow, and are told so; each new Follow is answered anew. The instance itself is not followed, and whoever
    deleted themselves meanwhile follows nobody."""
    gone = await people.take_turns(session, {item.signer.uri for item, _ in items})
    answers: list[Answer] = []
    words: dict[str, Word] = {}
    wishes: dict[str, Wish] = {}
    for item, checked in items:
        id_ = item.activity.id
        if item.signer.uri in gone:
            words[id_] = IGNORED
            continue
        followed = await _locked(session, checked)
        words[id_] = REFUSED
        if followed is not None and followed.gone_at is None:
            if followed.kind in FOLLOWED:
                wishes[id_] = Wish(item.signer, followed, id_)
            else:
                answers.append(_answer(home, translate.reject_follow, item.signer, followed, id_, now))
    may = await follows.follow(session, list(wishes.values()), now)
    for wish, accepted in zip(wishes.values(), may, strict=True):
        words[wish.activity_uri] = DONE if accepted else IGNORED
        if accepted:
            said = (wish.follower, wish.followed, wish.activity_uri, now)
            answers.append(_answer(home, translate.accept_follow, *said))
    await outbox.publish_all(session, home, answers, now)
    return [words[item.activity.id] for item, _ in items]


def _answer(home: Home, say: Say, follower: Actor, followed: Actor, follow_id: str, now: datetime) -> Answer:
    """Who answers, what, and to which inbox. The same Follow may be said, and answered, again."""
    follow = vocabulary.follow(follow_id, follower.uri, followed.uri)
    digest = hashlib.sha256(f"follow {follow_id} {now.isoformat()}".encode()).hexdigest()
    return followed, say(home, followed, follow, follower.uri, digest), [follower.inbox]


@dataclass(frozen=True)
class Undone:
    """What an Undo names: the id of what is undone, and whom it had followed, if it says so."""

    activity_id: str | None
    followed: str | None


async def check_undo(_app: web.Application, item: Received) -> Undone | None:
    """What is undone, as far as it may be a Follow; only the signer's own."""
    inner = item.activity.inner
    if inner is None or not inner.type:
        item.require_own_server(item.activity.object_id)
        return Undone(item.activity.object_id, None)
    if inner.type != "Follow":
        return None
    item.require_owner(inner.owner)
    if inner.id is not None:
        item.require_own_server(inner.id)
    return Undone(inner.id, inner.object_id)


async def on_undo(
    session: AsyncSession, _home: Home, item: Received, checked: Undone | None, now: datetime
) -> Word:
    """The Follow is over; if it is yet to arrive, it will find that it was undone. One that arrived may be said anew."""
    if checked is None:
        return IGNORED
    follower, undone = item.signer.uri, checked.activity_id
    followed = await _locked(session, checked.followed or await _followed_by(session, follower, undone))
    row = await follow_of(session, follower, followed.id) if followed is not None else None
    ended = row is not None and row.activity_uri == undone
    if undone is not None and not ended and not await _was_done(session, undone, follower):
        await bury(session, undone, follower, now)
    if followed is None or row is None or await _is_older(session, undone, row):
        return IGNORED
    await follows.unfollow(session, follower, followed, now)
    return DONE


async def _locked(session: AsyncSession, uri: str | None) -> Actor | None:
    """An actor of ours, locked on PostgreSQL: a Follow and its Undo at the same time come one after the other.
    Rows that refer to it may be written meanwhile. Looked up once in a transaction."""
    if uri is None:
        return None
    locked = kept(session, "followed")
    if uri not in locked:
        locked[uri] = await session.scalar(OURS, {"uri": uri})
    found: Actor | None = locked[uri]
    return found


OURS: Final = (
    select(Actor).where(Actor.uri == bindparam("uri"), Actor.kind != "remote").with_for_update(key_share=True)
)


async def _followed_by(session: AsyncSession, follower: str, activity_uri: str | None) -> str | None:
    query = select(Actor.uri).join(Follow, Follow.followed_id == Actor.id)
    return await session.scalar(query.where(Follow.follower == follower, Follow.activity_uri == activity_uri))


async def _was_done(session: AsyncSession, activity_uri: str, by: str) -> bool:
    its = (InboxItem.activity_uri == activity_uri, InboxItem.signer == by, InboxItem.outcome.is_not(None))
    return await session.scalar(select(InboxItem.id).where(*its)) is not None


async def _is_older(session: AsyncSession, undone: str | None, row: Follow) -> bool:
    """Was the undone Follow one that arrived here before, and was followed by a newer one? Ids that we never saw are
    those of servers that do not remember which Follow they undo (FEP-8fcf)."""
    if undone is None or row.activity_uri == undone:
        return False
    return await session.scalar(select(InboxItem.id).where(InboxItem.activity_uri == undone)) is not None
