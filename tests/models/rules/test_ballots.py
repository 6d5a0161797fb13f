"""Ballots: every row of the status table, what is timely, two ballots with one number and their cure,
leaving."""

from datetime import timedelta
from typing import Any

import pytest

from models.rules.records import Record
from tests.models.rules.builders import DAY, HOUR, MINUTE, Joint, joint, key

SECOND = timedelta(seconds=1)


def codes(one: Joint) -> dict[Record, str]:
    return {i.record: i.code for i in one.standing(one.wait).ignored}


def cured(one: Joint, *evidence: Record) -> list[str]:
    return sorted(ballot.digest for ballot in evidence)


# the table: in the count, in the denominator


def test_a_cast_ballot_counts() -> None:
    one = joint()
    ballot = one.vote("oak/1")
    one.close("oak")
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot, entry.late, entry.stated, entry.gap) == (
        "cast",
        ballot,
        (),
        True,
        False,
    )
    assert one.standing(one.grace).numbers["circlesPresent"] == 1


def test_a_late_ballot_is_shown_and_in_the_denominator_only() -> None:
    one = joint()
    ballot = one.ballot("oak/1")
    one.close("oak")
    view = one.standing(one.grace)
    entry = view.entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot, entry.late, entry.why_late) == ("late", None, (ballot,), "no-receipt")
    assert view.late == (ballot,)
    assert (view.numbers["circles"], view.numbers["circlesPresent"], view.numbers["status:late"]) == (6, 0, 1)


def test_a_silent_circle_is_one_whose_home_says_that_it_cast_nothing() -> None:
    one = joint()
    one.close("oak")
    assert one.status("oak/1") == "silent"


def test_an_unheard_circle_is_one_whose_home_said_nothing_in_time() -> None:
    one = joint()
    assert one.status("oak/1") == "unheard"
    one.close("oak", at=one.grace + SECOND)
    assert one.status("oak/1", one.grace + HOUR) == "unheard"


def test_a_circle_is_unheard_while_its_home_names_a_ballot_that_we_do_not_hold() -> None:
    one = joint()
    ballot = one.ballot("oak/1")
    one.close("oak")
    one.records.remove(ballot)
    assert one.status("oak/1") == "unheard"
    assert one.status("oak/2") == "silent"
    one.records.append(ballot)
    assert one.status("oak/1") == "late"


def test_a_circle_that_its_home_forgot_to_list_is_unheard() -> None:
    one = joint()
    rows = [{"circle": key("oak/1")}]
    one.say("CloseStatement", "oak!", one.closes, terms=one.terms.digest, circles=rows)
    assert (one.status("oak/1"), one.status("oak/2")) == ("silent", "unheard")


def test_a_set_aside_circle_signed_two_ballots_with_one_number() -> None:
    one = joint()
    evidence = [one.vote("oak/1", "consent"), one.vote("oak/1", "object")]
    view = one.standing(one.grace)
    entry = view.entry(key("oak/1"))
    assert entry is not None
    assert entry.status == "set-aside"
    assert entry.ballot is None
    assert set(entry.evidence) == set(evidence)
    assert view.numbers["circlesPresent"] == 0


def test_a_circle_of_a_collective_that_left_keeps_the_ballot_it_cast_before() -> None:
    one = joint()
    before = one.vote("oak/1", at=one.opens + HOUR)
    leave = one.say("Leave", "oak", one.opens + 2 * HOUR)
    one.receipt("elm", leave)
    after = one.vote("oak/2", at=one.opens + 3 * HOUR)
    view = one.standing(one.grace)
    first, second = view.entry(key("oak/1")), view.entry(key("oak/2"))
    assert first is not None
    assert second is not None
    assert (first.status, first.ballot) == ("left", before)
    assert (second.status, second.ballot, second.late) == ("left", None, (after,))
    assert (view.numbers["circles"], view.numbers["circlesPresent"]) == (6, 1)
    assert {b.collective: b.status for b in view.collectives}[key("oak")] == "left"


def test_nothing_is_said_of_a_circle_before_close_and_grace() -> None:
    one = joint()
    one.ballot("oak/1")
    assert one.status("oak/1", one.grace - SECOND) == "waiting"
    entry = one.standing(one.closes).entry(key("oak/1"))
    assert entry is not None
    assert len(entry.ballots) == 1
    assert entry.late == ()


# timely


@pytest.mark.parametrize(
    ("dated", "received", "status"),
    [
        (-HOUR, -HOUR, "cast"),
        (timedelta(), 10 * MINUTE, "cast"),
        (timedelta(), 10 * MINUTE + SECOND, "late"),
        (SECOND, 2 * SECOND, "late"),
    ],
)
def test_timely_is_dated_by_the_close_and_held_elsewhere_ten_minutes_later(
    dated: timedelta, received: timedelta, status: str
) -> None:
    one = joint()
    ballot = one.ballot("oak/1", at=one.closes + dated)
    one.receipt("elm", ballot, received=one.closes + received)
    one.close("oak")
    assert one.status("oak/1") == status


def test_the_slack_for_receipts_never_outlasts_the_grace() -> None:
    one = joint(changed={"grace": 60, "challenge": 0})
    ballot = one.ballot("oak/1", at=one.closes)
    one.receipt("elm", ballot, received=one.closes + 61 * SECOND)
    one.close("oak")
    assert one.status("oak/1") == "late"


@pytest.mark.parametrize("by", ["oak", "fir"])
def test_a_receipt_of_its_own_home_or_of_a_stranger_makes_no_ballot_timely(by: str) -> None:
    one = joint()
    ballot = one.ballot("oak/1")
    one.receipt(by, ballot)
    one.close("oak")
    assert one.status("oak/1") == "late"


def test_a_receipt_of_an_instance_that_is_no_keeper_makes_no_ballot_timely() -> None:
    one = joint(keep=["oak", "elm"])
    ballot = one.ballot("oak/1")
    receipt = one.receipt("ash", ballot)
    one.close("oak")
    assert one.status("oak/1") == "late"
    assert codes(one)[receipt] == "not-a-keeper"


def test_a_receipt_signed_after_the_grace_is_too_late_to_change_the_count() -> None:
    one = joint()
    ballot = one.ballot("oak/1")
    one.receipt("elm", ballot, at=one.grace + SECOND)
    one.close("oak")
    assert one.status("oak/1", one.wait) == "late"


def test_where_there_is_no_other_keeper_no_receipt_is_asked() -> None:
    one = joint(1)
    one.ballot("oak/1")
    assert one.status("oak/1") == "cast"
    two = joint(2, keep=["oak"])
    two.ballot("oak/1")
    two.ballot("elm/1")
    two.close("elm")
    assert (two.status("oak/1"), two.status("elm/1")) == ("cast", "late")


def test_the_only_keeper_is_heard_by_its_result_if_it_missed_its_close_statement() -> None:
    one = joint(1)
    one.vote("oak/1")
    assert one.status("oak/2") == "unheard"
    one.result("oak")
    assert one.status("oak/2", one.wait) == "silent"
    two = joint(1)
    two.close("oak", at=two.grace + HOUR)
    assert two.status("oak/2", two.wait) == "silent"


# sequence numbers


def test_the_highest_number_counts_whatever_the_dates_say() -> None:
    one = joint()
    first = one.vote("oak/1", "consent", at=one.opens + 3 * HOUR)
    second = one.vote("oak/1", "concern", 2, prev=first.digest, at=one.opens + HOUR)
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert (entry.ballot, entry.ballots, entry.gap) == (second, (first, second), False)


def test_a_newer_ballot_that_came_too_late_does_not_take_the_place_of_the_older() -> None:
    one = joint()
    first = one.vote("oak/1", "consent")
    second = one.ballot("oak/1", "object", 2, prev=first.digest)
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot, entry.late) == ("cast", first, (second,))


def test_a_ballot_whose_predecessor_is_missing_counts_and_is_flagged() -> None:
    one = joint()
    lost = one.ballot("oak/1")
    one.records.remove(lost)
    one.vote("oak/1", "concern", 2, prev=lost.digest)
    one.vote("oak/2", "concern", 2)
    view = one.standing(one.grace)
    assert [(e.status, e.gap) for e in view.entries if e.collective == key("oak")] == [("cast", True)] * 2
    one.records.append(lost)
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert not entry.gap


# two ballots with one number


def test_a_second_ballot_that_nobody_else_held_sets_nobody_aside() -> None:
    one = joint()
    first = one.vote("oak/1", "consent")
    forged = one.ballot("oak/1", "object")
    entry = one.standing(one.wait).entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot, entry.late) == ("cast", first, (forged,))


def test_a_later_number_alone_cures_nothing() -> None:
    one = joint()
    one.vote("oak/1", "consent")
    one.vote("oak/1", "object")
    one.vote("oak/1", "consent", 2)
    assert one.status("oak/1") == "set-aside"


@pytest.mark.parametrize(
    ("at", "received", "said", "status"),
    [
        (-HOUR, -HOUR, "consent", "cast"),
        (-HOUR, -HOUR, "concern", "cast"),
        (5 * HOUR, 6 * HOUR, "consent", "cast"),
        (5 * HOUR, 6 * HOUR, "object", "cast"),
        (5 * HOUR, 6 * HOUR, "concern", "set-aside"),
        (5 * HOUR, 6 * HOUR + SECOND, "consent", "set-aside"),
        (7 * HOUR, 7 * HOUR, "consent", "set-aside"),
    ],
)
def test_a_cure_names_the_evidence_and_after_the_close_says_one_of_the_two_things(
    at: timedelta, received: timedelta, said: str, status: str
) -> None:
    one = joint()
    evidence = one.vote("oak/1", "consent"), one.vote("oak/1", "object")
    cure = one.ballot("oak/1", said, 2, cures=cured(one, *evidence), at=one.closes + at)
    one.receipt("elm", cure, received=one.closes + received)
    entry = one.standing(one.wait).entry(key("oak/1"))
    assert entry is not None
    assert entry.status == status
    assert (entry.ballot == cure) == (status == "cast")
    assert (cure in entry.late) == (status != "cast")


def test_a_cure_without_a_receipt_cures_nothing_unless_there_is_nobody_to_give_one() -> None:
    for instances, status in ((2, "set-aside"), (1, "cast")):
        one = joint(instances)
        evidence = one.vote("oak/1", "consent"), one.vote("oak/1", "object")
        one.ballot("oak/1", "consent", 2, cures=cured(one, *evidence))
        assert one.status("oak/1") == status


def test_a_cure_of_something_else_cures_nothing() -> None:
    one = joint()
    evidence = one.vote("oak/1", "consent"), one.vote("oak/1", "object")
    other = one.vote("oak/2", "consent")
    one.vote("oak/1", "consent", 2, cures=cured(one, evidence[0], other))
    assert one.status("oak/1") == "set-aside"
    two = joint()
    evidence = two.vote("oak/1", "consent", 3), two.vote("oak/1", "object", 3)
    two.vote("oak/1", "consent", 2, cures=cured(two, *evidence))
    assert two.status("oak/1") == "set-aside"


def test_a_cure_that_is_itself_doubled_must_be_cured_again() -> None:
    one = joint()
    evidence = one.vote("oak/1", "consent"), one.vote("oak/1", "object")
    first = one.vote("oak/1", "consent", 2, cures=cured(one, *evidence))
    second = one.vote("oak/1", "object", 2, cures=cured(one, *evidence))
    assert one.status("oak/1") == "set-aside"
    last = one.vote("oak/1", "concern", 3, cures=cured(one, first, second))
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot) == ("cast", last)


def test_three_ballots_with_one_number_are_cured_by_naming_two_of_them() -> None:
    one = joint()
    evidence = one.vote("oak/1", "consent"), one.vote("oak/1", "object"), one.vote("oak/1", "concern")
    view = one.standing(one.grace)
    assert {d for e in view.entries for d in e.evidence} == set(evidence)
    one.vote("oak/1", "consent", 2, cures=cured(one, *evidence[:2]))
    assert one.status("oak/1") == "cast"


# what is not accepted


@pytest.mark.parametrize(
    ("circle", "said", "changed", "code"),
    [
        ("fir/1", "consent", {}, "not-on-roll"),
        ("oak/1", "yes", {}, "bad-position"),
        ("oak/1", ["status-quo"], {}, "bad-position"),
        ("oak/1", "consent", {"confirmed": 1}, "too-few-confirmed"),
        ("oak/1", "consent", {"terms": "0" * 64}, "other-terms"),
    ],
)
def test_a_ballot_that_cannot_be_is_ignored(
    circle: str, said: Any, changed: dict[str, Any], code: str
) -> None:
    one = joint()
    ballot = one.vote(circle, said, **changed)
    assert codes(one)[ballot] == code
    assert one.standing(one.grace).count_root == joint().standing(one.grace).count_root


def test_a_ballot_before_the_opening_is_ignored() -> None:
    one = joint()
    ballot = one.vote("oak/1", at=one.opens - SECOND)
    assert codes(one)[ballot] == "ballot-early"


def test_no_ballot_is_accepted_before_its_home_acknowledged_the_terms() -> None:
    one = Joint().prepare(acks=["elm"])
    none = one.vote("oak/1")
    one.ack("ash", at=one.opens + 2 * HOUR)
    early, good = one.vote("ash/1", at=one.opens + HOUR), one.vote("ash/2", at=one.opens + 2 * HOUR)
    assert codes(one)[none] == codes(one)[early] == "no-ack"
    assert good not in codes(one)


def test_choices_are_among_the_options_on_the_ballot() -> None:
    one = joint(method="approval")
    first, second = one.terms["options"]
    good = one.vote("oak/1", [first, second, "status-quo"])
    wrong = one.vote("oak/2", [first, "0" * 64])
    position = one.vote("elm/1", "consent")
    assert good not in codes(one)
    assert codes(one)[wrong] == codes(one)[position] == "bad-position"


# leaving


def test_a_leaving_takes_effect_when_another_keeper_has_it() -> None:
    one = joint()
    leave = one.say("Leave", "oak", one.opens + HOUR)
    assert one.status("oak/1") == "unheard"
    assert codes(one)[leave] == "leave-not-effective"
    one.receipt("elm", leave, received=one.opens + 5 * HOUR)
    between = one.vote("oak/1", at=one.opens + 2 * HOUR)
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot) == ("left", between)


def test_a_ballot_that_reached_others_only_after_the_leaving_does_not_count() -> None:
    one = joint()
    leave = one.say("Leave", "oak", one.opens + 2 * HOUR)
    one.receipt("elm", leave)
    backdated = one.ballot("oak/1", at=one.opens + HOUR)
    one.receipt("elm", backdated, received=one.opens + 3 * HOUR)
    entry = one.standing(one.grace).entry(key("oak/1"))
    assert entry is not None
    assert (entry.status, entry.ballot) == ("left", None)


@pytest.mark.parametrize("received", [SECOND, DAY])
def test_who_leaves_after_the_close_is_bound_like_everybody(received: timedelta) -> None:
    one = joint()
    for circle in one.roll:
        one.vote(circle)
    leave = one.say("Leave", "oak", one.closes - HOUR)
    one.receipt("elm", leave, received=one.closes + received)
    one.finish()
    view = one.standing(one.challenge)
    assert view.state == "final"
    assert {b.status for b in view.collectives} == {"bound"}


def test_where_nobody_else_keeps_the_records_a_leaving_has_its_own_date() -> None:
    one = joint(1)
    one.say("Leave", "oak", one.opens + 2 * HOUR)
    one.ballot("oak/1", at=one.opens + HOUR)
    one.ballot("oak/2", at=one.opens + 2 * HOUR)
    view = one.standing(one.grace)
    assert view.numbers["circlesPresent"] == 1
    assert view.numbers["status:left"] == 2


def test_a_stranger_cannot_leave() -> None:
    one = joint()
    leave = one.say("Leave", "fir", one.opens)
    assert codes(one)[leave] == "not-answering"
