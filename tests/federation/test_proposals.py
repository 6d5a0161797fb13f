"""Proposals that are changed and supported across instances: everybody holds the same versions, votes on the same one, and counts
nothing by support."""

import json
from datetime import timedelta

import pytest

from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, TooLate
from tests.federation.harness import HOUR, MINUTE, Federation
from tests.federation.meetings import Meetings
from tests.federation.people import PROPOSAL

WISH = "One new cargo bike, shared by a weekly calendar"
WHY = "A used one would be in the workshop every month."
NO = "The federation has no money for a new one this year."


async def asked(fed: Federation, **plan: object) -> str:
    """Oak asks elm, elm answers; returns the digest of oak's proposal."""
    await fed.oak.convene("elm", challenge=0 * HOUR, **plan)
    await fed.settle()
    await fed.elm.answer()
    await fed.advance(MINUTE)
    return (await fed.elm.options())[PROPOSAL]


async def wish(fed: Federation, option: str, title: str = WISH) -> str:
    """Elm's circle would change it; returns the digest of its version."""
    await fed.elm.amend(option, title)
    await fed.advance(MINUTE)
    return (await fed.oak.options())[title]


async def test_a_change_taken_in_is_what_everybody_votes_on(both: Meetings) -> None:
    async with both.founded(oak=2, elm=2) as fed:
        option = await asked(fed)
        changed = await wish(fed, option)
        assert [one.digest for one in (await fed.view("oak")).options] == [option]
        await fed.oak.integrate(changed)
        await fed.oak.integrate(changed)  # the second click
        assert len(await fed.oak.records("Integrate")) == 1
        await fed.advance(MINUTE)
        for name in ("oak", "elm"):
            (proposal,) = (await fed.view(name)).proposals
            assert [one.digest for one in proposal.versions] == [option, changed]
        await fed.reach("opens")
        terms = (await fed.view("elm")).terms
        assert terms is not None
        assert terms["options"] == [changed]
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.finish()
        assert (await fed.view("elm")).winner == changed
        assert await fed.agree() == "final adopted"


async def test_a_declined_change_stays_out_of_the_vote_and_may_stand_by_itself(both: Meetings) -> None:
    async with both.founded(oak=2, elm=2) as fed:
        option = await asked(fed, method="approval", options="answering")
        changed = await wish(fed, option)
        await fed.oak.decline(changed, NO)
        await fed.oak.decline(changed, NO)
        assert len(await fed.oak.records("Decline")) == 1
        await fed.advance(MINUTE)
        view = await fed.view("elm")
        (amendment,) = view.amendments
        assert amendment.declined is not None
        assert NO in (await fed.elm.texts()).values()
        await fed.elm.propose(WISH)
        await fed.advance(MINUTE)
        assert len((await fed.view("oak")).options) == 2


async def test_support_is_said_and_taken_back_and_decides_nothing(both: Meetings) -> None:
    async with both.founded(oak=2, elm=2) as fed:
        option = await asked(fed)
        await fed.elm.support(option, "concern", WHY)
        await fed.elm.support(option, "concern", WHY)  # the second click
        await fed.oak.support(option, "support", by="bo")
        assert len(await fed.elm.records("Support")) == 1
        await fed.advance(MINUTE)
        for name in ("oak", "elm"):
            backing = (await fed.view(name)).support[option]
            assert (len(backing.support), len(backing.concern), backing.of) == (1, 1, 2)
        await fed.elm.support(option, "none", "this is not kept")
        await fed.advance(MINUTE)
        backing = (await fed.view("oak")).support[option]
        assert (len(backing.support), len(backing.concern)) == (1, 0)
        assert [one["seq"] for one in await fed.oak.records("Support") if one["says"] != "support"] == [1, 2]


async def test_support_stays_with_the_version_that_it_names(both: Meetings) -> None:
    async with both.founded(oak=2, elm=2) as fed:
        option = await asked(fed)
        await fed.elm.support(option, "support")
        await fed.oak.amend(option, WISH)  # the collective's own proposal, by who holds `convene`
        await fed.advance(MINUTE)
        view = await fed.view("elm")
        (current,) = view.options
        assert current["amends"] == option
        assert len(view.support[option].support) == 1
        assert len(view.support[current.digest].support) == 0


async def test_what_is_wrong_is_refused_with_a_reason(meetings: Meetings) -> None:
    async with meetings.founded(oak=2, elm=2) as fed:
        option = await asked(fed)
        with pytest.raises(Invalid) as same:
            await fed.elm.amend(option, PROPOSAL)
        assert "details" in same.value.fields
        with pytest.raises(Invalid):
            await fed.elm.amend(option, "")
        with pytest.raises(NotFound):
            await fed.elm.amend("0" * 64, WISH)
        changed = await wish(fed, option)
        with pytest.raises(NotAllowed):
            await fed.elm.integrate(changed)  # who wrote it does not own the proposal
        with pytest.raises(NotAllowed):
            await fed.oak.integrate(changed, by="bo")  # the collective's: it takes `convene`
        with pytest.raises(Invalid):
            await fed.oak.decline(changed, "No.")
        with pytest.raises(NotFound):
            await fed.oak.decline(option, NO)
        for says, reason in (
            ("perhaps", WHY),
            ("concern", ""),
            ("concern", "Too dear."),
            ("support", "x" * 5_001),
        ):
            with pytest.raises(Invalid):
                await fed.elm.support(option, says, reason)
        with pytest.raises(NotFound):
            await fed.elm.support("0" * 64, "support")
        await fed.oak.amend(option, "Two used cargo bikes")
        await fed.advance(MINUTE)
        with pytest.raises(Conflict):
            await fed.elm.amend(option, "Three of them")  # written while it changed
        with pytest.raises(Conflict):
            await fed.oak.integrate(changed)
        await fed.reach("opens")
        for late in (fed.elm.amend(option, "Late"), fed.oak.integrate(changed), fed.oak.decline(changed, NO)):
            with pytest.raises(TooLate):
                await late
        with pytest.raises(TooLate):
            await fed.elm.support(option, "support")


async def test_a_circle_writes_so_many_changes_and_no_more(
    meetings: Meetings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.actions.proposing.MOST_AMENDMENTS", 2)
    async with meetings.founded(oak=1, elm=1) as fed:
        option = await asked(fed)
        await fed.elm.amend(option, "First")
        await fed.elm.amend(option, "Second")
        with pytest.raises(Conflict) as full:
            await fed.elm.amend(option, "Third")
        assert full.value.code == "amendments"


async def test_a_change_says_in_its_post_what_it_changes(meetings: Meetings) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        option = await asked(fed, visibility="public")
        changed = await wish(fed, option)
        elm, oak = fed.instances["elm"].url, fed.instances["oak"].url
        note = json.loads((await fed.get(f"{elm}/o/{changed}"))[1])
        assert note["inReplyTo"] == f"{oak}/o/{option}"
        assert f"Proposed change: {WISH}" in note["content"]
        assert PROPOSAL in note["content"]
        await fed.oak.amend(option, "Two of them", by="ana")
        mine = (await fed.oak.options())["Two of them"]
        note = json.loads((await fed.get(f"{oak}/o/{mine}"))[1])
        assert "Changed proposal: Two of them" in note["content"]
        assert note["inReplyTo"] == f"{oak}/o/{option}"


async def test_what_arrives_in_any_order_ends_the_same(meetings: Meetings) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        option = await asked(fed)
        changed = await wish(fed, option)
        fed.part("oak")
        await fed.oak.integrate(changed)
        await fed.elm.support(changed, "support")
        await fed.advance(timedelta(minutes=5))
        assert [one.digest for one in (await fed.view("elm")).options] == [option]
        fed.heal()
        await fed.advance(2 * HOUR)
        assert (await fed.view("elm")).proposals == (await fed.view("oak")).proposals
        assert len((await fed.view("oak")).support[changed].support) == 1
