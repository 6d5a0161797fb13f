"""Logging in and out: who is let in, who is slowed down, and that nothing typed is lost when a log-in ends."""

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import update

from models.people import Member
from server.app import create_app
from server.keys import DATABASE, SETTINGS
from server.networks import address_of
from server.settings import Settings
from server.web import accounts, joining, passwords
from server.web.passwords import hash_password
from server.web.places import place_of
from server.web.sessions import cookie_name, remember_login
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.browser import Browser, filled, with_answers
from tests.server.web.conftest import Enter

WORDS = "a long enough one"


async def log_in(
    browser: Browser, login: str = "ana", password: str = PASSWORD, path: str = "/login"
) -> "str":
    page = await browser.send(await browser.get(path), "/login", login=login, password=password)
    return page.path


async def test_a_member_logs_in_and_comes_to_where_they_wanted_to_go(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak")
        page = await ana.get("/decisions/new")
        assert page.path == "/login?next=/decisions/new"
        page = await ana.send(page, "/login", login=" Ana ", password=PASSWORD)
        assert (page.status, page.path) == (200, "/decisions/new")
        assert (await ana.get("/login")).path == "/"


async def test_nobody_is_sent_to_another_site_after_the_log_in(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        for away in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"):
            ana = await enter(fed, "oak")
            assert await log_in(ana, path=f"/login?next={away}") == "/"


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer_and_the_name_stays_typed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        browser = await enter(fed, "oak")
        login = await browser.get("/login")
        wrong = await browser.send(login, "/login", login="ana", password="not this one")
        unknown = await browser.send(login, "/login", login="zoe", password="not this one")
        assert wrong.status == unknown.status == 422
        assert wrong.alert == unknown.alert != ""
        assert wrong.by_id("login").get("value") == "ana"
        assert "not this one" not in wrong.body
        assert browser.cookie() is None


async def test_after_eight_wrong_attempts_even_the_right_password_must_wait(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        browser = await enter(fed, "oak")
        login = await browser.get("/login")
        for _ in range(8):
            page = await browser.send(login, "/login", login="ana", password="wrong every time")
        page = await browser.send(login, "/login", login="ana", password=PASSWORD)
        assert page.status == 429
        assert "Wait 15 minutes" in page.alert
        assert await log_in(browser, "bo") == "/", "another name at the same address is not locked out"
        fed.clock.advance(timedelta(minutes=16))
        other = await enter(fed, "oak")
        assert await log_in(other) == "/"


async def test_who_guesses_elsewhere_keeps_nobody_out(
    meetings: Meetings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meetings.founded(oak=1) as fed:
        stranger, ana = await enter(fed, "oak"), await enter(fed, "oak")
        monkeypatch.setattr(accounts, "place_of", lambda _request: "where the stranger is")
        for _ in range(9):
            page = await stranger.send(
                await stranger.get("/login"), "/login", login="ana", password="a guess"
            )
        assert page.status == 429
        monkeypatch.undo()
        assert await log_in(ana) == "/"


async def test_logging_out_ends_the_log_in_for_good(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        token = ana.cookie()
        assert token
        page = await ana.send(await ana.get("/"), "/logout")
        assert page.path == "/"
        assert not ana.cookie()
        ana.set_cookie(token)
        assert (await ana.get("/decisions/new")).path == "/login?next=/decisions/new"
        assert (await ana.get("/logout")).path == "/"


async def test_a_log_in_ends_by_itself_after_thirty_days(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        fed.clock.advance(timedelta(days=30))
        assert (await ana.get("/people/invite")).path == "/login?next=/people/invite"


async def test_words_typed_while_the_log_in_ended_are_sent_after_the_next_one(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, plan={"window": timedelta(days=60)}) as fed:
        path = f"/decisions/{fed.decision}/circle"
        ana = await enter(fed, "oak", "ana")
        form = await ana.get(path)
        fed.clock.advance(timedelta(days=31))
        reason = "Two lines\nof reasons & <more> of them"
        page = await ana.send(form, f"{path}/draft", position="concern", reason=reason)
        assert page.status == 403
        assert "Your words are kept" in page.text
        page = await ana.send(page, "/login", login="ana", password="wrong at first")
        page = await ana.send(page, "/login", login="ana", password=PASSWORD)
        assert "Your words are kept" in page.heading
        assert "of reasons & <more> of them" in page.text
        page = await ana.send(page, f"{path}/draft")
        assert page.path == f"{path}?done=draft"
        assert "of reasons & <more> of them" in page.text


async def test_words_are_kept_even_if_the_browser_has_forgotten_its_cookie(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.get("/decisions/new")
        ana.jar.clear()
        page = await ana.send(form, "/decisions/new", question="Who waters the plants?")
        page = await ana.send(page, "/login", login="ana", password=PASSWORD)
        assert dict(filled(page.form("/decisions/new")))["question"] == "Who waters the plants?"
        page = await ana.send(page, "/decisions/new", title__1="Ana does", about__1="")
        assert page.status == 200
        assert page.heading == "Who waters the plants?"


async def test_words_too_long_for_the_log_in_are_shown_to_be_copied(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, long = await enter(fed, "oak", "ana"), "слово " * 12_000
        form = await ana.get("/decisions/new")
        token = ana.cookie()
        ana.jar.clear()
        page = await ana.send(form, "/decisions/new", question="Who waters the plants?", details=long)
        assert (page.status, page.heading) == (403, "You may not do this now")
        assert "You are not logged in any more" in page.text
        assert "Who waters the plants?" in page.text
        assert long.strip() in page.text
        other = await enter(fed, "oak", "ana")
        assert other.cookie() != token
        page = await other.send(form, "/decisions/new", question="Who waters the plants?", details=long)
        assert dict(filled(page.form("/decisions/new")))["details"] == long


async def test_a_form_from_before_a_new_log_in_is_shown_again_not_done(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.get("/people/invite")
        other = await enter(fed, "oak", "ana")
        token = other.cookie()
        assert token
        ana.set_cookie(token)
        page = await ana.send(form, "/people/invite", uses="3")
        assert "They have not been sent yet" in page.text
        page = await ana.send(page, "/people/invite")
        assert "/join/" in page.by_id("link").attributes["value"]


async def test_a_form_without_its_mark_does_nothing(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ana.post("/people/invite", [("uses", "1")], headers={})
        assert page.status == 403
        assert "/join/" not in page.body
        page = await ana.post("/people/invite", [("uses", "1"), ("mark", "0" * 64)], headers={})
        assert page.status == 403


async def test_a_form_that_another_site_sends_does_nothing_even_with_the_right_mark(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        pairs = with_answers(filled((await ana.get("/people/invite")).form("/people/invite")), {"uses": "1"})
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://elm.test"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
        ):
            page = await ana.post("/people/invite", pairs, headers=headers)
            assert (page.status, "/join/" in page.body) == (403, False), headers
        assert (await ana.post("/people/invite", pairs, headers={})).status == 200, (
            "an old browser says nothing"
        )


async def test_visitors_get_no_cookie_until_they_are_shown_a_form(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        visitor = await enter(fed, "oak")
        for path in ("/", "/about", "/@oak", "/nothing"):
            assert "Set-Cookie" not in (await visitor.get(path)).headers
        cookie = (await visitor.get("/login")).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie, "this instance is served over http"


def app_at(url: str, folder: Path, proxies: int = 0) -> web.Application:
    settings = Settings(url, folder, "sqlite+aiosqlite://", "s" * 40, "127.0.0.1", 0, proxies=proxies)
    return create_app(settings, workers=False)


async def test_over_https_the_cookie_is_bound_to_the_host_and_secure(tmp_path: Path) -> None:
    request = make_mocked_request("GET", "/", app=app_at("https://oak.example", tmp_path))
    response = web.Response()
    remember_login(request, response, "token")
    cookie = response.cookies["__Host-jura"]
    assert cookie_name(request) == "__Host-jura"
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        True,
        True,
        "Lax",
        "/",
    )
    assert not cookie["domain"]


async def test_the_address_of_a_client_is_what_our_own_last_proxy_saw(tmp_path: Path) -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, 10.0.0.1, 10.0.0.2"}
    seen = {}
    for proxies in (0, 1, 2, 9):
        app = app_at("https://oak.example", tmp_path, proxies)
        assert app[SETTINGS].proxies == proxies
        seen[proxies] = address_of(make_mocked_request("GET", "/", headers=headers, app=app))
    direct = seen[0]
    assert seen == {0: direct, 1: "10.0.0.2", 2: "10.0.0.1", 9: direct}
    assert direct not in headers["X-Forwarded-For"] or direct == ""


async def test_who_logs_in_again_in_the_same_browser_leaves_no_log_in_behind(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        browser, other = await enter(fed, "oak"), await enter(fed, "oak")
        login = await browser.get("/login")
        await browser.send(login, "/login", login="ana", password=PASSWORD)
        before = browser.cookie()
        assert before is not None
        mark = [("mark", filled((await browser.get("/")).form("/logout"))[0][1])]
        await browser.post("/login", [*mark, ("login", "bo"), ("password", PASSWORD)])
        assert "bo" in (await browser.get("/me")).text.lower()
        other.set_cookie(before)
        assert (await other.get("/me")).path == "/login?next=/me"


async def test_guesses_are_counted_for_the_whole_network_of_an_address(tmp_path: Path) -> None:
    app = app_at("https://oak.example", tmp_path, 1)

    def place(address: str) -> str:
        return place_of(make_mocked_request("GET", "/", headers={"X-Forwarded-For": address}, app=app))

    assert place("2001:db8:0:1::2") == place("2001:db8:0:1:ffff::9") != place("2001:db8:0:2::2")
    assert place("192.0.2.1") != place("192.0.2.2")
    assert "192.0.2.1" not in place("192.0.2.1")
    assert place("192.0.2.1:5678") == place("192.0.2.1:81") == place("192.0.2.1"), (
        "some proxies name the port"
    )
    assert place("[2001:db8:0:1::2]:5678") == place("[2001:db8:0:1::2]") == place("2001:db8:0:1::2")


async def test_who_guesses_at_the_door_does_not_keep_a_member_inside_from_proving_who_they_are(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, stranger = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        login = await stranger.get("/login")
        for _ in range(9):
            page = await stranger.send(login, "/login", login="ana", password="wrong every time")
        assert page.status == 429
        form, new = await ana.get("/me/password"), "another long enough one"
        sent = {"new__password": new, "again": new}
        for _ in range(8):
            page = await ana.send(form, "/me/password", password="wrong every time", **sent)
            assert page.status == 422
        page = await ana.send(form, "/me/password", password=PASSWORD, **sent)
        assert (page.status, page.problems) == (422, ["Too many attempts. Wait 15 minutes, then try again."])
        assert page.has_form("/me/password"), "wrong ones inside are counted, too, and the page stays"
        fed.clock.advance(timedelta(minutes=16))
        assert (await ana.send(form, "/me/password", password=PASSWORD, **sent)).path == "/me?done=password"


async def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(
    meetings: Meetings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meetings.founded(oak=1) as fed:
        thief, invited, ana = await enter(fed, "oak"), await enter(fed, "oak"), await enter(fed, "oak", "ana")
        page = await ana.send(await ana.get("/people/invite"), "/people/invite", uses="1")
        link = page.by_id("link").attributes["value"].removeprefix("http://oak.test")
        app, really = fed.app_of("oak"), passwords.is_password

        async def slowly(app_: web.Application, stored: str | None, password: str) -> bool:
            right = await really(app_, stored, password)
            async with app[DATABASE].ACT.begin() as session:
                await session.execute(update(Member).values(password_hash=await hash_password(app, WORDS)))
            return right

        for module in (accounts, joining):
            monkeypatch.setattr(module, "is_password", slowly)
        login = await thief.get("/login")
        page = await thief.send(login, "/login", login="ana", password=PASSWORD)
        assert (page.status, thief.cookie()) == (422, None)
        form = await invited.get(link)
        page = await invited.send(form, link, login="ana", name="Ana", password=WORDS)
        assert (page.status, invited.cookie()) == (422, None), "nor does a link to join"
        monkeypatch.undo()
        assert await log_in(await enter(fed, "oak"), password=WORDS) == "/"
