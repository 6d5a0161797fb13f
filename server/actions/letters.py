"""Deliveries that were given up: sent again, or forgotten. Under the power to moderate."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import queues
from models.base import wake
from models.events import log
from models.queues import Delivery
from models.rules.phrases import phrase
from models.rules.refusals import NotFound
from server.viewer import Viewer

AT_ONCE: Final = 1_000


async def send_again(
    session: AsyncSession,
    viewer: Viewer,
    now: datetime,
    *,
    letter: int | None = None,
    host: str | None = None,
) -> int:
    """Try one of them, or those to a host, again from the first attempt; returns how many."""
    mandate = viewer.require("moderate")
    ids = await _meant(session, letter, host)
    await queues.revive(session, ids, now)
    await wake(session, "delivery")
    log(session, "dead letters sent again", now, mandate_id=mandate.id, host=host, letters=len(ids))
    return len(ids)


async def forget(
    session: AsyncSession,
    viewer: Viewer,
    now: datetime,
    *,
    letter: int | None = None,
    host: str | None = None,
) -> int:
    """Never try one of them, or those to a host, again; returns how many."""
    mandate = viewer.require("moderate")
    ids = await _meant(session, letter, host)
    await session.execute(delete(Delivery).where(Delivery.id.in_(ids)))
    log(session, "dead letters forgotten", now, mandate_id=mandate.id, host=host, letters=len(ids))
    return len(ids)


async def _meant(session: AsyncSession, letter: int | None, host: str | None) -> Sequence[int]:
    """The oldest of them, at most so many at once; NotFound if there is none (any more)."""
    query = select(Delivery.id).where(Delivery.dead_at.is_not(None))
    query = query.where(Delivery.id == letter) if letter is not None else query.where(Delivery.host == host)
    found = (await session.scalars(query.order_by(Delivery.id).limit(AT_ONCE))).all()
    if not found:
        raise NotFound(
            "letter", phrase("There is no such delivery that was given up. Perhaps it is being sent again.")
        )
    return found
