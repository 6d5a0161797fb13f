"""E-mail against a real mail server on loopback: confirmed addresses only, digests, at once, refusals, failures, a kill."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from sqlalchemy import select

from models import mails
from models.mails import Mail, Mailbox
from models.people import member_by_login
from server.keys import CLOCK, DATABASE, SETTINGS
from server.settings import Smtp
from server.workers import PASSES
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.conftest import both as both
from tests.server.web.conftest import enter as enter
from tests.server.web.conftest import meetings as meetings
from tests.server.web.test_every_page import check

ADDRESS = "ana@mail.test"


class MailServer:
    """A mail server, and what it took. `refuses`: what it answers to a recipient, or to the words."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.recipient = self.words = "250 OK"
        self.kill: asyncio.Task[Any] | None = None
        self.logged_in: list[tuple[bytes, bytes]] = []
        self.port = 0
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        def protocol() -> SMTP:
            return SMTP(
                self, authenticator=self._log_in, auth_require_tls=False, loop=asyncio.get_running_loop()
            )

        self.server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()

    def _log_in(
        self, _server: object, _session: object, _envelope: object, _how: str, said: Any
    ) -> AuthResult:
        self.logged_in.append((said.login, said.password))
        return AuthResult(success=True)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.words.startswith("250"):
            read: Message = message_from_bytes(envelope.original_content or b"", policy=default)
            assert isinstance(read, EmailMessage)
            assert [read["To"]] == envelope.rcpt_tos
            self.taken.append(read)
        if self.kill is not None:
            self.kill.cancel()
        return self.words


@pytest.fixture
async def postman() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


def connect(fed: Federation, server: MailServer, home: str = "oak", **more: Any) -> web.Application:
    app = fed.app_of(home)
    smtp = Smtp("127.0.0.1", server.port, Address(addr_spec="oak@oak.test"), start_tls=False, **more)
    object.__setattr__(app[SETTINGS], "smtp", smtp)
    return app


async def pass_by(app: web.Application, **by: float) -> None:
    """Time passes; members are told, and mail goes out."""
    app[CLOCK].advance(timedelta(**(by or {"minutes": 1})))  # type: ignore[attr-defined]
    await PASSES["notices"](app)
    while await PASSES["mail"](app):
        pass


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def confirmed(
    app: web.Application, browser: Browser, server: MailServer, address: str = ADDRESS, **chosen: Any
) -> Page:
    """A member names an address, opens the link, and chooses."""
    page = await browser.send(
        await browser.get("/me/mail"), "/me/mail/address", address=address, password=PASSWORD
    )
    assert page.said.startswith("A link is on its way"), page.alert
    await PASSES["mail"](app)
    page = await browser.get(link_in(server.taken.pop(), "/me/mail/confirm/"))
    check(page)
    page = await browser.send(page, page.path)
    assert page.said.startswith("The address is confirmed")
    if chosen:
        page = await browser.send(await browser.get("/me/mail"), "/me/mail/choices", **chosen)
        assert page.said == "Your settings are saved."
    return page


def link_in(mail: EmailMessage, path: str) -> str:
    found = re.search(rf"http://[a-z]+\.test({re.escape(path)}\S+)", text_of(mail))
    assert found
    return found[1]


async def waiting(app: web.Application) -> list[Mail]:
    async with app[DATABASE].READ() as session:
        return list((await session.scalars(select(Mail).order_by(Mail.id))).all())


async def test_nothing_goes_to_an_address_before_its_member_opened_the_link(
    both: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        app = connect(fed, postman)
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        check(await ana.get("/me/mail"))
        await ana.send(
            await ana.get("/me/mail"), "/me/mail/choices", digest="daily", at__once=["closing", "objection"]
        )
        page = await ana.send(
            await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD
        )
        check(page)
        await pass_by(app)
        await pass_by(app, hours=23)
        mail = postman.taken.pop()
        assert postman.taken == []
        assert mail["Subject"] == "Confirm your e-mail address for Oak Collective"
        assert mail["List-Unsubscribe"] is None
        link = link_in(mail, "/me/mail/confirm/")
        assert (await visitor.get(link)).path == f"/login?next={link}"
        page = await bo.send(await bo.get(link), link)
        assert "This link works no more, or is somebody else’s." in page.alert
        check(page)
        fed.clock.advance(timedelta(hours=2))
        again = await enter(fed, "oak", "ana")
        page = await again.send(await again.get(link), link)
        assert page.status == 422  # a day has passed
        await confirmed(app, again, postman)
        await pass_by(app, days=1)
        (mail,) = postman.taken
        assert mail["Subject"].startswith("What happened today")


async def test_a_digest_comes_at_the_members_hour_with_what_was_not_read_and_only_then(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        await ana.send(await ana.get("/me/settings"), "/me/settings", zone="Asia/Kathmandu")
        await confirmed(app, ana, postman, digest="daily", hour="7", weekday="0")
        for _ in range(24):
            await pass_by(app, hours=1)
        (mail,) = postman.taken
        assert "Your circle takes part in a decision." in text_of(mail)
        assert "Shall we buy a cargo bike together?" in text_of(mail)
        assert f"http://oak.test/decisions/{fed.decision}" in text_of(mail)
        html = mail.get_body(("html",))
        assert html is not None
        assert "<q>Shall we buy a cargo bike together?</q>" in html.get_content()
        async with app[DATABASE].READ() as session:
            member = await member_by_login(session, "ana")
            assert member is not None
            box = await session.get(Mailbox, member.id)
        assert box is not None
        assert f"{box.digest_at:%H:%M}" == "01:15"  # seven o'clock in Kathmandu
        await ana.send(await ana.get("/me/settings"), "/me/settings", zone="UTC")
        async with app[DATABASE].READ() as session:
            box = await session.get(Mailbox, member.id)
        assert box is not None
        assert f"{box.digest_at:%H:%M}" == "07:00"


async def test_what_is_urgent_comes_at_once_for_those_who_want_it_and_names_nobody(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await confirmed(app, ana, postman, at__once=["closing", "objection", "recall"])
        await confirmed(app, bo, postman, "bo@mail.test", at__once=["recall"])
        await (await fed.oak.circle()).draft("concern", by=1)
        await pass_by(app)
        assert postman.taken == []
        await fed.reach("closes", after=timedelta(hours=-11))
        await pass_by(app)
        await pass_by(app)
        (mail,) = postman.taken
        assert mail["To"] == ADDRESS
        assert mail["Subject"] == "Your circle’s ballot is due (Oak Collective)"
        assert re.search(r"The voting closes on \d{4}-\d\d-\d\d at \d\d:\d\d \(UTC\)\.", text_of(mail))
        for said in ("Bo", "concern", "confirm", "Ana"):
            assert said not in text_of(mail)


async def test_the_question_of_what_is_not_public_stands_in_no_mail(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        await confirmed(app, ana, postman, digest="daily", hour="7")
        await fed.oak.convene(visibility="collective")
        await fed.settle()
        await pass_by(app)
        await pass_by(app, days=1)
        (mail,) = postman.taken
        assert "cargo" not in mail.as_string()
        assert "it is not public, or was removed" in text_of(mail)


async def test_one_post_to_the_address_of_each_mail_ends_them_all(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        app = connect(fed, postman)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await confirmed(app, ana, postman, digest="daily", at__once=["closing"])
        await pass_by(app)
        await pass_by(app, days=1)
        mail = postman.taken.pop()
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = mail["List-Unsubscribe"].removeprefix("<http://oak.test").removesuffix(">")
        check(await visitor.get(path))
        assert (await visitor.get(path[:-1] + ("0" if path[-1] != "0" else "1"))).status == 404
        page = await visitor.post(path, [("List-Unsubscribe", "One-Click")], headers={})
        assert (page.status, page.said) == (200, "You get no more e-mail from Oak Collective.")
        assert (await visitor.post(path, [], headers={})).status == 200  # twice
        await fed.reach("closes", after=timedelta(hours=-11))
        await pass_by(app)
        await pass_by(app, days=2)
        assert postman.taken == []


async def test_an_address_that_its_server_does_not_know_gets_nothing_more(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        await confirmed(app, ana, postman, digest="daily", at__once=["closing"])
        postman.recipient = "550 no such user"
        await pass_by(app)
        await pass_by(app, days=1)
        (mail,) = await waiting(app)
        assert (mail.dead_at is not None, mail.reason, mail.text) == (True, "550 no such user", "")
        postman.recipient = "250 OK"
        await fed.reach("closes", after=timedelta(hours=-11))
        await pass_by(app)
        assert postman.taken == []
        page = await (await enter(fed, "oak", "ana")).get("/me/mail")
        assert "Its mail server said that there is no such address" in page.text
        check(page)


@pytest.mark.parametrize("trouble", ["recipient", "words", "gone"])
async def test_what_fails_for_now_is_tried_again_later_and_goes_out_once(
    meetings: Meetings, enter: Enter, postman: MailServer, trouble: str
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        if trouble == "gone":
            await postman.stop()
        else:
            setattr(postman, trouble, "451 come back later")
        await ana.send(await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD)
        await pass_by(app)
        (mail,) = await waiting(app)
        assert (mail.attempts, mail.dead_at) == (1, None)
        assert mail.reason
        assert await PASSES["mail"](app) == 0
        postman.recipient = postman.words = "250 OK"
        if trouble == "gone":
            await postman.start()
        await pass_by(app, minutes=2)
        assert [one["Message-ID"] for one in postman.taken] == [mail.message_id]
        assert await waiting(app) == []
        await pass_by(app, hours=1)
        assert len(postman.taken) == 1


async def test_words_that_are_refused_for_good_are_given_up_and_late_ones_are_not_sent(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        postman.words = "554 no"
        await ana.send(await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD)
        await PASSES["mail"](app)
        postman.words = "250 OK"
        await bo.send(await bo.get("/me/mail"), "/me/mail/address", address="bo@mail.test", password=PASSWORD)
        await pass_by(app, days=2)  # its link works no more
        assert [mail.reason for mail in await waiting(app)] == ["554 no", "It came too late."]
        assert postman.taken == []
        async with app[DATABASE].READ() as session:
            assert (await mails.counts(session))[:2] == (0, 2)


async def test_who_is_killed_after_sending_sends_at_most_once_more_and_under_the_same_id(
    both: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with both.founded(oak=2) as fed:
        app = connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        await ana.send(await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD)
        postman.kill = asyncio.ensure_future(PASSES["mail"](app))
        with contextlib.suppress(asyncio.CancelledError):
            await postman.kill
        assert postman.kill.cancelled()
        postman.kill = None
        assert len(postman.taken) == 1
        assert await PASSES["mail"](app) == 0  # the lease holds
        await pass_by(app, minutes=11)
        await pass_by(app, hours=1)
        assert len({one["Message-ID"] for one in postman.taken}) == 1
        assert len(postman.taken) == 2
        assert await waiting(app) == []


async def test_addresses_are_checked_and_links_are_counted(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=2) as fed:
        connect(fed, postman)
        ana = await enter(fed, "oak", "ana")
        for wrong in (
            "",
            "ana",
            "ana@",
            "a b@c.test",
            "ana@c.test\nBcc: x@y.test",
            "<ana@c.test>",
            "x" * 255,
        ):
            page = await ana.send(
                await ana.get("/me/mail"), "/me/mail/address", address=wrong, password=PASSWORD
            )
            assert page.problems == ["Write an e-mail address such as ana@north.example."], wrong
            check(page)
        for _ in range(5):
            page = await ana.send(
                await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD
            )
            assert page.status == 200
        page = await ana.send(
            await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD
        )
        assert "Several links were sent today." in page.alert
        page = await ana.send(await ana.get("/me/mail"), "/me/mail/choices", digest="hourly", hour="24")
        assert page.problems == ["Choose one of these.", "Choose one of the hours of the list."]
        really = await ana.get((await ana.get("/me/mail")).links()["Forget my address"])
        check(really)
        page = await ana.send(really, "/me/mail/forget", password="wrong one")
        assert (page.status, page.problems) == (422, ["This is not your password. Try again."])
        page = await ana.send(really, "/me/mail/forget", password=PASSWORD)
        assert page.said == "Your address is forgotten."
        assert await waiting(fed.app_of("oak")) == []


async def test_a_name_and_password_are_given_to_the_mail_server(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = connect(fed, postman, username="oak", password="pass word")
        ana = await enter(fed, "oak", "ana")
        await ana.send(await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, password=PASSWORD)
        await pass_by(app)
        assert len(postman.taken) == 1
        assert postman.logged_in == [(b"oak", b"pass word")]


async def test_at_a_browser_left_open_nobody_takes_the_account_over_by_an_address(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app, ana = connect(fed, postman), await enter(fed, "oak", "ana")
        for said in ({}, {"password": "a wrong long one"}):
            page = await ana.send(await ana.get("/me/mail"), "/me/mail/address", address=ADDRESS, **said)
            assert (page.status, page.problems) == (422, ["This is not your password. Try again."])
            assert page.by_id("address").get("value") == ADDRESS
            check(page)
        await pass_by(app)
        assert postman.taken == []


async def test_the_address_before_is_told_once_that_it_is_another(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.founded(oak=1) as fed:
        app, ana = connect(fed, postman), await enter(fed, "oak", "ana")
        await confirmed(app, ana, postman)
        await confirmed(app, ana, postman)  # the same once more: nothing to tell
        await confirmed(app, ana, postman, "new@mail.test")
        await pass_by(app)
        (mail,) = postman.taken
        assert (mail["To"], mail["Subject"]) == (ADDRESS, "Your e-mail address was changed (Oak Collective)")
        assert "put your address back" in text_of(mail)
        assert "new@mail.test" not in text_of(mail)
