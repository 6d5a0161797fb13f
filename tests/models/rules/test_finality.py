"""Finality with one, two, three and five instances; what holds it, how every hold ends, and that what is
final stays so."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.rules.ending import result_due
from models.rules.finality import keepers_needed
from models.rules.records import Record
from models.rules.standing import Standing
from tests.models.rules.builders import DAY, HOUR, MINUTE, Joint, joint, key

SECOND = timedelta(seconds=1)


def voted(instances: int, *alive: str, **fields: Any) -> Joint:
    """All circles of the living consent, or say yes; the living give receipts, close and publish what they
    counted."""
    one = joint(instances, **fields)
    said = "yes" if one.method == "majority" else "consent"
    living = alive or tuple(one.names)
    for circle in one.roll:
        if one.home(circle) in living:
            one.vote(circle, said, by=living)
    return one.finish(*living)


def states(one: Joint) -> list[str]:
    """The states after the grace, at the end of the challenge window, when every hold has ended, and long
    after."""
    return [one.standing(at).state for at in (one.grace, one.challenge, one.wait, one.ratify + DAY)]


# all heard


@pytest.mark.parametrize("instances", [1, 2, 3, 5])
def test_all_heard_is_final_when_the_challenge_window_is_over(instances: int) -> None:
    one = voted(instances)
    assert states(one) == ["provisional", "final", "final", "final"]
    view = one.standing(one.challenge)
    assert (view.outcome, view.winner, view.final_at) == ("adopted", one.terms["options"][0], one.challenge)
    assert all(keeper.agrees for keeper in view.keepers)
    assert {b.status for b in view.collectives} == {"bound"}
    assert view.coverage.circles_heard == view.coverage.circles == 2 * instances
    assert view.coverage.instances_heard == view.coverage.instances == instances
    assert one.standing(one.challenge - SECOND).held_by == ("challenge-window",)


def test_one_instance_with_no_challenge_window_is_final_with_its_own_result() -> None:
    one = joint(1, changed={"challenge": 0, "grace": 60})
    one.vote("oak/1")
    one.close("oak", at=one.closes)
    assert one.standing(one.grace).state == "provisional"
    one.result("oak", at=one.grace)
    assert one.standing(one.grace).state == "final"


def test_two_thirds_of_the_keepers_must_agree_rounded_up() -> None:
    assert [keepers_needed(n) for n in range(1, 8)] == [1, 2, 2, 3, 4, 4, 5]


# one dies before opening its ballots


@pytest.mark.parametrize(("instances", "dead"), [(2, "elm"), (3, "ash"), (5, "yew")])
def test_an_instance_that_dies_before_its_ballots_holds_consent_until_the_longest_wait(
    instances: int, dead: str
) -> None:
    living = [name for name in joint(instances).names if name != dead]
    one = voted(instances, *living)
    assert states(one) == ["provisional", "provisional", "heard", "heard"]
    view = one.standing(one.wait - SECOND)
    assert "unheard" in view.held_by
    assert view.holding == 2
    assert [e.status for e in view.entries if e.collective == key(dead)] == ["unheard"] * 2
    assert (view.coverage.circles_heard, view.coverage.instances_heard) == (2 * instances - 2, instances - 1)


@pytest.mark.parametrize(("instances", "dead"), [(3, "ash"), (5, "yew")])
def test_an_instance_that_dies_before_its_ballots_holds_nothing_that_they_could_not_change(
    instances: int, dead: str
) -> None:
    living = [name for name in joint(instances).names if name != dead]
    one = voted(instances, *living, method="majority")
    assert states(one) == ["provisional", "final", "final", "final"]
    view = one.standing(one.challenge)
    assert view.holding == 0
    assert view.numbers["status:unheard"] == 2


def test_with_two_dead_of_five_too_few_keepers_agree_and_the_end_is_heard() -> None:
    one = voted(5, "oak", "elm", "ash", method="majority")
    assert states(one) == ["provisional", "provisional", "heard", "heard"]
    assert "agreement" in one.standing(one.challenge).held_by


# one dies after its ballots


@pytest.mark.parametrize(("instances", "end"), [(2, "contested"), (3, "final"), (5, "final")])
def test_an_instance_that_dies_after_its_ballots_is_missed_only_as_a_keeper(instances: int, end: str) -> None:
    one = joint(instances)
    for circle in one.roll:
        one.vote(circle)
    one.finish(*one.names[:-1])
    assert states(one)[2:] == [end, end]
    view = one.standing(one.wait)
    assert view.outcome == "adopted"
    assert view.numbers["status:cast"] == 2 * instances
    assert [keeper.agrees for keeper in view.keepers].count(True) == instances - 1


# one returns late


def test_two_instances_are_final_as_soon_as_the_second_returns_and_agrees() -> None:
    one = joint(2)
    for circle in one.roll:
        one.vote(circle)
    one.finish("oak")
    assert one.standing(one.challenge).held_by == ("agreement",)
    back = one.challenge + DAY
    one.result("elm", at=back)
    assert one.standing(back - SECOND).state == "final"  # it may be a few minutes ahead
    assert one.standing(back - HOUR).state == "provisional"
    assert one.standing(back).final_at == back


def test_who_returns_after_the_grace_with_ballots_that_nobody_held_is_still_unheard() -> None:
    one = voted(3, "oak", "elm")
    back = one.grace + HOUR
    ballots = [one.ballot(circle, "object", at=one.closes - HOUR) for circle in one.circles_of("ash")]
    one.receipt("oak", *ballots, received=back)
    one.close("ash", at=back)
    one.result("ash", at=back)
    assert states(one) == ["provisional", "provisional", "heard", "heard"]
    view = one.standing(one.wait)
    assert {e.status for e in view.entries if e.collective == key("ash")} == {"unheard"}
    assert set(view.late) == set(ballots)


def test_an_agreement_that_comes_after_the_longest_wait_still_ends_a_contested_decision() -> None:
    one = joint(2)
    for circle in one.roll:
        one.vote(circle)
    one.finish("oak")
    one.result("elm", at=one.wait + DAY)
    assert one.standing(one.wait).state == "contested"
    assert one.standing(one.wait + DAY).state == "final"


def test_what_was_adopted_by_those_heard_is_not_made_final_by_results_that_come_later() -> None:
    one = voted(5, "oak", "elm", "ash", method="majority")
    one.result("fir", at=one.wait + DAY)
    assert one.standing(one.wait + 2 * DAY).state == "heard"


# adopted by those heard


def test_adopted_by_those_heard_is_said_with_their_numbers_only() -> None:
    one = voted(2, "oak")
    view = one.standing(one.wait)
    assert (view.state, view.outcome) == ("heard", "adopted")
    assert view.heard_count is not None
    assert view.count is not None
    assert (view.heard_count.circles.of, view.heard_count.circles.present) == (2, 2)
    assert view.count.outcome == "no-quorum"  # strictly: no ballot of ours was held elsewhere
    assert (view.numbers["circles"], view.numbers["collectives"]) == (2, 1)
    assert view.count_root != view.round.ours.count_root if view.round else False


def test_a_ballot_is_heard_without_receipt_only_if_nobody_who_could_give_one_was_there_afterwards() -> None:
    one = joint(2)
    one.vote("oak/1", at=one.opens + HOUR)
    one.ballot("oak/2", at=one.opens + 2 * HOUR)
    one.finish("oak")
    view = one.standing(one.wait)
    assert view.heard_count is not None
    assert view.heard_count.circles.present == 2
    other = one.vote("oak/1", "concern", 2, at=one.opens + 5 * HOUR)
    view = one.standing(one.wait)
    assert view.heard_count is not None
    assert view.heard_count.circles.present == 1  # elm was there, and had nothing of oak/2
    assert other in {e.ballot for e in view.round.heard.entries} if view.round and view.round.heard else False


def test_those_heard_may_be_too_few_to_decide() -> None:
    one = joint(2)
    one.finish("oak")
    assert states(one)[2:] == ["undecided", "undecided"]
    assert one.standing(one.wait).outcome is None
    assert {b.status for b in one.standing(one.wait).collectives} == {"nothing"}


def test_nobody_heard_decides_nothing() -> None:
    one = joint(2)
    one.vote("oak/1", by=[])
    assert states(one) == ["provisional", "provisional", "undecided", "undecided"]


@pytest.mark.parametrize(
    ("circle", "at", "state"),
    [
        ("ash/1", timedelta(), "undecided"),
        ("ash/1", SECOND, "heard"),
        ("oak/1", timedelta(), "heard"),
        ("fir/1", timedelta(), "heard"),
    ],
)
def test_an_objection_of_an_unheard_circle_in_time_reopens_the_question(
    circle: str, at: timedelta, state: str
) -> None:
    one = voted(3, "oak", "elm")
    objection = one.say(
        "Objection", circle, one.ratify + at, terms=one.terms.digest, reason=one.offer["question"]
    )
    view = one.standing(one.ratify + DAY)
    assert view.state == state
    assert (view.objections == (objection,)) == (state == "undecided")


def test_an_unheard_collective_is_bound_only_if_it_ratifies() -> None:
    one = voted(3, "oak", "elm")
    before, after = one.standing(one.ratify), one.standing(one.ratify + SECOND)
    status = {b.collective: (b.status, b.until) for b in before.collectives}
    assert status[key("ash")] == ("ratifying", one.ratify)
    assert status[key("oak")] == ("bound", None)
    assert before.next_at == one.ratify + SECOND
    assert {b.collective: b.status for b in after.collectives}[key("ash")] == "not-bound"
    one.say("Ratify", "ash", one.ratify, terms=one.terms.digest)
    assert {b.status for b in one.standing(one.ratify + SECOND).collectives} == {"bound"}


# ratifying


def test_a_collective_that_ratifies_counts_at_once_and_is_bound_when_it_has_said_so() -> None:
    one = voted(3, takes={"elm": "ratifies", "ash": "advisory"})
    until = one.closes + 20 * DAY
    view = one.standing(one.challenge)
    assert {b.collective: b.status for b in view.collectives} == {
        key("oak"): "bound",
        key("elm"): "ratifying",
        key("ash"): "advisory",
    }
    assert view.next_at == until + SECOND
    early = one.say("Ratify", "elm", one.closes - SECOND, terms=one.terms.digest)
    wrong = one.say("Ratify", "elm", until, terms="0" * 64)
    foreign = one.say("Ratify", "fir", until, terms=one.terms.digest)
    late = one.standing(until + SECOND)
    assert {b.collective: b.status for b in late.collectives}[key("elm")] == "not-bound"
    codes = {i.record: i.code for i in late.ignored}
    assert (codes[early], codes[wrong], codes[foreign]) == ("ratified-early", "other-terms", "not-answering")
    one.say("Ratify", "elm", until, terms=one.terms.digest)
    assert {b.collective: b.status for b in one.standing(until + SECOND).collectives}[key("elm")] == "bound"


def test_nobody_is_bound_by_what_was_not_adopted() -> None:
    one = joint(3)
    for circle in one.roll:
        one.vote(circle, "object")
    one.finish()
    view = one.standing(one.challenge)
    assert (view.state, view.outcome, view.winner) == ("final", "rejected", "status-quo")
    assert {b.status for b in view.collectives} == {"nothing"}


def test_advisory_circles_are_counted_apart() -> None:
    one = joint(3, takes={"ash": "advisory"})
    for circle in one.roll:
        one.vote(circle, "object" if one.home(circle) == "ash" else "consent")
    one.finish()
    view = one.standing(one.challenge)
    assert (view.outcome, view.numbers["circles"], view.numbers["collectives"]) == ("adopted", 4, 2)
    assert view.advisory is not None
    assert (view.advisory.tally["object"], view.advisory.circles.of) == (2, 2)


def test_unheard_advisory_circles_hold_nothing() -> None:
    one = joint(4, takes={"fir": "advisory"})
    for circle in one.roll[:6]:
        one.vote(circle)
    one.finish("oak", "elm", "ash")
    assert states(one)[1] == "final"


# what keepers say


def test_a_keeper_that_says_two_things_at_once_agrees_with_nobody() -> None:
    one = voted(2)
    one.result("elm", at=one.grace + 2 * MINUTE, outcome="rejected", winner="status-quo")
    view = one.standing(one.challenge)
    assert (view.state, view.held_by) == ("provisional", ("agreement",))
    assert {k.collective: (k.contradicts, k.agrees) for k in view.keepers}[key("elm")] == (True, False)
    one.result("elm", at=one.grace + 3 * MINUTE, seq=2)
    assert one.standing(one.challenge).state == "final"


def test_the_last_word_of_each_keeper_counts_up_to_the_end_of_the_challenge_window() -> None:
    one = joint(3)
    for circle in one.roll:
        one.vote(circle)
    missing = one.records.pop()  # one receipt travels late
    kept = one.records.pop()
    one.records = [
        r for r in one.records if r.type != "Ballot" or r.digest not in {h["record"] for h in kept["held"]}
    ]
    for name in one.names:
        one.close(name)
    for name in one.names:
        one.result(name)
    short = one.standing(one.challenge)
    assert (short.state, short.numbers["circlesPresent"]) == ("final", 5)
    full = joint(3)
    full.records = [*one.records, missing, kept]
    ballot = Joint.ballot(full, "ash/2")
    assert ballot.digest in {h["record"] for h in kept["held"]}
    full.terms = one.terms
    for name in one.names:
        full.result(name, at=one.grace + 2 * HOUR, seq=2)
    view = full.standing(one.challenge)
    assert (view.state, view.numbers["circlesPresent"]) == ("final", 6)


@pytest.mark.parametrize(
    ("by", "changed", "code"),
    [
        ("fir", {}, "not-a-keeper"),
        ("oak", {"at": -SECOND}, "result-early"),
        ("oak", {"terms": "0" * 64}, "other-terms"),
    ],
)
def test_a_result_of_no_keeper_or_before_its_time_is_no_word(
    by: str, changed: dict[str, Any], code: str
) -> None:
    one = joint(3)
    fields = one.standing(one.grace).result_fields()
    at = one.grace + changed.pop("at", timedelta())
    result = one.say("Result", f"{by}!", at, **{**fields, "terms": one.terms.digest, "seq": 1, **changed})
    assert {i.record: i.code for i in one.standing(one.wait).ignored}[result] == code


def test_results_that_differ_in_their_root_do_not_agree() -> None:
    one = voted(2)
    last = one.records.pop()
    one.result("elm", countRoot="0" * 64)
    assert last.by == key("elm!")
    assert states(one) == ["provisional", "provisional", "contested", "contested"]


# challenges


def withheld(instances: int = 3) -> tuple[Joint, Record, Record]:
    """All keepers publish what they counted without one ballot that was timely; it and its receipt come to us
    afterwards."""
    one = joint(instances)
    for circle in one.roll[1:]:
        one.vote(circle)
    for name in one.names:
        one.close(name)
    results = [one.result(name) for name in one.names]
    ballot = one.ballot("oak/1", "object")
    one.receipt("elm", ballot)
    return one, ballot, results[0]


def challenge(
    one: Joint,
    result: Record,
    *evidence: str,
    at: datetime | None = None,
    by: str = "oak/1",
    receipted: datetime | None = None,
) -> Record:
    """A challenge, receipted by another keeper at once, or when it is said."""
    fields = {"result": result.digest, "claim": "missing-ballot", "evidence": sorted(evidence)}
    said = one.say("Challenge", by, at or one.challenge - HOUR, **fields)
    one.receipt("ash", said, received=said.at, at=receipted or said.at)
    return said


def test_a_challenge_that_verifies_holds_until_the_longest_wait_and_the_end_is_contested() -> None:
    one, ballot, result = withheld()
    challenge(one, result, ballot.digest)
    assert states(one) == ["provisional", "provisional", "contested", "contested"]
    view = one.standing(one.challenge)
    assert view.held_by == ("challenge",)
    assert [c.stands for c in view.challenges] == [True]
    for name in one.names:
        one.result(name, at=one.challenge + HOUR, seq=2)
    assert one.standing(one.challenge + DAY).state == "final"
    assert one.standing(one.challenge + DAY).outcome == "rejected"


@pytest.mark.parametrize(
    ("evidence", "late", "by", "why"),
    [
        ("0" * 64, timedelta(), "oak/1", "not-held"),
        ("", SECOND, "oak/1", "late"),
        ("", timedelta(), "elm!", None),
    ],
)
def test_a_challenge_must_bring_its_evidence_in_time(
    evidence: str, late: timedelta, by: str, why: str | None
) -> None:
    one, ballot, result = withheld()
    challenge(one, result, evidence or ballot.digest, at=one.challenge + late, by=by)
    view = one.standing(one.challenge + HOUR)
    assert [c.why for c in view.challenges] == [why]
    assert (view.state == "final") == (why is not None)


def test_a_challenge_dated_back_that_no_other_keeper_receipted_in_its_window_takes_nothing_final_away() -> (
    None
):
    one, ballot, result = withheld()
    assert one.standing(one.challenge).state == "final"
    challenge(one, result, ballot.digest, receipted=one.challenge + SECOND)
    view = one.standing(one.challenge + DAY)
    assert view.state == "final"
    assert [c.why for c in view.challenges] == ["no-receipt"]


def test_a_challenge_that_does_not_verify_is_shown_and_holds_nothing() -> None:
    one = voted(3)
    result = next(r for r in one.records if r.type == "Result")
    challenge(one, result, result.digest)
    challenge(one, one.terms, result.digest)
    view = one.standing(one.challenge)
    assert view.state == "final"
    assert {c.why for c in view.challenges} == {"not-verified", "not-held"}


def test_a_challenge_of_a_stranger_is_ignored() -> None:
    one, ballot, result = withheld()
    stranger = challenge(one, result, ballot.digest, by="fir/1")
    view = one.standing(one.challenge)
    assert view.state == "final"
    assert {i.record: i.code for i in view.ignored}[stranger] == "not-entitled"


def test_a_challenge_of_a_result_that_nobody_agrees_on_holds_nothing() -> None:
    one = voted(3)
    alone = one.result("ash", at=one.grace + HOUR, seq=2, outcome="rejected", winner="status-quo")
    challenge(one, alone, alone.digest)
    view = one.standing(one.challenge)
    assert view.state == "final"
    assert [c.why for c in view.challenges] == ["not-agreed"]


# what is final stays


def final_value(view: Standing) -> tuple[Any, ...]:
    return view.state, view.outcome, view.winner, view.count_root, view.final_at


def test_what_came_after_is_said_and_changes_nothing_final() -> None:
    one, ballot, _ = withheld()
    view = one.standing(one.challenge)
    assert (view.state, view.outcome, view.shown.came_after) == ("final", "adopted", True)
    assert view.count is not None
    assert view.count.outcome == "rejected"
    assert view.numbers["circlesPresent"] == 5
    assert view.late_root is not None
    assert ballot in {e.ballot for e in view.entries}


def test_where_we_count_something_else_those_who_agree_judge_whether_the_unheard_hold() -> None:
    one = voted(3, "oak", "elm")
    one.records = [r for r in one.records if r.by != key("oak/1")]  # we lost something
    view = one.standing(one.challenge)
    assert (view.state, view.held_by) == ("provisional", ("unheard",))


def test_no_second_terms_or_withdrawal_edits_what_is_final() -> None:
    one = voted(3)
    before = final_value(one.standing(one.challenge))
    second = one.freeze(at=one.opens)
    one.say("Withdraw", "oak", one.opens - SECOND)
    one.say("Leave", "oak", one.opens)
    after = one.standing(one.challenge + HOUR)
    assert final_value(after) == before
    assert second in after.double_terms


def test_a_keeper_that_changes_its_mind_afterwards_changes_nothing() -> None:
    one = voted(2)
    before = final_value(one.standing(one.challenge))
    for name in one.names:
        one.result(name, at=one.challenge + HOUR, seq=2, outcome="rejected", winner="status-quo")
    assert final_value(one.standing(one.wait)) == before


def test_a_keeper_publishes_once_per_thing_it_has_to_say() -> None:
    one = joint(2)
    one.vote("oak/1")
    assert result_due(one.standing(one.grace - SECOND), key("oak!")) is None
    assert result_due(one.standing(one.grace), key("fir!")) is None
    due = result_due(one.standing(one.grace), key("oak!"))
    assert due is not None
    assert (due["seq"], due["state"], due["outcome"]) == (1, "provisional", "no-quorum")
    one.say("Result", "oak!", one.grace, **due)
    assert result_due(one.standing(one.grace), key("oak!")) is None
    again = result_due(one.standing(one.wait), key("oak!"))
    assert again is not None
    assert (again["seq"], again["state"]) == (2, "heard")
    one.freeze(at=one.opens)
    assert result_due(one.standing(one.wait), key("elm!")) is None
