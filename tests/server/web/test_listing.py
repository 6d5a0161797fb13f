"""All decisions: by state, by words, page by page, and only what one may see."""

from datetime import timedelta

from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check


def questions(page: Page) -> list[str]:
    return [heading.text for heading in page.all("h3")]


async def test_everybody_finds_what_they_may_see(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        await fed["oak"].convene(question="Shall we buy 100% green paint?", visibility="public")
        await fed["oak"].convene(question="Who keeps the keys_of the shed?", visibility="collective")
        await fed.settle()
        member, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        assert len(questions(await member.get("/decisions"))) == 2
        assert questions(await visitor.get("/decisions")) == ["Shall we buy 100% green paint?"]
        for words, found in (
            ("keys", 1),
            ("SHED keys", 1),
            ("keys paint", 0),
            ("100%", 1),
            ("1%0", 0),
            ("keys_of", 1),
            ("keysXof", 0),
            ("  ", 2),
        ):
            page = await member.get("/decisions?q=" + words.replace("%", "%25").replace(" ", "+"))
            check(page)
            assert len(questions(page)) == found, words
            assert page.by_id("q").get("value") == words.strip()
        nothing = await visitor.get("/decisions?q=keys")
        assert "No question that you may see" in nothing.text


async def test_running_and_decided_are_told_apart_and_paged(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        for number in range(23):
            await fed["oak"].convene(question=f"Question number {number}?", visibility="public")
        await fed.settle()
        ana = await enter(fed, "oak", "ana")
        first = await ana.get("/decisions?show=running")
        assert questions(first)[0] == "Question number 22?"
        assert len(questions(first)) == 20
        older = await ana.get(first.links()["Earlier ones"])
        assert questions(older) == [f"Question number {n}?" for n in (2, 1, 0)]
        check(older)
        assert "has been decided yet" in (await ana.get("/decisions?show=over")).text
        for odd in ("before=x", "before=" + "9" * 40, "show=nothing", "q=" + "x" * 5000):
            assert (await ana.get(f"/decisions?{odd}")).status == 200
        assert "no earlier ones" in (await ana.get("/decisions?before=1")).text


async def test_open_votings_are_listed_with_the_next_to_close_first(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        assert "No voting is open" in (await ana.get("/decisions?show=closing")).text
        oak = fed["oak"]
        for hours, question in ((72, "Which paint?"), (24, "Which brush?"), (48, "Which wall?")):
            await oak.convene(
                question=question, gather=timedelta(), window=timedelta(hours=hours), visibility="public"
            )
        await oak.convene(question="Later?", gather=timedelta(days=5), visibility="public")
        await fed.settle()
        page = await ana.get("/decisions?show=closing")
        check(page)
        assert questions(page) == ["Which brush?", "Which wall?", "Which paint?"]
        assert questions(await ana.get("/decisions?show=closing&q=wall")) == ["Which wall?"]
        fed.clock.advance(timedelta(hours=30))
        assert questions(await ana.get("/decisions?show=closing")) == ["Which wall?", "Which paint?"]
