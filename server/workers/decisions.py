"""Decisions in which time or a new record calls for a look: what this instance must now say is said (acks, receipts, results)."""

import logging
from datetime import timedelta

from aiohttp import web

from models import queues
from server.actions.keeping import advance
from server.keys import CLOCK, DATABASE, HOME

LEASE = timedelta(seconds=60)
AT_ONCE = 20

logger = logging.getLogger(__name__)


async def decisions_due(app: web.Application) -> int:
    """Claim due scopes and advance each in a transaction of its own. One that fails is tried again when its lease ends."""
    database, now = app[DATABASE], app[CLOCK].now()
    async with database.ACT.begin() as session:
        names = await queues.due_scopes(session, now, LEASE, AT_ONCE)
    for name in names:
        try:
            async with database.ACT.begin() as session:
                await advance(session, app[HOME], name, app[CLOCK].now())
        except Exception:
            logger.exception("decision %s could not be advanced", name)
    return len(names)
