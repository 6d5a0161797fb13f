"""Joining, mandates, throttling, appearing in public."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from models.rules.mandates import POWERS
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, TooMany
from server.actions import appearing
from server.actions import people as joining

from .conftest import Place


async def test_the_founder_holds_all_powers_for_thirty_days_and_then_none(place: Place):
    await place.join("ana")
    async with place.acting("ana") as (_, viewer):
        assert all(viewer.may(power) for power in POWERS)
    place.later(days=30)
    async with place.acting("ana") as (_, viewer):
        assert not any(viewer.may(power) for power in POWERS)
        with pytest.raises(NotAllowed):
            viewer.require("admit")


async def test_who_joined_by_invitation_holds_no_power(place: Place):
    await place.join("ana", "bo")
    async with place.acting("bo") as (session, viewer):
        with pytest.raises(NotAllowed):
            await joining.invite(session, viewer, "x" * 64, 1, place.now)


async def test_the_founders_link_admits_one_person_once(place: Place):
    await place.join("ana")
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict):
            await joining.join(session, place.token, "eve", "Eve", "x", place.now)


async def test_an_invitation_admits_as_many_as_it_says_until_its_end(place: Place):
    await place.join("ana")
    token = joining.new_token()
    async with place.acting("ana") as (session, viewer):
        await joining.invite(session, viewer, joining.token_digest(token), 2, place.now)
    async with place.database.ACT.begin() as session:
        await joining.join(session, token, "bo", "Bo", "x", place.now)
    place.later(days=7)
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict) as refused:
            await joining.join(session, token, "cem", "Cem", "x", place.now)
    assert refused.value.code == "expired"
    async with place.database.ACT.begin() as session:
        with pytest.raises(NotFound):
            await joining.join(session, "unknown", "cem", "Cem", "x", place.now)


async def test_a_taken_name_is_refused_and_the_invitation_is_not_used_up(place: Place):
    await place.join("ana")
    token = joining.new_token()
    async with place.acting("ana") as (session, viewer):
        await joining.invite(session, viewer, joining.token_digest(token), 1, place.now)
    with pytest.raises(Invalid):
        async with place.database.ACT.begin() as session:
            await joining.join(session, token, "ana", "Other", "x", place.now)
    async with place.database.ACT.begin() as session:
        await joining.join(session, token, "bo", "Bo", "x", place.now)
        assert await people.member_count(session) == 2


async def test_the_assembly_holds_everybody_below_six_and_rests_from_six_on(place: Place):
    await place.join("a1", "a2", "a3", "a4", "a5")
    async with place.database.READ() as session:
        assembly = next(c for c in await people.circles(session) if c.is_assembly)
        assert len(await people.members_of(session, assembly.id)) == 5
    await place.join("a6")
    async with place.database.READ() as session:
        assert await people.members_of(session, assembly.id) == []


async def guess(place: Place, session: AsyncSession, login: str, address: str, times: int) -> None:
    for _ in range(times):
        await joining.check_throttle(session, login, address, place.now)
        await joining.note_failure(session, login, address, place.now)


async def test_eight_wrong_passwords_close_a_name_where_they_come_from_and_nowhere_else(place: Place):
    async with place.database.ACT.begin() as session:
        await guess(place, session, "ana", "192.0.2.1", joining.FAILURES_ALLOWED)
        with pytest.raises(TooMany, match="Too many attempts"):
            await joining.check_throttle(session, "ana", "192.0.2.1", place.now)
        await joining.check_throttle(session, "ana", "192.0.2.9", place.now)
        await joining.check_throttle(session, "bo", "192.0.2.1", place.now)
        place.later(minutes=16)
        await joining.check_throttle(session, "ana", "192.0.2.1", place.now)


async def test_a_place_is_closed_however_many_names_are_tried_from_it(place: Place):
    async with place.database.ACT.begin() as session:
        for login in ("ana", "bo", "cem"):
            await guess(place, session, login, "192.0.2.1", joining.FAILURES_ALLOWED)
        with pytest.raises(TooMany):
            await joining.check_throttle(session, "dot", "192.0.2.1", place.now)
        await joining.check_throttle(session, "dot", "192.0.2.9", place.now)


async def test_a_name_is_closed_everywhere_to_many_guesses_from_many_places(place: Place):
    async with place.database.ACT.begin() as session:
        for number in range(joining.FAILURES_FROM_ANYWHERE // 4):
            await guess(place, session, "ana", f"192.0.2.{number}", 4)
        with pytest.raises(TooMany, match="log in with a passkey"):
            await joining.check_throttle(session, "ana", "198.51.100.1", place.now)
        await joining.check_throttle(session, "bo", "198.51.100.1", place.now)
        await joining.forget_failures(session, "ana", "198.51.100.1")
        await joining.check_throttle(session, "ana", "198.51.100.1", place.now)


async def test_a_log_in_ends_after_thirty_days_and_at_log_out(place: Place):
    await place.join("ana")
    token = joining.new_token()
    async with place.acting("ana") as (session, viewer):
        await joining.log_in(session, viewer.require_member(), joining.token_digest(token), place.now)
    async with place.database.READ() as session:
        assert (await joining.viewer_of(session, token, place.now)).is_member
        assert not (await joining.viewer_of(session, token + "x", place.now)).is_member
    async with place.database.ACT.begin() as session:
        await joining.log_out(session, token)
    async with place.database.READ() as session:
        assert not (await joining.viewer_of(session, token, place.now)).is_member
    async with place.acting("ana") as (session, viewer):
        await joining.log_in(session, viewer.require_member(), joining.token_digest(token), place.now)
    place.later(days=30)
    async with place.database.READ() as session:
        assert not (await joining.viewer_of(session, token, place.now)).is_member


async def test_a_member_has_a_public_actor_only_from_asking_until_taking_it_back(place: Place):
    await place.join("ana")
    async with place.database.READ() as session:
        assert await people.local_actor_by_handle(session, "ana") is None
    async with place.acting("ana") as (session, viewer):
        with pytest.raises(Invalid):
            await appearing.appear(session, place.home, viewer, "oak", place.pairs[0], place.now)
        actor = await appearing.appear(session, place.home, viewer, "ana_b", place.pairs[0], place.now)
        assert (actor.type, actor.kind) == ("Person", "member")
        with pytest.raises(Conflict):
            await appearing.appear(session, place.home, viewer, "ana_b", place.pairs[0], place.now)
    async with place.acting("ana") as (session, viewer):
        await appearing.disappear(session, place.home, viewer, place.now)
    async with place.database.READ() as session:
        gone = await people.local_actor_by_handle(session, "ana_b")
        assert gone is not None
        assert gone.gone_at == place.now


async def test_codes_that_were_guessed_with_the_old_password_keep_nobody_out_who_has_set_another_by_a_link(
    place: Place,
):
    async with place.database.ACT.begin() as session:
        for _ in range(joining.LIMITS["code"][0]):
            await joining.note_tries(session, place.now, code="ana")
        with pytest.raises(TooMany):
            await joining.check_tries(session, place.now, code="ana")
        await joining.forget_failures(session, "ana", "somewhere")
        await joining.check_tries(session, place.now, code="ana")
