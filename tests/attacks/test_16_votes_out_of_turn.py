"""Attack 16: answers to a pulse too early, too late, twice, for nothing on the list, or by an army of invented actors."""

import asyncio
from datetime import timedelta

import pytest

from models.talk import PulseVote
from server.actions import pulse
from server.workers.inbox import inbox_due
from tests.server.peers.talk import ours, vote, votes
from tests.server.peers.world import Stranger, World

CLOSES_IN = timedelta(days=7)


async def test_attack_16_what_comes_after_the_end_by_our_clock_does_not_count(
    world: World, masto: Stranger
) -> None:
    ana, ben, post = masto.person("ana"), masto.person("ben"), await ours(world, type_="Question")
    world.pass_time(CLOSES_IN - timedelta(seconds=1))
    said = vote(ana, post)
    assert await world.post(ana, said) == 202
    world.pass_time(timedelta(seconds=1))
    await inbox_due(world.of().app)
    assert (await world.item(said["id"])).outcome == "done", "what counts is when it came"
    late = vote(ben, post, published="2026-11-22T10:00:00Z")
    assert await world.tell(ben, late) == "refused"
    assert await votes(world) == [("ana", "Agree")]


async def test_attack_16_what_comes_before_it_opens_does_not_count(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    world.pass_time(timedelta(hours=1))
    post = await ours(world, type_="Question")
    world.pass_time(timedelta(minutes=-30))
    assert await world.tell(ana, vote(ana, post)) == "refused"
    assert await votes(world) == []


@pytest.mark.parametrize(
    "name", ["agree", "Agree ", "\u00c1gree", "A\u200bgree", "Yes", "Agree\u0301", "<b>Agree</b>"]
)
async def test_attack_16_only_the_exact_name_counts(world: World, masto: Stranger, name: str) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    assert await world.tell(ana, vote(ana, post, name)) == "refused"
    assert await votes(world) == []


async def test_attack_16_of_two_at_the_same_time_one_counts(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    await asyncio.gather(*(world.post(ana, vote(ana, post, name)) for name in ("Agree", "Disagree", "Agree")))
    await inbox_due(world.of().app)
    assert len(await votes(world)) == 1


async def test_attack_16_of_one_server_only_so_many_count(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "MOST_PER_SERVER", 3)
    evil, post = await world.stranger("evil"), await ours(world, type_="Question")
    for number in range(5):
        sock = evil.person(f"sock{number}")
        await world.tell(sock, vote(sock, post))
    ana = masto.person("ana")
    assert await world.tell(ana, vote(ana, post, "Disagree")) == "done"
    assert await world.count(PulseVote, PulseVote.authority == "evil.test") == 3
    assert await world.count(PulseVote) == 4
