"""Charters: what is less and what is more, and how much a charter may ask for."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import charters
from models.rules.charters import PARAMETERS, SOFTWARE, STRICTEST, Charter, Parameter, Value
from models.rules.methods import at_least, more_than

SHARES = st.tuples(st.integers(0, 12), st.integers(1, 12)).filter(lambda one: one[0] <= one[1])
MAJORITIES = st.tuples(SHARES, st.integers(0, 1)).map(lambda one: (*one[0], one[1]))
ANY: dict[str, st.SearchStrategy[Value]] = {
    "time": st.integers(0, 90 * charters.DAY),
    "share": SHARES,
    "majority": MAJORITIES,
}
CHARTERS = st.fixed_dictionaries({name: st.sampled_from(one.steps) for name, one in PARAMETERS.items()})
ASKED = st.fixed_dictionaries({name: ANY[one.kind] for name, one in PARAMETERS.items()})


def needed(majority: Value, of: int) -> int:
    """How many of so many a majority takes, by the rule that counts."""
    assert isinstance(majority, tuple)
    part, whole, more = majority
    return (more_than if more else at_least)((part, whole), of)


@given(MAJORITIES, MAJORITIES, st.integers(1, 60))
def test_what_is_enough_of_a_majority_never_takes_fewer_circles(least: Value, asked: Value, of: int):
    if charters.is_enough(least, asked):
        assert needed(asked, of) >= needed(least, of)


@given(SHARES, SHARES, st.integers(1, 60))
def test_what_is_enough_of_a_quorum_never_takes_fewer_circles(least: Value, asked: Value, of: int):
    if charters.is_enough(least, asked):
        assert at_least(asked, of) >= at_least(least, of)  # type: ignore[arg-type]


@given(CHARTERS, ASKED)
def test_what_is_raised_is_enough_and_what_was_enough_is_as_it_was(charter: Charter, asked: Charter):
    raised = charters.raised(charter, asked)
    assert charters.too_little(charter, raised) == []
    short = charters.too_little(charter, asked)
    assert {name for name in raised if raised[name] != asked[name]} == set(short)
    assert all(raised[name] == charter[name] for name in short)
    assert charters.raised(charter, raised) == raised


@given(CHARTERS)
def test_a_charter_is_read_as_it_was_stored(charter: Charter):
    told: dict[str, Any] = json.loads(json.dumps(charters.stored(charter)))
    assert charters.charter_of(told) == charter
    assert charters.not_offered(charter) == []
    assert charters.too_little(SOFTWARE, charter) == []
    assert charters.too_little(charter, STRICTEST) == []


@given(CHARTERS, CHARTERS)
def test_what_changed_is_what_differs(before: Charter, after: Charter):
    names = charters.changed(before, after)
    assert {**before, **{name: after[name] for name in names}} == after
    assert (names == []) == (before == after)


@given(CHARTERS, st.sampled_from([*PARAMETERS]), st.data())
def test_only_the_steps_are_offered(charter: Charter, name: str, data: st.DataObject):
    other = data.draw(ANY[PARAMETERS[name].kind].filter(lambda value: value not in PARAMETERS[name].steps))
    assert charters.not_offered({**charter, name: other}) == [name]
    assert charters.not_offered({n: value for n, value in charter.items() if n != name}) == [name]


def test_a_charter_stored_before_there_was_a_parameter_asks_for_what_comes_with_the_software():
    assert charters.charter_of({"window": 86_400, "once": 7}) == {**SOFTWARE, "window": 86_400}


def test_however_strict_a_charter_is_it_can_be_changed_within_22_days():
    """And a third of the circles can be silent, where there are three or more."""
    assert timedelta(seconds=charters.seconds(STRICTEST)) == timedelta(days=22)
    assert all(at_least(STRICTEST["quorum"], 3 * n) <= 2 * n for n in range(1, 20))  # type: ignore[arg-type]


def test_what_comes_with_the_software_is_what_offers_may_say_at_least():
    assert SOFTWARE == {
        "gather": 0,
        "window": 300,
        "grace": 60,
        "challenge": 0,
        "quorum": (0, 1),
        "threshold": (1, 2, 1),
    }


@pytest.mark.parametrize("one", PARAMETERS.values(), ids=PARAMETERS)
def test_every_step_has_words_of_its_own(one: Parameter):
    words = [str(one.words(step)) for step in one.steps]
    assert len(set(words)) == len(words)
    assert not [said for said in words if any(letter in said for letter in "(){}")]


def test_a_refusal_says_what_the_charter_asks_for():
    assert charters.says("window", {**SOFTWARE, "window": 7 * charters.DAY}) == (
        "Our charter says: at least 7 days."
    )
    assert charters.says("threshold", SOFTWARE) == "Our charter says: more than half."


def test_a_table_with_steps_that_do_not_go_up_or_a_name_twice_is_refused():
    one = PARAMETERS["window"]
    for rows in ((one, one), (Parameter("window", "time", one.label, (60, 60)),)):
        with pytest.raises(ValueError, match=r"twice|go up"):
            charters._table(*rows)
