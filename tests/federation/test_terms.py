"""From the offer to the opening: terms, who makes them, what they leave out, and taking the question back."""

from datetime import timedelta

import pytest

from models.rules.refusals import Conflict, TooEarly, TooLate
from tests.federation.harness import HOUR, MINUTE
from tests.federation.meetings import Meetings

DAYS = {"method": "approval", "question": "Which day?", "proposals": ("Friday", "Saturday")}
NO_CHALLENGE = {"challenge": timedelta()}


async def test_terms_that_left_an_option_out_are_objected_to_by_digest_and_hold_all_the_same(
    meetings: Meetings,
) -> None:
    async with meetings.founded(oak=1, elm=1, ash=1) as fed:
        await fed.oak.convene("elm", "ash", **DAYS, **NO_CHALLENGE)
        await fed.settle()
        await fed.elm.answer()
        await fed.ash.answer()
        await fed.settle()
        await fed.advance(HOUR)
        fed.cut("oak")
        await fed.ash.propose("Sunday")
        await fed.settle()
        sunday = (await fed.ash.options())["Sunday"]
        await fed.reach("opens")
        assert [len(r["options"]) for r in await fed.oak.records("Terms")] == [2]
        fed.heal()
        await fed.advance_in_steps(30 * MINUTE, 3)
        view = await fed.view("oak")
        assert {said["missing"] for said in view.terms_objections} == {sunday}
        assert len(view.terms_objections) == 2  # elm and ash hold it, oak did not
        assert all(acked.ack for acked in view.acks)
        assert (sunday, "not-in-terms") in [(one.record.digest, one.code) for one in view.ignored]
        with pytest.raises(Conflict, match="not put to the vote"):
            await fed.ash.ballot(["Sunday"])
        for one in fed.present:
            await one.ballot(["Friday"])
        await fed.finish()
        assert await fed.circles("oak") == dict.fromkeys(fed.names, "cast")
        assert await fed.agree() == "final adopted"


async def test_nobody_votes_before_their_own_instance_has_acknowledged_the_terms(meetings: Meetings) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        await fed.oak.convene("elm", **DAYS, **NO_CHALLENGE)
        await fed.settle()
        await fed.elm.answer()
        await fed.settle()
        fed.cut("oak")
        await fed.elm.propose("Sunday")
        await fed.reach("opens")
        fed.heal()
        await fed.advance(2 * MINUTE)
        while not await fed.elm.records("TermsObjection"):
            await fed.advance(MINUTE)
        assert len(await fed.elm.records("TermsAck")) == 1  # oak's
        with pytest.raises(TooEarly):
            await fed.elm.ballot(["Friday"])
        await fed.advance(2 * MINUTE)
        await (await fed.elm.circle()).confirm(1)
        await fed.oak.ballot(["Friday"])
        await fed.finish()
        assert await fed.circles() == {"oak": "cast", "elm": "cast"}
        assert await fed.agree() == "final adopted"


async def test_a_convener_that_dies_before_the_terms_is_replaced_by_the_next_and_finds_the_result(
    meetings: Meetings,
) -> None:
    async with meetings.founded(oak=1, elm=1, ash=1) as fed:
        await fed.oak.convene("elm", "ash", method="majority", **NO_CHALLENGE)
        await fed.settle()
        await fed.elm.answer()
        await fed.ash.answer()
        await fed.settle()
        await fed.kill("oak")
        await fed.reach("opens")
        assert await fed.agree() == "deliberating"
        await fed.advance_in_steps(15 * MINUTE, 3)
        view = await fed.view("elm")
        assert view.terms.by == min(by for by in view.answers if by != view.offer.by)
        assert len(view.roll) == 3  # oak's answer stands
        await fed.elm.ballot("yes")
        await fed.ash.ballot("yes")
        await fed.finish()
        assert await fed.circles() == {"oak": "unheard", "elm": "cast", "ash": "cast"}
        assert await fed.agree() == "final adopted"
        await fed.revive("oak")
        await fed.advance_in_steps(12 * HOUR, 3)
        assert await fed.agree() == "final adopted"


async def test_where_two_made_terms_those_of_the_most_hold_and_whoever_took_others_votes_under_them(
    meetings: Meetings,
) -> None:
    async with meetings.founded(oak=1, elm=1, ash=1) as fed:
        await fed.oak.convene("elm", "ash", **NO_CHALLENGE)
        await fed.settle()
        await fed.elm.answer()
        await fed.ash.answer()
        await fed.settle()
        fed.cut("oak")
        await fed.reach("opens")
        await fed.oak.ballot("consent")  # under terms that nobody else has seen
        await fed.advance_in_steps(15 * MINUTE, 3)
        theirs = (await fed.view("elm")).terms
        assert (await fed.view("oak")).terms != theirs
        fed.heal()
        await fed.advance_in_steps(HOUR, 3)
        view = await fed.view("oak")
        assert view.terms == theirs
        assert [acked.ack is not None for acked in view.acks] == [True] * 3
        assert [one.code for one in view.ignored if one.record.type == "Ballot"] == ["other-terms"]
        for one in fed.present:
            await one.ballot("consent")
        await fed.finish()
        assert await fed.circles() == dict.fromkeys(fed.names, "cast")
        assert await fed.agree() == "final adopted"


async def test_a_convener_takes_its_question_back_before_the_opening_and_not_after(
    meetings: Meetings,
) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        await fed.oak.convene("elm")
        await fed.settle()
        await fed.elm.answer()
        await fed.oak.withdraw("The bicycle was sold to somebody else.")
        await fed.settle()
        assert await fed.agree() == "withdrawn"
        await fed.reach("opens")
        assert await fed.elm.records("Terms") == []
        with pytest.raises(TooLate):
            await fed.oak.withdraw()
        assert await fed.agree() == "withdrawn"


async def test_a_question_without_enough_proposals_lapses(meetings: Meetings) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        await fed.oak.convene("elm", method="approval", proposals=("Friday",))
        await fed.settle()
        await fed.elm.answer()
        await fed.reach("opens")
        assert (await fed.view("elm")).terms_problem == "too-few-options"
        assert await fed.agree() == "lapsed"


async def test_two_terms_by_one_signer_make_the_round_void(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        terms = (await fed.view("oak")).terms
        await fed.oak.ballot("consent")
        await fed.advance(MINUTE)
        fields = {n: terms[n] for n in ("round", "answers", "options", "roll", "rollRoot", "keepers")}
        await fed.oak.say("Terms", **fields)  # the same content at another instant is another record
        await fed.settle()
        assert len((await fed.view("ash")).double_terms) == 2
        await fed.finish()
        assert await fed.agree() == "void"
