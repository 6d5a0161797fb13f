"""Claiming what came in. What one actor says is done by one worker, in the order in which it came: who follows and takes that back
does not follow, however many workers there are. What was put off, after its first attempt failed, lets pass what came after it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Integer, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from models.queues import InboxItem

ITEMS: Final[Any] = InboxItem.__table__
WAITING: Final = (
    select(InboxItem)
    .where(InboxItem.outcome.is_(None), InboxItem.due_at <= bindparam("now"))
    .where(or_(InboxItem.lease_until.is_(None), InboxItem.lease_until < bindparam("now")))
    .where(InboxItem.id.not_in(bindparam("taken", expanding=True)))
    .where(InboxItem.signer.not_in(bindparam("passed_over", expanding=True)))
    .order_by(
        InboxItem.outcome, InboxItem.due_at, InboxItem.id
    )  # as the index has them: no more is read than is taken
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
EARLIER: Final = (
    select(ITEMS.c.signer, ITEMS.c.due_at, ITEMS.c.id)
    .where(ITEMS.c.outcome.is_(None), ITEMS.c.due_at <= bindparam("at"))
    .where(or_(ITEMS.c.due_at < bindparam("at"), ITEMS.c.id < bindparam("last")))
    .where(ITEMS.c.signer.in_(bindparam("signers", expanding=True)))
    .where(ITEMS.c.id.not_in(bindparam("ours", expanding=True)))
    .order_by(ITEMS.c.outcome, ITEMS.c.due_at, ITEMS.c.id)
)
TAKE: Final = (
    update(ITEMS)
    .where(ITEMS.c.id.in_(bindparam("ids", expanding=True)))
    .values(lease_until=bindparam("until"), attempts=ITEMS.c.attempts + 1)
)


async def claim_inbox(
    session: AsyncSession, now: datetime, lease: timedelta, most: int, held: Collection[int] = ()
) -> Sequence[InboxItem]:
    """Take up to `most` waiting items, those first that are due for longest; they are ours until the lease ends. `held`: those that
    we took before and are not done with. Who has something in another worker's hands is passed over."""
    items, passed_over = list[InboxItem](), set[str]()
    while len(items) < most:
        taken = [item.id for item in items]
        beside = {"now": now, "taken": taken, "passed_over": list(passed_over), "most": most - len(items)}
        found = (await session.scalars(WAITING, beside)).all()
        late = await _late(session, found, {*held, *taken}) if found else set()
        items += [item for item in found if item.id not in late]
        if not late:
            break
        passed_over |= {item.signer for item in found if item.id in late}
    if items:
        await session.execute(TAKE, {"ids": [item.id for item in items], "until": now + lease})
    for item in items:
        set_committed_value(item, "lease_until", now + lease)
        set_committed_value(item, "attempts", item.attempts + 1)
    return items


async def _late(session: AsyncSession, found: Sequence[InboxItem], ours: Collection[int]) -> set[int]:
    """Those of these waiting items, locked on PostgreSQL, before which something of the same signer is not over that another worker
    has, or is just taking."""
    query = {
        "at": found[-1].due_at,
        "last": found[-1].id,
        "signers": list({item.signer for item in found}),
        "ours": [*ours, *(item.id for item in found)],
    }
    first = dict[str, tuple[Any, int]]()
    for signer, due_at, id_ in await session.execute(EARLIER, query):
        first.setdefault(signer, (due_at, id_))
    return {item.id for item in found if item.signer in first and (item.due_at, item.id) > first[item.signer]}


SETTLE: Final = (
    update(ITEMS)
    .where(ITEMS.c.id == bindparam("claimed"), ITEMS.c.attempts == bindparam("tried"))
    .where(ITEMS.c.outcome.is_(None))
    .values(lease_until=None)
)


async def settle_inbox(session: AsyncSession, items: Sequence[tuple[InboxItem, Mapping[str, Any]]]) -> bool:
    """Write these values (the same columns for all) to claimed items; False if somebody took one over since. On PostgreSQL
    one at a time."""
    rows = [{"claimed": item.id, "tried": item.attempts, **values} for item, values in items]
    result = await session.execute(SETTLE, rows if len(rows) > 1 else rows[0])
    return bool(result.rowcount == len(rows))  # type: ignore[attr-defined]
