"""Once a minute members are told what happened, and e-mail for those who asked for it is made of that. Sending it is another pass.

What happened is found by reading; only what is new begins a transaction that writes.
"""

from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from models import notices
from server.actions import mailing, noticing
from server.keys import CLOCK, DATABASE, HOME, SETTINGS

EVERY: Final = timedelta(minutes=1)


class Noticing:
    """When this process looks next. Lost when it ends; looking once more does no harm."""

    def __init__(self) -> None:
        self.due_at: datetime | None = None


NOTICING: web.AppKey[Noticing] = web.AppKey("noticing", Noticing)


async def notices_due(app: web.Application) -> int:
    """Tell members what is new, if a minute has passed; returns how many notices and mails there are more."""
    now, noticing_ = app[CLOCK].now(), app[NOTICING]
    if noticing_.due_at is not None and now < noticing_.due_at:
        return 0
    noticing_.due_at = now + EVERY
    return await _tell(app, now) + await _make_mail(app, now)


async def _tell(app: web.Application, now: datetime) -> int:
    async with app[DATABASE].READ() as session:
        found = await noticing.find(session, now)
        before = await notices.told_of(session, [told.key for told in found])
        new = [told for told in found if told.key not in before]
        stale = await noticing.stale(session, found)
    if not new and not stale:
        return 0
    async with app[DATABASE].ACT.begin() as session:
        await noticing.settle_stale(session, stale, now)
        return await noticing.tell(session, new, now)


async def _make_mail(app: web.Application, now: datetime) -> int:
    """Mail of what is new, each member's in a transaction of its own. Nothing where no mail is sent."""
    if app[SETTINGS].smtp is None:
        return 0
    made = 0
    async with app[DATABASE].READ() as session:
        at_once = await mailing.waiting_at_once(session, now)
        digests = await mailing.digests_due(session, now)
    for member_id in at_once:
        async with app[DATABASE].ACT.begin() as session:
            made += await mailing.write_at_once(session, app[HOME], member_id, now)
    for member_id in digests:
        async with app[DATABASE].ACT.begin() as session:
            made += await mailing.write_digest(session, app[HOME], member_id, now)
    return made
