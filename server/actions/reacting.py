"""Likes, boosts and emojis from elsewhere for public posts of ours. None of them is ever a vote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.sites import SERVERS, site_of
from models.base import insert_once
from models.events import log
from models.peers import covers, is_buried
from models.people import Actor
from models.posts import post_by_uri
from models.queues import InboxItem
from models.talk import Reaction

Kind = Literal["like", "announce", "emoji"]
PER_ACTOR: Final = 5  # different emojis to one post
PER_POST: Final = 1_000  # of one server
PER_POST_OF_A_SITE: Final = SERVERS * PER_POST


@dataclass(frozen=True)
class Sign:
    """A reaction: the activity that says it, to what, of which kind, and its emoji."""

    uri: str | None
    object_uri: str
    kind: Kind
    content: str = ""


async def react(session: AsyncSession, sign: Sign, actor: Actor, now: datetime) -> bool:
    """It is noted; False if it is about nothing public of ours, was noted or taken back before, or their server did too much."""
    post = await post_by_uri(session, sign.object_uri)
    if sign.uri is None or post is None or not post.is_public or post.deleted_at is not None:
        return False
    if await is_buried(session, sign.uri, actor.uri):
        return False
    same = (Reaction.actor == actor.uri, Reaction.post_id == post.id, Reaction.kind == sign.kind)
    known = select(Reaction.id).where(*same, Reaction.content == sign.content)
    if (number := await session.scalar(known)) is not None:
        taken = select(Reaction.id).where(Reaction.uri == sign.uri)
        if await session.scalar(taken) is None:
            await session.execute(update(Reaction).where(Reaction.id == number).values(uri=sign.uri))
        return False
    here, site = Reaction.post_id == post.id, site_of(actor.authority)
    bounds = (
        (and_(Reaction.actor == actor.uri, Reaction.kind == sign.kind), PER_ACTOR),
        (Reaction.authority == actor.authority, PER_POST),
        (covers(Reaction.authority, site), PER_POST_OF_A_SITE),
    )
    for theirs, most in bounds:
        if (await session.scalar(select(func.count()).where(here, theirs)) or 0) >= most:
            return False
    row = {
        "uri": sign.uri,
        "kind": sign.kind,
        "actor": actor.uri,
        "authority": actor.authority,
        "post_id": post.id,
        "content": sign.content,
        "at": now,
    }
    await session.execute(insert_once(session, Reaction), row)
    log(session, f"{sign.kind} received", now, actor=actor.uri, scope=post.scope)
    return True


async def take_back(
    session: AsyncSession, sign: Sign | None, uri: str | None, actor: str, now: datetime
) -> bool:
    """A reaction is no more: the one with this id, or else the one that says the same. False if there is none."""
    named = (Reaction.actor == actor, Reaction.uri == uri)
    gone = await session.execute(delete(Reaction).where(*named).returning(Reaction.id))
    found = gone.first() is not None
    if not found and sign is not None and not await _came_before(session, uri):
        post = await post_by_uri(session, sign.object_uri)
        same = (Reaction.actor == actor, Reaction.content == sign.content, Reaction.kind == sign.kind)
        its = Reaction.post_id == (post.id if post else None)
        gone = await session.execute(delete(Reaction).where(*same, its).returning(Reaction.id))
        found = gone.first() is not None
    if found:
        log(session, "reaction taken back", now, actor=actor)
    return found


async def take_back_all(session: AsyncSession, actor: str) -> None:
    """The same for all reactions of an actor that is gone."""
    await session.execute(delete(Reaction).where(Reaction.actor == actor))


async def _came_before(session: AsyncSession, uri: str | None) -> bool:
    """Did this very activity arrive here? Then what stands now is a newer one, which its late Undo leaves alone."""
    return await session.scalar(select(InboxItem.id).where(InboxItem.activity_uri == uri)) is not None
