"""What makes a way into an account another is told to whose it is: on their pages, and by mail whatever mail they chose to get."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.mails import Mail, Mailbox
from models.notices import Notice
from models.people import Member
from server.actions import accounts, mailing, passkeys, recovering, second
from server.viewer import Viewer

from .conftest import Place

ADDRESS = "ana@mail.test"


async def weaken(place: Place, session: AsyncSession, viewer: Viewer) -> None:
    """All that may become others, once each."""
    member, now = viewer.require_member(), place.now
    await accounts.change_password(session, place.home, member, "another", None, now)
    key = await passkeys.keep(
        session, place.home, viewer, credential="c", public_key=b"k", count=0, name="x", now=now
    )
    await session.flush()
    await passkeys.remove(session, place.home, viewer, key.id, now)
    member.totp_at = now
    await session.flush()
    for _ in range(2):  # the second time there is none
        await second.turn_off(session, place.home, member.id, now)


async def told(place: Place, login: str) -> tuple[Sequence[str], Sequence[str]]:
    """What notices and mails there are, and they are forgotten."""
    async with place.acting(login) as (session, viewer):
        mine = viewer.require_member().id
        rows = (
            await session.scalars(select(Notice).where(Notice.member_id == mine).order_by(Notice.id))
        ).all()
        mails = (await session.scalars(select(Mail).where(Mail.member_id == mine).order_by(Mail.id))).all()
        for table in (Notice, Mail):
            await session.execute(delete(table).where(table.member_id == mine))
        assert {bool(row.mailed_at) for row in rows} <= {bool(mails)}, "no digest says it again"
        assert all(mail.address == ADDRESS for mail in mails)
        return [row.kind for row in rows], [mail.subject for mail in mails]


async def address(place: Place, login: str) -> None:
    async with place.acting(login) as (session, viewer):
        mine = viewer.require_member().id
        session.add(
            Mailbox(member_id=mine, address=ADDRESS, confirmed_at=place.now, digest="off", at_once=[])
        )


async def test_who_has_an_address_is_told_by_mail_too_whatever_they_chose(place: Place):
    await place.join("ana", "bo")
    await address(place, "ana")
    for login in ("ana", "bo"):
        async with place.acting(login) as (session, viewer):
            await weaken(place, session, viewer)
    kinds = ["password-changed", "passkey-added", "passkey-removed", "second-off"]
    assert await told(place, "ana") == (
        kinds,
        [
            "Your password was changed (Oak)",
            "A passkey was added (Oak)",
            "A passkey was removed (Oak)",
            "Your second factor was turned off (Oak)",
        ],
    )
    assert await told(place, "bo") == (kinds, [])


async def test_nothing_goes_to_an_address_that_its_server_refused(place: Place):
    await place.join("ana")
    await address(place, "ana")
    async with place.acting("ana") as (session, viewer):
        (await session.get_one(Mailbox, viewer.require_member().id)).refused_at = place.now
        await weaken(place, session, viewer)
    assert (await told(place, "ana"))[1] == []


async def test_a_link_that_ends_the_second_factor_tells_of_both(place: Place):
    await place.join("ana", "bo")
    await address(place, "bo")
    async with place.acting("ana") as (session, viewer):
        bo = await session.get_one(Member, 2)
        bo.totp_at = place.now
        await recovering.make_link(session, viewer, bo, "7" * 64, place.now, resets_second=True)
        await session.flush()
        await recovering.recover(session, place.home, "7" * 64, "another", place.now)
    kinds, subjects = await told(place, "bo")
    assert sorted(kinds) == ["password-changed", "second-off"]
    assert len(subjects) == 2


async def test_an_address_that_is_forgotten_is_told_so_once_and_not_kept(place: Place):
    await place.join("ana")
    await address(place, "ana")
    async with place.acting("ana") as (session, viewer):
        await mailing.forget_address(session, place.home, viewer, place.now)
        await session.flush()
        assert await session.get(Mailbox, viewer.require_member().id) is None
        await mailing.forget_address(session, place.home, viewer, place.now)
    assert await told(place, "ana") == (["mail-forgotten"], ["Your e-mail address was changed (Oak)"])


async def test_warnings_that_wait_go_out_though_the_address_is_forgotten_and_nothing_else_does(place: Place):
    await place.join("ana")
    await address(place, "ana")
    async with place.acting("ana") as (session, viewer):
        member = viewer.require_member()
        await accounts.change_password(session, place.home, member, "another", None, place.now)
        waiting = {"member_id": member.id, "address": ADDRESS, "subject": "Today", "text": "", "html": ""}
        for number, dead in enumerate((None, place.now)):
            for kind in ("digest", "safety"):
                moments = {"made_at": place.now, "due_at": place.now, "dead_at": dead}
                names = {"kind": kind, "message_id": f"<{kind}{number}@oak.test>", "attempts": 0}
                session.add(Mail(**waiting, **moments, **names))
    async with place.acting("ana") as (session, viewer):
        await mailing.forget_address(session, place.home, viewer, place.now)
    async with place.database.READ() as session:
        rows = (await session.scalars(select(Mail).order_by(Mail.id))).all()
    assert [(row.kind, row.dead_at) for row in rows] == [("safety", None), ("safety", None), ("moved", None)]
