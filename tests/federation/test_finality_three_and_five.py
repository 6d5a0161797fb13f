"""How decisions of three and of five collectives end when some of them die or are parted (spec: records.md §4, R8 to R10)."""

from tests.federation.harness import DAY, HOUR
from tests.federation.meetings import Meetings

MAJORITY = {"method": "majority", "challenge": 48 * HOUR}
FIVE = {"oak": 1, "elm": 1, "ash": 1, "fir": 1, "yew": 1}

# Three


async def test_three_that_all_vote_are_final_after_the_challenge_window(both: Meetings) -> None:
    async with both.voting(plan={"challenge": 48 * HOUR}, oak=4, elm=7, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("concern")
        await fed.ash.ballot("stand-aside")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        assert await fed.agree() == "provisional adopted"
        await fed.reach("challenge_ends")
        view = await fed.view("ash")
        assert await fed.circles("ash") == {"oak": "cast", "elm": "cast cast", "ash": "cast"}
        assert (view.count.circles.winning, view.count.circles.of) == (3, 4)
        assert (view.count.collectives.winning, view.count.collectives.of) == (2, 3)
        assert await fed.agree() == "final adopted"


async def test_three_of_which_one_is_dead_for_ever_and_could_object_are_held_and_then_heard(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.kill("ash")
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        assert await fed.agree() == "provisional adopted"
        view = await fed.view("elm")
        assert view.held_by == ("unheard",)
        assert (view.coverage.circles_heard, view.coverage.circles) == (2, 3)
        await fed.reach("wait_ends")
        assert await fed.circles() == {"oak": "cast", "elm": "cast", "ash": "unheard"}
        assert await fed.bound("elm") == {"oak": "bound", "elm": "bound", "ash": "ratifying"}
        assert await fed.agree() == "heard adopted"


async def test_three_of_which_one_is_dead_for_ever_and_could_not_change_it_are_final_without_it(
    meetings: Meetings,
) -> None:
    async with meetings.voting(plan=MAJORITY, oak=1, elm=1, ash=1) as fed:
        await fed.kill("ash")
        await fed.oak.ballot("yes")
        await fed.elm.ballot("yes")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        assert (await fed.view("oak")).held_by == ("challenge-window",)
        assert await fed.agree() == "provisional adopted"
        await fed.reach("challenge_ends")
        assert await fed.circles() == {"oak": "cast", "elm": "cast", "ash": "unheard"}
        assert await fed.agree() == "final adopted"


async def test_three_of_which_one_dies_before_it_votes_comes_back_and_votes(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.kill("ash")
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.advance(HOUR)
        await fed.revive("ash")
        await fed.advance_in_steps(2 * HOUR, 4)
        await fed.ash.ballot("object")
        await fed.settle()
        await fed.finish()
        assert await fed.circles("ash") == {"oak": "cast", "elm": "cast", "ash": "cast"}
        assert await fed.agree() == "final rejected"


async def test_three_of_which_one_dies_and_says_after_the_close_that_it_had_no_ballot(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.kill("ash")
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.reach("closes")
        await fed.revive("ash")
        await fed.advance_in_steps(3 * HOUR, 6)
        await fed.reach("grace_ends")
        assert await fed.circles("elm") == {"oak": "cast", "elm": "cast", "ash": "silent"}
        assert await fed.agree() == "final adopted"


async def test_three_of_which_one_dies_after_it_voted_are_final_and_it_learns_so_when_it_comes_back(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        for one in fed.present:
            await one.ballot("consent")
        await fed.settle()
        await fed.kill("ash")
        await fed.finish()
        assert await fed.circles("elm") == {"oak": "cast", "elm": "cast", "ash": "cast"}
        assert await fed.agree() == "final adopted"
        await fed.revive("ash")
        await fed.advance_in_steps(2 * DAY, 4)
        assert [keeper.agrees for keeper in (await fed.view("ash")).keepers] == [True, True, True]
        assert await fed.agree() == "final adopted"


# Five


async def test_five_of_which_two_are_dead_wait_for_one_of_them_and_four_are_enough(
    meetings: Meetings,
) -> None:
    async with meetings.voting(**FIVE) as fed:
        for one in fed.present:
            await one.ballot("consent")
        await fed.settle()
        await fed.kill("fir")
        await fed.kill("yew")
        await fed.finish()
        assert (await fed.view("oak")).held_by == ("agreement",)  # three of the four that it takes
        assert await fed.agree() == "provisional adopted"
        await fed.revive("fir")
        await fed.advance_in_steps(DAY, 4)
        assert await fed.agree() == "final adopted"
        await fed.revive("yew")
        await fed.advance_in_steps(2 * DAY, 4)
        assert await fed.agree() == "final adopted"


async def test_five_parted_beyond_the_longest_wait_count_the_union_once_they_are_healed(
    meetings: Meetings,
) -> None:
    two, three = ("oak", "elm"), ("ash", "fir", "yew")
    async with meetings.voting(**FIVE) as fed:
        fed.part(*two)
        for one in fed.present:
            await one.ballot("consent")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        assert await fed.circles("oak") == dict.fromkeys(two, "cast") | dict.fromkeys(three, "unheard")
        assert await fed.circles("yew") == dict.fromkeys(two, "unheard") | dict.fromkeys(three, "cast")
        assert [(await fed.view(name)).coverage.instances_heard for name in ("oak", "yew")] == [2, 3]
        # two of five circles are no quorum; three are, but two more could object
        assert await fed.stand() == dict.fromkeys(two, "provisional no-quorum") | dict.fromkeys(
            three, "provisional adopted"
        )
        await fed.reach("wait_ends")
        assert await fed.stand() == dict.fromkeys(fed.names, "heard adopted")
        assert await fed.bound("ash") == dict.fromkeys(two, "ratifying") | dict.fromkeys(three, "bound")
        held = await fed.held()
        assert held["oak"].count_root != held["ash"].count_root
        fed.heal()
        await fed.advance_in_steps(12 * HOUR, 3)
        assert await fed.circles("oak") == dict.fromkeys(fed.names, "cast")
        assert await fed.bound("yew") == dict.fromkeys(fed.names, "bound")
        assert await fed.agree() == "final adopted"
