"""Somebody elsewhere wants nothing to do with an actor of ours, or is gone altogether."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.signatures import authority
from models.events import log
from models.feeds import Following
from models.people import Actor
from models.queues import Delivery
from models.talk import PulseVote, Quote
from server.actions import follows, reacting, threads


async def part(session: AsyncSession, other: Actor, ours: Actor, now: datetime) -> None:
    """Neither follows the other any more, and what waits to be sent from one to the other is not sent."""
    await follows.unfollow(session, other.uri, ours, now)
    both = (Following.follower_id == ours.id, Following.followed == other.uri)
    await session.execute(delete(Following).where(*both))
    await _drop_deliveries(session, other, ours.id)
    log(session, "blocked by", now, actor=other.uri)


async def forget(session: AsyncSession, gone: Actor, now: datetime) -> None:
    """An actor elsewhere is gone: its follows, words and reactions go. Its answers to pulses stay counted, without its name."""
    gone.gone_at = now
    forgotten = await follows.forget_follower(session, gone.uri, now)
    withdrawn = await threads.withdraw_all(session, gone.uri, now)
    await reacting.take_back_all(session, gone.uri)
    await session.execute(delete(Following).where(Following.followed == gone.uri))
    await session.execute(update(Quote).where(Quote.author == gone.uri).values(revoked_at=now))
    for vote in (await session.scalars(select(PulseVote).where(PulseVote.voter == gone.uri))).all():
        vote.voter = vote.uri = f"gone:{vote.id}"
    await _drop_deliveries(session, gone)
    log(session, "actor gone", now, actor=gone.uri, follows=forgotten, replies=withdrawn)


async def _drop_deliveries(session: AsyncSession, other: Actor, signer_id: int | None = None) -> None:
    """What waits for this actor's own inbox goes; a shared inbox is for others too."""
    same = (Actor.authority == other.authority, Actor.inbox == other.inbox, Actor.uri != other.uri)
    if await session.scalar(select(func.count()).select_from(Actor).where(*same)):
        return
    theirs = (Delivery.host == authority(other.inbox), Delivery.inbox == other.inbox)
    waiting = delete(Delivery).where(*theirs, Delivery.dead_at.is_(None))
    if signer_id is not None:
        waiting = waiting.where(Delivery.signer_id == signer_id)
    await session.execute(waiting)
