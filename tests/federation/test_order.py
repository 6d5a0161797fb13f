"""Order, repeats and gaps mean nothing (spec: product.md R1): shuffled, replayed and told anew, everybody holds the same."""

import pytest

from tests.federation.harness import HOUR, MINUTE, Federation
from tests.federation.meetings import Meetings


@pytest.mark.parametrize("seed", ["north", "south"])
async def test_what_arrives_in_another_order_comes_to_the_same_roots(meetings: Meetings, seed: str) -> None:
    async with meetings.founded(oak=1, elm=7, ash=1) as fed:
        fed.shuffle(seed)
        await fed.oak.convene("elm", "ash", challenge=0 * HOUR)
        await slowly(fed)
        await fed.elm.answer()
        await fed.ash.answer()
        await slowly(fed)
        await fed.reach("opens")
        await slowly(fed)
        for one in fed.present:
            await one.ballot("consent")
        await slowly(fed)
        await fed.elm.ballot("concern")
        await slowly(fed)
        await fed.reach("closes")
        await slowly(fed)
        await fed.reach("grace_ends")
        await slowly(fed)
        assert len(fed.faults.put_off) > 10
        assert await fed.circles("ash") == {"oak": "cast", "elm": "cast cast", "ash": "cast"}
        assert await fed.agree() == "final adopted"


async def test_everything_that_was_posted_is_posted_again_and_nothing_changes(both: Meetings) -> None:
    async with both.voting(oak=1, elm=1, ash=1) as fed:
        said = len(fed.said)
        for one in fed.present:
            await one.ballot("consent")
        await fed.settle()
        before, handled = await fed.held(), [await fed.outcomes(name) for name in fed.names]
        assert set(await fed.replay(last=len(fed.said) - said)) == {202}
        await fed.settle()
        assert await fed.held() == before
        assert [await fed.outcomes(name) for name in fed.names] == handled
        await fed.finish()
        final, posts = await fed.held(), len(fed.said)
        assert set(await fed.replay(last=1000)) == {202, 401}  # a signature that is hours old is not taken
        await fed.settle()
        assert len(fed.said) == posts  # nobody had anything new to say
        assert await fed.held() == final
        assert await fed.agree() == "final adopted"


async def test_every_record_told_again_by_everybody_in_a_new_activity_is_ignored(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        for one in fed.present:
            await one.ballot("consent")
        await fed.finish()
        before, outcomes = await fed.held(), [await fed.outcomes(name) for name in fed.names]
        for one in fed.present:
            await one.tell_again(reversed(await one.records()))
        await fed.settle()
        after = [await fed.outcomes(name) for name in fed.names]
        assert [said["done"] for said in after] == [said["done"] for said in outcomes]
        assert [said["ignored"] for said in after] == [said.get("ignored", 0) + 2 for said in outcomes]
        assert await fed.held() == before
        assert await fed.agree() == "final adopted"


async def slowly(fed: Federation) -> None:
    """Time for what was put off to come again."""
    await fed.advance_in_steps(12 * MINUTE, 3)
