"""Proposals on their pages: which circles support them, what others would change, and what becomes of that."""

from datetime import timedelta

import pytest

from tests.federation.harness import HOUR, MINUTE, Federation
from tests.federation.meetings import Meetings
from tests.federation.people import PROPOSAL
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_notices import new, told

WISH = "One new cargo bike, shared by a weekly calendar"
WHY = "A used one would be in the workshop every month."
NO = "The federation has no money for a new one this year."


async def asked(fed: Federation, **plan: object) -> str:
    """Oak asks elm, elm answers; returns the path of the decision."""
    await fed.oak.convene("elm", challenge=0 * HOUR, **plan)
    await fed.settle()
    await fed.elm.answer()
    await fed.advance(MINUTE)
    return f"/decisions/{fed.decision}"


async def follow(browser: Browser, page: Page, words: str) -> Page:
    found = await browser.get(page.links()[words])
    check(found)
    return found


async def test_a_circle_says_where_it_stands_and_both_instances_count_it(
    both: Meetings, enter: Enter
) -> None:
    async with both.founded(oak=2, elm=2) as fed:
        path = await asked(fed)
        bo = await enter(fed, "elm", "bo")
        page = await bo.get(path)
        assert "No circle has said yet whether it supports this." in page.text
        form = await follow(bo, page, "Say where your circle stands on it")
        assert "You speak in the name of The assembly" in form.text
        nothing = await bo.send(form, "/support", reason=WHY)
        assert nothing.problems == ["Choose one of these."]
        assert nothing.by_id("reason").text == WHY
        short = await bo.send(form, "/support", says="concern", reason="Too dear.")
        assert short.problems == ["Say why, in 20 to 5,000 characters."]
        page = await bo.send(form, "/support", says="concern", reason=WHY)
        assert page.said == "Your circle’s word is on its way to everybody who takes part."
        assert "0 of 2 circles support this. 1 has a concern." in page.text
        assert WHY in page.text
        again = await follow(bo, page, "Your circle has a concern; say something else")
        assert again.by_id("reason").text == WHY
        await fed.settle()
        visitor = await enter(fed, "oak")
        page = await visitor.get(path)
        assert "1 has a concern." in page.text
        assert "Say where your circle stands on it" not in page.links()
        ana = await enter(fed, "oak", "ana")
        form = await follow(ana, await ana.get(path), "Say where your circle stands on it")
        page = await ana.send(form, "/support", says="support")
        assert "1 of 2 circles support this. 1 has a concern." in page.text
        timeline = await ana.get(f"{path}/timeline")
        assert "Has a concern about a proposal" in timeline.text
        assert "Supports a proposal" in timeline.text


async def test_a_change_goes_to_whoever_made_the_proposal_and_is_taken_in(
    both: Meetings, enter: Enter
) -> None:
    async with both.founded(oak=2, elm=2) as fed:
        path = await asked(fed)
        bo, ana = await enter(fed, "elm", "bo"), await enter(fed, "oak", "ana")
        form = await follow(bo, await bo.get(path), "Propose a change")
        assert "they take your version in or decline it" in form.text
        assert form.by_id("title").get("value") == PROPOSAL
        same = await bo.send(form, "/change")
        assert same.problems == ["Change something: this is what the proposal says now."]
        for _ in range(2):
            page = await bo.send(form, "/change", title=WISH, details="With three wheels.")
            assert "Your change is on its way" in page.said
        assert len([one for one in await fed.elm.records("Option") if one.get("amends")]) == 1
        assert "1 proposed change" in page.text
        assert (
            page.all("del")[1].text,
            page.all("ins")[1].text,
        ) == ("used", "new")  # the first ones are the legend
        await fed.settle()
        assert "1 change to your proposal waits for an answer." in (await ana.get("/")).text
        await told(fed)
        assert "Somebody would change a proposal of yours, and waits for an answer." in await new(ana)
        form = await follow(ana, await ana.get(path), "Take it in or decline it")
        none = await ana.send(form, "/answer")
        assert none.problems == ["Choose one of these."]
        page = await ana.send(form, "/answer", answer="integrate")
        assert "The change is taken in" in page.said
        assert page.all("h3")[0].text == WISH
        assert "Version 2" in page.links()
        page = await ana.send(form, "/answer", answer="integrate")  # the second click
        assert page.status == 200
        assert len(await fed.oak.records("Integrate")) == 1
        versions = await follow(ana, page, "Version 2")
        assert "All 2 versions" in versions.text
        assert "taken in" in versions.text
        await told(fed)
        assert "Somebody would change a proposal of yours, and waits for an answer." not in await new(ana)


async def test_a_change_is_declined_with_a_reason_and_proposed_by_itself(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        path = await asked(fed, method="approval")
        bo, ana = await enter(fed, "elm", "bo"), await enter(fed, "oak", "ana")
        option = (await fed.elm.options())[PROPOSAL]
        await fed.elm.amend(option, WISH, "With three wheels.")
        await fed.advance(MINUTE)
        form = await follow(ana, await ana.get(path), "Take it in or decline it")
        short = await ana.send(form, "/answer", answer="decline", reason="No.")
        assert short.problems == ["Say why, in 20 to 5,000 characters."]
        page = await ana.send(form, "/answer", answer="decline", reason=NO)
        assert "The change is declined" in page.said
        assert NO in page.text
        assert "Declined by Oak Collective" in page.text
        await fed.settle()
        form = await follow(bo, await bo.get(path), "Propose it by itself")
        assert (form.by_id("title").get("value"), form.by_id("details").text) == (WISH, "With three wheels.")
        page = await bo.send(form, "/propose")
        assert "Your proposal is on the list" in page.said
        assert "Proposals" in page.text


async def test_who_supported_a_proposal_that_changed_is_told(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        path = await asked(fed)
        bo, ana = await enter(fed, "elm", "bo"), await enter(fed, "oak", "ana")
        option = (await fed.elm.options())[PROPOSAL]
        await fed.elm.support(option, "support")
        room = await bo.get(f"{path}/circle")
        await bo.send(room, "/position", my__position="consent")
        await fed.advance(MINUTE)
        form = await follow(ana, await ana.get(path), "Propose a change")
        assert "takes the place of the one below at once" in form.text
        page = await ana.send(form, "/change", title=WISH)
        assert page.said == "The proposal says so from now on. Who supported it before is asked again."
        await fed.settle()
        await told(fed, "elm")
        changed = "A proposal that your circle supported has changed. Does it still?"
        assert changed in await new(bo)
        page = await bo.get(path)
        assert "No circle has said yet whether it supports this." in page.text
        form = await follow(bo, page, "Say where your circle stands on it")
        await bo.send(form, "/support", says="support")
        await told(fed, "elm")
        assert changed not in await new(bo)
        room = await bo.get(f"{path}/circle")
        assert room.text.count("Before a proposal changed") == 1
        check(room)
        again = await bo.send(room, "/position", my__position="concern")
        assert "Before a proposal changed" not in again.text


async def test_a_concern_is_told_to_whoever_made_the_proposal(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        await asked(fed)
        await fed.elm.support((await fed.elm.options())[PROPOSAL], "concern", WHY)
        await fed.advance(MINUTE)
        ana = await enter(fed, "oak", "ana")
        await told(fed)
        assert "A circle has a concern about a proposal of yours." in await new(ana)


async def test_what_was_written_for_an_older_version_is_kept_and_said(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        path = await asked(fed)
        bo = await enter(fed, "elm", "bo")
        form = await follow(bo, await bo.get(path), "Propose a change")
        option = (await fed.elm.options())[PROPOSAL]
        await fed.oak.amend(option, "Two used cargo bikes")
        await fed.advance(MINUTE)
        page = await bo.send(form, "/change", title=WISH)
        assert "This proposal has changed meanwhile." in page.alert
        assert page.by_id("title").get("value") == WISH


async def test_after_the_opening_nothing_can_be_said_and_what_was_is_shown(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        path = await asked(fed)
        option = (await fed.elm.options())[PROPOSAL]
        await fed.elm.support(option, "support")
        await fed.elm.amend(option, WISH)
        bo = await enter(fed, "elm", "bo")
        form = await bo.get(f"{path}/proposals/{option}/support")
        await fed.reach("opens")
        page = await bo.send(form, "/support", says="none")
        assert "Proposals are closed." in page.alert
        page = await bo.get(path)
        check(page)
        assert "Before the voting, 1 of 2 circles supported this." in page.text
        assert "Was not taken in" in page.text
        for words in ("Propose a change", "Take it in or decline it", "Propose it by itself"):
            assert words not in page.links()
        check(await bo.get(f"{path}/proposals/{option}"))


async def test_strangers_get_nothing_and_visitors_are_asked_to_log_in(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        path = await asked(fed, visibility="public")
        option = (await fed.elm.options())[PROPOSAL]
        visitor, bo = await enter(fed, "oak"), await enter(fed, "oak", "bo")
        for act in ("support", "change", "answer"):
            there = f"{path}/proposals/{option}/{act}"
            assert (await visitor.get(there)).path == f"/login?next={there}"
            assert (await bo.get(f"{path}/proposals/{'0' * 64}/{act}")).status == 404
        check(await visitor.get(f"{path}/proposals/{option}"))
        assert (await visitor.get(f"{path}/proposals/{'0' * 64}")).status == 404


async def test_a_proposal_that_is_not_public_is_not_there_for_visitors(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=2) as fed:
        path = await asked(fed, visibility="federation")
        option = (await fed.elm.options())[PROPOSAL]
        visitor = await enter(fed, "oak")
        assert (await visitor.get(f"{path}/proposals/{option}")).status == 404


async def test_a_text_of_a_version_that_was_removed_is_said_and_nothing_is_compared(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        path = await asked(fed)
        option = (await fed.elm.options())[PROPOSAL]
        await fed.oak.amend(option, WISH)
        await fed.advance(timedelta(minutes=1))
        ana = await enter(fed, "oak", "ana")
        page = await ana.get(path)
        assert "What changed since the version before" in page.text
        (old,) = [one for one in await fed.oak.records("Option") if one.digest == option]
        remove = await ana.get(f"{path}/remove/{old['title']}")
        await ana.send(remove, remove.path, cause="mistake")
        page = await ana.get(path)
        check(page)
        assert "What changed since the version before" not in page.text
        assert "Removed by Oak Collective" in (await ana.get(f"{path}/proposals/{option}")).text


async def test_of_many_changes_by_one_circle_few_are_told(
    meetings: Meetings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.actions.noticing.MOST_TOLD", 2)
    async with meetings.founded(oak=2, elm=2) as fed:
        await asked(fed)
        option = (await fed.elm.options())[PROPOSAL]
        for number in range(4):
            await fed.elm.amend(option, f"{WISH}, no. {number}")
        await fed.advance(MINUTE)
        ana = await enter(fed, "oak", "ana")
        await told(fed)
        assert (await new(ana)).count(
            "Somebody would change a proposal of yours, and waits for an answer."
        ) == 2
