"""Notices: told once to whom they concern, read, silenced; and nothing in them of who stands where."""

from datetime import timedelta

from server.workers import PASSES
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check


async def told(fed: Federation, home: str = "oak") -> int:
    """A minute later members are told what happened; how much it was."""
    fed.clock.advance(timedelta(minutes=1))
    return await PASSES["notices"](fed.app_of(home))


def words(page: Page) -> list[str]:
    return [link.text for heading in page.all("h2") for link in heading.all("a")]


async def new(browser: Browser) -> list[str]:
    """What a member has not read, the latest first."""
    page = await browser.get("/notices")
    check(page)
    headings = [heading for heading in page.all("h2") if heading.text.endswith(" new")]
    return [heading.text.removesuffix(" new") for heading in headings]


SEAT = "Your circle takes part in a decision."
DRAFT = "A draft of your circle’s ballot waits for confirmations."
CLOSING = "The voting closes soon, and your circle has published no ballot."
BALLOT = "Your circle’s ballot is published."


async def test_members_are_told_once_of_each_step_until_the_result(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        ana, bo, cem = [await enter(fed, "oak", login) for login in ("ana", "bo", "cem")]
        assert await told(fed) >= 3
        assert await told(fed) == 0
        assert SEAT in await new(bo)
        link = next(a for a in (await bo.get("/")).all("a") if a.get("href") == "/notices")
        assert link.text == f"Notices {len(await new(bo))} new"
        page = await bo.send(await bo.get("/notices"), "/notices/read")
        assert (page.said, await new(bo)) == ("All of them are marked as read.", [])
        circle = await fed.oak.circle()
        number = await circle.draft("consent")
        assert await told(fed) == 2
        assert DRAFT not in await new(ana)  # who wrote it
        assert await new(bo) == [DRAFT]
        await circle.confirm(number, 1)
        await told(fed)
        assert await new(bo) == []  # it does not wait for bo any more
        assert DRAFT in await new(cem)
        await fed.reach("closes", after=timedelta(hours=-11))
        await told(fed)
        assert await new(bo) == [CLOSING]
        await circle.confirm(number, 2)
        await told(fed)
        assert await new(bo) == [BALLOT]
        assert CLOSING in words(await bo.get("/notices"))
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        await told(fed)
        assert "The decision is over, and its result stands." in await new(cem)
        assert await told(fed) == 0


async def test_a_circle_that_objects_is_told_to_all_who_sit_and_nothing_is_said_of_its_members(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        circle = await fed.oak.circle()
        await told(fed)
        number = await circle.draft("object", by=1)
        await circle.confirm(number, 1)
        await circle.confirm(number, 2)
        await fed.settle()
        for home in ("oak", "elm"):
            await told(fed, home)
            assert "A circle objects." in await new(await enter(fed, home, "ana"))
        page = await (await enter(fed, "oak", "ana")).get("/notices")
        for said in ("Bo", "Cem", "2 of", "confirmed by"):
            assert said not in page.text


async def test_a_decision_can_be_silenced_and_heard_again(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        await told(fed)
        ana = await enter(fed, "oak", "ana")
        path = f"/notices/mute/{fed.decision}"
        form = next(f for f in (await ana.get("/notices")).all("form") if f.get("action") == path)
        pairs = [(i.attributes["name"], i.attributes["value"]) for i in form.all("input")]
        page = await ana.post(path, pairs)
        check(page)
        assert "You are told nothing more of this decision." in page.said
        assert not page.has_form(path)
        assert (await ana.post(path, pairs)).status == 200  # twice
        await (await fed.oak.circle()).draft("consent", by=1)
        assert await told(fed) == 1  # cem, who neither wrote it nor silenced it
        page = await ana.send(await ana.get("/notices"), f"/notices/unmute/{fed.decision}")
        assert page.said == "You are told of this decision again."
        await (await fed.oak.circle()).draft("concern", by=1)
        await told(fed)
        assert DRAFT in await new(ana)


async def test_one_notice_is_marked_and_nobody_marks_anothers(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        await told(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        page = await ana.get("/notices")
        before = await new(ana)
        action = next(
            f.attributes["action"] for f in page.all("form") if f.attributes["action"].endswith("/read")
            if f.attributes["action"] != "/notices/read"
        )  # fmt: skip
        mark = [("mark", (await bo.get("/notices")).form("/logout").all("input")[0].attributes["value"])]
        assert (await bo.post(action, mark)).status == 404
        assert await new(ana) == before
        await ana.send(page, action)
        assert await new(ana) == before[1:]
        assert (await bo.get(action)).path == "/notices"


async def test_the_page_before_anything_happened_and_for_visitors(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        page = await ana.get("/notices")
        check(page)
        assert "Nothing yet. Here you are told" in page.text
        assert (await visitor.get("/notices")).path == "/login?next=/notices"
        assert "There are no older notices." in (await ana.get("/notices?before=1")).text


async def test_who_may_admit_is_told_of_requests_and_who_held_a_mandate_of_its_end(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, zoe = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        said = {"login": "zoe", "name": "Zoe", "words": "It is me.", "password": "a long enough one"}
        await zoe.send(await zoe.get("/join"), "/join", **said)
        assert await told(fed) == 1
        assert (await new(ana), await new(bo)) == (["Somebody asks to join."], [])
        await ana.send(await ana.get("/people/requests"), "/admit")
        await told(fed)
        assert await new(ana) == []
        fed.clock.advance(timedelta(days=31))
        await told(fed)
        again = await enter(fed, "oak", "ana")
        assert await new(again) == ["A mandate of yours has ended."]
        assert words(await again.get("/notices"))[-1] == "Somebody asks to join."


async def test_a_decision_is_silenced_on_its_own_page_too(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        await told(fed)
        path, name = f"/decisions/{fed.decision}", fed.decision
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        assert not (await visitor.get(path)).has_form(f"/notices/mute/{name}")
        page = await ana.send(await ana.get(path), f"/notices/mute/{name}")
        check(page)
        assert (page.path.split("?")[0], page.has_form(f"/notices/mute/{name}")) == (path, False)
        assert page.said.startswith("You are told nothing more of this decision.")
        await (await fed.oak.circle()).draft("consent", by=1)
        assert await told(fed) == 1  # cem; bo wrote it
        page = await ana.send(page, f"/notices/unmute/{name}")
        assert page.said == "You are told of this decision again."
        assert page.has_form(f"/notices/mute/{name}")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        assert not (await bo.get(path)).has_form(
            f"/notices/mute/{name}"
        )  # it is over: there is nothing more to tell
