"""E-mail that is made of no notice, against a real mail server: a link to get back in, that the password is another, that who asked
to join was answered."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.accounts import JoinRequest, Lost, Recovery
from models.people import member_by_login
from server.actions import departing, people
from server.keys import CLOCK, DATABASE, HOME
from server.workers import PASSES
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.conftest import both as both
from tests.server.web.conftest import enter as enter
from tests.server.web.conftest import meetings as meetings
from tests.server.web.test_every_page import check
from tests.server.workers.test_mail import (
    ADDRESS,
    MailServer,
    confirmed,
    connect,
    link_in,
    pass_by,
    text_of,
    waiting,
)
from tests.server.workers.test_mail import postman as postman

NEW = "quite another password"
MOVED = "Your e-mail address was changed (Oak Collective)"


async def lose(browser: Browser, who: str) -> Page:
    return await browser.send(await browser.get("/login/lost"), "/login/lost", who=who)


async def renew(browser: Browser, link: str) -> Page:
    return await browser.send(await browser.get(link), link, new__password=NEW, again=NEW)


async def test_a_member_with_a_confirmed_address_gets_a_link_that_works_once_and_logs_out_everywhere(
    both: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with both.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await confirmed(app, ana, postman)
        check(await visitor.get("/login/lost"))
        page = await lose(visitor, "Ana")
        check(page)
        await lose(visitor, ADDRESS.upper())
        assert postman.taken == []  # nothing is looked up while somebody waits for the answer
        await PASSES["mail"](app)
        mails, postman.taken = postman.taken, []
        assert [mail["To"] for mail in mails] == [ADDRESS, ADDRESS]
        assert mails[0]["Subject"] == "A link to log in at Oak Collective"
        assert not any(" ana" in text_of(mail) or "Ana" in text_of(mail) for mail in mails)
        first, second = [link_in(mail, "/recover/") for mail in mails]
        notices = await ana.get("/me")
        assert "it was sent to your address" in notices.text
        check(notices)
        assert (await renew(visitor, first)).path == "/login?done=recovered"
        assert (await ana.get("/me")).path == "/login?next=/me"
        for link in (first, second):  # one of them was used; that ends the other too
            assert (await visitor.get(link)).status == 409
        page = await visitor.send(await visitor.get("/login"), "/login", login="ana", password=NEW)
        assert page.path == "/"
        check(await visitor.get("/me"))
        assert "by a link that was sent to your address" in (await visitor.get("/me")).text
        await PASSES["mail"](app)
        (mail,) = postman.taken
        assert mail["Subject"] == "Your password was changed (Oak Collective)"
        assert "http://oak.test/login/lost" in text_of(mail)


async def test_the_answer_is_the_same_for_everybody_and_what_was_typed_is_not_kept(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await confirmed(app, ana, postman)
        await bo.send(
            await bo.get("/me/mail"), "/me/mail/address", address="bo@mail.test", password=PASSWORD
        )  # not confirmed
        await PASSES["mail"](app)
        postman.taken.clear()
        said = set()
        for who in ("ana", "bo", "bo@mail.test", "nobody", "nobody@mail.test"):
            page = await lose(await enter(fed, "oak"), who)
            said.add((page.status, page.text))
        assert len(said) == 1
        page = await lose(await enter(fed, "oak"), "ana")
        assert (page.status, page.alert.count("Too many attempts.")) == (429, 1)  # sixth from one place
        check(page)
        await PASSES["mail"](app)
        assert [mail["To"] for mail in postman.taken] == [ADDRESS]
        async with app[DATABASE].READ() as session:
            assert await session.scalar(select(func.count()).select_from(Lost)) == 0
            assert await session.scalar(select(func.count()).select_from(Recovery)) == 1


async def test_links_by_mail_are_three_in_a_day_and_over_in_an_hour(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await confirmed(app, ana, postman)
        for _ in range(5):
            await lose(visitor, "ana")
        await PASSES["mail"](app)
        assert len(postman.taken) == 3
        links = [link_in(mail, "/recover/") for mail in postman.taken]
        fed.clock.advance(timedelta(minutes=59))
        assert (await visitor.get(links[0])).status == 200
        fed.clock.advance(timedelta(minutes=1))
        assert (await visitor.get(links[0])).status == 409
        postman.taken.clear()
        fed.clock.advance(timedelta(hours=23))
        await lose(visitor, "ana")
        await pass_by(app)
        assert len(postman.taken) == 1


@pytest.mark.parametrize("trouble", ["forgotten", "refused", "left"])
async def test_where_there_is_no_usable_address_nothing_is_sent(
    meetings: Meetings, enter: Enter, postman: MailServer, trouble: str
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        bo, visitor = await enter(fed, "oak", "bo"), await enter(fed, "oak")
        await confirmed(app, bo, postman)
        if trouble == "forgotten":
            await bo.send(await bo.get("/me/mail/forget"), "/me/mail/forget", password=PASSWORD)
            await PASSES["mail"](app)
            assert [mail["Subject"] for mail in postman.taken] == [MOVED]
            postman.taken.clear()
        elif trouble == "refused":
            postman.recipient = "550 no such user"
            await lose(visitor, "bo")
            await PASSES["mail"](app)
            postman.recipient = "250 OK"
        elif trouble == "left":
            async with app[DATABASE].ACT.begin() as session:
                member = await member_by_login(session, "bo")
                assert member is not None
                viewer = await people.viewer_for(session, member, app[CLOCK].now())
                await departing.leave(session, app[HOME], viewer, app[CLOCK].now(), erased=False)
        await lose(visitor, "bo")
        await PASSES["mail"](app)
        assert postman.taken == []
        async with app[DATABASE].READ() as session:
            assert await session.scalar(select(func.count()).select_from(Lost)) == 0


async def test_a_link_by_mail_leaves_the_second_factor_as_it_is(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = connect(fed, postman)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await confirmed(app, ana, postman)
        async with app[DATABASE].ACT.begin() as session:
            member = await member_by_login(session, "ana")
            assert member is not None
            member.totp_secret, member.totp_at = b"sealed", fed.clock.now()
        await lose(visitor, "ana")
        await PASSES["mail"](app)
        await renew(visitor, link_in(postman.taken.pop(), "/recover/"))
        page = await visitor.send(await visitor.get("/login"), "/login", login="ana", password=NEW)
        assert page.has_form("/login/code")


async def test_without_a_mail_server_the_page_names_the_other_way_and_takes_nothing(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        visitor = await enter(fed, "oak")
        page = await visitor.get("/login/lost")
        check(page)
        assert not page.has_form("/login/lost")
        assert "A member who may admit people can make a link for you." in page.text
        assert "address" not in (await visitor.get("/join")).text.split("What happens")[0]


async def test_who_changes_their_password_is_told_by_mail(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = connect(fed, postman)
        visitor, ana = await enter(fed, "oak"), await enter(fed, "oak", "ana")
        await confirmed(app, ana, postman)
        await lose(visitor, "ana")
        await PASSES["mail"](app)
        await renew(visitor, link_in(postman.taken.pop(), "/recover/"))
        await visitor.send(await visitor.get("/login"), "/login", login="ana", password=NEW)
        await PASSES["mail"](app)
        postman.taken.clear()
        page = await visitor.get("/me/password")
        other = {"new__password": "one more password", "again": "one more password"}
        assert (await visitor.send(page, "/me/password", password=NEW, **other)).path == "/me?done=password"
        await PASSES["mail"](app)
        assert [mail["Subject"] for mail in postman.taken] == ["Your password was changed (Oak Collective)"]


ASKING = {"login": "zoe", "name": "Zoe", "words": "Cem knows me.", "password": "a long password"}


@pytest.mark.parametrize("act", ["admit", "decline"])
async def test_who_asked_to_join_gets_one_mail_with_the_answer_and_the_address_is_forgotten(
    meetings: Meetings, enter: Enter, postman: MailServer, act: str
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = connect(fed, postman)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        page = await visitor.send(await visitor.get("/join"), "/join", **ASKING, address="zoe@mail")
        assert page.status == 200, page.problems
        assert "one mail tells you" in page.text
        check(page)
        await pass_by(app, hours=3)
        assert postman.taken == []
        requests = await ana.get("/people/requests")
        assert "zoe@mail" not in requests.body
        action = next(f.attributes["action"] for f in requests.all("form") if act in f.attributes["action"])
        await ana.send(requests, action)
        await pass_by(app)
        (mail,) = postman.taken
        assert mail["To"] == "zoe@mail"
        said = {
            "admit": "You are a member of Oak Collective",
            "decline": "Your request to join Oak Collective",
        }
        assert mail["Subject"] == said[act]
        for word in ("Zoe", "zoe", "Cem"):
            assert word not in text_of(mail)
        assert await waiting(app) == []
        async with app[DATABASE].READ() as session:
            assert [row.address for row in await session.scalars(select(JoinRequest))] in ([], [None])


async def test_an_address_is_optional_checked_and_gets_nothing_when_all_are_declined(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = connect(fed, postman)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        page = await visitor.send(await visitor.get("/join"), "/join", **ASKING, address="zoe at home")
        assert page.problems == ["Write an e-mail address such as ana@north.example."]
        check(page)
        page = await visitor.send(page, "/join", password="a long password", address="zoe@mail.test")
        assert page.status == 200, page.problems
        for login in ("yma", "xia"):
            page = await visitor.send(await visitor.get("/join"), "/join", **(ASKING | {"login": login}))
            assert page.status == 200, page.problems
        await ana.send(await ana.get("/people/requests/decline-all"), "/people/requests/decline-all")
        await pass_by(app)
        assert postman.taken == []
        async with app[DATABASE].READ() as session:
            assert [row.address for row in await session.scalars(select(JoinRequest))] == [None] * 3
