"""A member's public actor: only for who asks for one. Until then WebFinger and the actor answer 404."""

import re
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from models import follows, people
from models.events import log
from models.follows import Follow
from models.people import Actor, Member
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server import translate
from server.actions import outbox
from server.actions.founding import KeyPair, local_actor
from server.home import Home
from server.viewer import Viewer

HANDLE = re.compile(r"[a-z0-9_]{2,30}")


async def appear(
    session: AsyncSession, home: Home, viewer: Viewer, handle: str, keys: KeyPair, now: datetime
) -> Actor:
    """The member can be found and followed as `@handle@host` from now on. Under the same handle again after disappearing."""
    member = viewer.require_member()
    mine = await session.get(Actor, member.actor_id) if member.actor_id else None
    if mine is not None and mine.gone_at is None:
        raise Conflict("appeared", phrase("You have a public profile already."))
    if mine is not None:
        mine.gone_at = None
        log(session, "member appeared", now)
        return mine
    if not HANDLE.fullmatch(handle):
        raise Invalid({"handle": phrase("Use 2 to 30 small letters, digits or underscores.")})
    if await people.local_actor_by_handle(session, handle) is not None:
        raise Invalid({"handle": phrase("This name is taken here. Choose another.")})
    actor = local_actor(home, "member", "Person", handle, member.name, keys, now)
    session.add(actor)
    await session.flush()
    member.actor_id = actor.id
    log(session, "member appeared", now)
    return actor


async def disappear(session: AsyncSession, home: Home, viewer: Viewer, now: datetime) -> None:
    """The public profile goes: it answers 410, its followers are told and forgotten. What others copied stays with them."""
    if not await vanish(session, home, viewer.require_member(), now):
        raise Conflict("not-there", phrase("You have no public profile."))
    log(session, "member disappeared", now)


async def vanish(session: AsyncSession, home: Home, member: Member, now: datetime) -> bool:
    """The public profile of this member is gone; False if there was none."""
    mine = await session.get(Actor, member.actor_id) if member.actor_id else None
    if mine is None or mine.gone_at is not None:
        return False
    inboxes = await follows.follower_inboxes(session, mine.id)
    await outbox.publish(session, home, mine, translate.farewell(home, mine, now), inboxes, now)
    await session.execute(delete(Follow).where(Follow.followed_id == mine.id))
    mine.gone_at = now
    return True
