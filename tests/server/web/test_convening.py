"""Asking a question: the form, what it makes, what it refuses, and that nothing typed in it is lost."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from models import ledger
from models.ledger import RecordRow, Scope
from server.keys import DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page, filled
from tests.server.web.conftest import Enter

NEW = "/decisions/new"


async def ask(browser: Browser, **answers: Any) -> Page:
    return await browser.send(await browser.get(NEW), NEW, **answers)


async def offers(fed: Federation, name: str = "oak") -> int:
    async with fed.app_of(name)[DATABASE].READ() as session:
        query = select(func.count()).select_from(RecordRow).where(RecordRow.type == "Offer")
        return await session.scalar(query) or 0


async def test_a_small_question_is_asked_and_open_for_voting_at_once(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ask(
            ana, question="Do we paint the door?", title__1="Paint it green", about__1="By Friday."
        )
        assert page.status == 200
        assert page.heading == "Do we paint the door?"
        assert "Your question is out. Your circles can begin." in page.said
        await fed.settle()
        page = await ana.get(page.path)
        assert "Voting is open" in page.text
        assert "Paint it green" in page.text
        assert "By Friday." in page.text
        assert "Do we paint the door?" in (await ana.get("/")).text


async def test_two_collectives_are_invited_by_handle_and_by_address(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=1, ash=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ask(
            ana,
            question="Do we share a van?",
            title__1="Yes, the white one",
            invited="@elm@elm.test\nhttp://ash.test/@ash\n@elm@elm.test\n",
            gather="24h",
        )
        assert page.status == 200, page.text
        assert "1 of 3 collectives have answered" in page.text
        await fed.settle()
        for name in ("elm", "ash"):
            other = await enter(fed, name, "ana")
            home = await other.get("/")
            assert "You are invited to decide together" in home.text
            assert home.links()["Read the offer and answer"].endswith("/answer")


async def test_somebody_who_cannot_be_found_is_named_and_the_rest_stays_typed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ask(
            ana,
            question="Do we share a van?",
            details="One\n\ntwo",
            title__1="Yes",
            title__3="Perhaps",
            invited="@elm@elm.test\n@nobody@elm.test\nnonsense\n@oak@oak.test",
            gather="custom",
            gather__many="36",
            gather__unit="hours",
            method="approval",
            quorum="2/3",
        )
        assert page.status == 422
        (problem,) = page.problems
        assert "@nobody@elm.test" in problem
        assert "“nonsense” was not found" in problem
        assert "your own collective" in problem
        assert "@elm@elm.test" not in problem.replace("@nobody@elm.test", "")
        again = filled(page.form(NEW))
        assert dict(again)["details"] == "One\n\ntwo"
        assert dict(again)["title-3"] == "Perhaps"
        assert dict(again)["gather"] == "custom"
        assert (dict(again)["gather-many"], dict(again)["quorum"]) == ("36", "2/3")
        opened = [d for d in page.all("details") if "open" in d.attributes]
        assert len(opened) == 2, "the third proposal and the further choices"
        assert await offers(fed) == 0


async def test_what_is_missing_is_said_at_each_field(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ask(ana, about__1="no title", window="custom", window__many="ten")
        assert page.status == 422
        assert {a.attributes["href"] for a in page.all("a")} >= {"#question", "#proposals", "#window"}
        page = await ask(ana, question="Which day?", title__1="Monday", method="approval")
        assert page.problems == [
            "This method needs at least 2. Write them now, or leave time for others to add theirs."
        ]
        page = await ask(ana, question="Which day?", title__1="Monday", title__2="Tuesday")
        assert page.problems == ["This method takes at most 1 proposals."]
        page = await ask(
            ana,
            question="Which day?",
            title__1="Monday",
            window="custom",
            window__many="4",
            window__unit="minutes",
        )
        assert page.problems == ["Our charter says: at least 5 minutes."]
        page = await ask(
            ana,
            question="Which day?",
            title__1="Monday",
            window="custom",
            window__many="91",
            window__unit="days",
        )
        assert page.problems == ["Say how long: a whole number, of at most 90 days in all."]
        assert await offers(fed) == 0


async def test_the_same_question_sent_twice_is_asked_once(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.get(NEW)
        first = await ana.send(form, NEW, question="Do we paint the door?", title__1="Yes")
        second = await ana.send(form, NEW, question="Do we paint the door?", title__1="Yes")
        assert first.path == second.path
        assert await offers(fed) == 1
        fed.clock.advance(timedelta(minutes=11))
        await ana.send(form, NEW, question="Do we paint the door?", title__1="Yes")
        assert await offers(fed) == 2


async def test_only_who_holds_the_mandate_can_ask(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        assert "New decision" not in (await bo.get("/")).body
        assert (await bo.get(NEW)).status == 403
        pairs = filled((await ana.get(NEW)).form(NEW))
        mark = dict(filled((await bo.get("/")).form("/logout")))["mark"]
        page = await bo.post(NEW, [(n, mark if n == "mark" else v) for n, v in pairs])
        assert page.status == 403
        fed.clock.advance(timedelta(days=29, hours=23, minutes=59))
        assert (await ana.get(NEW)).status == 200
        fed.clock.advance(timedelta(minutes=2))
        ana = await enter(fed, "oak", "ana")
        page = await ana.get(NEW)
        assert (page.status, "lent here for a time" in page.text) == (403, True)
        assert await offers(fed) == 0


async def test_words_typed_while_the_mandate_lapsed_are_shown_for_copying(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        fed.clock.advance(timedelta(days=29))
        ana = await enter(fed, "oak", "ana")
        form = await ana.get(NEW)
        fed.clock.advance(timedelta(days=2))
        page = await ana.send(form, NEW, question="Do we paint the door?", details="A long story\nof paint")
        assert page.status == 403
        assert "Do we paint the door?" in page.text
        assert "of paint" in page.text
        assert "This needs a mandate to ask questions and answer offers that is in force now." in page.text
        assert await offers(fed) == 0


async def test_seven_members_are_dealt_into_circles_when_one_asks(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=7) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ask(ana, question="Do we paint the door?", title__1="Yes")
        assert "Circle 1 4 people" in page.text
        assert "Circle 2 3 people" in page.text


async def test_a_question_for_ourselves_is_hidden_from_everybody_else(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        page = await ask(ana, question="Who cleans?", title__1="All of us", visibility="collective")
        path = page.path.split("?")[0]
        await fed.settle()
        assert (await bo.get(path)).status == 200
        assert "Who cleans?" in (await bo.get("/")).text
        hidden, nothing = await visitor.get(path), await visitor.get(f"/decisions/{'0' * 64}")
        assert hidden.status == nothing.status == 404
        assert hidden.text == nothing.text
        for end in (".json", "/circle", "/answer", "/propose", "/withdraw"):
            assert (await visitor.get(path + end)).status == 404, end
        assert "Who cleans?" not in (await visitor.get("/")).body + (await visitor.get("/@oak")).body


async def test_what_was_chosen_before_the_log_in_ended_is_what_is_asked(
    meetings: Meetings, enter: Enter
) -> None:
    """All of it: a time that was lost on the way would be that of the software, and nobody would notice."""
    chosen = {"window": "7d", "grace": "24h", "challenge": "7d", "quorum": "2/3", "visibility": "collective"}
    async with meetings.founded(oak=1) as fed:
        ana, other = await enter(fed, "oak", "ana"), await enter(fed, "oak", "ana")
        form = await ana.get("/decisions/new")
        ana.set_cookie(other.cookie() or "")
        page = await ana.send(form, "/decisions/new", question="Shall we bake?", title__1="Yes", **chosen)
        assert "They have not been sent yet" in page.text
        page = await ana.send(page, "/decisions/new")
        assert page.path.endswith("?done=convened-alone")
        async with fed.app_of("oak")[DATABASE].READ() as session:
            (scope,) = await session.scalars(select(Scope))
            (offer,) = await ledger.of_types(session, scope.id, ("Offer",))
        assert (offer["grace"], offer["challenge"]) == (86_400, 7 * 86_400)
        assert (offer["rule"]["quorum"], offer["visibility"]) == ([2, 3], "collective")
