"""Accounts below the pages: admission, recovery, second factors, leaving and removal, on both databases."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select

from models import accounts as rows
from models import decisions, people
from models.accounts import Passkey, Recovery
from models.decisions import Confirmation, Draft, Position
from models.events import Event
from models.mails import Mailbox
from models.mandates import MandateRow
from models.people import Actor, Login, Member
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, TooMany
from server.actions import (
    accounts,
    appearing,
    balloting,
    convening,
    departing,
    exporting,
    mailing,
    passkeys,
    recovering,
    requests,
    second,
)
from server.actions import people as joining

from .conftest import Place

HOUR = timedelta(hours=1)
ALONE = convening.Plan(
    "Shall Bo leave us?",
    proposals=[("Yes, Bo leaves", "")],
    gather=HOUR,
    window=HOUR,
    grace=timedelta(minutes=5),
    challenge=timedelta(),
)
SAID = balloting.Words({"position": "consent"})


async def request(place: Place, login: str, where: str = "a" * 64) -> int:
    async with place.database.ACT.begin() as session:
        asked = requests.Asked(login, "Zoe", "Hi")
        row = await requests.ask_to_join(session, asked, "x", where, place.now)
        await session.flush()
        return row.id


async def member(place: Place, login: str) -> Member:
    async with place.database.READ() as session:
        found = await people.member_by_login(session, login)
        assert found is not None
        return found


async def decide(place: Place, *logins: str) -> str:
    """A decision of this collective alone that all of these confirm: final and adopted. Returns its name."""
    name = await place.convene("ana", ALONE)
    await place.work(name)
    place.now = (await place.view(name)).opens
    await place.work(name)
    for login in logins:
        async with place.acting(login) as (session, viewer):
            scope = await place.scope(session, name)
            if login == logins[0]:
                await balloting.note_position(
                    session, viewer, scope, {"position": "consent"}, "mine", place.now
                )
                await balloting.save_draft(session, viewer, scope, SAID, 0, place.now)
            await balloting.confirm(session, place.home, viewer, scope, 1, place.now)
    place.later(hours=1, minutes=6)
    for _ in range(3):
        await place.work(name)
    assert ((await place.view(name)).state, (await place.view(name)).outcome) == ("final", "adopted")
    return name


async def sitting(place: Place) -> int:
    async with place.database.READ() as session:
        assembly = next(c for c in await people.circles(session) if c.is_assembly)
        return len(await people.members_of(session, assembly.id))


async def test_requests_wait_within_bounds_and_end_by_themselves(place: Place):
    await place.join("ana")
    for number in range(requests.MOST_WAITING):
        await request(place, f"zoe{number}", f"{number // 3:064}")
    with pytest.raises(TooMany):
        await request(place, "one-more", "b" * 64)
    place.now += requests.WAITS
    await request(place, "zoe1", "b" * 64)
    async with place.database.READ() as session:
        waiting = await rows.requests_waiting(session, place.now - requests.WAITS)
        assert [row.login for row in waiting] == ["zoe1"]
        assert await session.scalar(select(func.count()).select_from(rows.JoinRequest)) == 1


async def test_who_is_admitted_sits_in_the_assembly_and_the_act_names_its_mandate(place: Place):
    await place.join("ana", "bo")
    number = await request(place, "zoe")
    async with place.acting("bo") as (session, viewer):
        for refused in (
            requests.admit(session, place.home, viewer, number, place.now),
            requests.waiting(session, viewer, place.now),
        ):
            with pytest.raises(NotAllowed):
                await refused
    async with place.acting("ana") as (session, viewer):
        await requests.admit(session, place.home, viewer, number, place.now)
    assert await sitting(place) == 3
    async with place.database.READ() as session:
        event = await session.scalar(select(Event).where(Event.kind == "member admitted"))
        assert event is not None
        assert event.mandate_id == 1
    async with place.acting("ana") as (session, viewer):
        with pytest.raises(NotFound):
            await requests.admit(session, place.home, viewer, number, place.now)


async def test_who_was_declined_asks_again_under_another_name_at_once_and_under_the_same_after_a_month(
    place: Place,
):
    await place.join("ana")
    await request(place, "zoe")
    async with place.acting("ana") as (session, viewer):
        assert await requests.decline_all(session, viewer, 1, place.now) == 1
    await request(place, "zoe2")
    place.now += requests.WAITS - HOUR
    with pytest.raises(Invalid):
        await request(place, "zoe")
    place.now += HOUR
    await request(place, "zoe")


async def test_a_recovery_link_works_once_for_a_day_ends_log_ins_and_its_member_is_told(place: Place):
    await place.join("ana", "bo")
    bo, old, digest = await member(place, "bo"), joining.new_token(), joining.token_digest("link")
    async with place.database.ACT.begin() as session:
        await joining.log_in(session, bo, joining.token_digest(old), place.now)
    async with place.acting("bo") as (session, viewer):
        with pytest.raises(NotAllowed):
            await recovering.make_link(session, viewer, bo, digest, place.now, resets_second=False)
    async with place.acting("ana") as (session, viewer):
        await recovering.make_link(session, viewer, bo, "0" * 64, place.now, resets_second=False)
        await recovering.make_link(session, viewer, bo, digest, place.now, resets_second=False)
    async with place.acting("bo") as (session, viewer):
        ((row, maker),) = await recovering.told(session, viewer, place.now)
        assert (maker, row.used_at, row.mandate_id) == ("Ana", None, 1)
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict):
            await recovering.recover(session, place.home, "0" * 64, "new", place.now)
        await recovering.recover(session, place.home, digest, "new", place.now)
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict):
            await recovering.recover(session, place.home, digest, "newer", place.now)
        assert not (await joining.viewer_of(session, old, place.now)).is_member
    assert (await member(place, "bo")).password_hash == "new"
    async with place.acting("bo") as (session, viewer):
        ((row, _),) = await recovering.told(session, viewer, place.now)
        assert row.used_at == place.now


async def test_a_link_is_taken_back_by_its_member_and_ends_after_a_day(place: Place):
    await place.join("ana", "bo")
    bo = await member(place, "bo")
    for digest in ("1" * 64, "2" * 64):
        async with place.acting("ana") as (session, viewer):
            await recovering.make_link(session, viewer, bo, digest, place.now, resets_second=False)
        if digest[0] == "1":
            async with place.acting("bo") as (session, viewer):
                assert await recovering.cancel(session, viewer, place.now) == 1
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict):
            await recovering.open_link(session, "1" * 64, place.now)
        await recovering.open_link(session, "2" * 64, place.now)
        with pytest.raises(Conflict):
            await recovering.open_link(session, "2" * 64, place.now + recovering.LINK_LASTS)


async def test_a_link_opens_nothing_once_the_member_has_changed_the_password_themselves(place: Place):
    await place.join("ana", "bo")
    bo = await member(place, "bo")
    async with place.acting("ana") as (session, viewer):
        await recovering.make_link(session, viewer, bo, "1" * 64, place.now, resets_second=True)
    async with place.acting("bo") as (session, viewer):
        mine = viewer.require_member()
        await accounts.change_password(session, place.home, mine, "newer", None, place.now)
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict):
            await recovering.recover(session, place.home, "1" * 64, "newest", place.now)


@pytest.mark.parametrize("how", ["replaced", "forgotten"])
async def test_a_link_that_went_to_an_address_opens_nothing_once_it_is_no_more_the_members(
    place: Place, how: str
):
    await place.join("ana", "bo")
    bo, home = await member(place, "bo"), place.home
    async with place.database.ACT.begin() as session:
        session.add(
            Mailbox(
                member_id=bo.id,
                address="old@north.example",
                confirmed_at=place.now,
                pending="new@north.example",
                pending_hash=joining.token_digest("confirm"),
                pending_until=place.now + HOUR,
                asked=1,
                digest="off",
                hour=8,
                weekday=0,
                at_once=[],
            )
        )
        for digest, by_mail in (("1" * 64, True), ("2" * 64, False)):
            session.add(
                Recovery(
                    token_hash=digest,
                    member_id=bo.id,
                    resets_second=False,
                    by_mail=by_mail,
                    created_at=place.now,
                    expires_at=place.now + HOUR,
                )
            )
    async with place.acting("bo") as (session, viewer):
        if how == "replaced":
            await mailing.confirm(session, home, viewer, "confirm", place.now)
        else:
            await mailing.forget_address(session, home, viewer, place.now)
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict):
            await recovering.open_link(session, "1" * 64, place.now)
        await recovering.open_link(session, "2" * 64, place.now)


async def test_the_command_line_makes_a_link_only_where_no_other_member_could(place: Place):
    await place.join("ana", "bo")
    ana, bo = await member(place, "ana"), await member(place, "bo")
    async with place.database.ACT.begin() as session:
        with pytest.raises(Conflict) as refused:
            await recovering.make_operators_link(session, bo, "3" * 64, place.now)
        assert refused.value.code == "ask-a-member"
        await recovering.make_operators_link(session, ana, "4" * 64, place.now)
        await recovering.make_operators_link(session, bo, "3" * 64, place.now + timedelta(days=30))


async def test_a_second_factor_takes_each_code_once_and_none_from_before(place: Place):
    await place.join("ana")
    ana = await member(place, "ana")
    async with place.database.ACT.begin() as session:
        await second.begin(session, place.home, ana.id)
    secret = second.secret_of(place.home, await member(place, "ana"))
    assert secret
    assert secret.encode() not in ((await member(place, "ana")).totp_secret or b"")

    def code(seconds: int = 0) -> str:
        return pyotp.TOTP(secret).at(int(place.now.timestamp()) + seconds)

    async def is_right(said: str) -> bool:
        async with place.database.ACT.begin() as session:
            return await second.is_right(
                session, place.home, await second.locked(session, ana.id), said, place.now
            )

    async with place.database.ACT.begin() as session:
        with pytest.raises(Invalid):
            await second.confirm(session, place.home, ana.id, code(-120), place.now)
        codes = await second.confirm(session, place.home, ana.id, code(), place.now)
    assert [await is_right(said) for said in (code(), code(-30), code(60), "", "12345é")] == [False] * 5
    assert [await is_right(code(30)) for _ in range(2)] == [True, False]
    assert [await is_right(codes[0]) for _ in range(2)] == [True, False]
    async with place.database.ACT.begin() as session:
        assert await rows.codes_left(session, ana.id) == 9
        with pytest.raises(Conflict):
            await second.begin(session, place.home, ana.id)
        await second.turn_off(session, place.home, ana.id, place.now)
        assert await rows.codes_left(session, ana.id) == 0
    assert (await member(place, "ana")).totp_secret is None


async def test_what_is_spent_is_spent_until_it_would_have_ended(place: Place):
    async with place.database.ACT.begin() as session:
        until = place.now + HOUR
        assert await rows.spend(session, "5" * 64, until, place.now)
        assert not await rows.spend(session, "5" * 64, until, place.now)
        assert await rows.spend(session, "6" * 64, until, until)
        assert await session.scalar(select(func.count()).select_from(rows.Spent)) == 1


async def test_a_passkey_belongs_to_one_member(place: Place):
    await place.join("ana", "bo")
    for login in ("ana", "bo"):
        async with place.acting(login) as (session, viewer):
            kept = passkeys.keep(
                session,
                place.home,
                viewer,
                credential="c",
                public_key=b"k",
                count=2**32 - 1,
                name="x",
                now=place.now,
            )
            if login == "ana":
                await kept
            else:
                with pytest.raises(Conflict):
                    await kept
                with pytest.raises(NotFound):
                    await passkeys.remove(session, place.home, viewer, 1, place.now)


async def test_leaving_below_six_brings_the_others_back_into_the_assembly(place: Place):
    await place.join("ana", "bo", "cem", "dara", "eli", "fay")
    assert await sitting(place) == 0
    async with place.acting("fay") as (session, viewer):
        await departing.leave(session, place.home, viewer, place.now, erased=False)
    assert await sitting(place) == 5
    async with place.acting("ana") as (session, viewer):
        await departing.leave(session, place.home, viewer, place.now, erased=False)
    assert await sitting(place) == 4
    async with place.database.READ() as session:
        mandate = await session.get(MandateRow, 1)
        assert mandate is not None
        assert mandate.resigned_at == place.now
        assert (await member(place, "ana")).name == "Ana"


async def test_who_is_erased_leaves_no_name_and_what_others_rely_on(place: Place):
    await place.join("ana", "bo", "cem")
    name = await decide(place, "bo", "ana")
    bo = await member(place, "bo")
    async with place.acting("bo") as (session, viewer):
        await accounts.describe(session, place.home, viewer, "Bo Silva", "I garden.", place.now)
        await appearing.appear(session, place.home, viewer, "bo_s", place.pairs.pop(), place.now)
        await passkeys.keep(
            session, place.home, viewer, credential="c", public_key=b"k", count=0, name="x", now=place.now
        )
        await joining.log_in(session, viewer.require_member(), "7" * 64, place.now)
        scope = await place.scope(session, name)
        session.add(
            Draft(
                scope_id=scope.id,
                circle_id=1,
                number=9,
                position={},
                reason="unsaid",
                resolve="",
                by_member_id=bo.id,
                at=place.now,
            )
        )
    async with place.acting("bo") as (session, viewer):
        found = await departing.traces(session, viewer)
        assert (found.positions, found.drafts, found.published, found.confirmations, found.seats) == (
            1,
            1,
            1,
            1,
            1,
        )
        assert (found.running, found.is_public, found.passkeys, found.logins) == (0, True, 1, 1)
        await departing.leave(session, place.home, viewer, place.now, erased=True)
    async with place.database.READ() as session:
        gone = await session.get_one(Member, bo.id)
        assert (gone.name, gone.about, gone.password_hash) == (departing.NAMELESS, "", "")
        assert await people.member_by_login(session, "bo") is None
        actor = await session.get_one(Actor, gone.actor_id)
        assert (actor.name, actor.gone_at) == ("", place.now)
        for table in (Position, Passkey, Login):
            assert await session.scalar(select(func.count()).where(table.member_id == bo.id)) == 0
        drafts = (await session.scalars(select(Draft).where(Draft.by_member_id == bo.id))).all()
        assert {(draft.ballot is None, draft.reason) for draft in drafts} == {(False, ""), (True, "")}
        assert await session.scalar(select(func.count()).where(Confirmation.member_id == bo.id)) == 1
        assert await decisions.seat_of(session, (await place.scope(session, name)).id, bo.id) is not None
    assert (await place.view(name)).outcome == "adopted"
    await place.join("bo")  # the name to log in with is free again


async def test_who_goes_takes_no_key_to_others_accounts_along(place: Place):
    await place.join("ana", "bo", "cem")
    bo, token = await member(place, "bo"), joining.new_token()
    async with place.acting("ana") as (session, viewer):
        await recovering.make_link(session, viewer, bo, "5" * 64, place.now, resets_second=True)
        await joining.invite(session, viewer, joining.token_digest(token), 5, place.now)
        await recovering.open_link(session, "5" * 64, place.now)
    async with place.acting("ana") as (session, viewer):
        await departing.leave(session, place.home, viewer, place.now, erased=False)
    async with place.database.READ() as session:
        with pytest.raises(Conflict, match="works no more"):
            await recovering.open_link(session, "5" * 64, place.now)
        with pytest.raises(Conflict, match="has ended"):
            await joining.open_invitation(session, token, place.now)


async def test_the_export_holds_what_is_mine_and_nothing_of_others(place: Place):
    await place.join("ana", "bo")
    await decide(place, "bo", "ana")
    found = {}
    for login in ("ana", "bo"):
        async with place.acting(login) as (session, viewer):
            found[login] = await exporting.everything(session, place.home, viewer, place.now)
    assert [one["note"] for one in found["bo"]["positions"]] == ["mine"]
    assert found["ana"]["positions"] == []
    assert found["ana"]["drafts written"] == []
    assert [one["question"] for one in found["ana"]["drafts confirmed"]] == ["Shall Bo leave us?"]
    assert [one["status"] for one in found["ana"]["mandates"]] == ["in-force"]
    assert "invitation made" in {act["what"] for act in found["ana"]["mandates"][0]["acts"]}
    assert "Bo" not in str({k: v for k, v in found["ana"].items() if k == "account"})
    assert "password_hash" not in str(found)
