"""What an instance must say by itself, and never twice."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from models.rules.duties import PATIENCE, Duty, Us, duties, next_duty
from models.rules.records import draft, read, stamp
from models.rules.times import times_of

from .builders import DAY, HOUR, MINUTE, START, Joint, joint, key

SECOND = timedelta(seconds=1)


def us(name: str) -> Us:
    return Us(collective=key(name), instance=key(f"{name}!"))


def say(meeting: Joint, name: str, now, received=None) -> list[Duty]:
    """Have one instance say all that is due until nothing is, as its worker does; returns what it said."""
    said: list[Duty] = []
    seen = {r.digest: r.at for r in meeting.records} if received is None else received
    for _ in range(8):
        due = duties(meeting.records, now, us(name), seen)
        for duty in due:
            by = us(name).collective if duty.signer == "collective" else us(name).instance
            meeting.put(read(draft(duty.type, by, meeting.offer.digest, now, **duty.fields)))
        said += due
        if not due:
            return said
    raise AssertionError("it never has nothing to say")


def types(said: list[Duty]) -> list[str]:
    return [duty.type for duty in said]


def answered(names=("oak", "elm", "ash")) -> Joint:
    meeting = Joint(names)
    for name in names:
        meeting.answer(name)
    meeting.option()
    return meeting


def test_the_convener_proposes_terms_as_soon_as_all_answers_are_due_and_acknowledges_them():
    meeting = answered()
    ready = times_of(meeting.offer).ready
    assert say(meeting, "oak", ready - SECOND) == []
    assert types(say(meeting, "oak", ready)) == ["Terms", "TermsAck"]


def test_the_convener_waits_a_minute_for_an_invited_collective_that_has_not_answered():
    meeting = answered()
    meeting.records = [r for r in meeting.records if not (r.type == "Answer" and r.by == key("ash"))]
    ready = times_of(meeting.offer).ready
    assert say(meeting, "oak", ready + PATIENCE - SECOND) == []
    assert "Terms" in types(say(meeting, "oak", ready + PATIENCE))


def test_others_acknowledge_terms_that_they_can_recompute():
    meeting = answered()
    say(meeting, "oak", times_of(meeting.offer).ready)
    assert types(say(meeting, "elm", times_of(meeting.offer).ready + MINUTE)) == ["TermsAck"]


def test_who_was_left_out_objects_first_and_acknowledges_a_minute_later():
    meeting = answered()
    left_out = next(r for r in meeting.records if r.type == "Answer" and r.by == key("elm"))
    meeting.records.remove(left_out)
    ready = times_of(meeting.offer).ready
    say(meeting, "oak", ready + PATIENCE)
    meeting.put(left_out)
    said = say(meeting, "ash", ready + PATIENCE)
    assert types(said) == ["TermsObjection"]
    assert said[0].fields["missing"] == left_out.digest
    assert types(say(meeting, "ash", ready + 2 * PATIENCE)) == ["TermsAck"]
    own = say(meeting, "elm", ready + 2 * PATIENCE)
    assert types(own) == ["TermsObjection"]
    assert own[0].fields["missing"] == left_out.digest


def test_without_the_convener_another_proposes_terms_in_the_order_of_keys():
    meeting = answered()
    first, second = sorted(("elm", "ash"), key=key)
    opens = times_of(meeting.offer).opens
    assert say(meeting, first, opens) == []
    assert say(meeting, first, opens + 5 * MINUTE - SECOND) == []
    assert types(say(meeting, first, opens + 5 * MINUTE)) == ["Terms", "TermsAck"]
    assert types(say(meeting, second, opens + 20 * MINUTE)) == ["TermsAck"]


def test_a_convener_that_comes_late_takes_part_in_the_round_that_others_began():
    meeting = answered()
    began = times_of(meeting.offer).opens + timedelta(minutes=30)
    assert types(say(meeting, min(("elm", "ash"), key=key), began)) == ["Terms", "TermsAck"]
    assert types(say(meeting, "oak", began + MINUTE)) == ["TermsAck"]


def test_who_acknowledged_terms_that_did_not_come_into_effect_acknowledges_those_that_did():
    meeting = answered()
    times = times_of(meeting.offer)
    theirs = meeting.freeze("elm", times.opens + HOUR)
    ours = meeting.freeze("oak", times.opens + HOUR)
    for name, terms in (("elm", theirs), ("ash", theirs), ("oak", ours)):
        meeting.ack(name, terms, times.opens + HOUR)
    assert meeting.standing(times.opens + HOUR).terms == theirs
    said = say(meeting, "oak", times.opens + 2 * HOUR)
    assert [(duty.type, duty.fields["terms"]) for duty in said] == [("TermsAck", theirs.digest)]
    view = meeting.standing(times.opens + 2 * HOUR)
    assert view.terms == theirs  # a second word chooses nothing
    assert all(acked.ack for acked in view.acks)
    assert view.acknowledged(key("oak!"))


def test_nobody_proposes_terms_when_the_offer_was_withdrawn():
    meeting = answered()
    meeting.say("Withdraw", "oak", START + 30 * MINUTE)
    assert say(meeting, "oak", times_of(meeting.offer).ready) == []


def test_a_keeper_receipts_the_ballots_of_others_once_and_its_own_never():
    meeting = joint(3).prepare()
    mine, theirs = meeting.ballot("oak/1"), meeting.ballot("elm/1")
    now = max(mine.at, theirs.at) + MINUTE
    received = {mine.digest: now, theirs.digest: now}
    said = [d for d in say(meeting, "oak", now, received) if d.type == "Receipt"]
    assert [one["record"] for duty in said for one in duty.fields["held"]] == [theirs.digest]
    assert "Receipt" not in types(say(meeting, "oak", now + HOUR, received))


def test_a_receipt_says_when_the_ballot_was_received_not_when_the_receipt_is_signed():
    meeting = joint(3).prepare()
    theirs = meeting.ballot("elm/1")
    received = theirs.at + MINUTE
    said = say(meeting, "oak", received + HOUR, {theirs.digest: received})
    assert said[0].fields["held"][0]["received"] == stamp(received)


def test_after_the_close_each_instance_states_its_circles_last_ballots():
    meeting = joint(3).prepare()
    first = meeting.ballot("elm/1")
    last = meeting.ballot("elm/1", seq=2, prev=first.digest)
    closes = times_of(meeting.offer).closes
    assert "CloseStatement" not in types(say(meeting, "elm", closes))
    said = [d for d in say(meeting, "elm", closes + SECOND) if d.type == "CloseStatement"]
    stated = {one["circle"]: one.get("ballot") for one in said[0].fields["circles"]}
    assert stated == {key("elm/1"): last.digest, key("elm/2"): None}


def test_after_the_grace_a_keeper_publishes_what_it_counted_and_then_that_it_is_final():
    meeting = joint(3).prepare()
    for circle in meeting.roll:
        meeting.vote(circle)
    times = times_of(meeting.offer)
    for name in meeting.names:
        say(meeting, name, times.closes + SECOND)
    for name in meeting.names:
        assert types(say(meeting, name, times.grace_ends)) == ["Result"]
        assert say(meeting, name, times.grace_ends + MINUTE) == []
    said = say(meeting, "oak", times.challenge_ends)
    assert [duty.fields["state"] for duty in said] == ["final"]
    assert say(meeting, "oak", times.challenge_ends + 30 * DAY) == []


def test_who_took_no_part_says_nothing():
    meeting = answered(("oak", "elm"))
    say(meeting, "oak", times_of(meeting.offer).ready)
    assert say(meeting, "fir", times_of(meeting.offer).closes + DAY) == []


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 12_000), min_size=1, max_size=12),
    order=st.permutations(["oak", "elm", "ash"]),
)
def test_whenever_they_look_nobody_says_a_thing_twice_and_looking_again_at_once_adds_nothing(minutes, order):
    meeting = answered()
    for minute in sorted(minutes):
        now = START + minute * MINUTE
        for name in order:
            say(meeting, name, now)
        for name in order:
            say(meeting, name, now)
            assert duties(meeting.records, now, us(name), {}) == []
    for kind in ("Terms", "TermsAck"):
        said = [(r.by, r.get("terms")) for r in meeting.records if r.type == kind]
        assert len(said) == len(set(said)), kind


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 12_000))
def test_between_now_and_the_next_duty_nothing_becomes_due(minute):
    meeting = answered()
    now = START + minute * MINUTE
    for name in meeting.names:
        say(meeting, name, now)
    for name in meeting.names:
        say(meeting, name, now)
    at = next_duty(meeting.records, now, us("elm"))
    later = now + 40 * DAY if at is None else at - SECOND
    if later > now:
        assert duties(meeting.records, later, us("elm"), {}) == []
