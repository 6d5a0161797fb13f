"""Standing: the states, and what holds for every set of records: no order, no repeats, no exception, no going
back."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rules.merkle import set_root
from models.rules.refusals import NotFound
from models.rules.standing import ENDED, STATES, Standing, standing
from tests.models.rules.builders import DAY, HOUR, MINUTE, START, Joint, joint, offer
from tests.models.rules.chaos import Chaos

SECOND = timedelta(seconds=1)
slow = settings(max_examples=60, deadline=None)


# states


def test_a_decision_goes_through_its_states_by_time_alone() -> None:
    one = joint(3)
    for circle in one.roll:
        one.vote(circle)
    one.finish()
    seen = [
        (START, "gathering"),
        (START + HOUR, "deliberating"),
        (one.opens - SECOND, "deliberating"),
        (one.opens, "voting"),
        (one.closes - SECOND, "voting"),
        (one.closes, "closing"),
        (one.grace - SECOND, "closing"),
        (one.grace, "provisional"),
        (one.challenge - SECOND, "provisional"),
        (one.challenge, "final"),
        (one.ratify + 1000 * DAY, "final"),
    ]
    assert [(at, one.standing(at).state) for at, _ in seen] == seen


def test_nothing_is_shown_as_a_result_before_close_and_grace() -> None:
    one = joint(2)
    one.vote("oak/1")
    for at in (one.opens + 2 * HOUR, one.grace - SECOND):
        view = one.standing(at)
        assert (view.outcome, view.winner, view.count_root, dict(view.numbers)) == (None, None, None, {})
        assert view.count is not None
        assert view.count.tally["consent"] == 1


def test_every_state_is_in_the_one_list() -> None:
    assert len(set(STATES)) == 12
    assert set(ENDED) < set(STATES)


@pytest.mark.parametrize(
    ("at", "by", "state", "code"),
    [
        (-SECOND, "oak", "withdrawn", None),
        (timedelta(), "oak", "voting", "withdrawn-late"),
        (-SECOND, "elm", "voting", "not-entitled"),
    ],
)
def test_the_convener_can_withdraw_before_the_opening(
    at: timedelta, by: str, state: str, code: str | None
) -> None:
    one = joint(3)
    withdrawal = one.say("Withdraw", by, one.opens + at)
    view = one.standing(one.opens)
    assert (view.state, view.withdrawn) == (state, None if code else withdrawal)
    assert {i.record: i.code for i in view.ignored}.get(withdrawal) == code


def test_what_others_have_begun_is_not_called_off_with_a_date_of_ones_own_choice() -> None:
    one = joint(3)
    one.vote("oak/1")
    withdrawal = one.say("Withdraw", "oak", one.opens - SECOND)
    assert one.standing(one.closes).state == "withdrawn"
    one.vote("elm/1")
    view = one.standing(one.closes)
    assert view.state == "closing"
    assert {i.record: i.code for i in view.ignored}[withdrawal] == "others-voted"


def test_without_terms_the_records_of_a_round_have_no_effect() -> None:
    one = joint(2)
    ballot = one.vote("oak/1")
    one.records = [r for r in one.records if r.type != "Terms"]
    view = one.standing(one.closes)
    assert (view.state, view.round, view.terms_problem) == ("lapsed", None, None)
    assert {i.record: i.code for i in view.ignored}[ballot] == "no-terms"


def test_answers_and_options_that_the_terms_left_out_are_named() -> None:
    one = Joint().prepare()
    late = one.answer("elm", takes="advisory", at=START + 50 * MINUTE)
    view = one.standing(one.opens)
    assert {i.record: i.code for i in view.ignored}[late] == "not-in-terms"
    assert [o.digest for o in view.options] == one.terms["options"]


def test_there_is_no_decision_without_an_offer() -> None:
    with pytest.raises(NotFound) as refused:
        standing([], START)
    assert refused.value.code == "no-offer"


def test_the_offer_that_the_others_name_is_the_one_that_is_meant() -> None:
    one = joint(2)
    strangers = [offer(("fir", "yew"), grace=60 + n) for n in range(5)]
    view = standing([*strangers, *one.records], one.opens)
    assert (view.offer, view.state) == (one.offer, "voting")
    assert {i.code for i in view.ignored if i.record in strangers} == {"other-scope"}


def test_what_is_dated_more_than_five_minutes_ahead_is_held_back() -> None:
    one = joint(1)
    one.ballot("oak/1", at=one.opens + HOUR)
    assert one.standing(one.opens + HOUR - 5 * MINUTE - SECOND).entries[0].ballots == ()
    assert sum(len(e.ballots) for e in one.standing(one.opens + HOUR - 5 * MINUTE).entries) == 1


# what pages need


def test_the_root_names_exactly_what_the_count_read() -> None:
    one = joint(3)
    counted = [one.vote("oak/1"), one.vote("oak/2", "concern", 2)]
    evidence = [one.vote("elm/1", "consent"), one.vote("elm/1", "object")]
    late = one.ballot("elm/2")
    leave = one.say("Leave", "ash", one.opens + HOUR)
    one.receipt("oak", leave)
    one.finish()
    view = one.standing(one.grace + HOUR)
    listed = [*one.terms["answers"], *one.terms["options"]]
    read = [one.offer, one.terms, *counted, *evidence, leave]
    assert view.count_root == set_root([*listed, *(r.digest for r in read)])
    assert view.late_root == set_root([late.digest])


def test_numbers_come_with_their_denominators() -> None:
    one = joint(3, method="majority")
    for circle, said in zip(one.roll[:4], ["yes", "yes", "no", "abstain"], strict=True):
        one.vote(circle, said)
    one.finish()
    numbers = one.standing(one.grace).numbers
    assert numbers == {
        "circles": 6,
        "circlesPresent": 4,
        "circlesQuorum": 3,
        "circlesWinning": 2,
        "circlesNeeded": 2,
        "collectives": 3,
        "collectivesPresent": 2,
        "collectivesQuorum": 2,
        "collectivesWinning": 1,
        "collectivesNeeded": 2,
        "said:yes": 2,
        "said:no": 1,
        "said:abstain": 1,
        "status:cast": 4,
        "status:silent": 2,
        "holding": 0,
    }
    view = one.standing(one.grace)
    assert (view.outcome, view.winner) == ("rejected", "status-quo")
    assert view.count is not None
    assert view.count.because == "collectives"
    assert [(p.agrees, p.verdict.outcome) for p in view.count.parts].count((True, "adopted")) == 1


def test_a_tie_is_an_outcome_and_names_who_is_tied() -> None:
    one = joint(3, method="approval")
    first, second = one.terms["options"]
    for circle, said in zip(one.roll, [[first], [second]] * 3, strict=True):
        one.vote(circle, said)
    one.finish()
    view = one.standing(one.challenge)
    assert (view.state, view.outcome, view.winner, set(view.tied)) == ("final", "tied", None, {first, second})


def test_coverage_counts_who_was_heard_while_voting_and_after() -> None:
    one = Joint().prepare(acks=["oak", "elm"])
    one.vote("oak/1")
    view = one.standing(one.closes - SECOND)
    assert (view.coverage.circles_heard, view.coverage.circles) == (1, 6)
    assert (view.coverage.instances_heard, view.coverage.instances) == (2, 3)
    one.close("oak")
    view = one.standing(one.grace)
    assert (view.coverage.circles_heard, view.coverage.instances_heard) == (2, 1)


def test_two_close_statements_of_one_instance_are_read_by_the_later() -> None:
    one = joint(3)
    one.close("oak", at=one.closes + MINUTE)
    ballot = one.ballot("oak/1")
    one.close("oak", at=one.closes + 2 * MINUTE, oak_1=ballot)
    assert one.status("oak/1") == "late"


# every set of records


SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(1, 10))
@slow
def test_order_and_repeats_mean_nothing(seed: int, turns: int) -> None:
    chaos = Chaos(seed)
    now = chaos.moment()
    expected = chaos.one.standing(now)
    for _ in range(turns):
        shuffled = chaos.one.records + chaos.dice.choices(chaos.one.records, k=5)
        chaos.dice.shuffle(shuffled)
        assert standing(shuffled, now) == expected


@given(SEEDS)
@slow
def test_any_part_and_then_the_rest_is_the_same_as_all_at_once(seed: int) -> None:
    chaos = Chaos(seed)
    now = chaos.moment()
    first = {r for r in chaos.one.records if chaos.dice.random() < 0.5}
    second = {r for r in chaos.one.records if r not in first or chaos.dice.random() < 0.3}
    assert standing(first | second, now) == standing(second | first, now) == chaos.one.standing(now)


@given(SEEDS)
@slow
def test_no_part_of_the_records_at_no_instant_raises(seed: int) -> None:
    chaos = Chaos(seed)
    for now in chaos.dice.sample(chaos.moments, 4):
        part = [r for r in chaos.one.records if r.type == "Offer" or chaos.dice.random() < 0.7]
        view = standing(part, now)
        assert view.state in STATES
        for name in dir(type(view)):
            if not name.startswith("_"):
                getattr(view, name)
        assert {field.name for field in fields(Standing)} <= set(dir(view))


@given(SEEDS)
@slow
def test_time_alone_changes_nothing_before_the_instant_that_is_named(seed: int) -> None:
    chaos = Chaos(seed)
    now = chaos.moment()
    records = [r for r in chaos.one.records if r.at <= now]
    view = standing(records, now)
    for then in (view.next_at - SECOND,) if view.next_at else (now + 1000 * DAY,):
        later = standing(records, then)
        assert (later.state, [b.status for b in later.collectives]) == (
            view.state,
            [b.status for b in view.collectives],
        )


@given(SEEDS)
@slow
def test_an_ignored_record_changes_nothing(seed: int) -> None:
    """What is listed as ignored could as well not be there, as long as nothing else names it."""
    chaos = Chaos(seed)
    now = chaos.moment()
    view = chaos.one.standing(now)
    named = repr([r.body for r in chaos.one.records])
    idle = {i.record for i in view.ignored if named.count(i.record.digest) == 0}
    idle = {r for r in idle if r.type not in ("TermsAck", "Answer", "Option")}
    without = standing([r for r in chaos.one.records if r not in idle], now)
    assert (without.state, without.shown, without.held_by) == (view.state, view.shown, view.held_by)


def final_value(view: Standing) -> tuple[Any, ...]:
    return view.state, view.outcome, view.winner, view.count_root, view.final_at


@given(SEEDS)
@slow
def test_nothing_dated_later_touches_what_is_final(seed: int) -> None:
    chaos = Chaos(seed)
    now = chaos.dice.choice([at for at in chaos.moments if at >= chaos.one.challenge])
    records = [r for r in chaos.one.records if r.at <= now]
    view = standing(records, now)
    if view.state != "final":
        return
    after = now + SECOND
    chaos.moment = lambda: after + timedelta(seconds=chaos.dice.randint(0, 10**6))  # type: ignore[method-assign]
    before = set(chaos.one.records)
    for _ in range(30):
        chaos.something()
    late = [r for r in chaos.one.records if r not in before and r.at > now]
    assert final_value(standing([*records, *late], now + 1000 * DAY)) == final_value(view)


@given(SEEDS)
@slow
def test_no_backdated_record_of_circles_and_collectives_makes_something_else_final(seed: int) -> None:
    """Whoever signs whatever with whatever date: as long as the keepers do not say otherwise, a final result
    stays or is held, and never becomes another one."""
    chaos = Chaos(seed)
    now = chaos.one.challenge + HOUR
    view = chaos.one.standing(now)
    if view.state != "final":
        return
    before = set(chaos.one.records)
    for _ in range(30):
        chaos.something()
    keepers = {"Result", "Terms", "TermsAck", "Receipt", "CloseStatement"}
    added = [r for r in chaos.one.records if r not in before and r.type not in keepers]
    after = standing([*before, *added], now)
    assert after.state != "final" or final_value(after)[:-1] == final_value(view)[:-1]


@given(SEEDS)
@slow
def test_nothing_dated_after_the_grace_changes_a_count(seed: int) -> None:
    chaos = Chaos(seed)
    if len(chaos.one.names) < 2:
        return
    early = [r for r in chaos.one.records if r.at <= chaos.one.grace]
    now = chaos.one.wait - SECOND
    one, other = standing(early, now), chaos.one.standing(now)
    if one.round and other.round:
        assert one.round.ours.value == other.round.ours.value
