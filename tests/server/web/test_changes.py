"""What changed since one's last visit, and what is to be done after a vote, on the first page."""

from datetime import timedelta

from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import adopted, unheard
from tests.server.web.test_every_page import check
from tests.server.web.test_talk import say

HOUR = timedelta(hours=1)


def news_on(page: Page) -> str:
    """The section, or nothing where there is none."""
    found = [e for e in page.all("section") if e.get("aria-labelledby") == "changes"]
    return found[0].text if found else ""


async def test_the_first_page_says_what_changed_since_the_last_visit(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        path = f"/decisions/{fed.decision}"
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        for _ in range(2):
            assert news_on(await ana.get("/")) == ""
        await fed.advance(HOUR)
        page = await ana.get("/")
        check(page)
        assert "Nothing has changed in any decision. You were last here 60 minutes ago." in news_on(page)
        await fed.advance(HOUR)
        await fed.elm.ballot("consent")
        await fed.settle()
        await say(bo, f"{path}/circle", "In the room.")
        await say(bo, path, "To all.")
        await say(bo, path, "To all, again.")
        await say(ana, path, "My own.")
        for _ in range(2):
            page = await ana.get("/")
            check(page)
            said = news_on(page)
            assert "1 ballot 2 remarks by members 1 remark in your circle’s room" in said
            assert page.links()["1 remark in your circle’s room"] == f"{path}/circle#talk"
            await fed.advance(timedelta(minutes=10))
        assert news_on(await visitor.get("/")) == ""
        await fed.advance(HOUR)
        assert "Nothing has changed" in news_on(await ana.get("/"))


async def test_nobody_is_told_of_remarks_in_a_circle_where_they_do_not_sit(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=7, elm=1) as fed:
        first, second = await fed.oak.circles()
        inside, outside = (
            await enter(fed, "oak", first.sitting[0]),
            await enter(fed, "oak", second.sitting[0]),
        )
        mate = await enter(fed, "oak", first.sitting[1])
        for browser in (outside, mate):
            await browser.get("/")
        await fed.advance(HOUR)
        await say(inside, f"/decisions/{fed.decision}/circle", "Only among us.")
        assert "1 remark in your circle’s room" in news_on(await mate.get("/"))
        assert "Nothing has changed" in news_on(await outside.get("/"))


async def test_what_is_to_be_ratified_stands_on_the_first_page_of_who_may(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting({"elm": "ratifies"}, oak=1, elm=2) as fed:
        ana, bo = await enter(fed, "elm", "ana"), await enter(fed, "elm", "bo")
        assert "Ratify it" not in (await ana.get("/")).links()
        await adopted(fed)
        page = await ana.get("/")
        check(page)
        assert page.links()["Ratify it"] == f"/decisions/{fed.decision}/ratify"
        assert "Ratify it" not in (await bo.get("/")).links()
        await ana.send(await ana.get(page.links()["Ratify it"]), "/ratify")
        assert "Ratify it" not in (await ana.get("/")).links()


async def test_a_circle_that_was_not_heard_finds_on_the_first_page_that_it_can_object(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=2) as fed:
        await unheard(fed)
        links = (await (await enter(fed, "elm", "ana")).get("/")).links()
        assert links["Object in your circle’s name"] == f"/decisions/{fed.decision}/object"
        assert "Object in your circle’s name" not in (await (await enter(fed, "oak", "ana")).get("/")).links()
