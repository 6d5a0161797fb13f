"""Methods, options, and how collectives take part, across instances (spec: records.md §3 and §4)."""

from models.rules.shapes import STATUS_QUO
from tests.federation.harness import HOUR, MINUTE
from tests.federation.meetings import Meetings

MAJORITY = {"method": "majority"}
DAYS = {"method": "approval", "question": "Which day do we bake?", "proposals": ("Friday", "Saturday")}


async def test_a_majority_of_circles_in_one_collective_is_no_majority_of_collectives(
    meetings: Meetings,
) -> None:
    async with meetings.voting(plan=MAJORITY, oak=10, elm=1, ash=1) as fed:
        await fed.oak.ballot("yes")
        await fed.elm.ballot("no")
        await fed.ash.ballot("no")
        await fed.finish()
        view = await fed.view("elm")
        assert await fed.circles() == {"oak": "cast cast cast", "elm": "cast", "ash": "cast"}
        assert (view.count.tally["yes"], view.count.tally["no"]) == (3, 2)
        assert (view.count.because, view.winner) == ("collectives", STATUS_QUO)
        assert await fed.agree() == "final rejected"


async def test_options_of_several_collectives_are_voted_on_and_the_most_approved_wins(
    meetings: Meetings,
) -> None:
    async with meetings.founded(oak=1, elm=4, ash=1) as fed:
        await fed.oak.convene(
            "elm", "ash", method="approval", question="Which day?", proposals=("Friday",), challenge=0 * HOUR
        )
        await fed.settle()
        await fed.elm.answer()
        await fed.advance(MINUTE)
        await fed.elm.propose("Saturday", by="cem")
        await fed.ash.answer()
        await fed.advance(MINUTE)
        await fed.ash.propose("Sunday")
        await fed.settle()
        await fed.reach("opens")
        assert list(await fed.elm.options()) == list(await fed.ash.options())
        await fed.oak.ballot(["Friday", "status-quo"])
        await fed.elm.ballot(["Saturday"])
        await fed.ash.ballot(["Saturday"])
        await fed.finish()
        view, options = await fed.view("ash"), await fed.ash.options()
        assert [option.digest for option in view.options] == [
            options[day] for day in ("Friday", "Saturday", "Sunday")
        ]
        assert view.winner == options["Saturday"]
        assert view.count.tally == {
            options["Friday"]: 1,
            options["Saturday"]: 2,
            options["Sunday"]: 0,
            STATUS_QUO: 1,
        }
        assert await fed.agree() == "final adopted"


async def test_two_options_with_equal_approval_are_tied_and_the_tie_is_the_outcome(
    meetings: Meetings,
) -> None:
    async with meetings.voting(plan=DAYS, oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot(["Friday"])
        await fed.elm.ballot(["Saturday"])
        await fed.ash.ballot([])
        await fed.finish()
        view = await fed.view("ash")
        assert view.winner is None
        assert set(view.tied) == set((await fed.oak.options()).values())
        assert set((await fed.bound()).values()) == {"nothing"}
        assert await fed.agree() == "final tied"


async def test_advisory_circles_are_counted_apart_ratifying_ones_must_ratify_and_who_declined_is_not_asked(
    meetings: Meetings,
) -> None:
    takes = {"elm": "ratifies", "ash": "advisory", "fir": "declines"}
    async with meetings.voting(takes, oak=1, elm=1, ash=1, fir=1) as fed:
        assert "fir" not in [acked.collective for acked in (await fed.view("oak")).acks]
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.ash.ballot("object")
        await fed.finish()
        view = await fed.view("oak")
        assert len(view.keepers) == 3
        assert (view.count.circles.of, view.advisory.circles.of) == (2, 1)
        assert view.advisory.outcome == "rejected"
        assert await fed.agree() == "final adopted"
        assert await fed.bound("ash") == {"oak": "bound", "elm": "ratifying", "ash": "advisory"}
        await fed.elm.ratify()
        await fed.settle()
        assert await fed.bound("fir") == {"oak": "bound", "elm": "bound", "ash": "advisory"}
        assert await fed.agree() == "final adopted"


async def test_a_collective_whose_assembly_does_not_ratify_in_time_is_not_bound(meetings: Meetings) -> None:
    async with meetings.voting({"elm": "ratifies"}, oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.finish()
        assert await fed.bound() == {"oak": "bound", "elm": "ratifying"}
        until = (await fed.view("oak")).next_at
        await fed.advance(until - fed.clock.now())
        assert await fed.bound() == {"oak": "bound", "elm": "not-bound"}
        assert (await fed.view("oak")).next_at is None
        assert await fed.agree() == "final adopted"
