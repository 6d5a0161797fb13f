"""Scopes and the records in them, with their texts beside. A scope is a grow-only set: append and union are all there is.

The caller has verified each record's proof and shape; nothing here judges. Reading leaves out what is dated more than five
minutes ahead of `now` (records.md R5): such a record is held back until its time comes. See `docs/records.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, insert_once, wake
from models.rules import merkle
from models.rules.records import Record, read_again, text_digest

AHEAD = timedelta(minutes=5)


class Scope(Base):
    """A scope we take part in. `due_at`, `repair_at` and the leases make the row itself the job (decisions, repair)."""

    __tablename__ = "scopes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)  # a decision: the digest of its Offer
    kind: Mapped[str] = mapped_column(String(16))
    visibility: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    due_lease: Mapped[datetime | None]
    repair_at: Mapped[datetime | None] = mapped_column(index=True)
    repair_lease: Mapped[datetime | None]
    repaired_at: Mapped[datetime | None]


class RecordRow(Base):
    """One record, byte for byte as canonical JSON with its proof."""

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("scope_id", "digest"),
        Index("ix_records_scope_type", "scope_id", "type"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    type: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]

    @property
    def document(self) -> dict[str, Any]:
        """The record as it travels, with its proof."""
        document: dict[str, Any] = orjson.loads(self.body)
        return document


class TextRow(Base):
    """A text that a record names by digest. Redacted: text and salt are gone, who and why remain."""

    __tablename__ = "texts"
    __table_args__ = (UniqueConstraint("scope_id", "digest"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    salt: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str | None] = mapped_column(Text)
    lang: Mapped[str | None] = mapped_column(String(35))
    redacted_by: Mapped[str | None] = mapped_column(String(64))
    redaction_code: Mapped[str | None] = mapped_column(String(16))


class Participant(Base):
    """A collective that takes part in a scope, and where it lives. `key` names it; the address may change."""

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("scope_id", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("scopes.id"), index=True)
    key: Mapped[str] = mapped_column(String(64))
    actor_uri: Mapped[str] = mapped_column(Text)
    authority: Mapped[str] = mapped_column(String(300), index=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)  # repairs in a row that did not reach it
    agreed_at: Mapped[datetime | None]  # when its set root last equalled ours


@dataclass(frozen=True)
class Signed:
    """A record whose proof was verified: its parsed form and the document as it travels (with proof)."""

    record: Record
    document: Mapping[str, Any]


async def scope_named(session: AsyncSession, name: str) -> Scope | None:
    return await session.scalar(select(Scope).where(Scope.name == name))


async def locked_scope(session: AsyncSession, name: str) -> Scope | None:
    """The scope as it is now, locked on PostgreSQL until the transaction ends: whoever reads a sequence and appends starts here.
    What this session knew of it before it had to wait is read anew."""
    return await session.scalar(_LOCKED, {"name": name}, execution_options={"populate_existing": True})


_LOCKED = select(Scope).where(Scope.name == bindparam("name")).with_for_update()


async def append(
    session: AsyncSession,
    scope: Scope,
    signed: Iterable[Signed],
    texts: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> list[Record]:
    """Put records (and the texts they name) into the scope; returns those that were new. The same set twice has no effect."""
    by_digest: dict[str, Signed] = {}
    for item in signed:
        by_digest.setdefault(item.record.digest, item)  # of two proofs of one record the first is kept
    rows = [
        {
            "scope_id": scope.id,
            "digest": item.record.digest,
            "type": item.record.type,
            "by": item.record.by,
            "at": item.record.at,
            "body": orjson.dumps(item.document, option=orjson.OPT_SORT_KEYS),
            "received_at": now,
        }
        for item in by_digest.values()
    ]
    new = insert_once(session, RecordRow, "digest")
    inserted = set(await session.scalars(new, rows) if rows else ())
    fresh = [item.record for digest, item in by_digest.items() if digest in inserted]
    await _keep_texts(session, scope, texts)
    if fresh:
        if any(record.type == "Redact" or record.texts() for record in fresh):
            await _apply_redactions(session, scope)
        scope.due_at = now if scope.due_at is None else min(scope.due_at, now)
        await wake(session, "decisions")
    return fresh


async def _keep_texts(session: AsyncSession, scope: Scope, texts: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep each text that is what its digest says; one that was redacted here stays redacted."""
    rows = [
        {
            "scope_id": scope.id,
            "digest": digest,
            "salt": found["salt"],
            "text": found["text"],
            "lang": found["lang"] if isinstance(found.get("lang"), str) else None,
        }
        for digest, found in genuine(texts).items()
    ]
    if rows:
        await session.execute(insert_once(session, TextRow), rows)


def genuine(texts: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Those of the texts that are what their digests say."""
    return {
        name: text for name, text in texts.items() if _is_genuine(name, text.get("salt"), text.get("text"))
    }


def _is_genuine(digest: str, salt: Any, text: Any) -> bool:
    try:
        return text_digest(bytes.fromhex(salt), text) == digest
    except (ValueError, TypeError, AttributeError):  # it stood there in another shape
        return False


async def _apply_redactions(session: AsyncSession, scope: Scope) -> None:
    """Apply every Redact of the scope that has not been applied: it may have come before the record that names its text."""
    redacts = await _read_again(session, _REDACTS, {"scope_id": scope.id})
    if redacts:
        marked = {digest for digest, row in (await texts(session, scope.id)).items() if row.redacted_by}
        for redact in redacts:
            if redact["text"] not in marked:
                await _redact(session, scope, redact)


async def _redact(session: AsyncSession, scope: Scope, record: Record) -> None:
    """Remove the text a Redact names, if whoever signed it may: a mark stays, so that the text cannot come back."""
    if not await may_redact(session, scope, record):
        return
    gone: dict[str, Any] = {"salt": None, "text": None, "lang": None}
    mark = gone | {"redacted_by": record.by, "redaction_code": record["code"]}
    row = {"scope_id": scope.id, "digest": record["text"], **mark}
    await session.execute(insert_once(session, TextRow), row)
    named = (TextRow.scope_id == scope.id, TextRow.digest == record["text"])
    await session.execute(update(TextRow).where(*named).values(**mark))


async def may_redact(session: AsyncSession, scope: Scope, redact: Record) -> bool:
    """A text is redacted by the key that signed a record naming it, or by the collective that answers for that key."""
    records = await _read_again(session, _NAMED.where(RecordRow.scope_id == scope.id))
    authors = {r.by for r in records if redact["text"] in r.texts()}
    answering = {r.by for r in records if r.type == "Answer" for c in r["circles"] if c["key"] in authors}
    return redact.by in authors | answering


_NAMED = select(RecordRow.digest, RecordRow.body)
_REDACTS = _NAMED.where(RecordRow.scope_id == bindparam("scope_id"), RecordRow.type == "Redact")


async def _read_again(session: AsyncSession, query: Select[str, bytes], asked: Any = None) -> list[Record]:
    return [_kept(digest, body) for digest, body in (await session.execute(query, asked)).all()]


@lru_cache(maxsize=5_000)
def _kept(digest: str, body: bytes) -> Record:
    """Kept, as whatever happens in a scope reads all of it, and a record never changes."""
    return read_again(orjson.loads(body), digest)


def _visible(now: datetime) -> Any:
    return RecordRow.at <= now + AHEAD


async def records(session: AsyncSession, scope_id: int, now: datetime) -> list[Record]:
    """All records of a scope that are not held back, in no meaningful order."""
    return await _read_again(session, _NAMED.where(RecordRow.scope_id == scope_id, _visible(now)))


async def record_named(session: AsyncSession, scope_id: int, digest: str) -> Record | None:
    """One record of a scope by its digest."""
    wanted = _NAMED.where(RecordRow.scope_id == scope_id, RecordRow.digest == digest)
    return next(iter(await _read_again(session, wanted)), None)


async def of_types(session: AsyncSession, scope_id: int, types: Sequence[str]) -> list[Record]:
    """Records of these types, held back or not."""
    return await _read_again(session, _NAMED.where(RecordRow.scope_id == scope_id, RecordRow.type.in_(types)))


async def records_named(session: AsyncSession, digests: Iterable[str]) -> dict[str, Record]:
    """These records, of whatever scopes."""
    asked = list(digests)
    found = await _read_again(session, _NAMED.where(RecordRow.digest.in_(asked))) if asked else ()
    return {record.digest: record for record in found}


async def signed_since(
    session: AsyncSession, type_: str, by: str, since: datetime
) -> Sequence[tuple[Scope, Record]]:
    """Records of a type that a key signed from an instant on, in whatever scopes."""
    query = (
        select(Scope, RecordRow.digest, RecordRow.body)
        .join(RecordRow, RecordRow.scope_id == Scope.id)
        .where(RecordRow.type == type_, RecordRow.by == by, RecordRow.at >= since)
    )
    rows = (await session.execute(query)).all()
    return [(scope, _kept(digest, body)) for scope, digest, body in rows]


async def documents(session: AsyncSession, scope_id: int, now: datetime) -> list[dict[str, Any]]:
    """All records as they travel, with proofs, sorted by digest."""
    query = select(RecordRow.body).where(RecordRow.scope_id == scope_id, _visible(now))
    return [orjson.loads(body) for body in (await session.scalars(query.order_by(RecordRow.digest))).all()]


async def digests(session: AsyncSession, scope_id: int, now: datetime) -> Sequence[str]:
    """Digests of all records not held back, sorted."""
    query = select(RecordRow.digest).where(RecordRow.scope_id == scope_id, _visible(now))
    return (await session.scalars(query.order_by(RecordRow.digest))).all()


async def held(session: AsyncSession, scope_id: int, wanted: Iterable[str]) -> set[str]:
    """Those of the digests whose records are in the scope, held back or not."""
    query = select(RecordRow.digest).where(RecordRow.scope_id == scope_id, RecordRow.digest.in_(list(wanted)))
    return set((await session.scalars(query)).all())


async def held_back_until(session: AsyncSession, scope_id: int, now: datetime) -> datetime | None:
    """When the next record that is held back may be read; None if none is."""
    query = select(func.min(RecordRow.at)).where(RecordRow.scope_id == scope_id, RecordRow.at > now + AHEAD)
    return None if (at := await session.scalar(query)) is None else at - AHEAD


async def set_root(session: AsyncSession, scope_id: int, now: datetime) -> str:
    return merkle.set_root(await digests(session, scope_id, now))


async def bucket_page(
    session: AsyncSession, scope_id: int, bucket: str, after: str, size: int, now: datetime
) -> Sequence[RecordRow]:
    """The next records of a bucket (first hex digit of the digest) after a digest."""
    query = select(RecordRow).where(RecordRow.scope_id == scope_id, _visible(now), RecordRow.digest > after)
    query = query.where(RecordRow.digest.startswith(bucket)).order_by(RecordRow.digest).limit(size)
    return (await session.scalars(query)).all()


async def texts(
    session: AsyncSession, scope_id: int, wanted: Iterable[str] | None = None
) -> dict[str, TextRow]:
    """Texts of a scope by digest, redacted ones included (with text None)."""
    query = select(TextRow).where(TextRow.scope_id == scope_id)
    if wanted is not None:
        query = query.where(TextRow.digest.in_(list(wanted)))
    return {row.digest: row for row in (await session.scalars(query)).all()}


async def texts_named(session: AsyncSession, wanted: Iterable[str]) -> dict[str, dict[str, TextRow]]:
    """These texts by name of scope and digest. A text is looked up in its own scope only: another may name the same digest."""
    found: dict[str, dict[str, TextRow]] = {}
    asked = list(wanted)
    if not asked:
        return found
    query = select(Scope.name, TextRow).join(TextRow, Scope.id == TextRow.scope_id)
    for name, row in await session.execute(query.where(TextRow.digest.in_(asked))):
        found.setdefault(name, {})[row.digest] = row
    return found


def as_carried(rows: Mapping[str, TextRow]) -> dict[str, dict[str, str | None]]:
    """Texts in the shape in which they travel beside records; redacted ones do not travel."""
    told = {digest: row for digest, row in rows.items() if row.text is not None}
    return {digest: {"salt": row.salt, "text": row.text, "lang": row.lang} for digest, row in told.items()}


async def participants(session: AsyncSession, scope_id: int) -> Sequence[Participant]:
    query = select(Participant).where(Participant.scope_id == scope_id)
    return (await session.scalars(query.order_by(Participant.key))).all()


async def add_participant(
    session: AsyncSession, scope: Scope, key: str, actor_uri: str, authority: str
) -> None:
    """Note where a collective of this scope lives; the first address stands."""
    values = {"scope_id": scope.id, "key": key, "actor_uri": actor_uri, "authority": authority, "failures": 0}
    await session.execute(insert_once(session, Participant), values)


async def room_in(session: AsyncSession, scope_id: int) -> tuple[set[str], int]:
    """The authorities of those who take part in a scope, and how many records it holds."""
    rows = (await session.execute(_ROOM, {"scope_id": scope_id})).all()
    return {authority for authority, _ in rows}, rows[0][1] if rows else 0


_HELD = select(func.count()).where(RecordRow.scope_id == bindparam("scope_id")).scalar_subquery()
_ROOM = select(Participant.authority, _HELD).where(Participant.scope_id == bindparam("scope_id"))


async def takes_part(session: AsyncSession, scope_id: int, authority: str) -> bool:
    """Does the instance at this authority take part in the scope? (One instance is home to one collective.)"""
    theirs = (Participant.scope_id == scope_id, Participant.authority == authority)
    return await session.scalar(select(Participant.id).where(*theirs).limit(1)) is not None


async def known_scopes(session: AsyncSession, names: Iterable[str]) -> dict[str, set[str]]:
    """Those of the scopes that are known here, each with the authorities of those who take part in it."""
    known: dict[str, set[str]] = {}
    for name, authority in (await session.execute(_KNOWN, {"names": list(names)})).all():
        known.setdefault(name, set()).update([authority] if authority else [])
    return known


_KNOWN = (
    select(Scope.name, Participant.authority)
    .outerjoin(Participant, Participant.scope_id == Scope.id)
    .where(Scope.name.in_(bindparam("names", expanding=True)))
)
