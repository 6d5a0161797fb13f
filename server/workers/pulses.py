"""Rounds of which a new count, or the end, is to be told: one short transaction each."""

import logging

from aiohttp import web

from models import posts
from server.actions.refreshing import refresh
from server.keys import CLOCK, DATABASE, HOME

AT_ONCE = 20

logger = logging.getLogger(__name__)


async def pulses_due(app: web.Application) -> int:
    """Tell what is due; a round of which it fails waits for the next look, and holds up no other."""
    database, now, told = app[DATABASE], app[CLOCK].now(), 0
    async with database.READ() as session:
        due = await posts.due_rounds(session, now, AT_ONCE)
    for number in due:
        try:
            async with database.ACT.begin() as session:
                post = await posts.due_round(session, number, now)
                if post is not None:
                    await refresh(session, app[HOME], post, now)
                    told += 1
        except Exception:
            logger.exception("the count of post %s could not be told", number)
    return told
