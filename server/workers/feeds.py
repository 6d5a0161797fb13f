"""Feeds that are due: what waits is passed on, who did not answer is asked again. Each in one transaction."""

import logging
from datetime import timedelta
from typing import Final

from aiohttp import web

from models.feeds import claim_feeds
from server.actions.passing import advance
from server.keys import CLOCK, DATABASE, HOME

LEASE: Final = timedelta(seconds=60)
AT_ONCE: Final = 20

logger = logging.getLogger(__name__)


async def feeds_due(app: web.Application) -> int:
    """Claim due feeds and advance each; returns how many. One that fails is tried again when its lease ends."""
    database, now = app[DATABASE], app[CLOCK].now()
    async with database.ACT.begin() as session:
        found = await claim_feeds(session, now, LEASE, AT_ONCE)
    for feed_id in found:
        try:
            async with database.ACT.begin() as session:
                await advance(session, app[HOME], feed_id, app[CLOCK].now())
        except Exception:
            logger.exception("feed %s could not be advanced", feed_id)
    return len(found)
