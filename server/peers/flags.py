"""Reports (Flag) from elsewhere, often by the instance actor of the reporter's server."""

from datetime import datetime
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.content import plain
from server.actions import reporting
from server.home import Home
from server.peers.received import DONE, IGNORED, REFUSED, Received, Word

COMMENT_LENGTH: Final = reporting.COMMENT_LENGTH


async def check_flag(_app: web.Application, item: Received) -> str:
    """What the reporter says, as plain text."""
    said = item.activity.raw.get("content")
    return plain(said, COMMENT_LENGTH) if isinstance(said, str) else ""


async def on_flag(session: AsyncSession, home: Home, item: Received, checked: str, now: datetime) -> Word:
    """It is kept for those who moderate, if it is about us or what we show."""
    about = item.activity.object_ids
    kept = await reporting.take_report(session, home, item.activity.id, item.signer, about, checked, now)
    return REFUSED if kept is None else DONE if kept else IGNORED
