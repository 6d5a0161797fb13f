"""Joining by a link, and making one."""

from datetime import timedelta

from models import people
from server.keys import DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

WORDS = "a long enough one"


def founder_path(fed: Federation) -> str:
    return f"/join/{fed.founder_token('oak')}"


async def new_link(ana: Browser, uses: str = "1") -> str:
    page = await ana.send(await ana.get("/people/invite"), "/people/invite", uses=uses)
    link = page.by_id("link").attributes["value"]
    assert link.startswith("http://oak.test/join/")
    return link.removeprefix("http://oak.test")


async def join(
    browser: Browser, path: str, login: str, name: str = "Somebody", password: str = WORDS
) -> Page:
    return await browser.send(await browser.get(path), path, login=login, name=name, password=password)


async def members(fed: Federation) -> list[str]:
    async with fed.app_of("oak")[DATABASE].READ() as session:
        return [member.login for member in await people.members(session)]


async def test_the_founder_joins_is_logged_in_and_sees_what_they_may_do(
    fresh: Federation, enter: Enter
) -> None:
    browser = await enter(fresh, "oak")
    page = await browser.get(founder_path(fresh))
    assert "founding mandate" in page.text
    page = await join(browser, founder_path(fresh), "ana", "Ana Ferreira")
    assert page.path == "/?done=joined"
    assert "Welcome" in page.said
    assert "Ask a first question" in page.links()
    assert "Ana Ferreira" in page.body


async def test_a_form_that_was_not_accepted_keeps_what_was_typed_except_the_password(
    fresh: Federation, enter: Enter
) -> None:
    browser = await enter(fresh, "oak")
    page = await join(browser, founder_path(fresh), "Ana Ferreira!", "Ana", "short")
    assert page.status == 422
    assert len(page.problems) == 2
    assert page.by_id("name").get("value") == "Ana"
    assert page.by_id("login").get("value") == "Ana Ferreira!"
    assert page.by_id("password").get("value") == ""
    assert page.by_id("login").get("aria-invalid") == "true"
    targets = [a.attributes["href"] for a in page.all("a") if a.text in page.problems]
    assert targets == ["#login", "#password"]
    assert page.title.startswith("Problem: ")
    assert await members(fresh) == []


async def test_a_form_sent_twice_makes_one_member_who_is_logged_in(fresh: Federation, enter: Enter) -> None:
    first, second = await enter(fresh, "oak"), await enter(fresh, "oak")
    form, again = await first.get(founder_path(fresh)), await second.get(founder_path(fresh))
    await first.send(form, founder_path(fresh), login="ana", name="Ana", password=WORDS)
    page = await second.send(again, founder_path(fresh), login="ana", name="Ana", password=WORDS)
    assert page.path == "/?done=joined"
    assert second.cookie()
    assert await members(fresh) == ["ana"]


async def test_a_used_link_is_refused_kindly_and_leads_to_the_log_in(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        path = await new_link(await enter(fed, "oak", "ana"))
        browser, other = await enter(fed, "oak"), await enter(fed, "oak")
        form = await other.get(path)
        await join(browser, path, "bo")
        page = await other.get(path)
        assert page.status == 409
        assert "has been used" in page.heading
        assert page.links()["Log in"] == "/login?next=/"
        page = await other.send(form, path, login="cem", name="Cem", password=WORDS)
        assert page.status == 409
        assert await members(fed) == ["ana", "bo"]


async def test_a_link_that_is_over_and_one_that_never_was_are_refused_kindly(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        path = await new_link(await enter(fed, "oak", "ana"), "5")
        fed.clock.advance(timedelta(days=7))
        visitor = await enter(fed, "oak")
        over, unknown = await visitor.get(path), await visitor.get("/join/never-was")
        assert (over.status, over.heading) == (409, "This link is over")
        assert (unknown.status, unknown.heading) == (404, "This link is not known here")
        for page in (over, unknown):
            check(page)
            assert "Ask for a new " in page.text


async def test_two_people_cannot_have_one_log_in_name(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        path = await new_link(await enter(fed, "oak", "ana"), "2")
        page = await join(await enter(fed, "oak"), path, "ANA")
        assert page.status == 422
        assert page.problems == ["Somebody here already uses this name. Choose another."]


async def test_guessing_the_password_of_a_member_through_a_link_is_slowed_down_too(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        path = await new_link(await enter(fed, "oak", "ana"), "2")
        browser = await enter(fed, "oak")
        statuses = [(await join(browser, path, "ana", password=f"a guess no. {n}")).status for n in range(9)]
        assert statuses == [422] * 8 + [429]


async def test_a_link_is_shown_once_and_only_to_who_may_admit(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        assert "Invite people" in (await ana.get("/")).body
        token = (await new_link(ana)).rsplit("/", 1)[1]
        assert token not in (await ana.get("/people/invite")).body
        assert "Invite people" not in (await bo.get("/")).body
        page = await bo.get("/people/invite")
        assert page.status == 403
        mark = dict(
            pair
            for form in (await bo.get("/")).all("form")
            for pair in [("mark", form.all("input")[0].attributes["value"])]
        )
        page = await bo.post("/people/invite", [("uses", "1"), *mark.items()])
        assert (page.status, "/join/" in page.body) == (403, False)


async def test_a_number_that_no_link_can_have_is_said_at_the_field(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        for uses in ("0", "51", "many", "-1", "9" * 30):
            page = await ana.send(await ana.get("/people/invite"), "/people/invite", uses=uses)
            assert page.status == 422
            assert page.problems == ["A link can admit between 1 and 50 people."]


async def test_a_member_who_opens_a_link_is_told_that_it_is_for_somebody_else(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ana.get(await new_link(ana))
        assert "You are logged in here as Ana already" in page.text


def ends(page: Page) -> list[str]:
    """Where links are ended."""
    return [path for words, path in page.links().items() if words.startswith("End link no. ")]


async def test_a_link_in_the_wrong_hands_is_ended_and_says_so(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = [await enter(fed, "oak", who) for who in ("ana", "bo", "")]
        path = await new_link(ana, "3")
        await join(visitor, path, "cem")
        page = await ana.get("/people/invite")
        check(page)
        assert "it admits 2 people more" in page.text
        end = ends(page)[0]  # the latest; the others joined by one that still works
        mark = [("mark", (await bo.get("/me")).form("/logout").all("input")[0].attributes["value"])]
        assert (await bo.post(end, mark)).status == 403
        assert (await bo.get(end)).status == 403
        really = await ana.get(end)
        check(really)
        assert "It would admit 2 people more. Then it admits nobody." in really.text
        assert end in ends(await ana.get("/people/invite")), "to look at the page does nothing"
        page = await ana.send(really, end)
        assert (page.path, page.said) == (
            "/people/invite?done=invitation-ended",
            "That link admits nobody any more.",
        )
        assert end not in ends(page)
        assert (await ana.get(end)).path == "/people/invite"
        check(page)
        page = await visitor.get(path)
        assert (page.status, "This invitation has ended. Ask for a new link." in page.text) == (409, True)
        assert (await ana.get(end)).path == "/people/invite"
        assert await members(fed) == ["ana", "bo", "cem"]


async def test_who_tried_too_often_keeps_what_they_typed_when_they_join(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        path, visitor = await new_link(await enter(fed, "oak", "ana")), await enter(fed, "oak")
        for _ in range(9):
            page = await join(visitor, path, "ana", "A second Ana")
        assert (page.status, page.by_id("name").get("value")) == (429, "A second Ana")
        assert "Wait 15 minutes" in page.alert
        check(page)
