"""Before the voting: answering an offer, making proposals, taking a question back."""

from datetime import timedelta
from typing import Any

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import filled
from tests.server.web.conftest import Enter


async def asked(fed: Federation, **plan: Any) -> str:
    """Oak asks elm; returns the path of the decision."""
    await fed.oak.convene("elm", **plan)
    await fed.settle()
    return f"/decisions/{fed.decision}"


async def test_a_collective_answers_and_everybody_can_read_how(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=7) as fed:
        path = await asked(fed)
        eli = await enter(fed, "elm", "ana")
        page = await eli.get(f"{path}/answer")
        assert "Circle 1: 4 people" in page.text
        assert "Circle 2: 3 people" in page.text
        page = await eli.send(page, "/answer", takes="binding")
        assert page.path == f"{path}?done=answered"
        assert "Binding on them" in page.text
        await fed.settle()
        visitor = await enter(fed, "oak")
        assert "2 of 2 collectives have answered" in (await visitor.get(path)).text


async def test_who_ratifies_says_by_which_day_and_it_must_lie_after_the_voting(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        path = await asked(fed)
        eli = await enter(fed, "elm", "ana")
        page = await eli.get(f"{path}/answer")
        missing = await eli.send(page, "/answer", takes="ratifies")
        assert missing.problems == ["Say the day of your assembly, such as 2027-03-14."]
        early = await eli.send(page, "/answer", takes="ratifies", ratify_by="2026-11-23")
        assert early.problems == ["Choose a day for your assembly after the voting closes."]
        assert early.by_id("ratify_by").get("value") == "2026-11-23"
        never = await eli.send(page, "/answer", takes="ratifies", ratify_by="9999-12-31")
        assert never.problems == ["Choose a day within a year: the others wait for your assembly."]
        done = await eli.send(page, "/answer", takes="ratifies", ratify_by="2026-12-24")
        assert "Will be ratified by their assembly" in done.text
        assert "24 December 2026, 23:59 UTC" in done.text


async def test_an_answer_must_be_chosen_and_an_unknown_one_is_refused(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        path = await asked(fed)
        eli = await enter(fed, "elm", "ana")
        page = await eli.get(f"{path}/answer")
        for takes in ([], ["perhaps"]):
            refused = await eli.send(page, "/answer", takes=takes)
            assert refused.problems == ["Choose how your collective takes part."]
            assert "#takes" in {a.attributes["href"] for a in refused.all("a")}


async def test_the_same_answer_twice_is_given_once_and_another_one_is_refused(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        path = await asked(fed)
        eli = await enter(fed, "elm", "ana")
        page = await eli.get(f"{path}/answer")
        await eli.send(page, "/answer", takes="binding")
        again = await eli.send(page, "/answer", takes="binding")
        assert again.path == f"{path}?done=answered"
        other = await eli.send(page, "/answer", takes="advisory")
        assert (other.status, other.alert) == (422, "Your collective has answered already.")
        assert len(await fed.elm.records("Answer")) == 2, "oak's and elm's"
        assert (await eli.get(f"{path}/answer")).path == f"{path}?done=answered"


async def test_an_offer_can_be_declined(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        path = await asked(fed)
        eli = await enter(fed, "elm", "ana")
        page = await eli.send(await eli.get(f"{path}/answer"), "/answer", takes="declines")
        assert "Do not take part" in page.text
        assert (await eli.get(f"{path}/circle")).status == 404


async def test_an_answer_after_its_time_is_refused_in_a_sentence(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        path = await asked(fed)
        eli = await enter(fed, "elm", "ana")
        page = await eli.get(f"{path}/answer")
        fed.clock.advance(timedelta(hours=25))
        late = await eli.send(page, "/answer", takes="binding")
        assert "The time to answer is over" in late.alert


async def test_a_proposal_is_made_in_the_name_of_the_circle_and_only_once(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        await fed.oak.convene(proposals=(), method="approval")
        await fed.settle()
        path = f"/decisions/{fed.decision}"
        bo = await enter(fed, "oak", "bo")
        assert "Make a proposal" in (await bo.get("/")).links()
        page = await bo.get(f"{path}/propose")
        assert "The assembly" in page.text
        assert "0 of 5 so far" in page.text
        empty = await bo.send(page, "/propose", details="Only details")
        assert empty.problems == ["Give the proposal a title of at most 200 characters."]
        assert empty.by_id("details").text == "Only details"
        long = await bo.send(page, "/propose", title="Plant a pear tree", details="x" * 10_001)
        assert long.problems == ["Keep this under 10,000 characters; it has 10,001."]
        assert len(long.by_id("details").text) == 10_001
        for _ in range(2):
            page = await bo.send(
                page, "/propose", title="Plant a pear tree", details="In the yard.\n\nNear the wall."
            )
            page = await bo.get(f"{path}/propose") if page.status != 200 else page
            assert "Your proposal is on the list" in page.said
            page = await bo.get(f"{path}/propose")
        assert "1 of 5 so far" in page.text
        assert "Plant a pear tree" in (await bo.get(path)).text


async def test_one_proposal_more_than_there_is_room_for_is_refused_and_kept(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        await fed.oak.convene(proposals=())
        path = f"/decisions/{fed.decision}"
        bo = await enter(fed, "oak", "bo")
        form = await bo.get(f"{path}/propose")
        await fed.oak.propose("The first one")
        page = await bo.send(form, "/propose", title="Another one", details="Really")
        assert "There is 1 proposal already" in page.alert
        assert page.by_id("title").get("value") == "Another one"
        full = await bo.get(f"{path}/propose")
        assert "There is no room for another proposal" in full.text
        assert [one for one in full.all("form") if one.get("action") == f"{path}/propose"] == []


async def test_visitors_of_a_public_decision_are_asked_to_log_in_before_they_act(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        await fed.oak.convene(proposals=())
        path = f"/decisions/{fed.decision}"
        visitor = await enter(fed, "oak")
        for what in ("answer", "propose", "withdraw"):
            assert (await visitor.get(f"{path}/{what}")).path == f"/login?next={path}/{what}"


async def test_a_question_is_taken_back_with_a_reason_before_the_voting_opens(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2, elm=1) as fed:
        path = await asked(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        assert "Take the question back" not in (await bo.get(path)).links()
        assert (await bo.get(f"{path}/withdraw")).status == 403
        form = await ana.get((await ana.get(path)).links()["Take the question back"])
        page = await ana.send(form, "/withdraw", reason="The bike is sold.")
        assert page.path == f"{path}?done=withdrawn"
        await ana.send(form, "/withdraw", reason="The bike is sold.")
        assert len(await fed.oak.records("Withdraw")) == 1
        await fed.settle()
        visitor = await enter(fed, "elm")
        page = await visitor.get(path)
        assert "Withdrawn" in page.text
        assert "The bike is sold." in page.text


async def test_what_is_running_cannot_be_taken_back(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = f"/decisions/{fed.decision}"
        ana = await enter(fed, "oak", "ana")
        assert "Take the question back" not in (await ana.get(path)).links()
        page = await ana.send(await ana.get(f"{path}/withdraw"), "/withdraw", reason="Too late")
        assert "what is running runs to its end" in page.alert
        assert page.by_id("reason").text == "Too late"


async def test_forms_of_others_are_not_for_members_without_the_mandate(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=2) as fed:
        path = await asked(fed)
        bo = await enter(fed, "elm", "bo")
        assert (await bo.get(f"{path}/answer")).status == 403
        mark = filled((await bo.get("/")).form("/logout"))
        page = await bo.post(f"{path}/answer", [*mark, ("takes", "binding")])
        assert page.status == 403
        assert await fed.elm.records("Answer") == await fed.oak.records("Answer")
