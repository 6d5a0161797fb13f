"""How a decision was counted, step by step, and what happened in it: what the pages say is what the records make."""

import json
import re

from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check


async def test_the_count_is_told_step_by_step_for_everybody(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=3, elm=7) as fed:
        path = f"/decisions/{fed.decision}"
        visitor = await enter(fed, "oak")
        page = await visitor.get(f"{path}/count")
        check(page)
        assert page.heading == "How this is counted"
        assert "3 circles of 2 collectives" in page.text
        assert "They are asked when the voting is over" in page.text
        await fed.oak.ballot("consent")
        first, _ = await fed.elm.circles()
        await first.ballot("concern", "We fear that it will need a roof.")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        await fed.settle()
        page = await visitor.get((await visitor.get(path)).links()["How this is counted"])
        check(page)
        assert page.heading == "How this was counted"
        assert "In time: 2 of 3" in page.text
        assert "Heard, cast no ballot: 1 of 3" in page.text
        assert "All circles: 2 of 3 took part" in page.text
        assert "Collectives: circles of 2 of 2 took part" in page.text
        assert "2 of 2 instances that keep the records agree" in page.text
        view = await fed.oak.view()
        assert view.count_root
        assert view.count_root in page.body
        bundle = json.loads(
            (await visitor.get(page.links()["Download all records, with their texts and proofs (JSON)"])).body
        )
        assert bundle["standing"]["countRoot"] == view.count_root
        for ballot in await fed.oak.records("Ballot"):
            assert f"{ballot.digest[:4]} {ballot.digest[4:8]} {ballot.digest[8:12]}" in page.text
        held = [td.text for td in page.all("td") if td.get("data-name") == "Held by, since"]
        assert sum(bool(re.search("Collective .*2026", one)) for one in held) == 2


async def test_one_collective_alone_and_a_decision_without_terms_are_explained_too(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        await fed.oak.convene()
        path = f"/decisions/{fed.decision}"
        visitor = await enter(fed, "oak")
        page = await visitor.get(f"{path}/count")
        check(page)
        assert "There is nothing to count" in page.text
        await fed.reach("opens")
        await fed.oak.ballot("consent")
        await fed.reach("closes")
        await fed.reach("grace_ends")
        page = await visitor.get(f"{path}/count")
        check(page)
        assert "One collective decides, so there is one majority" in page.text


async def test_who_may_not_see_a_decision_sees_no_count_and_no_timeline(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1, plan={"visibility": "federation"}) as fed:
        path = f"/decisions/{fed.decision}"
        visitor, ana = await enter(fed, "oak"), await enter(fed, "oak", "ana")
        for what in ("count", "timeline"):
            assert (await visitor.get(f"{path}/{what}")).status == 404
            assert (await ana.get(f"{path}/{what}")).status == 200


async def test_what_happened_is_told_in_its_order(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = f"/decisions/{fed.decision}"
        visitor = await enter(fed, "oak")
        await fed.oak.ballot("consent")
        await fed.oak.ballot("concern", "Now we are a little less glad.")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        await fed.settle()
        show = await visitor.get(path)
        check(show)
        told = show.links()
        page = await visitor.get(next(href for href in told.values() if href.endswith("/timeline")))
        check(page)
        steps = [
            "Asked the question.",
            "Made a proposal:",
            "Froze the terms, with 2 circles on the roll and 1 proposal.",
            "Published its ballot.",
            "Replaced its ballot by version 2.",
            "Said which ballots it holds.",
            "Counted: Adopted (provisional).",
        ]
        places = [page.text.index(step) for step in steps]
        assert places == sorted(places)
        assert page.text.count("Answered. Binding on them.") == 2
        lately = show.by_id("happened")
        assert lately.text == "What happened"
        assert show.text.index("Counted: Adopted") < show.text.index("Said which ballots it holds.")
        assert "There is nothing more" in (await visitor.get(f"{path}/timeline?from=9999")).text
        assert (await visitor.get(f"{path}/timeline?from=0")).text == (
            await visitor.get(f"{path}/timeline")
        ).text
