"""What others take out of collections of theirs: pins, mostly. We keep none of them."""

from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from server.home import Home
from server.peers.received import IGNORED, Received, Word


async def check_remove(_app: web.Application, item: Received) -> None:
    """Out of a collection on the signer's own server."""
    item.require_own_server(item.activity.target)


async def on_remove(
    _session: AsyncSession, _home: Home, _item: Received, _checked: None, _now: datetime
) -> Word:
    """Nothing is taken out here: what was pinned there was never kept."""
    return IGNORED
