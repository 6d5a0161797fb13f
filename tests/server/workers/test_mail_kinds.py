"""Kinds of notices that e-mail tells of, against a real mail server: weekly digest, recalls, links, offers, what is urgent."""

from datetime import datetime, timedelta
from email.message import EmailMessage

from aiohttp import web
from sqlalchemy import select

from models.mandates import MandateRow
from models.people import member_by_login
from server.keys import DATABASE
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.conftest import enter as enter
from tests.server.web.conftest import meetings as meetings
from tests.server.workers.test_mail import MailServer, confirmed, connect, pass_by, text_of
from tests.server.workers.test_mail import postman as postman


async def recall_of(app: web.Application, login: str, now: datetime) -> None:
    """The mandate of a member is recalled."""
    async with app[DATABASE].ACT.begin() as session:
        member = await member_by_login(session, login)
        assert member is not None
        (row,) = await session.scalars(select(MandateRow).where(MandateRow.member_id == member.id))
        row.recalled_at = now


def taken(server: MailServer) -> list[EmailMessage]:
    found, server.taken = server.taken, []
    return found


async def test_the_weekly_digest_comes_on_its_day_and_hour_and_repeats_nothing(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        now = fed.clock.now()
        day = (now + timedelta(days=(2 - now.weekday()) % 7 or 7)).replace(
            hour=18, minute=0, second=0, microsecond=0
        )
        await confirmed(app, ana, postman, digest="weekly", hour="18", weekday="2")  # on Wednesdays
        while fed.clock.now() < day - timedelta(days=1):
            await pass_by(app, days=1)
        fed.clock.advance(day - timedelta(minutes=1) - fed.clock.now())
        await pass_by(app, seconds=0)
        assert taken(postman) == []
        await pass_by(app)
        (mail,) = taken(postman)
        assert mail["Subject"] == "What happened this week (Oak Collective)"
        assert "Your circle takes part in a decision." in text_of(mail)
        await pass_by(app, days=7)
        assert taken(postman) == []  # nothing new


async def test_a_recall_is_told_at_once_to_its_holder_alone_who_chose_so(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await confirmed(app, ana, postman, at__once=["recall"])
        await confirmed(app, bo, postman, "bo@mail.test", at__once=["recall"])
        await recall_of(app, "ana", fed.clock.now())
        await pass_by(app)
        await pass_by(app)
        (mail,) = taken(postman)
        assert (mail["To"], mail["Subject"]) == (
            "ana@mail.test",
            "A mandate of yours was recalled (Oak Collective)",
        )
        assert "http://oak.test/me" in text_of(mail)


async def test_without_the_choice_a_recall_waits_for_the_digest(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        await confirmed(app, ana, postman, digest="daily", hour="7", at__once=["objection"])
        await recall_of(app, "ana", fed.clock.now())
        await pass_by(app)
        assert taken(postman) == []
        await pass_by(app, days=1)
        (mail,) = taken(postman)
        assert "A mandate of yours was recalled." in text_of(mail)


async def test_a_link_that_somebody_made_to_get_into_an_account_stands_in_the_digest_of_its_member(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await confirmed(app, ana, postman, digest="daily", hour="7")
        await confirmed(app, bo, postman, "bo@mail.test", digest="daily", hour="7")
        page = await ana.get("/people/2/recover")
        link = await ana.send(page, page.path)
        assert "Here is the link" in link.text
        await pass_by(app)
        await pass_by(app, days=1)
        (mail,) = taken(postman)
        assert mail["To"] == "bo@mail.test"
        assert "Somebody made a link to log in as you." in text_of(mail)
        assert "/recover/" not in text_of(mail)


async def test_an_offer_is_told_to_who_may_answer_it_and_to_nobody_once_it_is_answered(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1, elm=2) as fed:
        app = connect(fed, postman, "elm")
        ana, bo = await enter(fed, "elm", "ana"), await enter(fed, "elm", "bo")
        await confirmed(app, ana, postman, digest="daily")
        await confirmed(app, bo, postman, "bo@mail.test", digest="daily")
        await fed.oak.convene("elm")
        await fed.settle()
        await pass_by(app)
        await pass_by(app, days=1)
        told = taken(postman)
        assert [mail["To"] for mail in told] == ["ana@mail.test"]
        said = "Your collective is invited to decide together, and has not answered."
        assert said in text_of(told[0])
        assert f"http://elm.test/decisions/{fed.decision}/answer" in text_of(told[0])
        assert said in (await ana.get("/notices")).text
        assert said not in (await bo.get("/notices")).text


async def test_an_objection_is_told_at_once_to_all_who_sit_and_chose_so_and_only_once(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await confirmed(app, ana, postman, at__once=["objection"])
        await confirmed(app, bo, postman, "bo@mail.test", at__once=["closing"])
        await pass_by(app)
        taken(postman)
        await fed.elm.ballot("object")
        await fed.settle()
        await pass_by(app)
        await pass_by(app)
        (mail,) = taken(postman)
        assert (mail["To"], mail["Subject"]) == ("ana@mail.test", "A circle objects (Oak Collective)")
        assert f"http://oak.test/decisions/{fed.decision}" in text_of(mail)


async def test_a_circle_without_a_ballot_is_told_twelve_hours_before_the_end_and_once(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        await confirmed(app, ana, postman, at__once=["closing"])
        await fed.reach("closes", after=timedelta(hours=-12, minutes=-5))
        await pass_by(app)
        assert taken(postman) == []
        await pass_by(app, minutes=5)
        (mail,) = taken(postman)
        assert mail["Subject"] == "Your circle’s ballot is due (Oak Collective)"
        assert f"http://oak.test/decisions/{fed.decision}/circle" in text_of(mail)
        await pass_by(app, hours=3)
        assert taken(postman) == []  # once


async def test_who_has_voted_is_not_told_that_time_runs_out(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        app = connect(fed, postman)
        await confirmed(app, await enter(fed, "oak", "ana"), postman, at__once=["closing"])
        await fed.oak.ballot("consent")
        await fed.settle()
        await fed.reach("closes", after=timedelta(hours=-11))
        await pass_by(app)
        assert taken(postman) == []
