"""What the ledger gives back is what was read when it came, although it is not checked again; and each record once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from models import ledger
from models.base import Database, open_database
from models.ledger import Scope, Signed
from models.rules.records import Record, draft, read
from tests.models.rules.builders import START, WORDS, Joint, joint, key


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    opened = open_database(migrated_url)
    yield opened
    await opened.close()


def signed(record: Record, **proof: Any) -> Signed:
    return Signed(record, {**record.body, "proof": {"type": "DataIntegrityProof", **proof}})


def whole_decision() -> Joint:
    """One record of nearly every type."""
    decision = joint()
    for circle in decision.roll:
        decision.vote(circle, "object" if circle == "oak/1" else "concern")
    decision.finish()
    decision.say("Leave", "elm", decision.closes, reason=WORDS)
    decision.say("Redact", "oak/1", decision.closes, text=WORDS, code="mistake")
    return decision


async def append(database: Database, name: str, *items: Signed, texts: Any = None) -> list[Record]:
    async with database.ACT.begin() as session:
        scope = await ledger.locked_scope(session, name)
        if scope is None:
            scope = Scope(name=name, kind="decision", visibility="federation", created_at=START)
            session.add(scope)
            await session.flush()
        return await ledger.append(session, scope, items, texts or {}, START)


async def held(database: Database, name: str) -> list[Record]:
    async with database.READ() as session:
        scope = await ledger.scope_named(session, name)
        assert scope is not None
        return await ledger.records(session, scope.id, whole_decision().ratify)


async def test_what_is_read_back_is_what_was_read_when_it_came(database: Database) -> None:
    decision = whole_decision()
    await append(database, decision.offer.digest, *map(signed, decision.records))
    found = {record.digest: record for record in await held(database, decision.offer.digest)}
    for record in decision.records:
        again = found.pop(record.digest)
        assert (again.type, again.scope, again.by, again.at) == (
            record.type,
            record.scope,
            record.by,
            record.at,
        )
        assert dict(again.body) == dict(record.body)
        assert again.texts() == record.texts()
    assert not found


async def test_a_field_that_is_null_is_absent_when_it_is_read_back_too(database: Database) -> None:
    document = draft("Leave", key("oak"), "a" * 64, START) | {"reason": None}
    record = read(document)
    await append(database, record.scope, Signed(record, document))
    [again] = await held(database, record.scope)
    assert (again.digest, dict(again.body)) == (record.digest, dict(record.body))
    assert "reason" not in again.body


async def test_only_what_was_not_held_is_new_whether_it_comes_again_or_twice_at_once(
    database: Database,
) -> None:
    decision = joint()
    first, second, third = decision.records[:3]
    name = decision.offer.digest
    assert await append(database, name, signed(first), signed(second), signed(first)) == [first, second]
    assert await append(database, name, signed(second), signed(third)) == [third]
    assert await append(database, name, signed(first), signed(second), signed(third)) == []
    assert await append(database, name) == []
    assert len(await held(database, name)) == 3


async def test_of_two_proofs_of_one_record_the_first_is_kept(database: Database) -> None:
    record = joint().offer
    await append(database, record.digest, signed(record, proofValue="z1"), signed(record, proofValue="z2"))
    await append(database, record.digest, signed(record, proofValue="z3"))
    async with database.READ() as session:
        scope = await ledger.scope_named(session, record.digest)
        assert scope is not None
        [document] = await ledger.documents(session, scope.id, START)
    assert document["proof"]["proofValue"] == "z1"
