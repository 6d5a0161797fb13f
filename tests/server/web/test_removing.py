"""Removing a text: offered under what we and our circles wrote to who may moderate, and gone for good."""

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import filled, with_answers
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import mark_of, path_of
from tests.server.web.test_every_page import check

NAMED = "Our neighbour Mr. Iks would have to sell his car for it."


async def named(fed: Federation) -> str:
    """Elm's circle names somebody in its reason; returns the page on which that is removed."""
    await fed.elm.ballot("concern", NAMED)
    await fed.settle()
    (ballot,) = await fed.elm.records("Ballot")
    return f"{path_of(fed)}/remove/{ballot['reason']}"


async def test_who_may_moderate_removes_what_a_circle_of_ours_wrote_here_and_elsewhere(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        removal, path = await named(fed), path_of(fed)
        ana, oak = await enter(fed, "elm", "ana"), await enter(fed, "oak")
        page = await ana.get(path)
        check(page)
        assert page.links()["Remove this text"] == removal
        form = await ana.get(removal)
        check(form)
        assert NAMED in form.text
        assert "A ballot by The assembly" in form.text
        assert "a post that has reached Mastodon stays there" in form.text
        missing = await ana.send(form, removal)
        assert (missing.status, missing.problems) == (422, ["Choose why the text is removed."])
        check(missing)
        page = await ana.send(form, removal, cause="personal")
        assert page.path == f"{path}?done=removed"
        assert "The text is removed here." in page.said
        assert "Removed by Elm Collective: it held personal data." in page.text
        assert "Iks" not in page.body
        assert (await ana.send(form, removal, cause="other")).path == f"{path}?done=removed"
        assert (await ana.get(removal)).path == f"{path}?done=removed"
        assert len(await fed.elm.records("Redact")) == 1
        await fed.settle()
        page = await oak.get(path)
        assert "Iks" not in page.body
        assert "Removed by Elm Collective: it held personal data." in page.text


async def test_the_question_and_the_title_of_a_proposal_can_be_removed_by_who_asked(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        oak, elm = await enter(fed, "oak", "ana"), await enter(fed, "elm", "ana")
        links = (await oak.get(path_of(fed))).links()
        assert {"Remove this question", "Remove this title"} <= set(links)
        assert not [words for words in (await elm.get(path_of(fed))).links() if words.startswith("Remove")]
        form = await oak.get(links["Remove this question"])
        page = await oak.send(form, form.path, cause="mistake")
        assert page.heading == "Removed by Oak Collective: it was a mistake."
        check(page)


async def test_others_are_not_offered_it_and_cannot_do_it(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=2, elm=2) as fed:
        removal, path = await named(fed), path_of(fed)
        ana, bo, oak = [await enter(fed, *who) for who in (("elm", "ana"), ("elm", "bo"), ("oak", "ana"))]
        assert "Remove this text" not in (await bo.get(path)).links()
        assert "Remove this text" not in (await oak.get(path)).links()
        assert (await bo.get(removal)).status == 403
        assert (await bo.post(removal, [("mark", await mark_of(bo)), ("cause", "other")])).status == 403
        foreign = await oak.get(removal)
        assert (foreign.status, "Ask them." in foreign.text) == (409, True)
        assert (await oak.post(removal, [("mark", await mark_of(oak)), ("cause", "other")])).status == 409
        assert (await ana.get(f"{path}/remove/{'0' * 64}")).status == 404
        pairs = with_answers(filled((await ana.get(removal)).form(removal)), {"cause": "other"})
        assert (await ana.post(removal, pairs, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
        assert await fed.elm.records("Redact") == await fed.oak.records("Redact") == []
        assert NAMED in (await oak.get(path)).text


async def test_a_text_of_a_hidden_decision_is_as_hidden_as_it(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1, plan={"visibility": "federation"}) as fed:
        removal = await named(fed)
        visitor = await enter(fed, "elm")
        assert (await visitor.get(removal)).status == 404
        assert (await visitor.get(f"/decisions/{'f' * 64}/remove/{'0' * 64}")).status == 404


async def test_visitors_of_a_public_decision_log_in_before_they_remove_anything(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        removal = await named(fed)
        visitor = await enter(fed, "elm")
        assert (await visitor.get(removal)).path == f"/login?next={removal}"
