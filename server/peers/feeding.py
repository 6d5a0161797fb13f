"""What feeds learn from the inbox about themselves: how their Follow was answered. (What the collectives that they follow publish
may mean something else too: `server.peers.received.act_on` has it noted.)"""

from datetime import datetime
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import posts
from models.people import Actor
from server.actions import asking
from server.home import Home
from server.peers.received import DONE, IGNORED, Received, Word

STATES: Final = {"Accept": "accepted", "Reject": "rejected"}


async def check_answer(_app: web.Application, _item: Received) -> None:
    """Only who was asked can answer, and only what was asked: rows say which."""


async def on_answer(session: AsyncSession, _home: Home, item: Received, _: None, now: datetime) -> Word:
    """The Follow is accepted or rejected; an answer to one that was never sent, or was undone, is ignored."""
    follower = await _who_asked(session, item)
    state = STATES[item.activity.type]
    if follower is None or not await asking.answered(session, follower, item.signer.uri, state, now):
        return IGNORED
    return DONE


async def _who_asked(session: AsyncSession, item: Received) -> str | None:
    """Which actor of ours sent the Follow that is answered: by its id, or as it is repeated inside."""
    answered, inner = item.activity.object_id, item.activity.inner
    sent = await posts.activity_by_uri(session, answered) if answered is not None else None
    if sent is not None:
        who = await session.get(Actor, sent.actor_id) if sent.type == "Follow" else None
        return who.uri if who is not None else None
    return inner.owner if inner is not None and inner.type == "Follow" else None
