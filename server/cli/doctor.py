"""`jura doctor`: is everything as it should be? `--rebuild` recomputes every derived row from the records and compares."""

import argparse
import asyncio
from datetime import datetime

from sqlalchemy import func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import mails
from models.base import open_database
from models.decisions import Decision
from models.ledger import RecordRow, Scope
from models.migrations import check
from models.queues import Delivery, InboxItem
from server.actions.hearing import derived, verified_or_none
from server.cli import counted
from server.clock import FileClock, SystemClock
from server.settings import Settings, read_settings
from server.workers import retention


def flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="recompute all derived rows from the records, compare, and mend",
    )


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_examine(rebuild=args.rebuild))


async def _examine(*, rebuild: bool) -> int:
    settings = read_settings()
    now = (FileClock(settings.clock) if settings.clock else SystemClock()).now()
    database = open_database(settings.database)
    try:
        await check(database.engine)
        async with database.READ() as session:
            await _queues(session)
            await _mail(session, settings)
            await _sizes(session, now)
        if not rebuild:
            return 0
        async with database.ACT.begin() as session:
            broken = different = 0
            for scope in (await session.scalars(select(Scope).order_by(Scope.id))).all():
                found = await _broken_records(session, scope)
                broken += found
                different += 0 if found else await rebuild_scope(session, scope, now)
    finally:
        await database.close()
    if different:
        print(counted(different, "difference", "differences") + " found and mended.")
    if broken:
        changed = counted(broken, "stored record was", "stored records were")
        print(f"{changed} changed by somebody: restore a backup. Nothing was derived from their decisions.")
    if not different and not broken:
        print("All derived rows equal their records.")
    return 1 if different or broken else 0


async def _queues(session: AsyncSession) -> None:
    inbox = await session.scalar(select(func.count()).where(InboxItem.outcome.is_(None))) or 0
    waiting = await session.scalar(select(func.count()).where(Delivery.dead_at.is_(None))) or 0
    dead = await session.scalar(select(func.count()).where(Delivery.dead_at.is_not(None))) or 0
    waits = counted(inbox, "activity waits for its handler", "activities wait for their handler")
    sent = counted(waiting, "delivery waits", "deliveries wait")
    print(f"{waits}; {sent}; {counted(dead, 'was', 'were')} given up.")


async def _mail(session: AsyncSession, settings: Settings) -> None:
    """Does e-mail wait, and could it be sent at all?"""
    waiting, dead, oldest = await mails.counts(session)
    since = f" (the oldest since {oldest:%Y-%m-%d %H:%M} UTC)" if oldest else ""
    waits = counted(waiting, "mail waits", "mails wait")
    print(f"{waits}{since}; {counted(dead, 'was', 'were')} given up.")
    if settings.smtp is None:
        print("No e-mail is sent: JURA_SMTP is not set.")


async def _sizes(session: AsyncSession, now: datetime) -> None:
    """How big is what grows with what others send, and what of it goes within the hour."""
    for what, total, over in await retention.sizes(session, now):
        print(f"{what}: {total}" + (f", {over} of them old enough to go" if over else ""))


async def _broken_records(session: AsyncSession, scope: Scope) -> int:
    """Say which stored records no longer verify."""
    broken = 0
    for row in (await session.scalars(select(RecordRow).where(RecordRow.scope_id == scope.id))).all():
        if not _is_whole(row):
            print(f"decision {scope.name[:12]}: record {row.digest[:12]} does not verify")
            broken += 1
    return broken


def _is_whole(row: RecordRow) -> bool:
    try:
        signed = verified_or_none(row.document)
    except ValueError:  # not even JSON any more
        return False
    return signed is not None and signed.record.digest == row.digest


async def rebuild_scope(session: AsyncSession, scope: Scope, now: datetime) -> int:
    """Recompute the derived row of a decision, as of the instant at which it was made, and put it in place; returns how many
    columns differed. A row that waits for its next look (new records, or its time has come) is not a difference."""
    stood = await session.get(Decision, scope.id)
    if scope.due_at is not None and scope.due_at <= now:
        await session.merge(await derived(session, scope, now))
        return 0
    fresh = await derived(session, scope, stood.as_of if stood else now)
    columns = [c.key for c in inspect(Decision).columns]
    different = [c for c in columns if stood is None or getattr(stood, c) != getattr(fresh, c)]
    for column in different:
        print(
            f"decision {scope.name[:12]}: {column} was {getattr(stood, column, None)!r}, is {getattr(fresh, column)!r}"
        )
    await session.merge(fresh)
    return len(different)
