"""Scopes: sets that only grow. Order and repeats mean nothing, texts can be redacted for good; on both databases."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from models import ledger, queues
from models.base import Database, open_database
from models.ledger import RecordRow, Scope, Signed, TextRow
from models.rules import merkle
from models.rules.records import draft, read, text_digest
from tests.models.rules.builders import key, listed

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAME = "a" * 64
MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
numbers = itertools.count(1)


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """An empty database with two scopes."""
    opened = open_database(migrated_url)
    async with opened.ACT.begin() as session:
        for name in (NAME, "b" * 64):
            session.add(Scope(name=name, kind="decision", visibility="federation", created_at=NOW))
    yield opened
    await opened.close()


def words(text: str) -> tuple[str, dict[str, dict[str, str]]]:
    salt = bytes([next(numbers) % 256]) * 16
    digest = text_digest(salt, text)
    return digest, {digest: {"salt": salt.hex(), "text": text, "lang": "en"}}


def option(by: str = "oak", title: str | None = None, at: datetime = NOW) -> Signed:
    """An Option as it would be after its proof was verified."""
    document = draft("Option", key(by), NAME, at, title=title or words(f"{next(numbers)}")[0], round=1)
    document["proof"] = {"type": "DataIntegrityProof"}
    return Signed(read(document), document)


def made(type_: str, by: str, **fields: Any) -> Signed:
    document = draft(type_, key(by), NAME, NOW, **fields)
    return Signed(read(document), document)


async def append(
    database: Database,
    signed: Sequence[Signed],
    texts: Mapping[str, Mapping[str, Any]] | None = None,
    now: datetime = NOW,
) -> int:
    async with database.ACT.begin() as session:
        scope = await ledger.locked_scope(session, NAME)
        assert scope is not None
        return len(await ledger.append(session, scope, signed, texts or {}, now))


async def root(database: Database, now: datetime = NOW) -> str:
    async with database.READ() as session:
        return await ledger.set_root(session, 1, now)


async def texts(database: Database) -> dict[str, TextRow]:
    async with database.READ() as session:
        return await ledger.texts(session, 1)


# Appending


async def test_the_root_is_that_of_the_set_whatever_the_order_and_the_repeats(database: Database) -> None:
    options = [option() for _ in range(12)]
    shuffled = random.Random(7).sample(options, 12)
    for some in (shuffled[:5], shuffled[3:9], shuffled, shuffled[:2]):
        await append(database, some)
    assert await root(database) == merkle.set_root(o.record.digest for o in options)


async def test_appending_says_what_was_new(database: Database) -> None:
    one, two = option(), option()
    assert await append(database, [one]) == 1
    assert await append(database, [one, two, two]) == 1
    assert await append(database, [one, two]) == 0


async def test_a_record_comes_back_byte_for_byte_with_its_proof(database: Database) -> None:
    one = option()
    await append(database, [one])
    async with database.READ() as session:
        [document] = await ledger.documents(session, 1, NOW)
        [row] = (await session.scalars(select(RecordRow))).all()
        assert await ledger.record_named(session, 1, one.record.digest) == one.record
        assert await ledger.record_named(session, 2, one.record.digest) is None
    assert document == one.document == row.document
    assert row.body == orjson.dumps(one.document, option=orjson.OPT_SORT_KEYS)
    assert (row.by, row.type, row.at, row.received_at) == (key("oak"), "Option", NOW, NOW)


async def test_the_first_receipt_of_a_record_stands(database: Database) -> None:
    one = option()
    await append(database, [one])
    await append(database, [one], now=NOW + MINUTE)
    async with database.READ() as session:
        assert (await session.scalars(select(RecordRow.received_at))).all() == [NOW]


async def test_many_who_append_at_once_lose_nothing(database: Database) -> None:
    options = [option() for _ in range(20)]
    counts = await asyncio.gather(*(append(database, options[n : n + 10]) for n in range(0, 20, 2)))
    assert sum(counts) == 20
    assert await root(database) == merkle.set_root(o.record.digest for o in options)


async def test_one_digest_may_stand_in_two_scopes(database: Database) -> None:
    one = option()
    await append(database, [one])
    async with database.ACT.begin() as session:
        other = await ledger.scope_named(session, "b" * 64)
        assert other is not None
        assert await ledger.append(session, other, [one], {}, NOW)


async def test_what_is_new_calls_for_a_look_at_once_and_what_is_not_does_not(database: Database) -> None:
    one, woken = option(), database.woken("decisions")
    await append(database, [one])
    assert woken.is_set()
    async with database.ACT.begin() as session:
        assert await queues.due_scopes(session, NOW, LEASE, 9) == [NAME]
        scope = await ledger.scope_named(session, NAME)
        assert scope is not None
        scope.due_at, scope.due_lease = None, None
    woken.clear()
    await append(database, [one])
    assert not woken.is_set()


# Held back


async def test_what_is_dated_ahead_is_held_back_until_its_time_comes(database: Database) -> None:
    now, later = option(), option(at=NOW + timedelta(hours=1))
    await append(database, [now, later])
    both = merkle.set_root([now.record.digest, later.record.digest])
    assert await root(database) == merkle.set_root([now.record.digest])
    at = NOW + timedelta(minutes=55)
    assert await root(database, at) == both
    async with database.READ() as session:
        assert len(await ledger.records(session, 1, NOW)) == len(await ledger.documents(session, 1, NOW)) == 1
        assert len(await ledger.records(session, 1, at)) == 2
        assert await ledger.held(session, 1, [later.record.digest, NAME]) == {later.record.digest}


async def test_five_minutes_ahead_are_forgiven(database: Database) -> None:
    await append(database, [option(at=NOW + ledger.AHEAD)])
    async with database.READ() as session:
        assert len(await ledger.digests(session, 1, NOW)) == 1


# Pages


async def test_pages_of_a_bucket_hold_each_of_its_records_once_in_order(database: Database) -> None:
    options = [option() for _ in range(80)]
    await append(database, options)
    found: list[str] = []
    async with database.READ() as session:
        for digit in merkle.HEX:
            after = ""
            while rows := await ledger.bucket_page(session, 1, digit, after, 3, NOW):
                found += [row.digest for row in rows]
                after = rows[-1].digest
    assert found == sorted(o.record.digest for o in options)


async def test_what_is_held_back_stands_on_no_page(database: Database) -> None:
    later = option(at=NOW + timedelta(hours=1))
    await append(database, [later])
    async with database.READ() as session:
        assert not await ledger.bucket_page(session, 1, later.record.digest[0], "", 9, NOW)


# Texts


async def test_a_text_is_kept_only_if_it_is_what_its_digest_says(database: Database) -> None:
    good, carried = words("What we say")
    lie, lies = words("What we did not say")
    lies[lie]["text"] = "Other words"
    odd = {
        NAME: {"salt": "zz" * 16, "text": "x"},
        "c" * 64: {"salt": None, "text": "x"},
        "d" * 64: {"salt": "00", "text": "x"},
        "e" * 64: {"text": "x"},
    }
    await append(database, [option(title=good)], {**carried, **lies, **odd})
    assert {digest: row.text for digest, row in (await texts(database)).items()} == {good: "What we say"}


async def test_a_text_may_come_after_its_record(database: Database) -> None:
    digest, carried = words("What we say")
    one = option(title=digest)
    await append(database, [one])
    await append(database, [one], carried)
    assert (await texts(database))[digest].text == "What we say"


async def redact(database: Database, digest: str, by: str) -> None:
    await append(database, [made("Redact", by, text=digest, code="personal")])


@pytest.mark.parametrize(
    "by", ["oak/1", "oak"], ids=["its author", "the collective that answers for its author"]
)
async def test_a_redacted_text_is_gone_for_good_and_the_mark_says_by_whom(
    database: Database, by: str
) -> None:
    digest, carried = words("Somebody's telephone number")
    circles = [listed("oak/1")]
    fields = {"takes": "binding", "keeps": True, "instance": key("oak!"), "round": 1}
    answer = made("Answer", "oak", actor="https://oak.example/c", circles=circles, **fields)
    one = option("oak/1", digest)
    await append(database, [answer, one], carried)
    await redact(database, digest, by)
    await append(database, [one], carried)  # who still has it sends it again
    row = (await texts(database))[digest]
    assert (row.text, row.salt, row.lang) == (None, None, None)
    assert (row.redacted_by, row.redaction_code) == (key(by), "personal")
    assert ledger.as_carried(await texts(database)) == {}


async def test_a_redaction_that_comes_before_its_text_keeps_it_away(database: Database) -> None:
    digest, carried = words("Somebody's telephone number")
    await redact(database, digest, "oak")
    await append(database, [option("oak", digest)], carried)
    assert (await texts(database))[digest].text is None


async def test_nobody_else_redacts_a_text(database: Database) -> None:
    digest, carried = words("What we say")
    await append(database, [option("oak", digest)], carried)
    await redact(database, digest, "elm")
    assert (await texts(database))[digest].text == "What we say"


async def test_a_redaction_changes_no_record_and_no_count(database: Database) -> None:
    digest, carried = words("What we say")
    one = option("oak", digest)
    await append(database, [one], carried)
    await redact(database, digest, "oak")
    async with database.READ() as session:
        assert await ledger.record_named(session, 1, one.record.digest) == one.record
        assert len(await ledger.digests(session, 1, NOW)) == 2


# Participants and claims


async def test_a_participant_keeps_its_first_address(database: Database) -> None:
    async with database.ACT.begin() as session:
        scope = await ledger.locked_scope(session, NAME)
        assert scope is not None
        for host in ("oak.test", "evil.test"):
            await ledger.add_participant(session, scope, key("oak"), f"https://{host}/c", host)
    async with database.READ() as session:
        assert [p.authority for p in await ledger.participants(session, 1)] == ["oak.test"]
        assert await ledger.takes_part(session, 1, "oak.test")
        assert not await ledger.takes_part(session, 1, "evil.test")
        assert not await ledger.takes_part(session, 2, "oak.test")
        names = [NAME, "b" * 64, "c" * 64]
        assert await ledger.known_scopes(session, names) == {NAME: {"oak.test"}, "b" * 64: set()}


@pytest.mark.parametrize("what", ["due", "repair"])
async def test_a_due_scope_is_claimed_by_one_worker_until_its_lease_ends(
    database: Database, what: str
) -> None:
    take = {"due": queues.due_scopes, "repair": queues.scopes_to_repair}[what]

    async def claim(now: datetime = NOW) -> Sequence[str]:
        async with database.ACT.begin() as session:
            return await take(session, now, LEASE, 5)

    assert await claim() == []
    async with database.ACT.begin() as session:
        for scope in (await session.scalars(select(Scope))).all():
            setattr(scope, f"{what}_at", NOW + MINUTE)
    assert await claim() == []
    taken = await asyncio.gather(*(claim(NOW + MINUTE) for _ in range(4)))
    assert sorted(name for some in taken for name in some) == [NAME, "b" * 64]
    assert await claim(NOW + MINUTE + LEASE) == []
    assert len(await claim(NOW + 2 * MINUTE + LEASE)) == 2


async def test_a_text_that_two_scopes_name_is_looked_up_in_its_own(database: Database) -> None:
    digest, carried = words("Shall we buy a van?")
    async with database.ACT.begin() as session:
        ours = await session.scalar(select(Scope).where(Scope.name == NAME))
        theirs = await session.scalar(select(Scope).where(Scope.name == "b" * 64))
        assert ours is not None
        assert theirs is not None
        session.add(TextRow(scope_id=ours.id, digest=digest, **carried[digest]))
        session.add(
            TextRow(scope_id=theirs.id, digest=digest, redacted_by=key("elm"), redaction_code="other")
        )
    async with database.READ() as session:
        found = await ledger.texts_named(session, [digest])
    assert found[NAME][digest].text == "Shall we buy a van?"
    assert found["b" * 64][digest].text is None
