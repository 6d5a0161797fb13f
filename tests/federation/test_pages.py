"""One joint decision from the founders' links to the final result, wholly through the pages of three instances over HTTP."""

import json
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from server.__main__ import main
from tests.federation.harness import Federation
from tests.federation.people import REASON
from tests.federation.stock import PASSWORD, Stock
from tests.server.web.browser import Browser, Page, filled


async def test_three_collectives_decide_by_nothing_but_their_pages(tmp_path: Path, stock: Stock) -> None:
    async with (
        AsyncExitStack() as open_,
        Federation("oak", "elm", "ash", folder=tmp_path, stock=stock) as fed,
    ):
        ana, bo, eli, lu = [
            await open_.enter_async_context(Browser(fed.instances[name]))
            for name in ("oak", "oak", "elm", "ash")
        ]
        # People join: three founders, and one by an invitation
        for browser, login in ((ana, "ana"), (eli, "eli"), (lu, "lu")):
            link = next(i.founder_link for i in fed.instances.values() if i.url == browser.home)
            await join(browser, link, login)
        invited = await ana.send(await ana.get("/people/invite"), "/people/invite", uses="1")
        link = invited.by_id("link").attributes["value"]
        await join(bo, link, "bo")
        await bo.send(await bo.get("/"), "/logout")
        assert "log in" in (await bo.get("/")).body.lower()
        entered = await bo.send(await bo.get("/login"), "/login", login="bo", password=PASSWORD)
        assert entered.path == "/"

        # Ana asks, and a form that is not from the page is not taken
        new = await ana.get("/decisions/new")
        asked = {"question": "Shall we share a van?", "title-1": "One van, three keys", "gather": "24h"}
        asked |= {"invited": "@elm@elm.test\n@ash@ash.test", "challenge": "1h", "grace": "1h"}
        forged = [("question", "Forged?"), ("mark", "x")]
        assert (await ana.post("/decisions/new", forged, headers={})).status == 403
        page = await ana.post("/decisions/new", answers(new, "/decisions/new", asked))
        assert "/decisions/" in page.path, page.alert
        fed.decision = page.path.removeprefix("/decisions/").partition("?")[0]
        path = f"/decisions/{fed.decision}"
        await fed.settle()
        assert (await eli.get("/decisions/new")).status == 200
        assert "Forged?" not in (await ana.get("/")).body

        # The invited see on their home page what is wanted of them, and answer
        assert f"{path}/answer" in (await eli.get("/")).links().values()
        await eli.send(await eli.get(f"{path}/answer"), "/answer", takes="binding")
        day = (fed.clock.now() + timedelta(days=10)).date().isoformat()
        await lu.send(await lu.get(f"{path}/answer"), "/answer", takes="ratifies", ratify_by=day)
        await fed.settle()
        await fed.reach("opens")
        assert len((await fed.view("ash")).entries) == 3

        # Circles draft and confirm; nobody outside of a circle is let into its room
        assert (await eli.get(f"{path}/circle")).status == 200
        await ana.send(await ana.get(f"{path}/circle"), "/position", my__position="consent")
        room = await ana.send(await ana.get(f"{path}/circle"), "/draft", position="concern", reason=REASON)
        await ana.send(room, "/confirm")
        assert await fed.oak.records("Ballot") == []
        room = await bo.get(f"{path}/circle")
        assert REASON in room.text
        await bo.send(room, "/confirm")
        assert [ballot["confirmed"] for ballot in await fed.oak.records("Ballot")] == [2]
        for browser in (eli, lu):
            room = await browser.send(await browser.get(f"{path}/circle"), "/draft", position="consent")
            await browser.send(room, "/confirm")
        await fed.settle()
        assert REASON in (await lu.get(path)).text

        # It ends alike on all three, for members and visitors, and anybody recounts it
        await fed.finish()
        visitor = await open_.enter_async_context(Browser(fed.instances["elm"]))
        for browser in (ana, eli, lu, visitor):
            page = await browser.get(path)
            assert page.status == 200
            assert "Adopted" in page.text
        bundles = [
            await (await browser.session.get(f"{browser.base}{path}.json")).json()
            for browser in (ana, eli, lu)
        ]
        assert len({bundle["standing"]["countRoot"] for bundle in bundles}) == 1
        assert {bundle["standing"]["state"] for bundle in bundles} == {"final"}
        (tmp_path / "bundle.json").write_text(json.dumps(bundles[2]))
        assert main(["verify", str(tmp_path / "bundle.json")]) == 0
        assert await fed.bound() == {"oak": "bound", "elm": "bound", "ash": "ratifying"}
        assert await fed.agree() == "final adopted"


async def join(browser: Browser, link: str, login: str) -> None:
    page = await browser.get(link.removeprefix(browser.home))
    answer = await browser.send(page, page.path, name=login.title(), login=login, password=PASSWORD)
    assert answer.status == 200, answer.alert


def answers(page: Page, action: str, given: dict[str, str]) -> list[tuple[str, str]]:
    """A form of a page, filled in; for fields whose names are no words of Python."""
    return [(name, value) for name, value in filled(page.form(action)) if name not in given] + list(
        given.items()
    )
