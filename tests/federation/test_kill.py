"""`kill -9`: whatever process dies at whatever moment, nothing that was accepted is lost and all come to the same result.

Each test plays the joint story step by step. At the beginning of every step a process is killed, and while what follows is under
way another one, at some moment; both are started again. Which ones follows from the seed. `make test-kill` plays it many times.
"""

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from models.people import member_by_login
from server.actions import people
from server.keys import DATABASE
from tests import postgres
from tests.federation.people import REASON
from tests.federation.processes import MANY, Processes
from tests.federation.stock import Stock
from tests.server.web.browser import Browser

ROUNDS = int(os.environ.get("JURA_TEST_ROUNDS", "1"))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_nothing_is_lost_when_processes_are_killed_on_sqlite(
    tmp_path: Path, stock: Stock, seed: int
) -> None:
    async with Processes(("oak", "elm", "ash"), tmp_path, stock, random.Random(f"sqlite {seed}")) as fed:
        await play(fed)


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_nothing_is_lost_when_one_of_many_processes_is_killed_on_postgresql(
    tmp_path: Path, stock: Stock, migrated_postgresql: postgres.NewDatabase, seed: int
) -> None:
    with ExitStack() as databases:

        def database(_name: str) -> str:
            return databases.enter_context(migrated_postgresql())

        chance = random.Random(f"postgresql {seed}")
        async with Processes(("oak", "elm", "ash"), tmp_path, stock, chance, database, {"oak": MANY}) as fed:
            await play(fed)
            assert {tuple(p.command) for p in fed.processes["oak"] if p.starts > 1} == set(MANY)


async def play(fed: Processes) -> None:
    """The joint story, with deaths."""
    oak, elm, ash = fed["oak"], fed["elm"], fed["ash"]
    await oak.members(2)
    await elm.members(1)
    await ash.members(1)
    for process in fed.processes["oak"]:  # each at least once, whatever the dice say
        await fed.replace(process)
    await until_reachable(fed)
    await oak.convene("elm", "ash", challenge=HOUR)
    await settle(fed)
    await elm.answer()
    await ash.answer()
    await settle(fed)
    await fed.reach("opens")
    await settle(fed, lambda view: len(view.entries) == 3 and all(acked.ack for acked in view.acks))
    number = await (await oak.circle()).draft("concern", REASON)
    await (await oak.circle()).confirm(number)
    await confirm_by_the_page(fed, "bo")
    await settle(fed)
    await elm.ballot("consent")
    await ash.ballot("object")
    await settle(fed)
    await ash.ballot("consent")
    await settle(fed, lambda view: all(entry.status == "cast" for entry in view.entries))
    await fed.reach("closes")
    await settle(fed, lambda view: all(entry.stated for entry in view.entries))
    await fed.reach("grace_ends")
    await settle(fed, lambda view: view.agreed is not None and all(k.agrees for k in view.keepers))
    await fed.reach("challenge_ends")
    await settle(fed, lambda view: view.state == "final")
    await compare(fed)


async def settle(fed: Processes, holds: Callable[..., bool] = lambda view: True) -> None:
    """A process dies now and one while the rest goes on; in the end nothing is under way and everybody sees that it holds."""

    async def is_so() -> bool:
        return await fed.settled() and all([holds(await one.view()) for one in fed.present])

    await fed.remember()
    await fed.replace(fed.somebody())
    await fed.until("it settles", is_so, kill=[fed.somebody()])


async def compare(fed: Processes) -> None:
    """All have the same, and have all of it."""
    views = [await one.view() for one in fed.present]
    assert {(view.state, view.outcome) for view in views} == {("final", "adopted")}
    assert len({view.count_root for view in views}) == 1
    for name in fed.names:
        assert await fed.digests(name) >= fed.seen, f"{name} lost a record"
        assert await fed.left(name) == {"inbox": 0, "deliveries": 0, "scopes": 0}
    assert {await fed.digests(name) for name in fed.names} == {frozenset(fed.seen)}
    ballots = await fed["ash"].records("Ballot")
    assert sorted(ballot["seq"] for ballot in ballots) == [1, 1, 1, 2]  # the page's one was cast once
    assert await fed.undelivered() == []
    assert await fed.refused() == []
    assert fed.complaints() == []
    assert fed.kills > 18


async def confirm_by_the_page(fed: Processes, login: str) -> None:
    """Oak's last confirmation, by the form, while the process that takes it may die. Whoever gets no answer looks again."""
    app, token = fed.app_of("oak"), people.new_token()
    async with app[DATABASE].ACT.begin() as session:
        member = await member_by_login(session, login)
        assert member is not None
        await people.log_in(session, member, people.token_digest(token), fed.now)
    path = f"/decisions/{fed.decision}/circle"
    async with Browser(SimpleNamespace(settings=fed.settings_of("oak"))) as bo:  # type: ignore[arg-type]
        bo.set_cookie(token)

        async def confirmed() -> bool:
            with suppress(aiohttp.ClientError):
                room = await bo.get(path)
                if room.has_form("/confirm"):
                    sending = asyncio.create_task(bo.send(room, "/confirm"))
                    await asyncio.sleep(fed.chance.random() / 20)
                    if fed.kills % 3:
                        await fed.replace(fed.chance.choice(fed.processes["oak"]))
                    await sending
            return len(await fed["oak"].records("Ballot")) == 1

        await fed.until("the ballot is cast", confirmed)


async def until_reachable(fed: Processes) -> None:
    """Convening looks the invited up, so they must be there."""

    async def reachable() -> bool:
        async with aiohttp.ClientSession() as session:
            for name in fed.names:
                port = fed.settings_of(name).listen_port
                try:
                    async with session.get(f"http://127.0.0.1:{port}/.well-known/nodeinfo") as answer:
                        answer.raise_for_status()
                except aiohttp.ClientError:
                    return False
        return True

    await fed.until("everybody is reachable", reachable)
