"""Repair: comparing roots, pulling what is missing from anybody (spec: records.md §1, product.md R1)."""

from sqlalchemy import delete, update

from models import ledger
from models.ledger import RecordRow, Scope, TextRow
from server.keys import DATABASE
from tests.federation.harness import DAY, HOUR, MINUTE, Federation
from tests.federation.meetings import Meetings


async def test_an_instance_that_missed_everything_since_the_offer_pulls_it_all(both: Meetings) -> None:
    async with both.voting(oak=7, elm=1, ash=1) as fed:
        for one in fed.present:
            await one.ballot("concern")
        await fed.finish()
        assert await fed.agree() == "final adopted"
        texts = await fed.oak.texts()
        await forget_all_but_the_offer(fed, "ash")
        assert len(await fed.ash.records()) == 1
        asked = len(fed.asked)
        await fed.advance(MINUTE)
        assert {url for name, url in fed.asked[asked:] if name == "ash"} == set()  # nobody pulls from it
        assert await fed.ash.texts() == texts
        assert len(texts) == sum(len(r.texts()) for r in await fed.oak.records())
        assert await fed.agree() == "final adopted"


async def test_where_nothing_is_missing_repair_is_one_request_to_each(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.advance(10 * MINUTE)
        before = len(fed.asked)
        await fed.advance(10 * MINUTE)
        scope = f"/scopes/{fed.decision}"
        assert sorted(fed.asked[before:]) == sorted((name, scope) for name in fed.names for _ in range(2))
        assert await fed.agree() == "voting"


async def test_what_nobody_could_deliver_for_a_week_is_pulled_when_the_host_is_back(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        fed.cut("ash")
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.ash.ballot("consent")
        await fed.settle()
        await fed.finish()
        await fed.reach("wait_ends")
        await fed.advance_in_steps(2 * DAY, 4)
        left = await fed.left()
        assert all(left[name]["given up"] for name in fed.names)
        assert await fed.stand() == {"oak": "heard adopted", "elm": "heard adopted", "ash": "heard adopted"}
        fed.heal()
        await fed.advance_in_steps(DAY, 4)
        assert await fed.circles("oak") == {"oak": "cast", "elm": "cast", "ash": "late"}
        assert await fed.agree() == "final adopted"


async def test_a_decision_that_is_over_and_held_alike_is_compared_seldom_and_not_for_ever(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.finish()
        await fed.advance_in_steps(HOUR, 2)
        before = len(fed.asked)
        await fed.advance_in_steps(30 * DAY, 3)
        assert 0 < len(fed.asked[before:]) <= 2 * 3 * 2
        await fed.advance_in_steps(60 * DAY, 3)
        before = len(fed.asked)
        await fed.advance_in_steps(30 * DAY, 3)
        assert fed.asked[before:] == []
        assert await fed.agree() == "final adopted"


async def forget_all_but_the_offer(fed: Federation, name: str) -> None:
    """An instance loses what it holds of a decision, and looks again."""
    offer = (await fed.view(name)).offer
    async with fed.instances[name].app[DATABASE].ACT.begin() as session:
        scope = await ledger.scope_named(session, fed.decision)
        assert scope is not None
        await session.execute(
            delete(RecordRow).where(RecordRow.scope_id == scope.id, RecordRow.type != "Offer")
        )
        gone = delete(TextRow).where(TextRow.scope_id == scope.id, TextRow.digest.not_in(offer.texts()))
        await session.execute(gone)
        await session.execute(
            update(Scope)
            .where(Scope.id == scope.id)
            .values(repair_at=fed.clock.now(), due_at=fed.clock.now())
        )
