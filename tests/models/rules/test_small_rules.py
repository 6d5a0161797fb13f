"""Circles, mandates, backoff and refusals: the small rules."""

import hashlib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import backoff, mandates, refusals
from models.rules.circles import confirmations_needed, deal
from models.rules.mandates import (
    Mandate,
    in_force,
    lapses_next,
    may_hold_again,
    powers_in_force,
    status,
    term_problem,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = Mandate(frozenset({"operate", "convene"}), NOW, NOW + 30 * DAY, accepted=NOW)


# circles


@given(st.integers(1, 500))
def test_two_thirds_rounded_up_confirm_a_ballot(size: int) -> None:
    assert confirmations_needed(size) == ceil(Fraction(2 * size, 3))


def test_two_thirds_of_small_circles() -> None:
    assert [confirmations_needed(size) for size in range(1, 8)] == [1, 2, 2, 3, 4, 4, 5]


@given(st.sets(st.integers(0, 999), max_size=120), st.text(max_size=8), st.randoms())
def test_a_deal_seats_everybody_once_in_circles_of_three_to_five(
    people: set[int], seed: str, random: object
) -> None:
    circles = deal(people, seed)
    assert sorted(one for circle in circles for one in circle) == sorted(people)
    if len(people) >= 6:
        assert {len(circle) for circle in circles} <= {3, 4, 5}
        assert max(map(len, circles)) - min(map(len, circles)) <= 1
    else:
        assert len(circles) == bool(people)
    named = list(people)
    random.shuffle(named)  # type: ignore[attr-defined]
    assert deal(named, seed) == circles


def test_a_deal_can_be_repeated_with_any_sha256_tool() -> None:
    people = [str(n) for n in range(7)]
    order = sorted(people, key=lambda one: hashlib.sha256(f"seed\n{one}".encode()).hexdigest())
    assert deal(people, "seed") == [order[0::2], order[1::2]]
    assert deal(people, "seed") != deal(people, "another")


# mandates


@pytest.mark.parametrize(
    ("changed", "at", "word"),
    [
        ({}, NOW, "in-force"),
        ({}, NOW + 30 * DAY - timedelta(seconds=1), "in-force"),
        ({}, NOW + 30 * DAY, "lapsed"),
        ({"accepted": None}, NOW, "offered"),
        ({"accepted": NOW + DAY}, NOW, "offered"),
        ({"accepted": NOW - DAY}, NOW - timedelta(seconds=1), "awaiting"),
        ({"recalled": NOW + DAY}, NOW + DAY, "recalled"),
        ({"recalled": NOW + DAY}, NOW, "in-force"),
        ({"recalled": NOW + DAY}, NOW + 40 * DAY, "recalled"),
        ({"resigned": NOW + DAY}, NOW + DAY, "resigned"),
        ({"principal_ended": NOW + DAY}, NOW + DAY, "orphaned"),
        ({"renew_by": NOW + DAY}, NOW + DAY, "suspended"),
        ({"renew_by": NOW + DAY}, NOW, "in-force"),
    ],
)
def test_a_mandate_is_in_force_by_its_dates_alone(
    changed: dict[str, datetime | None], at: datetime, word: str
) -> None:
    mandate = Mandate(**{**MONTH.__dict__, **changed})
    assert status(mandate, at) == word
    assert in_force(mandate, at) == (word == "in-force")


def test_powers_in_force_are_those_of_mandates_in_force_and_lapse_by_themselves() -> None:
    short = Mandate(frozenset({"speak"}), NOW, NOW + DAY, accepted=NOW)
    held = [MONTH, short]
    assert powers_in_force(held, NOW) == {"operate", "convene", "speak"}
    assert lapses_next(held, NOW) == NOW + DAY
    assert powers_in_force(held, NOW + DAY) == {"operate", "convene"}
    assert powers_in_force(held, NOW + 31 * DAY) == frozenset()
    assert lapses_next(held, NOW + 31 * DAY) is None


def test_no_power_is_lent_for_longer_than_ninety_days_or_three_in_an_emergency() -> None:
    assert term_problem(NOW, NOW + 90 * DAY) is None
    assert term_problem(NOW, NOW + 91 * DAY) == "term-too-long"
    assert term_problem(NOW, NOW) == "ends-before-it-starts"
    assert term_problem(NOW, NOW + 3 * DAY, emergency=True) is None
    assert term_problem(NOW, NOW + 4 * DAY, emergency=True) == "term-too-long"
    assert mandates.FOUNDING_TERM == 30 * DAY
    assert "admin" not in mandates.POWERS
    assert [may_hold_again(term) for term in (0, 1, 2, 3)] == [False, True, True, False]


# backoff


def test_sixteen_attempts_take_about_three_days() -> None:
    pauses = [pause for n in range(1, 16) if (pause := backoff.next_attempt(n, "seed")) is not None]
    assert len(pauses) == 15
    assert 3.1 * DAY < sum(pauses, timedelta()) < 3.6 * DAY
    assert backoff.next_attempt(16) is None


@given(st.integers(1, 15), st.text(max_size=20))
def test_pauses_double_up_to_twelve_hours_with_a_tenth_of_jitter_from_the_seed(
    attempts: int, seed: str
) -> None:
    pause = backoff.next_attempt(attempts, seed)
    plain = min(timedelta(minutes=2 ** (attempts - 1)), timedelta(hours=12))
    assert pause is not None
    assert plain <= pause <= plain * 1.1
    assert pause == backoff.next_attempt(attempts, seed)


def test_a_host_is_left_alone_after_three_failures_in_a_row_and_never_longer_than_six_hours() -> None:
    assert backoff.host_pause(2) == timedelta(0)
    assert timedelta(minutes=2) <= backoff.host_pause(3) < timedelta(minutes=3)
    assert backoff.host_pause(10**6) <= timedelta(hours=6) * 1.1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 30, 3600),
        ("Sun, 22 Nov 2026 10:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 10:00:00 GMT", 3600),
        ("Sun, 22 Nov 2026 10:01:00 -0000", 60),
        ("soon", None),
        ("-5", None),
        ("٥", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_obeyed_up_to_a_cap(header: str | None, seconds: int | None) -> None:
    pause = backoff.retry_after(header, timedelta(hours=1), NOW)
    assert pause == (None if seconds is None else timedelta(seconds=seconds))


def test_a_date_in_retry_after_means_nothing_without_a_clock() -> None:
    assert backoff.retry_after("Sun, 22 Nov 2026 10:01:00 GMT") is None


# refusals


def test_a_refusal_has_a_code_for_us_and_a_sentence_for_people() -> None:
    late = refusals.TooLate("ballot", "The voting is closed.")
    assert (late.code, late.sentence) == ("ballot", "The voting is closed.")
    assert isinstance(late, refusals.OutOfTime)
    assert refusals.NotAllowed("convene").power == refusals.NotAllowed("convene").code == "convene"
    wrong = refusals.Invalid({"title": "Say what it is about.", "closes": "Too soon."})
    assert wrong.fields["closes"] == "Too soon."
    assert wrong.sentence == "Say what it is about. Too soon."
    assert all(
        issubclass(kind, refusals.Refusal)
        for kind in (refusals.NotFound, refusals.Conflict, refusals.TooMany)
    )
