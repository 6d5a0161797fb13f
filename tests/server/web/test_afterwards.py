"""Ratifying, leaving, and objecting when one was not heard: who can, when, and that it is said once."""

from datetime import timedelta

import pytest

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, filled, with_answers
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

HOUR = timedelta(hours=1)
WHY = "Nobody asked us in time, and we would have objected."


def path_of(fed: Federation) -> str:
    return f"/decisions/{fed.decision}"


async def mark_of(browser: Browser) -> str:
    return dict(filled((await browser.get("/")).form("/logout")))["mark"]


async def adopted(fed: Federation) -> None:
    """Oak and Elm consent, and it is final."""
    await fed.oak.ballot("consent")
    await fed.elm.ballot("consent")
    await fed.settle()
    await fed.finish()


async def unheard(fed: Federation) -> None:
    """Elm was gone while the others voted and counted, and is back."""
    await fed.kill("elm")
    await fed.oak.ballot("consent")
    await fed.settle()
    await fed.finish()
    await fed.reach("wait_ends")
    await fed.revive("elm")
    await fed.advance_in_steps(48 * HOUR, 4)
    assert await fed.bound("elm") == {"oak": "bound", "elm": "ratifying"}


# Ratifying


async def test_an_assembly_that_said_yes_binds_its_collective_by_one_form(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting({"elm": "ratifies"}, oak=1, elm=2) as fed:
        path = path_of(fed)
        ana, bo, oak = [await enter(fed, *who) for who in (("elm", "ana"), ("elm", "bo"), ("oak", "ana"))]
        assert "Ratify it" not in (await ana.get(path)).links()
        await adopted(fed)
        assert "Ratify it" not in (await bo.get(path)).links()
        assert "Ratify it" not in (await oak.get(path)).links()
        form = await ana.get((await ana.get(path)).links()["Ratify it"])
        check(form)
        assert "It cannot be taken back." in form.text
        assert "One used cargo bike, shared by a weekly calendar" in form.text
        page = await ana.send(form, "/ratify")
        assert page.path == f"{path}?done=ratified"
        assert "the outcome binds your collective" in page.said
        assert "Ratify it" not in page.links()
        assert (await ana.send(form, "/ratify")).path == f"{path}?done=ratified"
        assert (await ana.get(f"{path}/ratify")).path == f"{path}?done=ratified"
        assert len(await fed.elm.records("Ratify")) == 1
        await fed.settle()
        assert "Bound: ratified" in (await oak.get(path)).text
        assert await fed.bound("oak") == {"oak": "bound", "elm": "bound"}


async def test_only_who_holds_the_mandate_ratifies_and_only_what_is_to_be_ratified_in_time(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting({"elm": "ratifies"}, oak=1, elm=2) as fed:
        path = f"{path_of(fed)}/ratify"
        ana, bo, oak = [await enter(fed, *who) for who in (("elm", "ana"), ("elm", "bo"), ("oak", "ana"))]
        early = await ana.post(path, [("mark", await mark_of(ana))])
        assert (early.status, "Wait until the result is final" in early.alert) == (422, True)
        check(early)
        assert (await ana.get(path)).status == 409
        await adopted(fed)
        assert (await bo.get(path)).status == 403
        assert (await bo.post(path, [("mark", await mark_of(bo))])).status == 403
        assert (await oak.get(path)).status == 409
        assert (await ana.post(path, [("mark", "0" * 64)], headers={})).status == 403
        form = await ana.get(path)
        until = (await fed.view("elm")).next_at
        assert until
        await fed.advance(until - fed.clock.now())
        late = await ana.send(form, "/ratify")
        assert "The time to ratify is over." in late.alert
        assert await fed.elm.records("Ratify") == []


# Leaving


async def test_a_collective_leaves_with_a_reason_that_the_others_read(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=2, ash=1) as fed:
        path = path_of(fed)
        ana, bo = await enter(fed, "elm", "ana"), await enter(fed, "elm", "bo")
        assert "Leave this decision" not in (await bo.get(path)).links()
        form = await ana.get((await ana.get(path)).links()["Leave this decision"])
        check(form)
        assert "It cannot be taken back." in form.text
        page = await ana.send(form, "/leave", reason="We have no time for this.")
        assert page.path == f"{path}?done=left"
        assert "Leave this decision" not in page.links()
        assert (await ana.send(form, "/leave", reason="Again")).path == f"{path}?done=left"
        assert (await ana.get(f"{path}/leave")).path == f"{path}?done=left"
        assert len(await fed.elm.records("Leave")) == 1
        await fed.settle()
        page = await (await enter(fed, "oak")).get(path)
        assert "Elm Collective left the decision. We have no time for this." in page.text


async def test_nobody_leaves_without_the_mandate_or_after_the_voting_and_words_stay_typed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=2) as fed:
        path = f"{path_of(fed)}/leave"
        ana, bo = await enter(fed, "elm", "ana"), await enter(fed, "elm", "bo")
        assert (await bo.get(path)).status == 403
        assert (await bo.post(path, [("mark", await mark_of(bo)), ("reason", "")])).status == 403
        form = await ana.get(path)
        pairs = with_answers(filled(form.form("/leave")), {"reason": "We go."})
        assert (await ana.post(path, pairs, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
        long = await ana.send(form, "/leave", reason="x" * 5001)
        assert (long.status, long.problems) == (422, ["Keep it under 5,000 characters."])
        await fed.reach("closes")
        late = await ana.send(form, "/leave", reason="We go.")
        assert "The voting is over" in late.alert
        assert late.by_id("reason").text == "We go."
        check(late)
        assert (await ana.get(path)).status == 409
        assert await fed.elm.records("Leave") == []


async def test_a_decision_of_ones_own_alone_cannot_be_left(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        assert "Leave this decision" not in (await ana.get(path_of(fed))).links()
        assert (await ana.get(f"{path_of(fed)}/leave")).status == 409
        pairs = [("mark", await mark_of(ana)), ("reason", "We go.")]
        assert (await ana.post(f"{path_of(fed)}/leave", pairs)).status == 422
        assert await fed.oak.records("Leave") == []


# Objecting afterwards


async def test_a_circle_that_was_not_heard_objects_and_it_ends_undecided(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=2) as fed:
        await unheard(fed)
        path = path_of(fed)
        bo = await enter(fed, "elm", "bo")
        form = await bo.get((await bo.get(path)).links()["Object in your circle’s name"])
        check(form)
        assert "You speak in the name of The assembly" in form.text
        short = await bo.send(form, "/object", reason="No.")
        assert short.problems == ["Give your reason, in at least 20 characters."]
        assert short.by_id("reason").text == "No."
        check(short)
        page = await bo.send(form, "/object", reason=WHY)
        assert page.path == f"{path}?done=objected"
        assert (await bo.send(form, "/object", reason=WHY)).path == f"{path}?done=objected"
        assert (await bo.get(f"{path}/object")).path == f"{path}?done=objected"
        assert len(await fed.elm.records("Objection")) == 1
        await fed.settle()
        page = await (await enter(fed, "oak")).get(path)
        assert "Undecided" in page.text
        assert WHY in page.text


async def test_only_members_of_a_circle_that_was_not_heard_can_object(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=2) as fed:
        await unheard(fed)
        path = f"{path_of(fed)}/object"
        oak, bo = await enter(fed, "oak", "ana"), await enter(fed, "elm", "bo")
        assert "Object in your circle’s name" not in (await oak.get(path_of(fed))).links()
        assert (await oak.get(path)).status == 409
        page = await oak.post(path, [("mark", await mark_of(oak)), ("reason", WHY)])
        assert (page.status, "Only a circle that was not heard" in page.alert) == (422, True)
        pairs = with_answers(filled((await bo.get(path)).form("/object")), {"reason": WHY})
        assert (await bo.post(path, pairs, headers={"Origin": "http://evil.example"})).status == 403
        assert await fed.elm.records("Objection") == await fed.oak.records("Objection") == []


# Strangers


@pytest.mark.parametrize("visibility", ["federation", "public"])
async def test_what_is_hidden_stays_hidden_and_visitors_log_in_first(
    meetings: Meetings, enter: Enter, visibility: str
) -> None:
    async with meetings.voting(oak=1, elm=1, plan={"visibility": visibility}) as fed:
        visitor = await enter(fed, "oak")
        for end in ("ratify", "leave", "object"):
            path = f"{path_of(fed)}/{end}"
            page = await visitor.get(path)
            seen = (200, f"/login?next={path}") if visibility == "public" else (404, path)
            assert (page.status, page.path) == seen
