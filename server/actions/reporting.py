"""Reports from elsewhere about somebody or something here: kept for those who moderate, passed on to nobody."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import insert_once
from models.events import log
from models.people import Actor
from models.reports import Report
from models.talk import Reply
from server.home import Home

HOUR: Final = timedelta(hours=1)
PER_HOUR: Final = 30  # of one server
MOST_ABOUT: Final = 50
COMMENT_LENGTH: Final = 5_000


async def take_report(
    session: AsyncSession,
    home: Home,
    uri: str,
    reporter: Actor,
    about: Sequence[str],
    comment: str,
    now: datetime,
) -> bool | None:
    """Keep a report that concerns us or what we show; False if it does not or is here, None if their server sent too many."""
    named = list(about[:MOST_ABOUT])
    ours = any(one.startswith(home.uri("")) for one in named)
    if not ours and await session.scalar(select(Reply.id).where(Reply.uri.in_(named)).limit(1)) is None:
        return False
    if await session.scalar(select(Report.id).where(Report.uri == uri)) is not None:
        return False
    lately = (Report.authority == reporter.authority, Report.at > now - HOUR, Report.direction == "in")
    if (await session.scalar(select(func.count()).where(*lately)) or 0) >= PER_HOUR:
        return None
    row = {
        "uri": uri,
        "direction": "in",
        "reporter": reporter.uri,
        "authority": reporter.authority,
        "about": named,
        "comment": comment[:COMMENT_LENGTH],
        "at": now,
    }
    await session.execute(insert_once(session, Report), row)
    log(session, "report received", now)
    return True
