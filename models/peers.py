"""Other servers: their health, blocks, and what was undone before it arrived."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    ForeignKey,
    Integer,
    String,
    Text,
    and_,
    bindparam,
    false,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.choices import Choice
from models.people import Actor
from models.rules import peering

HOUR: Final = timedelta(hours=1)
AT_ONCE: Final = 1_000  # servers that are looked up in one go
SEEN_AGAIN_AFTER: Final = timedelta(minutes=1)  # a peer that talks all the time is not written down each time


class Peer(Base):
    """One other server, by authority (host[:port])."""

    __tablename__ = "peers"

    authority: Mapped[str] = mapped_column(String(300), primary_key=True)
    is_blocked: Mapped[bool] = mapped_column(Boolean, default=False)
    is_limited: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default=false()
    )  # heard, not shown to strangers
    is_allowed: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default=false()
    )  # where only the allowed may
    note: Mapped[str | None] = mapped_column(Text)  # why, for who moderates later
    changed_at: Mapped[datetime | None]
    changed_under: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    seen_at: Mapped[datetime | None]
    clock_offset: Mapped[float | None] = mapped_column(
        Float
    )  # seconds their Date header is ahead of our clock
    keys_refetched_at: Mapped[datetime | None]
    new_actors: Mapped[int] = mapped_column(Integer, default=0)  # discovered since `new_actors_since`
    new_actors_since: Mapped[datetime | None]


class Tombstone(Base):
    """An object or activity that was deleted or undone, perhaps before we ever saw it. It counts for who did that alone: somebody
    else on the same server may have said so of what is not theirs."""

    __tablename__ = "tombstones"

    uri: Mapped[str] = mapped_column(Text, primary_key=True)
    owner: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime]


KEY_HOLDERS: Final = (
    select(Actor)
    .where(Actor.key_id.in_(bindparam("key_ids", expanding=True)), Actor.gone_at.is_(None))
    .order_by(Actor.id.desc())
)
"""Built once: it runs for every activity that arrives."""


async def key_holders(session: AsyncSession, key_ids: Iterable[str]) -> dict[str, Actor]:
    """The actors that are known to sign with these keys, if they are not gone; of two with one key the first known."""
    return {actor.key_id: actor for actor in await session.scalars(KEY_HOLDERS, {"key_ids": list(key_ids)})}


_MODE: Final = select(Choice.value).where(Choice.name == peering.FEDERATION).scalar_subquery()
_ONE: Final = select(literal(1).label("one")).subquery()
POLICIES: Final = select(
    _MODE.label("mode"), Peer.authority, Peer.is_blocked, Peer.is_limited, Peer.is_allowed
).select_from(
    _ONE.outerjoin(
        Peer,
        and_(
            Peer.authority.in_(bindparam("names", expanding=True)),
            or_(Peer.is_blocked, Peer.is_limited, Peer.is_allowed),
        ),
    )
)
"""Built once: what was decided about servers of these names, and whether only the allowed may."""


async def shut_out(session: AsyncSession, authorities: Iterable[str]) -> dict[str, str]:
    """Those of the servers with which we do not deal, each with the reason as a code. The one question that is asked at the
    door, before a delivery, of who fetches, and before we fetch. (Nobody asks it of our own.)"""
    asked = set(authorities)
    if not asked:
        return {}
    names = {name for authority in asked for name in peering.names_covering(authority)}
    rows = (await session.execute(POLICIES, {"names": sorted(names)})).all()
    blocked = {row.authority for row in rows if row.is_blocked}
    allowed = {row.authority for row in rows if row.is_allowed}
    only_allowed = rows[0].mode == peering.ALLOW_LIST
    found = {}
    for authority in asked:
        why = peering.refusal(
            blocked=not blocked.isdisjoint(peering.names_covering(authority)),
            allowed=authority in allowed,
            only_allowed=only_allowed,
        )
        if why is not None:
            found[authority] = why
    return found


async def limited_among(session: AsyncSession, authorities: Iterable[str]) -> set[str]:
    """Those of the servers that are heard but folded: not counted in public, and shown when somebody asks."""
    asked = set(authorities)
    if not asked:
        return set()
    names = {name for authority in asked for name in peering.names_covering(authority)}
    query = select(Peer.authority).where(Peer.authority.in_(names), Peer.is_limited)
    limited = set((await session.scalars(query)).all())
    return {authority for authority in asked if not limited.isdisjoint(peering.names_covering(authority))}


async def kept_apart(session: AsyncSession, authorities: Iterable[str]) -> set[str]:
    """Those of the servers whose words are not passed on to strangers, and whose signs are not counted: with which we do not
    deal, or which are limited. They may be many."""
    asked, found = sorted(set(authorities)), set[str]()
    for start in range(0, len(asked), AT_ONCE):
        some = asked[start : start + AT_ONCE]
        found |= {*await shut_out(session, some), *await limited_among(session, some)}
    return found


async def limited_names(session: AsyncSession) -> Sequence[str]:
    """The names of all servers that are limited."""
    return (await session.scalars(select(Peer.authority).where(Peer.is_limited))).all()


def covers(column: Any, name: str) -> ColumnElement[bool]:
    """Is what stands in this column (host[:port]) the server of this name or one below it?"""
    if ":" in name:
        return cast("ColumnElement[bool]", column == name)
    return or_(
        column == name,
        column.startswith(f"{name}:", autoescape=True),
        column.endswith(f".{name}", autoescape=True),
        column.contains(f".{name}:", autoescape=True),
    )


async def note_seen(session: AsyncSession, authority: str, offset: float | None, now: datetime) -> None:
    """The peer signed something just now, by a clock that is `offset` seconds ahead of ours; noted once a minute."""
    values = {"seen_at": now, "clock_offset": offset}
    statement = _insert(session)(Peer).values(authority=authority, is_blocked=False, new_actors=0, **values)
    long_ago = or_(Peer.seen_at.is_(None), Peer.seen_at <= now - SEEN_AGAIN_AFTER)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["authority"], set_=values, where=long_ago)
    )


async def note_decided(
    session: AsyncSession, notes: Mapping[str, str | None], act: str, now: datetime, mandate: int | None
) -> None:
    """The same was decided about each of these servers (block, limit, allow or forget), and why, under a mandate: it replaces what
    was decided before."""
    decided = {"is_blocked": act == "block", "is_limited": act == "limit", "is_allowed": act == "allow"}
    rows = [
        {
            "authority": name,
            "note": note,
            "new_actors": 0,
            "changed_at": now,
            "changed_under": mandate,
            **decided,
        }
        for name, note in notes.items()
    ]
    if rows:
        written = _insert(session)(Peer)
        columns = (*decided, "note", "changed_at", "changed_under")
        replaced = {column: written.excluded[column] for column in columns}
        await session.execute(
            written.on_conflict_do_update(index_elements=["authority"], set_=replaced), rows
        )


async def peer_at(session: AsyncSession, authority: str) -> Peer:
    """The row of a peer, locked on PostgreSQL until the transaction ends; made if it is not there yet."""
    statement = _insert(session)(Peer).values(authority=authority, is_blocked=False, new_actors=0)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["authority"]))
    return await session.get_one(Peer, authority, with_for_update=True, populate_existing=True)


async def new_actors_lately(
    session: AsyncSession, authority: str, site: str, now: datetime
) -> tuple[int, int]:
    """How many actors were discovered in the hours that `note_new_actor` counts: of this peer, and of all peers of a site."""
    lately = select(Peer.authority, Peer.new_actors).where(Peer.new_actors_since > now - HOUR)
    rows = (await session.execute(lately.where(covers(Peer.authority, site)))).all()
    return sum(many for name, many in rows if name == authority), sum(many for _, many in rows)


async def note_new_actor(session: AsyncSession, authority: str, now: datetime) -> None:
    """One more actor was discovered there; after an hour the count begins anew."""
    peer = await peer_at(session, authority)
    if peer.new_actors_since is None or peer.new_actors_since <= now - HOUR:
        peer.new_actors, peer.new_actors_since = 0, now
    peer.new_actors += 1


async def may_refetch_keys(session: AsyncSession, authority: str, pause: timedelta, now: datetime) -> bool:
    """Whether keys of this peer were not refetched within `pause`; if so, they are from now on."""
    peer = await peer_at(session, authority)
    if peer.keys_refetched_at is not None and peer.keys_refetched_at > now - pause:
        return False
    peer.keys_refetched_at = now
    return True


async def bury(session: AsyncSession, uri: str, owner: str, now: datetime) -> None:
    """Remember that `owner` deleted or undid this; it says nothing of what others own."""
    statement = _insert(session)(Tombstone).values(uri=uri, owner=owner, at=now)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["uri", "owner"]))


async def is_buried(session: AsyncSession, uri: str, owner: str) -> bool:
    """Did `owner` delete or undo this before?"""
    query = select(Tombstone.uri).where(Tombstone.uri == uri, Tombstone.owner == owner)
    return await session.scalar(query) is not None


def _insert(session: AsyncSession) -> Any:
    return postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
