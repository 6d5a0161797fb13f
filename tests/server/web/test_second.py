"""The second factor, seen from the pages: turned on with a code, asked for at the log-in, each code once, off again."""

from datetime import timedelta

import pyotp

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.authenticator import Authenticator
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_passkeys import ORIGIN, add, use

HALF_MINUTE = timedelta(seconds=30)


def code_now(fed: Federation, secret: str) -> str:
    return pyotp.TOTP(secret).at(int(fed.clock.now().timestamp()))


def codes_on(page: Page) -> list[str]:
    return [item.text for e in page.all("ul") if e.get("class") == "code" for item in e.all("li")]


async def turn_on(fed: Federation, ana: Browser) -> tuple[str, list[str]]:
    """The secret of the app, and the recovery codes."""
    page = await ana.send(await ana.get("/me/second"), "/second/begin")
    check(page)
    (key,) = [e.text for e in page.all("bdi") if e.get("class") == "code"]
    secret = key.replace(" ", "")
    page = await ana.send(page, "/second/confirm", code=code_now(fed, secret), password=PASSWORD)
    check(page)
    return secret, codes_on(page)


async def first_step(browser: Browser, password: str = PASSWORD) -> Page:
    return await browser.send(await browser.get("/login?next=/me"), "/login", login="ana", password=password)


async def test_it_is_set_up_asked_for_and_each_code_works_once(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        check(await ana.get("/me/second"))
        secret, codes = await turn_on(fed, ana)
        assert len(set(codes)) == 10
        assert codes[0] not in (await ana.get("/me/second")).body
        assert secret[:4] not in (await ana.get("/me/second")).text
        there = await enter(fed, "oak")
        page = await first_step(there)
        check(page)
        assert (page.heading, there.cookie()) == ("One more step", None)
        used = await there.send(page, "/login/code", code=code_now(fed, secret))
        assert (used.status, len(used.problems)) == (422, 1), "the code that turned it on was used"
        fed.clock.advance(HALF_MINUTE)
        spaced = " ".join(code_now(fed, secret))
        assert (await there.send(used, "/login/code", code=spaced)).path == "/me"
        other = await enter(fed, "oak")
        page = await first_step(other)
        assert (await other.send(page, "/login/code", code=code_now(fed, secret))).status == 422
        assert (await other.send(page, "/login/code", code=codes[0].upper().replace("-", " "))).path == "/me"
        third = await enter(fed, "oak")
        page = await first_step(third)
        assert (await third.send(page, "/login/code", code=codes[0])).status == 422
        assert "You have 9 recovery codes left" in (await ana.get("/me/second")).text


async def test_a_wrong_password_is_not_told_from_one_with_a_second_factor_and_a_passkey_needs_no_code(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, device = await enter(fed, "oak", "ana"), Authenticator(ORIGIN)
        await turn_on(fed, ana)
        await add(ana, device)
        browser = await enter(fed, "oak")
        page = await first_step(browser, "not this one")
        assert (page.status, page.heading) == (422, "Log in")
        assert (await use(await enter(fed, "oak"), device)).path == "/"


async def test_the_second_step_ends_after_ten_minutes_and_is_worth_nothing_in_another_browser(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        secret, _ = await turn_on(fed, await enter(fed, "oak", "ana"))
        fed.clock.advance(HALF_MINUTE)
        here, there = await enter(fed, "oak"), await enter(fed, "oak")
        page = await first_step(here)
        ticket = page.form("/login/code").all("input")[2].attributes["value"]
        theirs = await first_step(there)
        page = await there.send(theirs, "/login/code", ticket=ticket, code=code_now(fed, secret))
        assert (page.heading, there.cookie()) == ("Log in", None)
        page = await first_step(here)
        fed.clock.advance(timedelta(minutes=10))
        page = await here.send(page, "/login/code", code=code_now(fed, secret))
        assert (page.heading, here.cookie()) == ("Log in", None)
        assert "ten minutes" in page.alert


async def test_guessing_codes_is_stopped_for_a_day(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        secret, _ = await turn_on(fed, await enter(fed, "oak", "ana"))
        browser, tries = await enter(fed, "oak"), 0
        for _ in range(3):
            page = await first_step(browser)
            while page.status != 429 and tries < 40:
                page = await browser.send(page, "/login/code", code="000000")
                tries += page.status == 422
            fed.clock.advance(timedelta(minutes=16))
        assert tries == 20
        page = await browser.send(await first_step(browser), "/login/code", code=code_now(fed, secret))
        assert (page.status, "Wait a day" in page.alert) == (429, True)
        fed.clock.advance(timedelta(hours=24))
        page = await browser.send(await first_step(browser), "/login/code", code=code_now(fed, secret))
        assert page.path == "/me"


async def test_turning_it_on_or_off_takes_the_password_and_the_code(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.send(await ana.get("/me/second"), "/second/begin")
        page = await ana.send(form, "/second/confirm", code="12", password=PASSWORD)
        assert (page.status, len(page.problems)) == (422, 1)
        check(page)
        page = await ana.send(form, "/second/confirm", code="123456", password="wrong one")
        assert page.problems == ["This is not your password. Try again."]
        _, codes = await turn_on(fed, ana)
        page = await ana.get("/me/second")
        check(page)
        renew, off = [await ana.get(path) for path in ("/me/second/codes", "/me/second/off")]
        for form, act in ((renew, "/codes"), (off, "/off")):
            check(form)
            assert "cannot be brought back" in form.text
            wrong = await ana.send(form, act, password="wrong one")
            assert (wrong.status, wrong.problems) == (422, ["This is not your password. Try again."])
            check(wrong)
        fresh = codes_on(await ana.send(renew, "/codes", password=PASSWORD))
        assert len(set(fresh) - set(codes)) == 10
        done = await ana.send(off, "/off", password=PASSWORD)
        assert done.path == "/me/second?done=second-off"
        assert (await first_step(await enter(fed, "oak"))).path == "/me"
        assert (await ana.send(off, "/off", password=PASSWORD)).status == 409
        for path in ("/me/second/codes", "/me/second/off"):
            assert (await ana.get(path)).path == "/me/second"
