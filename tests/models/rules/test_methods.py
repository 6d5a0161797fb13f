"""Methods and the double majority: tables of small cases, and properties that hold for all."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rules.counting import Count, could_change, count
from models.rules.methods import (
    METHODS,
    Choice,
    Method,
    Rule,
    Verdict,
    _table,
    at_least,
    choice_of,
    more_than,
)
from models.rules.shapes import CONSENT_POSITIONS, MAJORITY_POSITIONS

SQ = "status-quo"
HALF = Rule((1, 2), (1, 2), (1, 2), "cast", True)
ONE = ["x"]
CONSENT, MAJORITY, APPROVAL = METHODS["consent"], METHODS["majority"], METHODS["approval"]


def decide(
    method: Method, said: Sequence[Choice], of: int, rule: Rule = HALF, options: Sequence[str] = ONE
) -> Verdict:
    return method.decide(rule, options, said, of)


@pytest.mark.parametrize(
    ("said", "of", "outcome", "winner"),
    [
        (["consent"] * 2, 4, "adopted", "x"),
        (["consent"] * 2, 5, "no-quorum", None),
        (["concern"] * 3, 4, "adopted", "x"),
        (["consent"] * 3 + ["object"], 4, "rejected", SQ),
        (["object"], 4, "no-quorum", None),
        (["stand-aside"] * 4, 4, "rejected", SQ),
        (["stand-aside"] * 3 + ["consent"], 4, "adopted", "x"),
        (["not-ready", "no-agreement", "consent"], 5, "adopted", "x"),
        (["not-ready", "no-agreement", "not-ready"], 5, "rejected", SQ),
        ([], 4, "no-quorum", None),
    ],
)
def test_consent_is_enough_circles_at_least_one_willing_and_no_objection(
    said: list[Choice], of: int, outcome: str, winner: str | None
) -> None:
    verdict = decide(CONSENT, said, of)
    assert (verdict.outcome, verdict.winner) == (outcome, winner)


@pytest.mark.parametrize(
    ("yes", "no", "abstain", "of", "rule", "outcome", "needed"),
    [
        (2, 1, 0, 3, HALF, "adopted", 2),
        (2, 2, 0, 4, HALF, "rejected", 3),
        (1, 0, 1, 4, HALF, "adopted", 1),
        (0, 0, 3, 4, HALF, "rejected", 1),
        (2, 2, 0, 4, Rule((1, 2), (1, 2), (1, 2), "cast", False), "adopted", 2),
        (4, 2, 0, 6, Rule((1, 2), (1, 2), (2, 3), "cast", False), "adopted", 4),
        (4, 2, 0, 6, Rule((1, 2), (1, 2), (2, 3), "cast", True), "rejected", 5),
        (3, 0, 0, 6, Rule((1, 2), (1, 2), (1, 2), "eligible", True), "rejected", 4),
        (4, 0, 0, 6, Rule((1, 2), (1, 2), (1, 2), "eligible", True), "adopted", 4),
        (6, 0, 0, 6, Rule((1, 2), (1, 2), (1, 1), "eligible", False), "adopted", 6),
        (1, 0, 0, 6, HALF, "no-quorum", 1),
    ],
)
def test_a_majority_is_a_share_of_those_cast_or_of_all(
    yes: int, no: int, abstain: int, of: int, rule: Rule, outcome: str, needed: int
) -> None:
    verdict = decide(MAJORITY, ["yes"] * yes + ["no"] * no + ["abstain"] * abstain, of, rule)
    assert (verdict.outcome, verdict.needed, verdict.winning) == (outcome, needed, yes)


@pytest.mark.parametrize(
    ("said", "outcome", "winner", "tied"),
    [
        ([("x",), ("x", "y"), ("y", SQ)], "tied", None, ("x", "y")),
        ([("x",), ("x", "y"), (SQ,)], "adopted", "x", ()),
        ([("x", SQ), ("x", SQ), ("y",)], "rejected", SQ, ()),
        ([("x", SQ), ("y", SQ), ("x", SQ)], "rejected", SQ, ()),
        ([(), (), ()], "rejected", SQ, ()),
        ([("x",), (), ()], "adopted", "x", ()),
        ([("x",)], "no-quorum", None, ()),
        ([("x", "y", SQ), ("x", "y", SQ), ("x", "y", SQ)], "rejected", SQ, ()),
    ],
)
def test_approval_elects_who_most_approve_of_if_they_are_more_than_the_status_quo_has(
    said: list[Choice], outcome: str, winner: str | None, tied: tuple[str, ...]
) -> None:
    verdict = decide(APPROVAL, said, 4, options=["x", "y"])
    assert (verdict.outcome, verdict.winner, verdict.tied) == (outcome, winner, tied)


def test_shares_are_whole_numbers_rounded_against_the_convenient_side() -> None:
    assert [at_least((1, 2), n) for n in range(6)] == [1, 1, 1, 2, 2, 3]
    assert [more_than((1, 2), n) for n in range(6)] == [1, 1, 2, 2, 3, 3]
    assert at_least((0, 1), 9) == 1


def test_a_tally_names_what_nobody_said() -> None:
    assert CONSENT.tally(ONE, []) == dict.fromkeys(CONSENT_POSITIONS, 0)
    assert APPROVAL.tally(["x", "y"], [("x",)]) == {"x": 1, "y": 0, SQ: 0}


def test_what_can_be_said_depends_on_the_method() -> None:
    assert CONSENT.fits({"position": "object"}, ONE)
    assert not CONSENT.fits({"position": "yes"}, ONE)
    assert not CONSENT.fits({"choices": []}, ONE)
    assert APPROVAL.fits({"choices": ["x", SQ]}, ["x", "y"])
    assert not APPROVAL.fits({"choices": ["z"]}, ["x", "y"])
    assert not APPROVAL.fits({"position": "yes"}, ["x", "y"])
    assert choice_of({"choices": [SQ, "a"]}) == ("a", SQ)


def test_every_position_but_plain_consent_and_abstaining_needs_a_reason() -> None:
    without = {p for m in METHODS.values() for p in m.positions if not m.needs_reason({"position": p})}
    assert without == {"consent", "abstain"}
    assert APPROVAL.needs_reason({"choices": ["x"]})
    assert not APPROVAL.needs_reason({"choices": []})


def test_the_table_of_methods_has_no_row_twice_and_explains_each() -> None:
    assert all(name == row.name and row.explanation.endswith(".") for name, row in METHODS.items())
    with pytest.raises(ValueError, match="twice"):
        _table(CONSENT, CONSENT)


# the double majority


def counted(electorate: Mapping[str, Sequence[str]], said: Mapping[str, Choice], rule: Rule = HALF) -> Count:
    return count(CONSENT, rule, ONE, electorate, said)


THREE = {"A": ["a1", "a2"], "B": ["b1", "b2"], "C": ["c1", "c2"]}


@pytest.mark.parametrize(
    ("willing", "aside", "outcome", "because"),
    [
        ("a1 a2 b1 b2", "c1 c2", "adopted", None),
        ("a1 a2 b1", "", "adopted", None),
        ("a1 a2", "b1 b2 c1 c2", "rejected", "collectives"),
        ("a1 a2", "b1", "rejected", "collectives"),
        ("a1 b1", "", "no-quorum", "quorum"),
        ("", "a1 b1 c1", "rejected", "circles"),
    ],
)
def test_circles_and_more_than_half_of_the_collectives_must_come_to_the_same(
    willing: str, aside: str, outcome: str, because: str | None
) -> None:
    said = dict.fromkeys(willing.split(), "consent") | dict.fromkeys(aside.split(), "stand-aside")
    one = counted(THREE, said)
    assert (one.outcome, one.because) == (outcome, because)


def test_enough_collectives_must_take_part() -> None:
    one = counted({"A": list("1234567"), "B": ["b"], "C": ["c"]}, dict.fromkeys("1234567", "consent"))
    assert (one.outcome, one.because) == ("no-quorum", "collectives-quorum")
    assert (one.collectives.present, one.collectives.quorum, one.collectives.of) == (1, 2, 3)


def test_a_collective_below_its_own_quorum_is_on_no_side() -> None:
    one = counted({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]}, dict.fromkeys(["a1", "a2", "b1"], "consent"))
    assert [part.verdict.outcome for part in one.parts] == ["adopted", "no-quorum"]
    assert (one.outcome, one.collectives.winning, one.collectives.needed) == ("rejected", 1, 2)


def test_splitting_a_collective_into_many_circles_buys_no_majority() -> None:
    many = {"A": [f"a{n}" for n in range(20)], "B": ["b"], "C": ["c"]}
    said: dict[str, Choice] = dict.fromkeys(many["A"], "yes") | {"b": "no", "c": "no"}
    one = count(MAJORITY, HALF, ONE, many, said)
    assert (one.circles.winning, one.outcome, one.because) == (20, "rejected", "collectives")


def test_one_collective_alone_is_asked_once() -> None:
    one = counted({"A": ["a1", "a2"]}, {"a1": "consent"})
    assert one.outcome == "adopted"
    assert not one.collectives.asked


def test_nobody_decides_nothing() -> None:
    one = counted({}, {})
    assert (one.outcome, one.winner) == ("no-quorum", None)


# properties

SHARES = st.sampled_from([(0, 1), (1, 3), (1, 2), (2, 3)])
RULES = st.builds(Rule, SHARES, SHARES, SHARES, st.sampled_from(["cast", "eligible"]), st.booleans())


def everything(method: Method, options: Sequence[str]) -> list[Choice]:
    """All that a circle can say."""
    if method.positions:
        return list(method.positions)
    named = [*options, SQ]
    return [tuple(sorted(some)) for size in range(len(named) + 1) for some in combinations(named, size)]


@st.composite
def elections(draw: st.DrawFn, collectives: int = 4, circles: int = 4) -> dict[str, Any]:
    method = draw(st.sampled_from(list(METHODS.values())))
    options = ["x"] if method.positions else ["x", "y", "z"][: draw(st.integers(2, 3))]
    sizes = draw(st.lists(st.integers(1, circles), min_size=1, max_size=collectives))
    electorate = {f"C{i}": [f"c{i}.{j}" for j in range(size)] for i, size in enumerate(sizes)}
    said = st.sampled_from(everything(method, options))
    ballots = {c: draw(said) for own in electorate.values() for c in own if draw(st.integers(0, 4))}
    return {
        "method": method,
        "rule": draw(RULES),
        "options": options,
        "electorate": electorate,
        "ballots": ballots,
    }


@given(elections(), st.data())
@settings(max_examples=400, deadline=None)
def test_what_the_unheard_could_change_is_exactly_what_trying_everything_finds(
    election: dict[str, Any], data: st.DataObject
) -> None:
    circles = [c for own in election["electorate"].values() for c in own]
    most = 2 if len(everything(election["method"], election["options"])) > 6 else 3
    unheard = data.draw(st.lists(st.sampled_from(circles), min_size=1, max_size=most, unique=True))
    ballots = {c: said for c, said in election.pop("ballots").items() if c not in unheard}
    now = count(**election, ballots=ballots)
    found = any(
        (then.outcome, then.winner) != (now.outcome, now.winner)
        for filling in product(
            [None, *everything(election["method"], election["options"])], repeat=len(unheard)
        )
        for then in (
            count(
                **election,
                ballots=ballots | {c: s for c, s in zip(unheard, filling, strict=True) if s is not None},
            ),
        )
    )
    assert could_change(**election, ballots=ballots, unheard=unheard) == found


def test_nobody_unheard_changes_nothing() -> None:
    assert not could_change(CONSENT, HALF, ONE, THREE, {}, [])


@given(elections(), st.randoms())
def test_the_count_is_anonymous_and_knows_no_order(election: dict[str, Any], random: Any) -> None:
    """Circles of one collective may trade their ballots, and collectives and ballots come in any order."""
    before = count(**election)
    traded: dict[str, Choice] = {}
    for own in election["electorate"].values():
        cast = [c for c in own if c in election["ballots"]]
        said = [election["ballots"][c] for c in cast]
        random.shuffle(said)
        traded |= dict(zip(cast, said, strict=True))
    names = list(election["electorate"])
    random.shuffle(names)
    after = count(
        **{**election, "ballots": traded, "electorate": {n: election["electorate"][n] for n in names}}
    )
    assert after == before


@given(elections())
def test_the_count_is_neutral_between_options(election: dict[str, Any]) -> None:
    """Options that change names change nothing but names."""
    if election["method"] is not APPROVAL:
        return
    other = {"x": "y", "y": "x"}
    renamed = {c: tuple(sorted(other.get(o, o) for o in said)) for c, said in election["ballots"].items()}
    before, after = count(**election), count(**{**election, "ballots": renamed})
    assert after.outcome == before.outcome
    assert after.winner == other.get(before.winner or "", before.winner)


BETTER = {
    "consent": ["object", "stand-aside", "consent"],
    "majority": ["no", "abstain", "yes"],
}


@given(elections(), st.data())
def test_more_support_never_turns_an_adoption_into_something_else(
    election: dict[str, Any], data: st.DataObject
) -> None:
    before = count(**election)
    if before.outcome != "adopted" or not election["ballots"]:
        return
    circle = data.draw(st.sampled_from(sorted(election["ballots"])))
    said = election["ballots"][circle]
    ladder = BETTER.get(election["method"].name)
    if ladder is None:
        better: Choice = tuple(sorted({*said, before.winner}))
    elif said in ladder:
        better = data.draw(st.sampled_from(ladder[ladder.index(said) :]))
    else:
        better = "consent"
    after = count(**{**election, "ballots": {**election["ballots"], circle: better}})
    assert (after.outcome, after.winner) == (before.outcome, before.winner)


@given(elections())
@settings(max_examples=200)
def test_numbers_never_exceed_their_denominators(election: dict[str, Any]) -> None:
    one = count(**election)
    for side in (one.circles, one.collectives):
        assert 0 <= side.winning <= side.of
        assert 0 <= side.present <= side.of
    assert (one.outcome == "adopted") == (one.because is None)
    assert (one.winner in election["options"]) == (one.outcome == "adopted")
    assert set(one.tally) >= set(MAJORITY_POSITIONS if election["method"] is MAJORITY else one.tied)
