"""Removing a member on the pages: asking, following, carrying out; and what each of them sees."""

from datetime import timedelta

from models.mandates import MandateRow
from server.keys import CLOCK, DATABASE
from server.workers import PASSES
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.conftest import Enter
from tests.server.web.test_account_pages import mark_of
from tests.server.web.test_every_page import check

WHY = "They shout at meetings, and three talks changed nothing."
PAGE = "/people/2/remove"


async def lend(fed: Federation, number: int, power: str = "moderate") -> None:
    """This member may do that from now on."""
    app = fed.app_of("oak")
    now = app[CLOCK].now()
    days = {"starts_at": now, "ends_at": now + timedelta(days=30), "accepted_at": now}
    async with app[DATABASE].ACT.begin() as session:
        session.add(
            MandateRow(member_id=number, powers=[power], instruction="Keep order.", source="test", **days)
        )


async def test_all_are_asked_about_one_person_and_any_other_member_carries_it_out(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana, bo, cem = [await enter(fed, "oak", who) for who in ("ana", "bo", "cem")]
        page = await cem.get(PAGE)
        check(page)
        assert not page.has_form("/ask")
        assert "Whoever may ask questions can ask it." in page.text
        assert "Remove Bo" not in (await cem.get("/people")).text
        assert (await bo.get(PAGE)).status == 403
        page = await ana.get((await ana.get("/people")).links()["Remove Bo"])
        check(page)
        assert "Remove Bo here since" in page.text, "others may have the same name"
        wrong = await ana.send(page, "/ask", why="Because.", method="majority")
        assert (wrong.status, wrong.problems) == (422, ["Say why, in 20 to 10,000 characters."])
        assert wrong.by_id("why").text == "Because."
        assert "checked" in wrong.by_id("method-majority").attributes
        check(wrong)
        asked = await ana.send(page, "/ask", why=WHY, talk="24h", method="consent")
        assert "This is about Bo here since" in asked.text
        assert asked.said == "The question is out, to all circles. Only members see it."
        check(asked)
        again = await ana.send(page, "/ask", why=WHY, talk="24h", method="consent")
        assert again.path == asked.path, "sent twice, asked once"
        other = await ana.send(
            page, "/ask", why="Another reason, just as long.", talk="24h", method="consent"
        )
        assert (other.status, "This is asked already" in other.alert) == (422, True)
        name = asked.path.removeprefix("/decisions/").partition("?")[0]
        path = f"/decisions/{name}"
        visitor = await enter(fed, "oak")
        assert (await visitor.get(path)).status == 404
        await PASSES["notices"](fed.app_of("oak"))
        assert "All circles are asked whether you stay a member." in (await bo.get("/notices")).text
        assert "All circles are asked whether you stay" not in (await cem.get("/notices")).text
        assert "It is asked whether you stay a member." in (await bo.get(path)).text
        renamed = await bo.send(await bo.get("/me/profile"), "/me/profile", name="Ana", about="I garden.")
        check(renamed)
        assert (renamed.status, renamed.by_id("about").text) == (422, "I garden.")
        assert "Until then your name stays as it is" in renamed.problems[0]
        await lend(fed, 2)
        page = await bo.get((await bo.get(path)).links()["Remove this text"])
        assert (page.status, "This decision is about you" in page.text) == (403, True)
        assert (await ana.get((await ana.get(path)).links()["Remove this text"])).status == 200
        await cem.send(await cem.get(path), f"{path}/say", words="They shouted at me, too.")
        hide = next(h for w, h in (await bo.get(path)).links().items() if w.startswith("Hide the"))
        page = await bo.get(hide)
        assert (page.status, "This decision is about you" in page.text) == (403, True)
        assert (await ana.get(hide)).status == 200
        assert "If it is adopted, Bo can be removed." in (await cem.get(path)).text
        assert "This is about Bo" in (await cem.get(f"{path}/circle")).text
        page = await ana.get(PAGE)
        assert page.links()["This is being decided."] == path
        assert not page.has_form("/remove")
        assert not page.has_form("/ask")
        fed.decision = name
        await fed.settle()
        await fed.reach("opens")
        await fed.oak.ballot("consent")
        await fed.finish()
        page = await bo.get(path)
        assert "Look at it and carry it out" not in page.text
        assert "It is decided that you are a member no longer." in page.text
        wanted = "It is decided that Bo is a member no longer. Somebody has to carry it out."
        assert wanted not in (await bo.get("/")).text
        page = await cem.get("/")
        check(page)
        assert wanted in page.text
        assert page.links()["Look at it and carry it out"] == path
        page = await cem.get(path)
        check(page)
        page = await cem.get(page.links()["Look at it and carry it out"])
        check(page)
        assert "What stays of their name?" not in page.text
        page = await ana.get(PAGE)
        check(page)
        assert "What stays of their name?" in page.text
        assert (await cem.post(PAGE, [mark_of(await cem.get(PAGE)), ("parting", "erase")])).status == 403
        assert "the words of their remarks" in page.text
        stale = await cem.get(PAGE)
        for browser, form in ((cem, stale), (cem, stale), (ana, page)):
            done = await browser.send(form, "/remove")
            assert done.path == "/people?done=person-removed", "done once, and said to everybody who did it"
        assert (await bo.get("/me")).path.startswith("/login")
        assert (await ana.get(PAGE)).status == 404
        assert "They are no member any more." in (await ana.get(path)).text


async def test_whom_it_is_about_reads_that_others_change_the_draft_and_loses_no_word(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        asked = await ana.send(await ana.get(PAGE), "/ask", why=WHY, talk="24h", method="consent")
        fed.decision = asked.path.removeprefix("/decisions/").partition("?")[0]
        await fed.settle()
        room, act = f"/decisions/{fed.decision}/circle", "/circle/draft"
        stale = await bo.get(room)
        await ana.send(await ana.get(room), act, position="consent", reason="We have tried all else by now.")
        page = await bo.get(room)
        check(page)
        assert (page.has_form(act), "the others of your circle change it" in page.text) == (False, True)
        assert (await ana.get(room)).has_form(act)
        mine = {
            "position": "object",
            "reason": "Nobody asked me at all.",
            "resolve": "Ask me first, and listen to it.",
        }
        page = await bo.send(stale, act, **mine)
        assert page.by_id("reason").text == mine["reason"]
        page = await bo.send(page, act, **mine)
        check(page)
        assert (page.status, "This decision is about you" in page.text) == (409, True)
        assert page.by_id("reason").text == mine["reason"]


async def test_who_leaves_meanwhile_is_asked_about_no_more_and_nothing_typed_is_lost(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        form = await ana.get(PAGE)
        await bo.send(await bo.get("/me/leave"), "/me/leave", parting="leave", password=PASSWORD)
        page = await ana.send(form, "/ask", why=WHY, talk="24h", method="consent")
        check(page)
        assert (page.status, "They are no member any more." in page.text) == (404, True)
        assert WHY in page.body


async def test_what_nobody_else_may_is_said_before_they_are_removed(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=3) as fed:
        await lend(fed, 2, "convene")
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        page = await bo.get("/people/1/remove")
        check(page)
        assert "Only Ana may do this now: run the instance, moderate, admit people" in page.text
        assert "ask questions" not in page.text
        assert (await ana.get("/people/3/recover")).status == 200
        await bo.send(page, "/ask", why=WHY, talk="24h", method="consent")
        refused = await ana.get("/people/3/recover")
        assert (refused.status, "whether you stay a member is not over yet" in refused.text) == (403, True)
        assert "may do this now" not in (await ana.get(PAGE)).text


async def test_when_it_was_not_adopted_its_page_says_that_nobody_is_removed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana, bo, cem = [await enter(fed, "oak", who) for who in ("ana", "bo", "cem")]
        asked = await ana.send(await ana.get(PAGE), "/ask", why=WHY, talk="24h", method="consent")
        path = asked.path.partition("?")[0]
        fed.decision = path.removeprefix("/decisions/")
        await fed.settle()
        await fed.reach("opens")
        await fed.oak.ballot("object")
        await fed.finish()
        for browser in (bo, cem):
            page = await browser.get(path)
            check(page)
            assert "This is over, and nobody is removed by it." in page.text
            assert "It is decided that" not in (await browser.get("/")).text
