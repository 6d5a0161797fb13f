"""Reports: from elsewhere about somebody or something here, kept for those who moderate; and ours to other servers."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.errors import Malformed
from activitypub.origin import same_origin
from activitypub.sites import SERVERS, site_of
from models.base import insert_once
from models.events import log
from models.peers import covers
from models.people import Actor
from models.reports import Report
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound
from models.talk import Reply
from server import translate
from server.actions import outbox
from server.actions.telling import us
from server.home import Home
from server.viewer import Viewer

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
    lately, site = (Report.at > now - HOUR, Report.direction == "in"), site_of(reporter.authority)
    bounds = ((Report.authority == reporter.authority, 1), (covers(Report.authority, site), SERVERS))
    for theirs, times in bounds:
        if (await session.scalar(select(func.count()).where(theirs, *lately)) or 0) >= times * PER_HOUR:
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


def _check_report(whom: Actor, posts: Sequence[str], comment: str) -> None:
    if whom.is_local:
        raise Invalid({"whom": phrase("This is somebody here: there is no other server to tell.")})
    if len(posts) >= MOST_ABOUT or not all(_is_beside(one, whom.uri) for one in posts):
        raise Invalid(
            {
                "posts": phrase(
                    "At most {n} addresses of posts, each on {authority}.",
                    n=MOST_ABOUT - 1,
                    authority=whom.authority,
                )
            }
        )
    if not comment.strip() or len(comment) > COMMENT_LENGTH:
        raise Invalid(
            {
                "comment": phrase(
                    "Say what is wrong, in at most {n} characters.",
                    n=COMMENT_LENGTH,
                )
            }
        )


async def send_report(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    whom: Actor,
    posts: Sequence[str],
    comment: str,
    now: datetime,
) -> Report:
    """Report an actor elsewhere, and posts of their server, to that server. Our instance says so, not whoever reports."""
    mandate = viewer.require("moderate")
    _check_report(whom, posts, comment)
    _, instance = await us(session)
    about = [whom.uri, *dict.fromkeys(posts)]
    digest = hashlib.sha256("\n".join(["flag", *about, comment, now.isoformat()]).encode()).hexdigest()
    activity = translate.flag(home, instance, about, comment.strip(), digest)
    await outbox.publish(session, home, instance, activity, [whom.shared_inbox or whom.inbox], now)
    row = Report(
        uri=activity["id"],
        direction="out",
        reporter=instance.uri,
        authority=whom.authority,
        about=about,
        comment=comment.strip(),
        at=now,
        mandate_id=mandate.id,
    )
    session.add(row)
    await session.flush()
    log(session, "report sent", now, mandate_id=mandate.id, host=whom.authority)
    return row


async def close_report(session: AsyncSession, viewer: Viewer, number: int, note: str, now: datetime) -> None:
    """A report is dealt with; the note says what came of it."""
    mandate = viewer.require("moderate")
    row = await session.get(Report, number, with_for_update=True)
    if row is None:
        raise NotFound("report", phrase("There is no such report."))
    if row.closed_at is not None:
        raise Conflict("report-closed", phrase("This report was closed before."))
    if not note.strip() or len(note) > COMMENT_LENGTH:
        raise Invalid({"note": phrase("Say what came of it, for whoever moderates after you.")})
    row.closed_at, row.closed_under, row.closed_note = now, mandate.id, note.strip()
    log(session, "report closed", now, mandate_id=mandate.id, report=number)


def _is_beside(uri: str, other: str) -> bool:
    """Do both lie on one server? Not if one is no address at all."""
    try:
        return same_origin(uri, other)
    except Malformed:
        return False
