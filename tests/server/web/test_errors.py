"""When something does not work: people get a calm page that says what to do, machines get JSON with a code."""

import json

import pytest

from server.keys import DATABASE, TEMPLATES
from server.web.watching import WATCHING
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter

MACHINE = {"Accept": "application/json"}


async def test_people_get_a_page_and_machines_get_json_for_what_is_not_there(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        browser = await enter(fed, "oak")
        page = await browser.get("/nothing")
        assert (page.status, page.heading) == (404, "There is nothing here for you")
        assert page.links() == {"Log in": "/login?next=/nothing", "Go to the decisions": "/"}
        answer = await browser.get("/nothing", MACHINE)
        assert (answer.status, json.loads(answer.body)["error"]) == (404, "not-found")


async def test_members_are_not_asked_to_log_in_again(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        page = await (await enter(fed, "oak", "ana")).get("/nothing")
        assert page.links() == {"Go to the decisions": "/"}
        assert "log in first" not in page.text
        assert "Ana" in page.body


async def test_an_address_that_takes_only_forms_says_so(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        browser = await enter(fed, "oak")
        page = await browser.post("/about", [])
        assert page.status == 405
        assert set(page.headers["Allow"].split(",")) == {"GET", "HEAD"}
        assert page.heading == "This address takes no form"


async def test_what_is_no_form_is_refused_and_too_much_is_too_much(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        browser = await enter(fed, "oak")
        headers = {"Accept": "text/html", "Content-Type": "application/json"}
        async with browser.session.post(f"{browser.base}/login", data=b"{}", headers=headers) as response:
            assert response.status == 400
        many = [(f"field-{n}", "x") for n in range(201)]
        assert (await browser.post("/login", many)).status == 400
        assert (await browser.post("/login", [("login", "x" * 1_000_001)])).status == 413
        strange = {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}
        async with browser.session.post(
            f"{browser.base}/login", data=b"\xff=%ff", headers=strange
        ) as response:
            assert response.status in (400, 403)


async def test_what_goes_wrong_inside_is_never_shown_but_can_be_quoted(
    meetings: Meetings, enter: Enter, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meetings.founded(oak=1) as fed:
        browser = await enter(fed, "oak")
        await fed.app_of("oak")[DATABASE].close()
        monkeypatch.setitem(fed.app_of("oak")[TEMPLATES].globals, "distance", None)
        async with fed.app_of("oak")[DATABASE].engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE members RENAME TO gone")
            await connection.exec_driver_sql("ALTER TABLE invitations RENAME TO gone_too")
        page = await browser.get("/")
        assert page.status == 500
        assert page.heading == "Something went wrong on our side"
        assert "members" not in page.body
        quoted = page.text.split("Please quote ")[1].split()[0]
        assert quoted in caplog.text
        answer = await browser.get("/", MACHINE)
        assert json.loads(answer.body)["error"] == "internal"
        await browser.get("/join/secret-of-an-invitation")
        assert "GET /join/{token}" in caplog.text
        assert "secret-of" not in caplog.text


@pytest.mark.parametrize(
    "path", ["/decisions?q=%00", "/people?q=%00", "/tags/a%00b", "/@oak%00", "/c/oak%00"]
)
async def test_nothing_is_at_an_address_that_no_text_can_hold(
    both: Meetings, enter: Enter, path: str
) -> None:
    async with both.founded(oak=1) as fed:
        assert (await (await enter(fed, "oak", "ana")).get(path)).status == 404


async def test_a_number_that_no_row_can_have_is_nothing_on_both_databases(
    both: Meetings, enter: Enter
) -> None:
    async with both.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        for number in ("999999999", "4294967296", "999999999999", "999999999999999999", "9" * 40):
            for path in ("/", "/decisions", "/people", "/posts", "/mentions", "/notices"):
                assert (await ana.get(f"{path}?before={number}")).status == 200, (path, number)
            for path in (
                f"/moderate/reports/{number}",
                f"/mentions/replies/{number}/hide",
                f"/people/{number}/remove",
            ):
                assert (await ana.get(path)).status == 404, path


async def test_control_characters_are_dropped_before_anything_is_stored(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ana.send(
            await ana.get("/decisions/new"),
            "/decisions/new",
            question="Do we\x00 paint\x08 it?",
            details="one\r\ntwo\x1b[31m",
            title__1="Yes",
        )
        assert page.heading == "Do we paint it?"
        assert "two[31m" in page.text


async def test_who_lacks_a_mandate_is_shown_the_way_to_the_register(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        page = await (await enter(fed, "oak", "bo")).get("/people/invite")
        assert page.status == 403
        register = await (await enter(fed, "oak", "bo")).get(page.links()["See the register"])
        assert "mandates" in [one.get("id") for one in register.all("h2")]
        assert register.status == 200


async def test_whoever_meets_a_full_house_is_told_to_come_back(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        visitor = await enter(fed, "oak")
        await fed.app_of("oak")[WATCHING].stop()
        page = await visitor.get(f"/decisions/{fed.decision}/live")
        assert (page.status, page.heading) == (503, "There is too much to do here just now")
        assert page.headers["Retry-After"]
        assert "Wait a minute" in page.text
