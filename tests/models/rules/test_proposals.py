"""Proposals: whose version is in force, what amendments may do to them, and that all who hold the same records say the same."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import proposals
from models.rules.records import BadRecord, Record
from models.rules.terms import left_out, recompute
from tests.models.rules.builders import HOUR, MINUTE, START, WORDS, Joint, key

LATER = START + 30 * MINUTE
SECOND = timedelta(seconds=1)


def gathered(by: str = "oak/1", **fields: Any) -> tuple[Joint, Record]:
    """Three collectives of two circles that have answered, and a proposal of one circle."""
    one = Joint(**fields)
    for name in one.names:
        one.answer(name)
    return one, one.option(by)


def change(one: Joint, of: Record, by: str = "elm/1", at: datetime = LATER) -> Record:
    return one.say("Option", by, at, title=WORDS, round=1, amends=of.digest)


def take_in(one: Joint, version: Record, by: str = "oak/1", at: datetime = LATER + MINUTE) -> Record:
    return one.say("Integrate", by, at, option=version.digest)


def decline(one: Joint, version: Record, by: str = "oak/1", at: datetime = LATER + MINUTE) -> Record:
    return one.say("Decline", by, at, option=version.digest, reason=WORDS)


def lines(one: Joint, now: datetime = LATER + HOUR) -> list[list[Record]]:
    return [list(each.versions) for each in one.standing(now).proposals]


def codes(one: Joint) -> dict[Record, str]:
    return {each.record: each.code for each in one.standing(one.wait).ignored}


def test_what_another_circle_would_change_waits_for_the_author_and_takes_no_place() -> None:
    one, option = gathered()
    wish = change(one, option)
    view = one.standing(LATER)
    assert (view.options, [each.option for each in view.amendments]) == ((option,), [wish])
    assert view.amendments[0].first == option
    assert one.freeze()["options"] == [option.digest]
    assert wish not in codes(one)


def test_what_the_author_takes_in_is_voted_on_in_the_place_of_what_it_changes() -> None:
    one, option = gathered(method="approval")
    other = one.option("elm/2", at=START + 21 * MINUTE)
    wish = change(one, option)
    taken = take_in(one, wish)
    view = one.standing(LATER + HOUR)
    assert (view.options, view.amendments) == ((wish, other), ())
    assert view.proposals[0].integrates == (taken,)
    assert [each.since for each in view.proposals] == [taken.at, other.at]
    terms = one.freeze()
    assert terms["options"] == [wish.digest, other.digest]
    assert terms["integrates"] == [taken.digest]


def test_the_author_changes_their_own_proposal_without_asking_anybody() -> None:
    one, option = gathered()
    second = change(one, option, by="oak/1")
    third = change(one, second, by="oak/1", at=LATER)  # within one second, whatever the digests
    assert lines(one) == [[option, second, third]]
    assert "integrates" not in one.freeze().body


def test_who_wrote_a_version_does_not_own_the_proposal() -> None:
    one, option = gathered()
    wish = change(one, option)
    take_in(one, wish)
    more = change(one, wish, by="elm/1", at=LATER + 2 * MINUTE)
    refused = take_in(one, more, by="elm/1", at=LATER + 3 * MINUTE)
    assert lines(one) == [[option, wish]]
    assert codes(one)[refused] == "not-entitled"
    take_in(one, more, at=LATER + 3 * MINUTE)
    assert lines(one) == [[option, wish, more]]


def test_of_two_changes_of_one_version_the_one_taken_in_first_stands() -> None:
    one, option = gathered()
    first, second = change(one, option, "elm/1"), change(one, option, "ash/1")
    take_in(one, second, at=LATER + MINUTE)
    late = take_in(one, first, at=LATER + 2 * MINUTE)
    assert lines(one) == [[option, second]]
    assert codes(one)[late] == "not-current"
    assert [each.option for each in one.standing(LATER + HOUR).amendments] == [first]


def test_declining_says_why_and_takes_nothing_away_from_what_is_taken_in() -> None:
    one, option = gathered()
    wish = change(one, option)
    no = decline(one, wish)
    assert one.standing(LATER + HOUR).amendments[0].declined == no
    take_in(one, wish, at=LATER + 2 * MINUTE)
    view = one.standing(LATER + HOUR)
    assert (view.options, view.amendments) == ((wish,), ())


def test_the_first_word_against_an_amendment_is_the_one_that_is_shown() -> None:
    one, option = gathered()
    wish = change(one, option)
    decline(one, wish, at=LATER + 5 * MINUTE)
    first = decline(one, wish, at=LATER + 4 * MINUTE)
    assert one.standing(LATER + HOUR).amendments[0].declined == first


def test_what_has_no_business_here_is_listed_with_its_reason() -> None:
    one, option = gathered(changed={"opensAt": START + 3 * HOUR})
    wish = change(one, option)
    nothing = change(one, one.offer, by="elm/2")
    strange = one.say("Option", "box/1", LATER, title=WORDS, round=1, amends=option.digest)
    late_wish = change(one, option, by="elm/2", at=START + HOUR + SECOND)
    found = {
        nothing: "amends-nothing",
        strange: "not-entitled",
        late_wish: "proposed-late",
        take_in(one, wish, by="elm/1"): "not-entitled",
        take_in(one, wish, at=START + HOUR + SECOND): "proposed-late",
        take_in(one, wish, at=START - SECOND): "before-offer",
        take_in(one, option): "no-option",
        decline(one, wish, by="elm/1"): "not-entitled",
        decline(one, nothing): "no-option",
        decline(one, wish, at=START + 3 * HOUR): "after-opening",
    }
    assert codes(one) == {**found}
    kept = decline(one, wish, at=START + 3 * HOUR - SECOND)
    assert one.standing(one.wait).amendments[0].declined == kept


def test_where_only_the_convener_proposes_nobody_else_amends() -> None:
    one, option = gathered("oak", changed={"options": "convener"})
    wish = change(one, option, by="elm/1")
    assert one.standing(LATER).amendments == ()
    assert codes(one)[wish] == "not-entitled"


def test_an_amendment_of_a_proposal_too_many_amends_nothing() -> None:
    one, _option = gathered()
    beyond = one.option("elm/1", at=START + 25 * MINUTE)
    wish = change(one, beyond, by="elm/1")
    assert (codes(one)[beyond], codes(one)[wish]) == ("one-too-many", "amends-nothing")


def test_a_decline_says_why() -> None:
    one, option = gathered()
    with pytest.raises(BadRecord):
        one.say("Decline", "oak/1", LATER, option=change(one, option).digest)


def test_a_proposal_has_so_many_versions_and_terms_list_so_many_integrates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, option = gathered()
    at = option
    for number in range(4):
        at = change(one, at, by="elm/1", at=LATER + number * MINUTE)
        take_in(one, at, at=LATER + number * MINUTE)
    assert len(lines(one)[0]) == 5
    monkeypatch.setattr(proposals, "MOST_INTEGRATED", 3)
    assert len(lines(one)[0]) == 4
    monkeypatch.setattr(proposals, "MOST_VERSIONS", 3)
    assert len(lines(one)[0]) == 3


def test_who_takes_in_much_takes_no_room_from_other_proposals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MOST_INTEGRATED", 5)  # one for each of five
    one, first = gathered(method="approval")
    second = one.option("ash/1", at=START + 25 * MINUTE)
    wish = change(one, first)
    take_in(one, wish)
    more = change(one, wish)
    beyond = take_in(one, more)
    other = change(one, second)
    take_in(one, other, by="ash/1")
    assert lines(one) == [[first, wish], [second, other]]
    assert codes(one)[beyond] == "not-current"


def frozen_with_two_versions() -> tuple[Joint, list[Record]]:
    one, option = gathered()
    wish = change(one, option)
    taken = take_in(one, wish)
    one.terms = one.freeze()
    one.ack("oak")
    return one, [option, wish, taken]


def test_terms_are_recomputed_from_what_they_list_and_the_versions_behind_it() -> None:
    one, parts = frozen_with_two_versions()
    held = {each.digest: each for each in one.records}
    frozen, missing = recompute(one.offer, one.terms, held)
    assert frozen is not None
    assert missing == ()
    assert [list(each.versions) for each in frozen.proposals] == [parts[:2]]
    for lost in parts:
        without = {digest: each for digest, each in held.items() if digest != lost.digest}
        assert recompute(one.offer, one.terms, without) == (None, (lost.digest,))


def test_terms_with_a_version_that_nobody_took_in_are_wrong() -> None:
    one, option = gathered()
    wish = change(one, option)
    held = {each.digest: each for each in one.records}
    forged = one.freeze(options=[wish.digest])
    assert recompute(one.offer, forged, held) == (None, ())
    both = take_in(one, wish)
    held[both.digest] = both
    assert recompute(one.offer, one.freeze(options=[option.digest]), held) == (None, ())
    assert recompute(one.offer, one.freeze(integrates=[both.digest]), held)[0] is not None


def test_terms_that_leave_out_what_was_taken_in_are_objected_to() -> None:
    one, option = gathered()
    before = one.freeze()
    wish = change(one, option)
    taken = take_in(one, wish)
    held = {each.digest: each for each in one.records}
    assert left_out(one.offer, before, held) == (wish.digest, taken.digest)


def test_what_comes_after_the_terms_is_not_in_them() -> None:
    one, parts = frozen_with_two_versions()
    late = change(one, parts[1], by="oak/1", at=LATER + 5 * MINUTE)
    wish = change(one, parts[1], by="ash/1", at=LATER + 6 * MINUTE)
    view = one.standing(one.opens)
    assert view.options == (parts[1],)
    assert codes(one)[late] == "not-in-terms"
    assert [each.option for each in view.amendments] == [wish]


STEP = st.tuples(
    st.sampled_from(["Option", "Integrate", "Decline"]),
    st.sampled_from(["oak/1", "oak/2", "elm/1", "yew/1", "oak"]),
    st.integers(0, 9),  # which of the options made so far
    st.integers(0, 70),  # minutes
)


def made_of(one: Joint, steps: list[Any]) -> None:
    for type_, by, which, minutes in steps:
        options = [each for each in one.records if each.type == "Option"]
        at, of = START + minutes * MINUTE, options[which % len(options)]
        if type_ == "Option":
            change(one, of, by, at)
        elif type_ == "Integrate":
            take_in(one, of, by, at)
        else:
            decline(one, of, by, at)


@given(st.lists(STEP, max_size=14), st.randoms(use_true_random=False))
def test_order_and_repeats_mean_nothing_and_every_version_has_one_place(steps: list[Any], dice: Any) -> None:
    one, _option = gathered(method="approval")
    one.option("elm/1", at=START + 21 * MINUTE)
    made_of(one, steps)
    view = one.standing(LATER + 2 * HOUR)
    one.records += dice.choices(one.records, k=4)
    dice.shuffle(one.records)
    again = one.standing(LATER + 2 * HOUR)
    assert (again.proposals, set(again.amendments)) == (view.proposals, set(view.amendments))
    assert again.ignored == view.ignored
    placed = [version for each in view.proposals for version in each.versions]
    placed += [each.option for each in view.amendments]
    placed += [each.record for each in view.ignored if each.record.type == "Option"]
    assert sorted(each.digest for each in placed) == sorted(
        {each.digest for each in one.records if each.type == "Option"}
    )
    assert len(view.proposals) == 2


@given(st.lists(STEP, max_size=14))
def test_nobody_but_the_author_moves_a_proposal(steps: list[Any]) -> None:
    one, option = gathered()
    made_of(one, [step for step in steps if step[1] != "oak/1"])
    assert one.standing(LATER + 2 * HOUR).options == (option,)


@given(st.lists(STEP, max_size=14))
def test_terms_made_of_anything_are_recomputed_by_everybody_and_left_nothing_out(steps: list[Any]) -> None:
    one, _option = gathered()
    made_of(one, steps)
    terms = one.freeze(at=START + 80 * MINUTE)
    held = {each.digest: each for each in one.records}
    frozen, missing = recompute(one.offer, terms, held)
    assert frozen is not None
    assert missing == ()
    assert left_out(one.offer, terms, held) == ()
    assert [each.digest for each in frozen.options] == terms["options"]
    assert frozen.proposals == one.standing(START + 80 * MINUTE).proposals
    assert key("oak/1") == frozen.proposals[0].author
