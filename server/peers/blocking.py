"""Somebody elsewhere blocks an actor of ours: we leave each other alone."""

from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from server.actions import parting
from server.home import Home
from server.keys import HOME
from server.peers.received import DONE, IGNORED, Received, Word


async def check_block(app: web.Application, item: Received) -> str | None:
    """The id of who is blocked, or None if it lies on another server."""
    whom = item.activity.object_id
    return whom if whom is not None and whom.startswith(app[HOME].uri("")) else None


async def on_block(
    session: AsyncSession, _home: Home, item: Received, checked: str | None, now: datetime
) -> Word:
    """Neither follows the other any more; what waits for the blocker is not sent. Taking a block back brings nothing back."""
    ours = await people.actor_by_uri(session, checked) if checked is not None else None
    if ours is None or not ours.is_local:
        return IGNORED
    await parting.part(session, item.signer, ours, now)
    return DONE
