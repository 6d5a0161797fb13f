"""Terms: what is frozen is a pure function of what it lists, and acknowledgements decide which terms hold."""

from datetime import timedelta
from typing import Any

import pytest

from models.rules.merkle import tree_root
from models.rules.records import key_bytes
from models.rules.terms import LISTED, NoTerms, compute, keepers, left_out, recompute, roll_root
from tests.models.rules.builders import HOUR, MINUTE, NAMES, START, WORDS, Joint, joint, key, listed, offer

SECOND = timedelta(seconds=1)


def answered(**fields: Any) -> Joint:
    """Three collectives that have answered, with one option."""
    one = Joint(**fields)
    for name in one.names:
        one.answer(name)
    one.option()
    return one


def fields_of(one: Joint) -> dict[str, Any]:
    return compute(one.offer, {kind: [r for r in one.records if r.type == kind] for kind in LISTED})


def test_the_roll_is_every_circle_of_those_who_take_part_sorted_by_key() -> None:
    one = answered(takes={"elm": "advisory", "ash": "declines"})
    fields = fields_of(one)
    roll = sorted(map(key, one.circles_of("oak") + one.circles_of("elm")))
    assert fields["roll"] == roll
    assert fields["rollRoot"] == tree_root([key_bytes(k) for k in roll]).hex() == roll_root(reversed(roll))
    assert fields["keepers"] == sorted([key("oak!"), key("elm!")])
    assert len(fields["answers"]) == 2


def test_the_last_answer_stands_and_a_later_no_is_a_no() -> None:
    one = answered()
    later = one.answer("elm", takes="advisory", at=START + 30 * MINUTE)
    assert later.digest in fields_of(one)["answers"]
    one.answer("elm", takes="declines", circles=[], keeps=False, at=START + 31 * MINUTE)
    assert len(fields_of(one)["answers"]) == 2


def test_of_two_answers_of_one_second_the_lower_digest_stands() -> None:
    one = answered()
    again = [one.answer("elm", keeps=False), one.answer("elm", takes="advisory")]
    first = next(r for r in one.records if r.type == "Answer" and r.by == key("elm"))
    assert min(r.digest for r in (first, *again)) in fields_of(one)["answers"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"at": START + HOUR + SECOND}, "answered-late"), ({"round": 2}, "other-round")],
)
def test_an_answer_out_of_time_or_of_another_round_has_no_effect(changed: dict[str, Any], code: str) -> None:
    one = Joint()
    late = one.answer("elm", **changed)
    assert [i.code for i in one.standing(START + 2 * HOUR).ignored if i.record == late] == [code]


def test_who_was_not_invited_has_no_voice() -> None:
    one = answered()
    barged = one.answer("fir")
    fields = fields_of(one)
    assert barged.digest not in fields["answers"]
    assert key("fir/1") not in fields["roll"]
    assert [i.code for i in one.standing(START + HOUR).ignored if i.record == barged] == ["not-invited"]


def test_a_circle_that_two_collectives_list_is_on_neither_roll() -> None:
    one = Joint(NAMES[:2])
    one.answer("oak")
    both = [listed("oak/1", 3), listed("elm/1", 3)]
    one.answer("elm", circles=both)
    one.option()
    assert fields_of(one)["roll"] == sorted([key("oak/2"), key("elm/1")])


def test_a_circle_that_is_too_small_votes_only_as_an_assembly() -> None:
    one = Joint(NAMES[:2], {"oak": 2, "elm": 1}, changed={"minCircle": 3})
    sizes = [listed("oak/1", 2), listed("oak/2", 3)]
    one.answer("oak", circles=sizes)
    one.answer("elm", circles=[listed("elm/1", 1)])
    one.option()
    assert fields_of(one)["roll"] == sorted([key("oak/2"), key("elm/1")])


def test_at_most_so_many_instances_keep_the_scope_drawn_by_its_digest() -> None:
    one = answered(names=NAMES[:5], changed={"maxKeepers": 3})
    answers = {r.by: r for r in one.records if r.type == "Answer"}
    chosen = keepers(one.offer, answers)
    assert len(chosen) == 3
    assert chosen == sorted(chosen) == fields_of(one)["keepers"]
    others = {tuple(keepers(offer(NAMES[:5], maxKeepers=3, grace=60 + n), answers)) for n in range(20)}
    assert len(others) > 1


def test_only_those_who_offered_keep() -> None:
    assert fields_of(answered(keep=["elm"]))["keepers"] == [key("elm!")]


@pytest.mark.parametrize(
    ("fields", "option", "code"),
    [
        ({"keep": []}, True, "no-keepers"),
        ({}, False, "too-few-options"),
        ({"takes": dict.fromkeys(NAMES[:3], "declines")}, False, "nobody-bound"),
        ({"takes": dict.fromkeys(NAMES[:3], "advisory")}, True, "nobody-bound"),
        ({"names": NAMES[:5], "circles": 60}, True, "roll-too-large"),
        ({"method": "approval"}, True, "too-few-options"),
    ],
)
def test_terms_that_nobody_could_vote_on_are_not_made(
    fields: dict[str, Any], option: bool, code: str
) -> None:
    one = Joint(**fields)
    for name in one.names:
        one.answer(name)
    if option:
        one.option()
    with pytest.raises(NoTerms) as refused:
        fields_of(one)
    assert refused.value.code == code
    assert one.standing(START + HOUR).terms_problem == code
    assert one.standing(START + HOUR - SECOND).state == "gathering"
    assert one.standing(START + HOUR).state == "lapsed"


def test_options_are_the_first_by_date_of_those_entitled_in_time() -> None:
    one = Joint(method="approval", changed={"maxOptions": 2})
    for name in one.names:
        one.answer(name)
    late = one.option("oak", START + HOUR + SECOND)
    third = one.option("elm/1", START + 40 * MINUTE)
    second = one.option("elm", START + 30 * MINUTE)
    foreign = one.option("fir/1", START + 10 * MINUTE)
    first = one.option("oak/2", START + 20 * MINUTE)
    assert fields_of(one)["options"] == [first.digest, second.digest]
    codes = {i.record: i.code for i in one.standing(START + 2 * HOUR).ignored}
    assert codes == {late: "proposed-late", third: "one-too-many", foreign: "not-entitled"}


def test_the_convener_can_keep_the_options_to_itself() -> None:
    one = Joint(changed={"options": "convener"})
    for name in one.names:
        one.answer(name)
    one.option("elm/1", START + MINUTE)
    ours = one.option("oak/1", START + 2 * MINUTE)
    assert fields_of(one)["options"] == [ours.digest]


def test_nobody_takes_an_option_from_the_convener_by_listing_its_circle() -> None:
    one = Joint(NAMES[:2], changed={"options": "convener"})
    one.answer("oak")
    one.answer("elm", circles=[listed("oak/1", 3)])
    ours = one.option("oak/1")
    assert fields_of(one)["options"] == [ours.digest]


def test_what_is_said_for_another_round_has_no_effect_in_this_one() -> None:
    one = answered()
    option = one.say("Option", "oak", START + 30 * MINUTE, title=WORDS, round=2)
    terms = one.freeze(round=2)
    codes = {i.record: i.code for i in one.standing(one.opens).ignored}
    assert codes[option] == codes[terms] == "other-round"


def test_anybody_recomputes_terms_from_what_they_list() -> None:
    one = joint()
    held = {r.digest: r for r in one.records}
    frozen, missing = recompute(one.offer, one.terms, held)
    assert frozen is not None
    assert not missing
    assert set(frozen.circles) == {key(c) for c in one.roll}
    assert frozen.circles[key("elm/2")].instance == key("elm!")
    assert frozen.foreign_keepers(key("elm!")) == {key("oak!"), key("ash!")}
    assert list(frozen.electorate("binding")) == sorted(map(key, one.names))
    lost = one.terms["answers"][1]
    assert recompute(one.offer, one.terms, {d: r for d, r in held.items() if d != lost}) == (None, (lost,))


@pytest.mark.parametrize(
    "changed",
    [
        {"roll": sorted(key(f"{n}") for n in range(6))},
        {"rollRoot": WORDS},
        {"keepers": [key("oak!")]},
        {"options": []},
        {"answers": []},
    ],
)
def test_terms_that_are_not_what_they_list_have_no_effect(changed: dict[str, Any]) -> None:
    one = answered()
    one.terms = one.freeze(**changed)
    for name in one.names:
        one.ack(name)
    view = one.standing(one.opens)
    assert view.terms is None
    assert (one.terms, "terms-wrong") in {(i.record, i.code) for i in view.ignored}


def test_terms_that_list_something_of_another_kind_are_wrong() -> None:
    one = answered()
    held = {r.digest: r for r in one.records}
    good = one.freeze()
    answer, option = good["answers"][0], good["options"][0]
    for body in ({"answers": sorted([*good["answers"], option])}, {"options": [answer]}):
        assert recompute(one.offer, one.freeze(**body), held) == (None, ())


def test_terms_without_an_acknowledgement_are_not_in_effect_yet() -> None:
    one = Joint().prepare(acks=[])
    assert one.standing(one.opens).state == "deliberating"
    one.ack("ash", at=one.opens + HOUR)
    assert one.standing(one.opens + HOUR).state == "voting"
    assert one.standing(one.opens + HOUR).terms == one.terms


def test_terms_that_nobody_acknowledged_by_the_close_never_take_effect() -> None:
    one = Joint().prepare(acks=[])
    one.ack("oak", at=one.closes + SECOND)
    assert one.standing(one.closes - SECOND).state == "deliberating"
    assert one.standing(one.closes).state == "lapsed"


def test_terms_dated_before_everything_is_in_have_no_effect() -> None:
    one = answered()
    early = one.freeze(at=START + HOUR - SECOND)
    one.ack("oak", early)
    view = one.standing(START + HOUR)
    assert view.terms is None
    assert (early, "terms-early") in {(i.record, i.code) for i in view.ignored}


def test_another_collective_may_propose_terms_once_the_voting_should_have_opened() -> None:
    one = answered()
    early = one.freeze("elm", START + 90 * MINUTE)
    fallback = one.freeze("elm", one.opens)
    one.ack("ash", early, at=one.opens + MINUTE)
    one.ack("elm", fallback, at=one.opens + MINUTE)
    view = one.standing(one.opens + HOUR)
    assert (view.state, view.terms, view.double_terms) == ("voting", fallback, ())


def test_a_stranger_proposes_no_terms() -> None:
    one = answered()
    one.terms = one.freeze("fir", one.opens)
    one.ack("oak")
    assert one.standing(one.opens).terms is None


def test_the_terms_that_most_instances_acknowledged_hold_then_the_conveners() -> None:
    one = answered()
    ours, theirs = one.freeze("oak", one.opens), one.freeze("elm", one.opens)
    one.ack("oak", ours, at=one.opens)
    one.ack("elm", theirs, at=one.opens)
    assert one.standing(one.opens + HOUR).terms == ours
    one.ack("ash", theirs, at=one.opens)
    assert one.standing(one.opens + HOUR).terms == theirs


def test_between_two_others_the_lower_key_has_the_terms() -> None:
    one = answered()
    by = {key(name): one.freeze(name, one.opens) for name in ("elm", "ash")}
    one.ack("elm", by[key("elm")], at=one.opens)
    one.ack("ash", by[key("ash")], at=one.opens)
    assert one.standing(one.opens).terms == by[min(by)]


def test_only_the_first_acknowledgement_of_an_answering_instance_counts() -> None:
    one = answered()
    ours, theirs = one.freeze("oak", one.opens), one.freeze("elm", one.opens)
    one.ack("oak", ours, at=one.opens)
    for terms, minutes in ((ours, 1), (theirs, 2)):
        one.ack("ash", terms, at=one.opens + minutes * MINUTE)
    one.ack("elm", theirs, at=one.opens)
    one.ack("fir", theirs, at=one.opens)  # answers for nobody
    assert one.standing(one.opens + HOUR).terms == ours


def test_two_terms_of_the_convener_make_the_round_void() -> None:
    one = joint()
    second = one.freeze(at=one.opens + HOUR)
    for now in (one.opens + HOUR, one.closes, one.challenge):
        view = one.standing(now)
        assert view.state == "void"
        assert set(view.double_terms) == {one.terms, second}
        assert view.outcome is None


def test_a_flood_of_terms_is_not_all_read_and_hides_nothing() -> None:
    one = joint()
    flood = [one.freeze("elm", one.opens + n * MINUTE, rollRoot=WORDS) for n in range(30)]
    view = one.standing(one.closes)
    assert (view.state, view.terms) == ("closing", one.terms)
    codes = [i.code for i in view.ignored if i.record in flood]
    assert (codes.count("terms-wrong"), codes.count("one-too-many")) == (8, 22)


def test_two_terms_that_turn_up_when_the_keepers_have_agreed_undo_nothing() -> None:
    one = joint()
    for circle in one.roll:
        one.vote(circle)
    one.finish()
    second = one.freeze(at=one.opens)
    before, after = one.standing(one.challenge - SECOND), one.standing(one.challenge)
    assert (before.state, after.state) == ("provisional", "final")
    assert second in after.double_terms


def test_the_first_of_two_terms_may_arrive_second() -> None:
    one = joint()
    second = one.freeze(at=one.opens + HOUR)
    alone = [r for r in one.records if r not in (one.terms, second)]
    one.records = [*alone, second, one.terms]
    assert one.standing(one.closes).state == "void"


def test_two_terms_of_somebody_whose_terms_do_not_hold_harm_nothing() -> None:
    one = joint()
    one.freeze("elm", one.opens)
    one.freeze("elm", one.opens + MINUTE)
    assert one.standing(one.opens + HOUR).state == "voting"


def test_two_fallback_terms_of_one_signer_make_the_round_void_if_they_would_hold() -> None:
    one = answered()
    first, second = one.freeze("elm", one.opens), one.freeze("elm", one.opens + MINUTE)
    one.ack("ash", first, at=one.opens + MINUTE)
    view = one.standing(one.opens + HOUR)
    assert view.state == "void"
    assert set(view.double_terms) == {first, second}


def test_what_terms_left_out_is_named_for_an_objection() -> None:
    one = answered()
    terms = one.freeze()
    held = {r.digest: r for r in one.records}
    assert left_out(one.offer, terms, held) == ()
    assert left_out(one.offer, terms, {terms.digest: terms}) == ()
    missed = one.answer("elm", takes="advisory", at=START + 50 * MINUTE)
    held[missed.digest] = missed
    assert left_out(one.offer, terms, held) == (missed.digest,)
    objection = one.say("TermsObjection", "elm!", START + 2 * HOUR, terms=terms.digest, missing=missed.digest)
    foreign = one.say("TermsObjection", "fir!", START + 2 * HOUR, terms=terms.digest, missing=missed.digest)
    view = one.standing(START + 2 * HOUR)
    assert view.terms_objections == (objection,)
    assert (foreign, "not-answering") in {(i.record, i.code) for i in view.ignored}


def test_the_view_says_who_answered_and_who_acknowledged() -> None:
    one = Joint(takes={"ash": "declines"}).prepare(acks=["oak"])
    view = one.standing(one.opens)
    assert {by: a["takes"] for by, a in view.answers.items()} == {
        key("oak"): "binding",
        key("elm"): "binding",
        key("ash"): "declines",
    }
    assert {a.collective: a.ack is not None for a in view.acks} == {key("oak"): True, key("elm"): False}
    assert [view.acknowledged(key(name)) for name in ("oak!", "elm!")] == [True, False]
    assert view.invited == (key("oak"), *one.offer["invited"])
    assert view.frozen is not None
    assert view.frozen.instances == {key("oak!"), key("elm!")}


def test_an_option_dated_before_the_offer_takes_nobodys_place() -> None:
    one = Joint(NAMES[:2])
    for name in one.names:
        one.answer(name)
    early = one.option("elm", START - MINUTE)
    proper = one.option("oak", START + 20 * MINUTE)
    view = one.standing(START + 30 * MINUTE)
    assert view.options == (proper,)
    assert {i.record: i.code for i in view.ignored}[early] == "before-offer"


def test_the_conveners_own_options_come_first_whatever_their_dates() -> None:
    one = Joint(NAMES[:2])
    for name in one.names:
        one.answer(name)
    first = one.option("elm", START + MINUTE)
    own = one.option("oak", START + 20 * MINUTE)
    view = one.standing(START + 30 * MINUTE)
    assert view.options == (own,)
    assert {i.record: i.code for i in view.ignored}[first] == "one-too-many"


def test_an_acknowledgement_of_terms_that_nobody_knows_does_not_use_up_an_instances_voice() -> None:
    one = Joint(NAMES[:2])
    for name in one.names:
        one.answer(name)
    one.option()
    one.terms = one.freeze()
    one.say("TermsAck", "elm!", START + 80 * MINUTE, terms="0" * 64)
    one.ack("elm")
    assert one.standing(one.opens).terms == one.terms
