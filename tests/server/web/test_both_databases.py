"""Every form of the spine once on each kind of database, and clicks that race."""

import asyncio
from datetime import timedelta

from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.test_convening import offers

NEW = "/decisions/new"
WORDS = "a long enough one"
REASON = "We have talked about it for an evening, and this is where we stand."


async def test_from_an_invitation_to_a_published_ballot(both: Meetings, enter: Enter) -> None:
    async with both.founded(oak=1, elm=1) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        page = await ana.send(await ana.get("/people/invite"), "/people/invite", uses="1")
        path = page.by_id("link").attributes["value"].removeprefix("http://oak.test")
        await bo.send(await bo.get(path), path, login="bo", name="Bo", password=WORDS)
        page = await ana.send(
            await ana.get(NEW), NEW, question="Do we share a van?", invited="@elm@elm.test", gather="24h"
        )
        fed.decision = page.path.removeprefix("/decisions/").split("?")[0]
        path = f"/decisions/{fed.decision}"
        await fed.settle()
        await bo.send(await bo.get(f"{path}/propose"), "/propose", title="The white one")
        eli = await enter(fed, "elm", "ana")
        await eli.send(await eli.get(f"{path}/answer"), "/answer", takes="binding")
        await fed.settle()
        await fed.reach("opens")
        room = f"{path}/circle"
        await bo.send(await bo.get(room), "/position", my__position="concern", my__note="Who fuels it?")
        await ana.send(await ana.get(room), "/draft", position="concern", reason=REASON)
        for browser in (ana, bo):
            page = await browser.send(await browser.get(room), f"{room}/confirm")
        assert "ballot is published" in page.said
        await fed.settle()
        page = await eli.get(path)
        assert REASON in page.text
        assert "The white one" in page.text
        assert "Do we share a van?" in (await eli.get("/")).text
        assert (await ana.get("/@oak")).status == (await ana.get(f"{path}.json")).status == 200
        assert (await ana.send(await ana.get("/"), "/logout")).path == "/"


async def test_two_clicks_at_once_ask_one_question(both: Meetings, enter: Enter) -> None:
    async with both.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.get(NEW)
        pages = await asyncio.gather(
            *(ana.send(form, NEW, question="Do we paint the door?", title__1="Yes") for _ in range(4))
        )
        assert {page.status for page in pages} == {200}
        assert len({page.path for page in pages}) == 1
        assert await offers(fed) == 1


async def test_two_clicks_at_once_confirm_and_save_once(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        room = f"/decisions/{fed.decision}/circle"
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        form = await ana.get(room)
        pages = await asyncio.gather(
            *(ana.send(form, "/draft", position="concern", reason=REASON) for _ in range(3))
        )
        assert {page.status for page in pages} == {200}
        page = await ana.get(room)
        assert "version 1" in page.text
        assert "Earlier versions" not in page.text
        theirs = await bo.get(room)
        await asyncio.gather(
            *(
                browser.send(p, f"{room}/confirm")
                for browser, p in ((ana, page), (bo, theirs))
                for _ in range(2)
            )
        )
        assert len(await fed.oak.records("Ballot")) == 1


async def test_people_who_write_at_once_lose_nothing(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        room = f"/decisions/{fed.decision}/circle"
        browsers = [await enter(fed, "oak", login) for login in ("ana", "bo", "cem")]
        forms = [await browser.get(room) for browser in browsers]
        reasons = [f"{name} wrote these words of her own" for name in ("Ana", "Bo", "Cem")]
        pages = await asyncio.gather(
            *(
                browser.send(form, "/draft", position="concern", reason=reason)
                for browser, form, reason in zip(browsers, forms, reasons, strict=True)
            )
        )
        assert sorted(page.status for page in pages) == [200, 409, 409]
        for page, reason in zip(pages, reasons, strict=True):
            assert reason in page.by_id("reason").text


async def test_who_talks_and_looks_at_once_says_everything_once_and_hears_what_is_new(
    both: Meetings, enter: Enter
) -> None:
    async with both.voting(oak=2, elm=1) as fed:
        path = f"/decisions/{fed.decision}"
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        looks = await asyncio.gather(*(bo.get(where) for where in ("/", path, f"{path}/circle") * 3))
        assert {page.status for page in looks} == {200}
        await fed.advance(timedelta(hours=1))
        for where in (path, f"{path}/circle"):
            mine, theirs = await ana.get(where), await bo.get(where)
            pages = await asyncio.gather(
                *(ana.send(mine, f"{where}/say", words="Said by Ana") for _ in range(3)),
                bo.send(theirs, f"{where}/say", words="Said by Bo"),
            )
            assert {page.status for page in pages} == {200}
            page = await bo.get(where)
            assert (page.text.count("Said by Ana"), page.text.count("Said by Bo")) == (1, 1)
        home = await bo.get("/")
        assert "1 remark by members 1 remark in your circle’s room" in home.text
        await bo.send(await bo.get(f"{path}/circle"), "/draft", position="consent", reason=REASON)
        for where in ("/circle/drafts", "/count", "/timeline"):
            assert (await bo.get(f"{path}{where}")).status == 200
