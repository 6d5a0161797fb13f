"""Asking to join: from the form to the log-in, with kind words, and within bounds that strangers cannot exceed."""

from datetime import timedelta

from server.actions import requests
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

WORDS = "a long enough one"


async def ask(browser: Browser, login: str = "zoe", password: str = WORDS, **given: str) -> Page:
    said = {"name": "Zoe", "words": "Bo knows me from the garden.", **given}
    return await browser.send(await browser.get("/join"), "/join", login=login, password=password, **said)


async def log_in(browser: Browser, login: str = "zoe") -> Page:
    return await browser.send(await browser.get("/login"), "/login", login=login, password=WORDS)


async def test_somebody_asks_is_admitted_and_logs_in_with_what_they_chose(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, zoe = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        assert (await zoe.get("/")).links()["ask to join"] == "/join"
        assert (await zoe.get("/login")).links()["ask to join"] == "/join"
        check(await zoe.get("/join"))
        page = await ask(zoe)
        check(page)
        assert "Thank you, Zoe" in page.text
        page = await log_in(zoe)
        assert (page.status, "Nobody has answered yet" in page.alert) == (422, True)
        page = await ana.get((await ana.get("/people")).links()["Requests to join (1)"])
        check(page)
        assert "Bo knows me from the garden." in page.text
        page = await ana.send(page, "/admit")
        assert page.path == "/people/requests?done=admitted"
        assert (await log_in(zoe)).path == "/"
        people = await zoe.get("/people")
        check(people)
        assert "Bo knows me" in people.text
        assert "You use mandate" not in people.text
        assert (await zoe.get("/@assembly")).text.count("Zoe") == 1


async def test_a_request_is_declined_with_words_that_only_its_author_reads(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, zoe = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await ask(zoe)
        page = await ana.get("/people/requests")
        number = page.form("/decline").attributes["action"].split("/")[3]
        long = await ana.send(page, "/decline", **{f"answer__{number}": "x" * 501})
        assert (long.status, long.problems) == (422, ["Write at most 500 characters."])
        check(long)
        page = await ana.send(
            page, "/decline", **{f"answer__{number}": "We are full. Try the Elm collective."}
        )
        assert page.path == "/people/requests?done=declined"
        assert "We are full. Try the Elm collective." in (await log_in(zoe)).alert
        wrong = await zoe.send(await zoe.get("/login"), "/login", login="zoe", password="not this one")
        assert "We are full" not in wrong.body
        again = await ana.send(long, "/admit")
        assert again.status == 409
        page = await ask(await enter(fed, "oak"))
        assert page.problems == ["Somebody here already uses this name. Choose another."]
        fed.clock.advance(requests.WAITS)
        assert "You have asked" in (await ask(await enter(fed, "oak"))).heading


async def test_a_form_that_was_not_accepted_keeps_what_was_typed_except_the_password(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        browser = await enter(fed, "oak")
        page = await ask(browser, "Zoe Z!", "short", words="", name="Zoe")
        check(page)
        assert (page.status, len(page.problems)) == (422, 3)
        assert page.by_id("name").get("value") == "Zoe"
        assert page.by_id("login").get("value") == "Zoe Z!"
        assert page.by_id("password").get("value") == ""
        page = await ask(browser, words="w" * 1001)
        assert page.by_id("words").text == "w" * 1001
        assert (await ask(browser, "ana")).problems == [
            "Somebody here already uses this name. Choose another."
        ]


async def test_strangers_cannot_fill_the_list(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, browser = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        for number in range(requests.MOST_FROM_ONE_PLACE):
            assert "You have asked" in (await ask(browser, f"zoe{number}")).heading
        page = await ask(browser, "zoe9")
        assert (page.status, "have not been answered yet" in page.alert) == (429, True)
        check(page)
        page = await ana.get((await ana.get("/people/requests")).links()["Decline all of them"])
        check(page)
        assert (page.heading, "cannot be taken back" in page.text) == ("Decline all 3 requests?", True)
        assert (await ana.send(page, "/decline-all")).path == "/people/requests?done=declined-all"
        assert "Nobody waits" in (await ana.get("/people/requests")).text
        statuses = [(await ask(browser, "ana")).status for _ in range(6)]
        assert statuses == [422] * 5 + [429], "each attempt that costs a hash is counted"
        fed.clock.advance(timedelta(minutes=16))
        assert "You have asked" in (await ask(browser, "zoe8")).heading


async def test_the_door_is_closed_and_opened_again_by_who_may_admit(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        visitor = await enter(fed, "oak")
        form = await visitor.get("/join")
        assert (await bo.get("/people/requests")).status == 403
        assert "Requests to join" not in (await bo.get("/people")).text
        assert (await visitor.get("/people/requests")).path == "/login?next=/people/requests"
        page = await ana.send(await ana.get("/people/requests"), "/take")
        assert page.path == "/people/requests?done=requests-off"
        check(page)
        assert (await visitor.get("/join")).status == 404
        assert (
            await visitor.send(form, "/join", login="zoe", name="Zoe", words="Hello", password=WORDS)
        ).status == 404
        assert "/join" not in (await visitor.get("/")).links().values()
        assert (await ana.send(page, "/take")).path == "/people/requests?done=requests-on"
        assert (await visitor.get("/join")).status == 200
