"""Answers to a pulse: which are counted, once each, and that no server can fill it. On both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import select

from models.base import Database, open_database
from models.people import Actor
from models.posts import Post
from server.actions import pulse
from server.actions.pulse import Vote

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OPTIONS = ("Agree", "Unsure", "Disagree")


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    opened = open_database(migrated_url)
    yield opened
    await opened.close()


async def question(database: Database, **changed: object) -> int:
    body = {
        "id": "https://oak.test/o/1",
        "type": "Question",
        "oneOf": [{"type": "Note", "name": name} for name in OPTIONS],
        "endTime": "2026-11-23T10:00:00Z",
        **changed,
    }
    async with database.ACT.begin() as session:
        speaker = Actor(
            uri="https://oak.test/c/oak",
            kind="collective",
            type="Group",
            handle="oak",
            authority="oak.test",
            inbox="https://oak.test/inbox",
            key_id="k",
            rsa_pem="",
            created_at=NOW,
        )
        session.add(speaker)
        await session.flush()
        post = Post(
            uri="https://oak.test/o/1",
            actor_id=speaker.id,
            kind="round",
            is_public=True,
            body=orjson.dumps(body),
            published_at=NOW,
        )
        session.add(post)
        await session.flush()
        return post.id


async def give(
    database: Database, post_id: int, option: str, voter: str = "ana", host: str = "masto.test", **by: float
) -> str:
    at = NOW + timedelta(**by)
    async with database.ACT.begin() as session:
        post = await session.get_one(Post, post_id)
        uri = f"https://{host}/users/{voter}"
        return await pulse.vote(session, post, Vote(f"{uri}#v/{option}", uri, host, option, at), at)


async def counted(database: Database, post_id: int) -> pulse.Counts:
    async with database.READ() as session:
        return await pulse.counts(session, await session.get_one(Post, post_id))


async def test_answers_are_counted_by_option_and_server(database: Database) -> None:
    number = await question(database)
    assert await give(database, number, "Agree") == "counted"
    assert await give(database, number, "Disagree", "ben") == "counted"
    assert await give(database, number, "Agree", "eve", "snac.test") == "counted"
    found = await counted(database, number)
    assert found.options == [("Agree", 2), ("Unsure", 0), ("Disagree", 1)]
    assert found.voters == 3
    assert found.servers == [("masto.test", 2), ("snac.test", 1)]
    assert found.capped == []


async def test_the_first_answer_of_a_voter_stands(database: Database) -> None:
    number = await question(database)
    assert await give(database, number, "Agree") == "counted"
    assert await give(database, number, "Disagree") == "again"
    assert await give(database, number, "Agree") == "again"
    assert (await counted(database, number)).options == [("Agree", 1), ("Unsure", 0), ("Disagree", 0)]


@pytest.mark.parametrize("option", ["agree", "Agree ", " Agree", "Ágree", "Yes", "", "A\u200bgree"])
async def test_only_the_exact_name_of_an_option_counts(database: Database, option: str) -> None:
    number = await question(database)
    assert await give(database, number, option) == "unknown-option"
    assert (await counted(database, number)).voters == 0


@pytest.mark.parametrize("seconds", [-1, 24 * 3600, 24 * 3600 + 1])
async def test_before_it_opens_and_from_its_end_on_nothing_counts(database: Database, seconds: int) -> None:
    number = await question(database)
    assert await give(database, number, "Agree", seconds=seconds) == "closed"
    assert await give(database, number, "Agree", seconds=24 * 3600 - 1) == "counted"


async def test_what_is_closed_or_deleted_is_not_answered(database: Database) -> None:
    number = await question(database, closed="2026-11-22T10:30:00Z")
    assert await give(database, number, "Agree") == "closed"


async def test_of_one_server_only_so_many_are_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "MOST_PER_SERVER", 5)
    number = await question(database)
    said = [await give(database, number, "Agree", f"sock{n}", "evil.test") for n in range(8)]
    assert said == ["counted"] * 5 + ["too-many"] * 3
    assert await give(database, number, "Disagree") == "counted"
    found = await counted(database, number)
    assert found.options == [("Agree", 5), ("Unsure", 0), ("Disagree", 1)]
    assert found.capped == ["evil.test"]


async def test_names_below_one_registered_name_have_one_bound_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns a name has as many servers below it as they like."""
    monkeypatch.setattr(pulse, "MOST_PER_SITE", 5)
    number = await question(database)
    said = [await give(database, number, "Agree", "sock", f"s{n}.evil.example") for n in range(6)]
    said += [await give(database, number, "Agree", "sock", "evil.example:8443")]
    assert said == ["counted"] * 5 + ["too-many"] * 2
    assert await give(database, number, "Disagree", "ana", "notevil.example") == "counted"


async def test_a_new_answer_makes_the_count_due_in_three_minutes_and_never_later(database: Database) -> None:
    number = await question(database)
    await give(database, number, "Agree")
    await give(database, number, "Agree", "ben", minutes=2)
    async with database.READ() as session:
        due = await session.scalar(select(Post.refresh_at).where(Post.id == number))
    assert due == NOW + pulse.REFRESH_AFTER


async def test_an_answer_that_does_not_count_makes_nothing_due(database: Database) -> None:
    number = await question(database)
    await give(database, number, "Perhaps")
    async with database.READ() as session:
        assert await session.scalar(select(Post.refresh_at).where(Post.id == number)) is None
