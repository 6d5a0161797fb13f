"""How decisions of one collective and of two end (spec: records.md §4), played by real instances."""

import pytest

from tests.federation.harness import DAY, HOUR, MINUTE
from tests.federation.meetings import Meetings

CHALLENGE, NO_CHALLENGE = {"challenge": 48 * HOUR}, {"challenge": 0 * HOUR}
AT_ONCE = {"gather": 0 * HOUR}

# One instance


async def test_a_founder_alone_decides_and_it_is_final_when_the_grace_is_over(both: Meetings) -> None:
    async with both.founded(oak=1) as fed:
        await fed.oak.convene(**AT_ONCE, **NO_CHALLENGE)
        await fed.settle()
        assert await fed.agree() == "voting"
        await fed.oak.ballot("consent")
        await fed.reach("closes")
        assert await fed.agree() == "closing"
        await fed.reach("grace_ends")
        assert fed.transcript() == []  # whom could it have told?
        assert await fed.agree() == "final adopted"


async def test_one_collective_with_a_challenge_window_waits_for_its_end(meetings: Meetings) -> None:
    async with meetings.founded(oak=7) as fed:
        await fed.oak.convene(**AT_ONCE, **CHALLENGE)
        await fed.settle()
        first, _second = await fed.oak.circles()
        await first.ballot("concern")
        await fed.reach("grace_ends")
        assert await fed.agree() == "provisional adopted"
        assert (await fed.view("oak")).held_by == ("challenge-window",)
        assert await fed.circles() == {"oak": "cast silent"}
        await fed.reach("challenge_ends", -MINUTE)
        assert await fed.agree() == "provisional adopted"
        await fed.reach("challenge_ends")
        assert (await fed.view("oak")).next_at is None
        assert await fed.agree() == "final adopted"


async def test_one_collective_of_which_nobody_votes_has_no_quorum_and_that_is_final(
    meetings: Meetings,
) -> None:
    async with meetings.founded(oak=7) as fed:
        await fed.oak.convene(**AT_ONCE, **NO_CHALLENGE)
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        assert await fed.circles() == {"oak": "silent silent"}
        assert await fed.agree() == "final no-quorum"


# Two instances


async def test_two_that_both_hear_each_other_are_final_after_the_challenge_window(meetings: Meetings) -> None:
    async with meetings.voting(plan=CHALLENGE, oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("concern")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        assert await fed.agree() == "provisional adopted"
        await fed.reach("challenge_ends")
        view = await fed.view("elm")
        assert [keeper.agrees for keeper in view.keepers] == [True, True]
        assert (view.coverage.circles_heard, view.coverage.instances_heard) == (2, 2)
        assert await fed.bound() == {"oak": "bound", "elm": "bound"}
        assert await fed.agree() == "final adopted"


async def test_two_of_which_one_dies_before_its_receipt_end_heard_by_one_alone(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.kill("elm")
        await fed.oak.ballot("consent")
        await fed.settle()
        await fed.finish()
        view = await fed.view("oak")
        assert await fed.circles() == {"oak": "late", "elm": "unheard"}
        assert {entry.why_late for entry in view.entries} == {"no-receipt", None}
        assert view.state == "provisional"
        assert set(view.held_by) == {"agreement", "unheard"}
        assert (view.coverage.circles_heard, view.coverage.circles) == (1, 2)
        await fed.reach("wait_ends")
        assert await fed.bound() == {"oak": "bound", "elm": "ratifying"}
        assert await fed.stand() == {"oak": "heard adopted"}


async def test_two_of_which_one_dies_before_its_receipt_and_those_heard_object_stay_undecided(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.kill("elm")
        await fed.oak.ballot("object")
        await fed.settle()
        await fed.finish()
        await fed.reach("wait_ends")
        assert await fed.bound() == {"oak": "nothing", "elm": "nothing"}
        assert await fed.stand() == {"oak": "undecided"}


async def test_two_of_which_one_dies_before_its_ack_comes_back_and_votes(meetings: Meetings) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        await fed.oak.convene("elm")
        await fed.settle()
        await fed.elm.answer()
        await fed.settle()
        await fed.kill("elm")
        await fed.reach("opens")
        assert [acked.ack is not None for acked in (await fed.view("oak")).acks].count(True) == 1
        await fed.oak.ballot("consent")
        await fed.settle()
        await fed.revive("elm")
        await fed.advance_in_steps(3 * HOUR, 6)
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        assert await fed.circles() == {"oak": "cast", "elm": "cast"}
        assert await fed.agree() == "final adopted"


@pytest.mark.parametrize(("word", "end"), [("Ratify", "heard adopted"), ("Objection", "undecided")])
async def test_two_of_which_one_was_not_heard_and_comes_back_to_say_what_it_thinks_of_that(
    meetings: Meetings, word: str, end: str
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.kill("elm")
        await fed.oak.ballot("consent")
        await fed.settle()
        await fed.finish()
        await fed.reach("wait_ends")
        await fed.revive("elm")
        await fed.advance_in_steps(12 * HOUR, 4)
        assert await fed.agree() == "heard adopted"
        assert await fed.bound("elm") == {"oak": "bound", "elm": "ratifying"}
        if word == "Ratify":
            await fed.elm.ratify()
        else:
            await fed.elm.object_afterwards("We were not asked, and we disagree.")
        await fed.settle()
        meaning = "bound" if word == "Ratify" else "nothing"
        assert await fed.bound("oak") == {"oak": meaning, "elm": meaning}
        assert await fed.agree() == end


@pytest.mark.parametrize("when", ["before the longest wait", "after the longest wait"])
async def test_two_of_which_one_dies_after_the_ballots_are_contested_until_it_comes_back(
    meetings: Meetings, when: str
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.kill("elm")
        await fed.reach("closes")
        await fed.reach("grace_ends")
        assert await fed.circles() == {"oak": "cast", "elm": "cast"}
        assert await fed.stand() == {"oak": "provisional adopted"}
        if when == "after the longest wait":
            await fed.reach("wait_ends")
            assert await fed.stand() == {"oak": "contested adopted"}
            assert (await fed.view("oak")).held_by == ("agreement",)
        await fed.revive("elm")
        await fed.advance_in_steps(3 * DAY, 6)
        assert await fed.agree() == "final adopted"
