"""What several processes do at once on one PostgreSQL database. (SQLite lets one in after the other.)"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import people
from models.decisions import Confirmation
from models.mandates import MandateRow
from models.people import Membership
from models.rules.refusals import Conflict
from server.actions import balloting, founding, proposing
from server.actions import people as joining
from server.actions.balloting import Words

from .conftest import Place
from .test_deciding import PLAN, confirm, draft

pytestmark = pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)


async def test_a_record_is_looked_at_though_the_pass_was_there_a_moment_before(place: Place) -> None:
    await place.join("ana")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    number = await draft(place, "ana", name, Words({"position": "consent"}))
    async with place.database.ACT.begin() as session:
        (await place.scope(session, name)).due_at = place.now
    async with place.acting("ana") as (session, viewer):
        scope = await place.scope(session, name)
        await place.work(name)  # another process: nothing is due for an hour
        assert await balloting.confirm(session, place.home, viewer, scope, number, place.now)
    async with place.database.READ() as session:
        assert (await place.scope(session, name)).due_at == place.now


async def test_a_confirmation_taken_back_while_the_ballot_is_cast_was_too_late(place: Place) -> None:
    await place.join("ana", "bo", "cem")
    name = await place.convene("ana", PLAN)
    await place.work(name)
    number = await draft(place, "ana", name, Words({"position": "consent"}))
    await confirm(place, "ana", name, number)

    async def take_back() -> None:
        async with place.acting("ana") as (session, viewer):
            await balloting.unconfirm(session, viewer, await place.scope(session, name), number)

    async with place.acting("bo") as (session, viewer):
        scope = await place.scope(session, name)
        assert await balloting.confirm(session, place.home, viewer, scope, number, place.now)
        taking_back = asyncio.create_task(take_back())
        await asyncio.wait({taking_back}, timeout=0.3)
    with pytest.raises(Conflict):
        await taking_back
    async with place.database.READ() as session:
        assert len((await session.scalars(select(Confirmation))).all()) == 2


async def test_two_clicks_at_once_note_one_position(place: Place) -> None:
    await place.join("ana", "bo")
    name = await place.convene("ana", PLAN)

    async def note() -> None:
        async with place.acting("ana") as (session, viewer):
            scope = await place.scope(session, name)
            await balloting.note_position(session, viewer, scope, {"position": "consent"}, "", place.now)
            await asyncio.sleep(0.1)

    await asyncio.gather(note(), note())


async def test_of_two_proposals_at_once_for_one_place_one_is_made(place: Place) -> None:
    await place.join("ana", "bo")
    name = await place.convene("ana", replace(PLAN, proposals=(), gather=timedelta(hours=1)))

    async def propose(login: str) -> None:
        async with place.acting(login) as (session, viewer):
            scope = await place.scope(session, name)
            await proposing.propose(session, place.home, viewer, scope, f"What {login} says", "", place.now)
            await asyncio.sleep(0.1)

    done = await asyncio.gather(propose("ana"), propose("bo"), return_exceptions=True)
    assert [type(one) for one in done if one is not None] == [Conflict]


async def test_of_two_founder_links_used_at_once_one_founds(place: Place) -> None:
    other = joining.new_token()
    async with place.database.ACT.begin() as session:
        founding.offer_founder_link(session, joining.token_digest(other), place.now)

    async def join(token: str, login: str) -> None:
        async with place.database.ACT.begin() as session:
            await joining.join(session, token, login, login, "x", place.now)
            await asyncio.sleep(0.1)

    done = await asyncio.gather(join(place.token, "ana"), join(other, "bo"), return_exceptions=True)
    assert sorted(type(one) for one in done if one is not None) == [Conflict]
    async with place.database.READ() as session:
        assert len((await session.scalars(select(MandateRow))).all()) == 1


async def test_a_link_for_one_admits_one_however_many_use_it_at_once(place: Place) -> None:
    async def join(login: str) -> None:
        async with place.database.ACT.begin() as session:
            await joining.join(session, place.token, login, login, "x", place.now)
            await asyncio.sleep(0.05)

    done = await asyncio.gather(*(join(f"p{n}") for n in range(4)), return_exceptions=True)
    assert sum(one is None for one in done) == 1
    assert all(one is None or isinstance(one, Conflict) for one in done)


async def test_two_who_join_at_once_by_different_links_end_the_assembly_with_the_sixth(place: Place) -> None:
    await place.join("ana", "bo", "cem", "dara")
    tokens = [joining.new_token(), joining.new_token()]
    async with place.acting("ana") as (session, viewer):
        for token in tokens:
            await joining.invite(session, viewer, joining.token_digest(token), 1, place.now)

    async def join(token: str, login: str) -> None:
        async with place.database.ACT.begin() as session:
            await joining.join(session, token, login, login, "x", place.now + timedelta(seconds=1))
            await asyncio.sleep(0.1)

    await asyncio.gather(join(tokens[0], "eva"), join(tokens[1], "finn"))
    async with place.database.READ() as session:
        assert await people.member_count(session) == 6
        seated = select(Membership).where(Membership.until.is_(None))
        assert (await session.scalars(seated)).all() == []
