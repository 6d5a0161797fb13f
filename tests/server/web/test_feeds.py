"""Feeds: what everybody sees, and what whoever may post as the collective does with them."""

from sqlalchemy import delete, select

from models.feeds import Feed, Following
from server.keys import DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page, filled
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check


async def made(ana: Browser) -> Page:
    """A feed, made by its form."""
    page = await ana.send(await ana.get("/feeds/new"), "/feeds/new", handle="@Valley", name="The Valley")
    check(page)
    return page


async def count(fed: Federation, table: type[Feed] | type[Following]) -> int:
    async with fed.oak.session() as session:
        return len((await session.scalars(select(table))).all())


async def test_a_feed_is_made_filled_and_shown_to_everybody(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2, elm=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        empty = await visitor.get("/feeds")
        check(empty)
        assert "There is no feed here yet." in empty.text
        check(await ana.get("/feeds"))
        check(await ana.get("/feeds/new"))
        page = await made(ana)
        assert (page.path, page.heading) == ("/feeds/valley?done=feed-made", "The Valley")
        assert page.said == "The feed is there, and can be followed."
        page = await ana.send(page, "/feeds/valley/add", source="@elm@elm.test")
        check(page)
        assert "Elm Collective asked, no answer yet @elm@elm.test asked just now" in page.text
        await fed.settle()
        seen = await visitor.get("/feeds/valley")
        check(seen)
        assert seen.by_id("follow").text == "To follow it"
        assert "Oak Collective our own" in seen.text
        assert "Elm Collective passed on" in seen.text
        assert "Copy @valley@oak.test into the search of Mastodon" in seen.text
        assert not seen.all("form")
        listed = await visitor.get("/feeds")
        check(listed)
        assert "The Valley Oak Collective, Elm Collective" in listed.text
        assert (await visitor.get("/@valley")).path == "/feeds/valley"
        assert (await visitor.get("/feeds/nothing")).status == 404
        async with fed.oak.app[DATABASE].ACT.begin() as session:  # as when they block it, or are blocked here
            await session.execute(delete(Following))
        assert "Elm Collective not followed any more" in (await visitor.get("/feeds/valley")).text
        assert "Leave out Oak Collective" in page.links()
        really = await ana.get(page.links()["Leave out Elm Collective"])
        check(really)
        assert "it is asked anew, and can say no" in really.text
        assert dict(filled(really.form("/feeds/valley/remove")))["source"] == "http://elm.test/c/elm"
        mark = dict(filled(really.form("/feeds/valley/remove")))["mark"]
        gone = [("mark", mark), ("source", "http://elm.test/c/elm")]
        for _ in range(2):
            page = await ana.post("/feeds/valley/remove", gone)
            assert page.status == 200
        assert "Elm Collective" not in page.text
        assert await count(fed, Following) == 0
        check(await ana.get("/feeds/valley/end"))
        page = await ana.send(await ana.get("/feeds/valley/end"), "/feeds/valley/end")
        assert page.said == "The feed has ended. Those who followed it are being told."
        assert (await visitor.get("/feeds/valley")).status == 404
        assert (await ana.post("/feeds/valley/end", gone[:1])).path == "/feeds"


async def test_who_took_part_in_a_decision_is_offered(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        await fed.oak.convene("elm")
        await fed.settle()
        ana = await enter(fed, "oak", "ana")
        page = await made(ana)
        assert "You have decided something with Elm Collective @elm@elm.test" in page.text
        form = next(f for f in page.all("form") if f.text == "Add Elm Collective")
        pairs = [(i.attributes["name"], i.attributes["value"]) for i in form.all("input")]
        page = await ana.post("/feeds/valley/add", pairs)
        check(page)
        assert "Elm Collective asked, no answer yet" in page.text
        assert "You have decided something with" not in page.text


async def test_what_is_wrong_is_said_and_what_was_typed_stays(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        for handle, name, problem in (
            ("oak", "The Valley", "This name is taken here. Choose another."),
            ("Täl", "The Valley", "Use 2 to 30 small letters, digits or underscores."),
            ("valley", "", "Give it a name of at most 120 characters."),
        ):
            page = await ana.send(await ana.get("/feeds/new"), "/feeds/new", handle=handle, name=name)
            check(page)
            assert (page.status, page.problems) == (422, [problem])
            assert page.by_id("name").get("value") == name
        page = await made(ana)
        assert (await made(ana)).path == page.path  # a second click
        assert await count(fed, Feed) == 1
        for source, problem in (
            ("", "Say which collective."),
            (
                "@assembly@elm.test",
                "@assembly@elm.test is no collective: a feed passes on",
            ),
            ("@oak@oak.test", "@oak@oak.test is in this feed already."),
            ("nonsense", "“nonsense” was not found"),
            ("@elm@nowhere.test", "“@elm@nowhere.test” was not found"),
        ):
            page = await ana.send(await ana.get("/feeds/valley"), "/feeds/valley/add", source=source)
            check(page)
            assert page.status == 422
            assert page.problems[0].startswith(problem)
            assert page.by_id("source").get("value") == source
        for typed in ("0", "61", "many"):
            page = await ana.send(await ana.get("/feeds"), "/feeds/budget", budget=typed)
            assert (page.status, page.problems) == (422, ["Choose a number from 1 to 60."])
            assert page.by_id("budget").get("value") == typed
        page = await ana.send(await ana.get("/feeds"), "/feeds/budget", budget="12")
        check(page)
        assert "at most 12 posts an hour" in (await ana.get("/feeds/valley")).text


async def test_without_the_power_to_speak_there_is_nothing_to_change(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = (
            await enter(fed, "oak", "ana"),
            await enter(fed, "oak", "bo"),
            await enter(fed, "oak"),
        )
        await made(ana)
        assert (await bo.get("/feeds/new")).status == 403
        assert (await bo.get("/feeds/valley/end")).status == 403
        assert (await visitor.get("/feeds/new")).path == "/login?next=/feeds/new"
        mark = (await bo.get("/me")).form("/me/appear").all("input")[0].attributes["value"]
        for act in ("new", "budget", "valley/add", "valley/remove", "valley/end"):
            pairs = [("mark", mark), ("handle", "hill"), ("name", "Hill"), ("budget", "2"), ("source", "x")]
            assert (await bo.post(f"/feeds/{act}", pairs)).status == 403, act
            assert (await visitor.post(f"/feeds/{act}", pairs)).status == 403, act
        assert await count(fed, Feed) == 1
        assert (await bo.get("/feeds/budget")).path == "/feeds"
        assert (await bo.get("/feeds/valley/add")).path == "/feeds/valley"
