"""Members' talk: in a circle's room for its eyes only, and for all members on the page of a decision."""

from datetime import timedelta

from sqlalchemy import select

from models.events import Event
from models.remarks import Remark
from server.actions.departing import leave, traces
from server.actions.exporting import everything
from server.keys import DATABASE, HOME
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page, filled
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

SECRET = "I would rather not say this in front of the assembly"


def paths(fed: Federation) -> tuple[str, str]:
    """The page of the decision, and the circle's room."""
    return f"/decisions/{fed.decision}", f"/decisions/{fed.decision}/circle"


async def say(browser: Browser, path: str, words: str) -> Page:
    return await browser.send(await browser.get(path), f"{path}/say", words=words)


def said_on(page: Page) -> list[str]:
    """The remarks, each with its author, in the order of the page."""
    rows = [e for e in page.all("li") if (e.get("id") or "").startswith("remark-")]
    return [" ".join([row.all("strong")[0].text, *(d.text for d in row.all("div"))]) for row in rows]


async def test_a_circle_talks_in_its_room_and_nobody_else_hears_it(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=7, elm=1) as fed:
        decision, room = paths(fed)
        first, second = await fed.oak.circles()
        ana, bo = [await enter(fed, "oak", login) for login in first.sitting[:2]]
        page = await say(ana, room, SECRET)
        assert (page.status, page.said) == (200, "Your remark stands below.")
        await say(bo, room, "Then say it here.\n\nWe listen & <answer>.")
        page = await ana.get(room)
        assert [one.split(" ", 1)[1] for one in said_on(page)] == [
            SECRET,
            "Then say it here. We listen & <answer>.",
        ]
        check(page)
        await fed.settle()
        others = [
            await enter(fed, "oak", second.sitting[0]),
            await enter(fed, "oak"),
            await enter(fed, "elm", "ana"),
        ]
        for browser in others:
            for where in ("/", room, decision, f"{decision}.json", "/@oak", f"{decision}/remarks/1/edit"):
                assert SECRET not in (await browser.get(where)).body, where
        assert SECRET not in str(await fed.oak.texts())
        async with fed.app_of("oak")[DATABASE].READ() as session:
            assert not [e for e in await session.scalars(select(Event)) if "remark" in e.kind]


async def test_members_talk_on_the_page_of_the_decision_and_visitors_read_nothing_of_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        decision, room = paths(fed)
        ana, bo, visitor, eli = (
            await enter(fed, "oak", "ana"),
            await enter(fed, "oak", "bo"),
            await enter(fed, "oak"),
            await enter(fed, "elm", "ana"),
        )
        await say(ana, decision, "Has anybody asked the neighbours?")
        page = await bo.get(decision)
        check(page)
        assert said_on(page) == ["Ana Has anybody asked the neighbours?"]
        assert said_on(await bo.get(room)) == []
        await fed.settle()
        for browser in (visitor, eli):
            page = await browser.get(decision)
            assert page.status == 200
            assert "the neighbours" not in page.body
        assert not (await visitor.get(decision)).has_form("/say")
        mark = filled((await visitor.get("/login")).form("/login"))[:1]
        page = await visitor.post(f"{decision}/say", [*mark, ("words", "Let me in")])
        assert (page.status, said_on(await bo.get(decision))) == (
            403,
            ["Ana Has anybody asked the neighbours?"],
        )


async def test_what_came_since_the_last_visit_is_marked_and_ones_own_is_not(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        _, room = paths(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await say(ana, room, "One.")
        page = await bo.get(room)
        assert "since your last visit" not in page.text
        await fed.advance(timedelta(minutes=40))
        await say(ana, room, "Two.")
        await fed.advance(timedelta(minutes=5))
        for _ in range(2):
            page = await bo.get(room)
            assert "1 new remark since your last visit" in page.text
            (new,) = [e for e in page.all("li") if "New" in [s.text for s in e.all("span")]]
            assert "Two." in new.text
        assert "since your last visit" not in (await ana.get(room)).text
        await fed.advance(timedelta(minutes=40))
        assert "since your last visit" not in (await bo.get(room)).text


async def test_a_remark_is_changed_and_deleted_by_its_author_alone(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        _, room = paths(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        page = await say(ana, room, "We shuold wait.")
        change = next(href for words, href in page.links().items() if words.startswith("Change"))
        delete = change.replace("/edit", "/delete")
        stale = await ana.get(change)
        check(stale)
        await fed.advance(timedelta(minutes=1))
        page = await ana.send(await ana.get(change), change, words="We should wait.")
        assert page.said == "Your remark is changed."
        assert said_on(await bo.get(room)) == ["Ana We should wait."]
        assert "changed" in (await bo.get(room)).by_id(change.split("/")[-2].join(["remark-", ""])).text
        page = await ana.send(stale, change, words="We should go.")
        assert (page.status, "in another window" in page.alert) == (409, True)
        assert page.form(change).all("textarea")[0].text == "We should go."
        assert (await ana.send(page, change, words="We should go.")).said == "Your remark is changed."
        own = filled((await bo.get("/")).form("/logout"))
        for path in (change, delete):
            assert (await bo.get(path)).status == 404
            assert (await bo.post(path, [*own, ("words", "No.")])).status == 404
        asked = await ana.get(delete)
        check(asked)
        assert "gone for good" in asked.text
        for _ in range(2):
            assert (await ana.send(asked, delete)).said == "Your remark is deleted."
        page = await bo.get(room)
        assert said_on(page) == ["Ana"]
        assert "Deleted by its author" in page.text
        page = await ana.post(change, [*filled(stale.form(change)), ("words", "Again.")])
        assert (page.status, "You deleted this remark" in page.alert) == (409, True)
        async with fed.app_of("oak")[DATABASE].READ() as session:
            assert [row.words for row in await session.scalars(select(Remark))] == [""]


async def test_nothing_typed_is_lost_when_it_is_empty_too_long_sent_twice_or_after_the_log_in_ended(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        for path in paths(fed):
            ana = await enter(fed, "oak", "ana")
            form = await ana.get(path)
            page = await ana.send(form, f"{path}/say", words="  ")
            assert (page.status, page.problems) == (422, ["Write something first."])
            check(page)
            long = "word " * 900
            page = await ana.send(form, f"{path}/say", words=long)
            assert page.problems == ["Keep it under 4,000 characters; this has 4,499."]
            assert page.form(f"{path}/say").all("textarea")[0].text == long.strip()
            for _ in range(2):
                page = await ana.send(form, f"{path}/say", words="Said once.")
            assert said_on(page) == ["Ana Said once."]
            form = await ana.get(path)
            ana.set_cookie("0" * 43)
            page = await ana.send(form, f"{path}/say", words="Written before the log-in ended.")
            assert page.has_form("/login")
            assert "Written before the log-in ended." in page.body.replace("+", " ")
            assert (await ana.get(f"{path}/say")).path in (path, f"/login?next={path}")


async def test_how_much_one_member_says_in_an_hour_is_bounded(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        _, room = paths(fed)
        ana = await enter(fed, "oak", "ana")
        await say(ana, room, "The first.")
        async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
            one = (await session.scalars(select(Remark))).one()
            for number in range(59):
                row = {"scope_id": one.scope_id, "circle_id": one.circle_id, "member_id": one.member_id}
                session.add(Remark(**row, form=f"{number:032x}", words=f"No. {number}", at=one.at))
        page = await say(ana, room, "One too many.")
        assert (page.status, "60 remarks in an hour" in page.alert) == (429, True)
        assert page.form(f"{room}/say").all("textarea")[0].text == "One too many."
        shown = said_on(page)
        assert (len(shown), shown[-1]) == (50, "Ana No. 58")
        earlier = await ana.get(page.links()["Earlier remarks"])
        assert said_on(earlier)[0] == "Ana The first."
        assert len(said_on(earlier)) == 10
        await fed.advance(timedelta(hours=1, minutes=1))
        assert said_on(await say(ana, room, "An hour later."))[-1] == "Ana An hour later."


async def test_who_is_erased_takes_their_words_along_and_gets_them_in_their_file(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        decision, room = paths(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await say(bo, room, "My own words in the room.")
        await say(bo, decision, "My own words to all.")
        home = fed.app_of("oak")[HOME]
        async with fed.oak.acting("bo") as (session, viewer, _):
            told = (await everything(session, home, viewer, fed.clock.now()))["remarks"]
            assert [(one["words"], one["where"]) for one in told] == [
                ("My own words in the room.", "in your circle's room"),
                ("My own words to all.", "to all members"),
            ]
            assert (await traces(session, viewer)).remarks == 2
            await leave(session, home, viewer, fed.clock.now(), erased=True)
        for path in (room, decision):
            page = await ana.get(path)
            assert said_on(page) == ["A former member"]
            assert "My own words" not in page.body
