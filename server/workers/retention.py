"""What is old enough goes: handled activities' ids, tombstones, log lines by kind, deliveries given up, what strangers left at the
door. Once an hour, in small batches, so that nobody waits for it. What is kept for ever: records, posts, mandates, and every act
done under one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy import ColumnElement, delete, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from models.accounts import JoinRequest, Lost, Recovery, Spent
from models.events import Event
from models.mails import Mail
from models.notices import Happened, Notice
from models.peers import Tombstone
from models.people import Login, LoginFailure
from models.posts import Activity
from models.queues import Delivery, Destination, InboxItem
from models.remarks import Look
from server.actions.requests import WAITS
from server.keys import CLOCK, DATABASE

EVERY: Final = timedelta(hours=1)
BATCH: Final = 500
MOST_BATCHES: Final = 40  # in one go; the rest an hour later
DAY: Final = timedelta(days=1)
NO_TIME: Final = timedelta()

TRAFFIC: Final = (
    "activity received",
    "activity repeated",
    "activity ignored",
    "records received",
    "records passed over",
    "reply received",
    "reply changed",
    "report received",
    "pulse answered",
    "admission asked for",
)
"""Log lines that other servers and strangers cause, as many as they like."""


@dataclass(frozen=True)
class Kept:
    """Rows of a kind, how long they are kept, and which of them are over at an instant."""

    what: str
    table: Any
    key: Any
    at: Any
    lasts: timedelta
    where: ColumnElement[bool]

    def over(self, now: datetime) -> ColumnElement[bool]:
        """What may go. A row without an instant stays."""
        is_old: ColumnElement[bool] = self.at < now - self.lasts
        return is_old & self.where


NOTHING_WAITS: Final = ~select(Delivery.id).where(Delivery.host == Destination.host).exists()
AT_REST: Final = or_(Destination.failed_at.is_(None), Destination.failed_at < Destination.delivered_at)

# As many as others ask for. What answers an Offer belongs to a decision.
ANSWERS: Final = (
    Activity.type.in_(("Accept", "Reject"))
    & Activity.scope.is_(None)
    & ~Activity.is_public
    & Activity.id.not_in(select(Delivery.activity_id))
)

KEPT: Final = (
    # A signature is good for hours at most, and no object is deleted before it comes by more than that: all far within this.
    Kept(
        "handled activities",
        InboxItem,
        InboxItem.id,
        InboxItem.done_at,
        30 * DAY,
        InboxItem.outcome.is_not(None),
    ),
    Kept("answers given", Activity, Activity.id, Activity.published_at, 30 * DAY, ANSWERS),
    Kept("tombstones", Tombstone, Tombstone.uri, Tombstone.at, 365 * DAY, true()),
    Kept(
        "log lines of traffic",
        Event,
        Event.id,
        Event.at,
        90 * DAY,
        Event.kind.in_(TRAFFIC) & Event.mandate_id.is_(None),
    ),
    Kept(
        "deliveries given up",
        Delivery,
        Delivery.id,
        Delivery.dead_at,
        90 * DAY,
        Delivery.dead_at.is_not(None),
    ),
    Kept("looks at pages", Look, Look.id, Look.at, 365 * DAY, true()),
    Kept(
        "servers without deliveries",
        Destination,
        Destination.host,
        Destination.delivered_at,
        365 * DAY,
        NOTHING_WAITS & AT_REST,
    ),
    Kept("requests to join", JoinRequest, JoinRequest.id, JoinRequest.at, WAITS, true()),
    Kept("log-ins", Login, Login.id, Login.expires_at, NO_TIME, true()),
    Kept("failed attempts", LoginFailure, LoginFailure.id, LoginFailure.until, NO_TIME, true()),
    Kept("lost log-ins asked for", Lost, Lost.id, Lost.at, timedelta(hours=1), true()),
    Kept("challenges used", Spent, Spent.digest, Spent.until, NO_TIME, true()),
    Kept("recovery links", Recovery, Recovery.id, Recovery.created_at, 365 * DAY, true()),
    Kept("mails given up", Mail, Mail.id, Mail.dead_at, 30 * DAY, Mail.dead_at.is_not(None)),
    Kept("notices", Notice, Notice.id, Notice.at, 180 * DAY, true()),
    # Later than what is told of is looked for, and later than any decision is likely to run.
    Kept("what members were told of", Happened, Happened.key, Happened.at, 3 * 365 * DAY, true()),
)


class Pruning:
    """When this process prunes next. Lost when it ends; pruning once more does no harm."""

    def __init__(self) -> None:
        self.due_at: datetime | None = None


PRUNING: web.AppKey[Pruning] = web.AppKey("pruning", Pruning)


async def pruning_due(app: web.Application) -> int:
    """Delete what is old enough, if an hour has passed; returns how many rows."""
    now, pruning = app[CLOCK].now(), app[PRUNING]
    if pruning.due_at is not None and now < pruning.due_at:
        return 0
    pruning.due_at = now + EVERY
    return sum([await _prune(app, kept, now) for kept in KEPT])


async def _prune(app: web.Application, kept: Kept, now: datetime) -> int:
    """One kind of row, batch by batch, each in its own transaction."""
    total = 0
    for _ in range(MOST_BATCHES):
        async with app[DATABASE].ACT.begin() as session:
            some = (await session.scalars(select(kept.key).where(kept.over(now)).limit(BATCH))).all()
            if some:
                await session.execute(delete(kept.table).where(kept.key.in_(some), kept.over(now)))
        total += len(some)
        if len(some) < BATCH:
            break
    return total


async def sizes(session: AsyncSession, now: datetime) -> list[tuple[str, int, int]]:
    """Of each kind of row that is pruned: its name, how many there are, how many of them are over."""
    found = []
    for kept in KEPT:
        count = select(func.count()).select_from(kept.table)
        total = await session.scalar(count.where(kept.where)) or 0
        found.append((kept.what, total, await session.scalar(count.where(kept.over(now))) or 0))
    return found
