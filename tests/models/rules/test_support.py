"""Support: whose word counts, which of a circle's words stands, and that none of it decides anything."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.records import BadRecord, Record
from models.rules.support import Backing
from tests.models.rules.builders import HOUR, MINUTE, START, WORDS, Joint, key

SECOND = timedelta(seconds=1)
LATER = START + 30 * MINUTE
SAYS = ("support", "concern", "none")


def gathered(**fields: Any) -> tuple[Joint, Record]:
    """Three collectives of two circles that have answered, and a proposal."""
    one = Joint(**fields)
    for name in one.names:
        one.answer(name)
    return one, one.option()


def say(
    one: Joint, circle: str, option: Record, says: str = "support", seq: int = 1, at: datetime = LATER
) -> Record:
    reason = WORDS if says == "concern" else None
    return one.say("Support", circle, at, option=option.digest, says=says, seq=seq, reason=reason)


def amended(one: Joint, option: Record, by: str = "elm/1") -> Record:
    return one.say("Option", by, LATER, title=WORDS, round=1, amends=option.digest)


def of(one: Joint, option: Record, now: datetime = LATER) -> Backing:
    return one.standing(now).support[option.digest]


def codes(one: Joint) -> dict[Record, str]:
    return {i.record: i.code for i in one.standing(one.wait).ignored}


def test_every_circle_on_the_roll_is_counted_and_those_that_speak_are_named() -> None:
    one, option = gathered()
    yes, but = say(one, "oak/1", option), say(one, "elm/2", option, "concern")
    assert of(one, option) == Backing({key("oak/1"): yes}, {key("elm/2"): but}, {}, 6)


def test_the_roll_is_the_frozen_one_as_soon_as_there_are_terms() -> None:
    one, option = gathered(takes={"ash": "declines"})
    assert of(one, option).of == 4
    one.terms = one.freeze()
    one.ack("oak")
    say(one, "oak/1", option)
    found = of(one, option, one.opens)
    assert (found.of, set(found.support)) == (4, {key("oak/1")})


def test_the_highest_number_stands_whatever_its_date_and_none_takes_back() -> None:
    one, option = gathered()
    say(one, "oak/1", option, "support", 1, LATER)
    last = say(one, "oak/1", option, "concern", 2, LATER - MINUTE)
    assert of(one, option).concern == {key("oak/1"): last}
    say(one, "oak/1", option, "none", 3)
    assert of(one, option) == Backing({}, {}, {}, 6)


def test_two_with_the_highest_number_are_set_aside_until_a_higher_one_comes() -> None:
    one, option = gathered()
    both = [say(one, "oak/1", option, "support"), say(one, "oak/1", option, "concern")]
    evidence = tuple(sorted(both, key=lambda record: record.digest))
    assert of(one, option) == Backing({}, {}, {key("oak/1"): evidence}, 6)
    healed = say(one, "oak/1", option, "support", 2)
    assert of(one, option) == Backing({key("oak/1"): healed}, {}, {}, 6)


def test_each_proposal_has_its_own_numbers_and_support_never_moves_to_an_amendment() -> None:
    one, option = gathered()
    first = say(one, "oak/1", option)
    change = amended(one, option)
    assert of(one, option).support == {key("oak/1"): first}
    assert of(one, change) == Backing({}, {}, {}, 6)
    again = say(one, "oak/1", change)
    assert of(one, option).support == {key("oak/1"): first}
    assert of(one, change).support == {key("oak/1"): again}


def test_what_has_no_business_here_is_listed_with_its_reason() -> None:
    one, option = gathered(takes={"ash": "declines"})
    late = say(one, "oak/1", option, at=one.opens)
    in_time = say(one, "oak/2", option, at=one.opens - SECOND)
    early = say(one, "elm/1", option, at=START - SECOND)
    stranger = say(one, "ash/1", option)
    collective = say(one, "oak", option)
    elsewhere = say(one, "elm/2", one.offer)
    found = {record: code for record, code in codes(one).items() if record.type == "Support"}
    assert found == {
        late: "after-opening",
        early: "before-offer",
        stranger: "not-on-roll",
        collective: "not-on-roll",
        elsewhere: "no-option",
    }
    assert of(one, option, one.opens).support == {key("oak/2"): in_time}


def test_a_concern_has_a_reason_and_taking_back_has_none() -> None:
    one, option = gathered()
    with pytest.raises(BadRecord):
        one.say("Support", "oak/1", LATER, option=option.digest, says="concern", seq=1)
    with pytest.raises(BadRecord):
        one.say("Support", "oak/1", LATER, option=option.digest, says="none", seq=1, reason=WORDS)


WORD = st.tuples(
    st.sampled_from(["oak/1", "oak/2", "elm/1", "yew/1"]),
    st.integers(0, 1),
    st.sampled_from(SAYS),
    st.integers(1, 3),
    st.integers(0, 150),
)


@given(st.lists(WORD, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repeats_mean_nothing_and_a_circle_stands_in_one_place(words: list[Any], dice: Any) -> None:
    one, option = gathered()
    both = option, amended(one, option)
    for circle, which, says, seq, minutes in words:
        say(one, circle, both[which], says, seq, START + minutes * MINUTE)
    view = one.standing(one.closes)
    one.records += dice.choices(one.records, k=5)
    dice.shuffle(one.records)
    assert one.standing(one.closes).support == view.support
    for found in view.support.values():
        named = [*found.support, *found.concern, *found.set_aside]
        assert len(set(named)) == len(named) <= found.of
        assert set(named) <= set(map(key, one.roll))


@given(st.lists(WORD, max_size=8))
def test_what_is_decided_is_the_same_without_any_of_it(words: list[Any]) -> None:
    one = Joint().prepare()
    for circle in one.roll:
        one.vote(circle)
    one.finish()
    before = one.standing(one.challenge + HOUR)
    (option,) = before.options
    for circle, _which, says, seq, minutes in words:
        say(one, circle, option, says, seq, START + minutes * MINUTE)
    after = one.standing(one.challenge + HOUR)
    assert (after.state, after.shown, after.coverage) == (before.state, before.shown, before.coverage)
    assert after.frozen == before.frozen
