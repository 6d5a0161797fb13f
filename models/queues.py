"""Rows that are jobs: what came in and waits for its handler, what goes out and waits for its host, scopes that call for a look.

Claiming is one short transaction that sets a lease; whoever dies keeps nothing but a lease, which ends. Attempts are counted
when a row is claimed, so that a job which kills its worker ends as a dead letter too. Deliveries are claimed by destination
host: one row per host gives concurrency, back-off, circuit breaking and the remembered signature scheme in one place.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Executable,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    any_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from models.base import Base, at_commit, insert_once, wake
from models.ledger import Scope
from models.people import Actor
from models.posts import Activity


class InboxItem(Base):
    """An activity that was verified and accepted. Its row stays after handling (without body), so that a repeat is known."""

    __tablename__ = "inbox_items"
    __table_args__ = (Index("ix_inbox_items_due", "outcome", "due_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    activity_uri: Mapped[str] = mapped_column(Text, unique=True)
    signer: Mapped[str] = mapped_column(Text)  # uri of the actor whose key signed the request
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(
        String(16)
    )  # done, ignored, refused, dead; none while it waits
    reason: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None]


class Destination(Base):
    """A host we deliver to. `due_at` is when it may be tried next (null: nothing waits)."""

    __tablename__ = "destinations"

    host: Mapped[str] = mapped_column(String(300), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    lease_until: Mapped[datetime | None]
    fails: Mapped[int] = mapped_column(Integer, default=0)  # in a row
    failed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    scheme: Mapped[str | None] = mapped_column(
        String(16)
    )  # cavage or rfc9421, once it is known which one it takes


class Delivery(Base):
    """One activity for one inbox. Deleted when delivered; kept as a dead letter when given up."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_host_dead_due", "host", "dead_at", "due_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(ForeignKey("destinations.host"))
    inbox: Mapped[str] = mapped_column(Text)
    activity_id: Mapped[int] = mapped_column(ForeignKey("activities.id"))
    signer_id: Mapped[int] = mapped_column(ForeignKey("actors.id"))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime]
    dead_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)


async def accept(session: AsyncSession, activity_uri: str, signer: str, body: bytes, now: datetime) -> bool:
    """Store an accepted activity for its handler. False if it is here already: the first one wins."""
    return bool(await accept_all(session, [(activity_uri, signer, body)], now))


async def accept_all(
    session: AsyncSession,
    arrived: Iterable[tuple[str, str, bytes]],
    now: datetime,
    anew: Mapping[tuple[str, str], datetime] | None = None,
) -> set[str]:
    """Store accepted activities (uri, who signed it, body) for their handlers; returns the uris of those that are new. `anew`: by
    (uri, who signed it) when that was signed which may come again, where what came by that uri before was over by then."""
    rows: list[dict[str, Any]] = [
        {
            "activity_uri": uri,
            "signer": signer,
            "body": body,
            "received_at": now,
            "due_at": now,
            "attempts": 0,
        }
        for uri, signer, body in sorted(arrived, key=itemgetter(0))  # so that nobody waits in a ring
    ]
    new = insert_once(session, InboxItem, "activity_uri")
    stored = set(await session.scalars(new, rows) if rows else ())
    for row in rows if anew else ():
        at = (anew or {}).get((row["activity_uri"], row["signer"]))
        if row["activity_uri"] not in stored and at is not None:
            its = (InboxItem.activity_uri == row["activity_uri"], InboxItem.signer == row["signer"])
            over = (InboxItem.outcome.is_not(None), InboxItem.done_at < at)
            await session.execute(delete(InboxItem).where(*its, *over))
            stored |= set(await session.scalars(new, [row]))
    if stored:
        await wake(session, "inbox")
    return stored


async def waiting_count(session: AsyncSession, most: int) -> int:
    """How many accepted activities wait for their handler, counted no further than `most`."""
    some = select(InboxItem.id).where(InboxItem.outcome.is_(None)).limit(most).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def enqueue(
    session: AsyncSession, activity_id: int, signer_id: int, inboxes: Iterable[tuple[str, str]], now: datetime
) -> None:
    """One delivery per (host, inbox), written when the transaction commits."""
    targets = sorted(set(inboxes))
    for host, inbox in targets:
        row = {"host": host, "inbox": inbox, "activity_id": activity_id, "signer_id": signer_id}
        at_commit(session, _write_deliveries, {**row, "due_at": now, "attempts": 0})
    if targets:
        await wake(session, "delivery")


def _write_deliveries(session: Session, rows: list[dict[str, Any]]) -> None:
    """Hosts are touched once and in order, however often an act publishes, so that nobody waits for another in a ring."""
    touched = sorted({row["host"]: row["due_at"] for row in rows}.items())
    touch = _touch(session.get_bind().dialect.name == "postgresql")
    session.execute(touch, [{"host": host, "due_at": now, "fails": 0} for host, now in touched])
    session.execute(DELIVER, rows)


DELIVERIES: Final[Any] = Delivery.__table__
DELIVER: Final = insert(DELIVERIES)


@cache
def _touch(is_postgresql: bool) -> Executable:
    """Makes hosts known, and due at once; one that fails keeps its pause."""
    hosts: Any = Destination.__table__
    written = (postgresql_insert if is_postgresql else sqlite_insert)(hosts)
    at_once = or_(hosts.c.due_at.is_(None), hosts.c.fails == 0)
    due = case((at_once, written.excluded.due_at), else_=hosts.c.due_at)
    return written.on_conflict_do_update(index_elements=["host"], set_={"due_at": due})


DUE_HOSTS: Final = (
    select(Destination)
    .where(Destination.due_at <= bindparam("now"))
    .where(or_(Destination.lease_until.is_(None), Destination.lease_until < bindparam("now")))
    .order_by(Destination.due_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)


async def claim_hosts(
    session: AsyncSession, now: datetime, lease: timedelta, most: int
) -> Sequence[Destination]:
    """Take up to `most` hosts for which something is due and nobody is sending."""
    hosts = (await session.scalars(DUE_HOSTS, {"now": now, "most": most})).all()
    if hosts:
        claimed = update(Destination).where(Destination.host.in_([host.host for host in hosts]))
        taken = claimed.values(lease_until=now + lease)
        await session.execute(taken.execution_options(synchronize_session=False))
    for host in hosts:
        set_committed_value(host, "lease_until", now + lease)
    return hosts


_WAITING_FOR: Final = (
    select(
        DELIVERIES.c.id,
        func.row_number().over(partition_by=DELIVERIES.c.host, order_by=DELIVERIES.c.id).label("place"),
    )
    .where(DELIVERIES.c.host.in_(bindparam("hosts", expanding=True)), DELIVERIES.c.dead_at.is_(None))
    .where(DELIVERIES.c.due_at <= bindparam("now"))
    .subquery()
)
TRY: Final = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id.in_(select(_WAITING_FOR.c.id).where(_WAITING_FOR.c.place <= bindparam("most"))))
    .values(attempts=DELIVERIES.c.attempts + 1)
    .returning(
        DELIVERIES.c.id,
        DELIVERIES.c.host,
        DELIVERIES.c.inbox,
        DELIVERIES.c.attempts,
        DELIVERIES.c.activity_id,
        DELIVERIES.c.signer_id,
    )
)


async def deliveries_for(
    session: AsyncSession, hosts: Iterable[str], now: datetime, most: int
) -> dict[str, list[tuple[int, str, int, bytes, Actor]]]:
    """What is due for hosts whose leases we hold, at most so many each, oldest first: id, inbox, attempts, body and signer.
    Each is counted as tried."""
    due: dict[str, list[tuple[int, str, int, bytes, Actor]]] = {host: [] for host in hosts}
    rows = sorted((await session.execute(TRY, {"hosts": list(due), "now": now, "most": most})).all())
    bodies = select(Activity.id, Activity.body).where(Activity.id.in_({row.activity_id for row in rows}))
    body_of = {row.id: row.body for row in (await session.execute(bodies)).all()}
    signers = select(Actor).where(Actor.id.in_({row.signer_id for row in rows}))
    signer_of = {actor.id: actor for actor in (await session.scalars(signers)).all()}
    for number, host, inbox, attempts, activity, signer in rows:
        due[host].append((number, inbox, attempts, body_of[activity], signer_of[signer]))
    return due


# One statement with one parameter, however many they are.
MADE_ON_SQLITE: Final = delete(DELIVERIES).where(
    DELIVERIES.c.id.in_(select(func.json_each(bindparam("made")).table_valued("value").c.value))
)
MADE_ON_POSTGRESQL: Final = delete(DELIVERIES).where(
    DELIVERIES.c.id == any_(bindparam("made", type_=ARRAY(Integer)))
)


async def made(session: AsyncSession, deliveries: Iterable[int]) -> None:
    """These deliveries were made: their rows go."""
    numbers = sorted(deliveries)
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(MADE_ON_POSTGRESQL, {"made": numbers})
    else:
        await session.execute(MADE_ON_SQLITE, {"made": json.dumps(numbers)})


async def locked_hosts(session: AsyncSession, hosts: Iterable[str]) -> dict[str, Destination]:
    """The rows of these hosts, locked on PostgreSQL in one order, so that two workers never wait for each other in a ring."""
    query = select(Destination).where(Destination.host.in_(list(hosts))).order_by(Destination.host)
    return {row.host: row for row in (await session.scalars(query.with_for_update())).all()}


async def next_due(session: AsyncSession, hosts: Iterable[str]) -> dict[str, datetime]:
    """When the next living delivery of each of these hosts is due; hosts for which none waits are left out."""
    query = (
        select(Delivery.host, func.min(Delivery.due_at))
        .where(Delivery.host.in_(list(hosts)), Delivery.dead_at.is_(None))
        .group_by(Delivery.host)
    )
    return {host: at for host, at in (await session.execute(query)).all() if at is not None}


async def give_up_old(session: AsyncSession, host: str, before: datetime, now: datetime) -> None:
    """What was published `before` and still waits for this host becomes a dead letter."""
    old = select(Activity.id).where(Activity.published_at < before)
    await session.execute(
        update(Delivery)
        .where(Delivery.host == host, Delivery.dead_at.is_(None), Delivery.activity_id.in_(old))
        .values(dead_at=now, reason="too-old: The other server did not answer for days.")
    )


async def forget_previous_keys(session: AsyncSession, actors: Iterable[Actor]) -> None:
    """The key before is erased once nobody waits any more to be told of the new one."""
    told = {actor.id for actor in actors if actor.previous_rsa is not None}
    if not told:
        return
    waits = (
        select(Delivery.id)
        .join(Activity, Activity.id == Delivery.activity_id)
        .where(Delivery.signer_id == Actor.id, Delivery.dead_at.is_(None))
        .where(Activity.type == "Update", Activity.published_at == Actor.rotated_at)
    )
    over = update(Actor).where(Actor.id.in_(told), ~waits.exists()).values(previous_rsa=None)
    await session.execute(over.execution_options(synchronize_session=False))


async def revive(session: AsyncSession, delivery_ids: Sequence[int], now: datetime) -> None:
    """Send dead letters again, from the first attempt; their hosts are tried at once."""
    mine = Delivery.id.in_(delivery_ids)
    hosts = (await session.scalars(select(Delivery.host).where(mine).distinct())).all()
    for host in (await locked_hosts(session, hosts)).values():
        host.due_at = now
    await session.execute(
        update(Delivery).where(mine).values(dead_at=None, attempts=0, due_at=now, reason=None)
    )


async def due_scopes(session: AsyncSession, now: datetime, lease: timedelta, most: int) -> Sequence[str]:
    """Claim scopes in which time or a new record calls for a look; each is ours until the lease ends."""
    return await _claim_scopes(session, "due", now, lease, most)


async def scopes_to_repair(
    session: AsyncSession, now: datetime, lease: timedelta, most: int
) -> Sequence[str]:
    """Claim scopes whose set root is to be compared with the other participants'."""
    return await _claim_scopes(session, "repair", now, lease, most)


async def _claim_scopes(
    session: AsyncSession, what: str, now: datetime, lease: timedelta, most: int
) -> Sequence[str]:
    at, until = getattr(Scope, f"{what}_at"), getattr(Scope, f"{what}_lease")
    free = (
        select(Scope.id)
        .where(at <= now, or_(until.is_(None), until < now))
        .order_by(at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    ids = (await session.scalars(free)).all()
    claimed = update(Scope).where(Scope.id.in_(ids)).values({f"{what}_lease": now + lease})
    return (await session.scalars(claimed.returning(Scope.name))).all() if ids else []
