"""Counting: the double majority (spec: records.md §4), and whether circles that were not heard could still
change it.

The method is applied to all circles, and to the own circles of each collective, of which more than the agreed
share must come to the same winner. With one collective it is applied once. Nothing here knows records, dates
or who signed what.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.rules.methods import Choice, Method, Rule, Verdict, at_least, more_than
from models.rules.shapes import STATUS_QUO

Electorate = Mapping[str, Sequence[str]]
"""Collective key -> keys of its circles. Every circle once; denominators are taken from here."""

Ballots = Mapping[str, Choice]
"""Circle key -> what its counted ballot says."""


@dataclass(frozen=True)
class Side:
    """One of the two majorities in numbers: `present` of `of` took part (`quorum` would do), `winning` stand
    behind the winner or behind what came closest (`needed` would do). `asked` is False for the collectives'
    side where there is only one."""

    of: int
    present: int
    quorum: int
    winning: int
    needed: int
    asked: bool = True


@dataclass(frozen=True)
class Part:
    """How one collective's own circles came out; `agrees` if that is the same winner as all circles'."""

    collective: str
    verdict: Verdict
    agrees: bool


@dataclass(frozen=True)
class Count:
    """A count. `outcome`: adopted, rejected, no-quorum, tied. `because` says which hurdle it failed at:
    quorum, collectives-quorum, circles, collectives; None if it was adopted. `tied` are the options that
    share the lead."""

    outcome: str
    winner: str | None
    because: str | None
    tied: tuple[str, ...]
    tally: Mapping[str, int]
    circles: Side
    collectives: Side
    parts: tuple[Part, ...]


def count(
    method: Method, rule: Rule, options: Sequence[str], electorate: Electorate, ballots: Ballots
) -> Count:
    """The count of these ballots under the double majority. Ballots of circles that are not in the electorate
    are not read."""
    circles = [circle for own in electorate.values() for circle in own]
    whole = method.decide(rule, options, [ballots[c] for c in circles if c in ballots], len(circles))
    leader = whole.winner
    parts = []
    for collective in sorted(electorate):
        own = electorate[collective]
        verdict = method.decide(rule, options, [ballots[c] for c in own if c in ballots], len(own))
        parts.append(Part(collective, verdict, leader is not None and verdict.winner == leader))
    asked = len(parts) > 1
    side = Side(
        of=len(parts),
        present=sum(part.verdict.present > 0 for part in parts),
        quorum=at_least(rule.collectives, len(parts)),
        winning=sum(part.agrees for part in parts),
        needed=more_than(rule.collectives, len(parts)),
        asked=asked,
    )
    outcome, winner, because = _joint(whole, side)
    tied = whole.tied if outcome == "tied" else ()
    own_side = Side(whole.of, whole.present, whole.quorum, whole.winning, whole.needed)
    return Count(outcome, winner, because, tied, whole.tally, own_side, side, tuple(parts))


def _joint(whole: Verdict, side: Side) -> tuple[str, str | None, str | None]:
    if whole.outcome == "no-quorum":
        return "no-quorum", None, "quorum"
    if side.asked and side.present < side.quorum:
        return "no-quorum", None, "collectives-quorum"
    if whole.outcome != "adopted":
        return whole.outcome, whole.winner, "circles"
    if side.asked and side.winning < side.needed:
        return "rejected", STATUS_QUO, "collectives"
    return "adopted", whole.winner, None


def could_change(
    method: Method,
    rule: Rule,
    options: Sequence[str],
    electorate: Electorate,
    ballots: Ballots,
    unheard: Sequence[str],
) -> bool:
    """Could these circles of the electorate, none of which has a ballot here, change outcome or winner by
    what they say?

    Each may say anything or nothing. It is enough to try the method's fillings, with all of them speaking or
    only those of collectives that agree now: to speak can help a collective to its quorum, so silence may
    harm the leader more.
    """
    if not unheard:
        return False
    now = count(method, rule, options, electorate, ballots)
    return any(
        (then.outcome, then.winner) != (now.outcome, now.winner)
        for filling in _fillings(method, options, electorate, ballots, unheard, now)
        for then in (count(method, rule, options, electorate, {**ballots, **filling}),)
    )


def _fillings(
    method: Method,
    options: Sequence[str],
    electorate: Electorate,
    ballots: Ballots,
    unheard: Sequence[str],
    now: Count,
) -> Iterator[Ballots]:
    silent = sorted(set(unheard))
    counted = [ballots[c] for own in electorate.values() for c in own if c in ballots]
    agreeing = {c for part in now.parts if part.agrees for c in electorate[part.collective]}
    for filling in method.fillings(options, counted, len(silent)):
        everybody = dict(zip(silent, filling, strict=True))
        yield everybody
        yield {circle: said for circle, said in everybody.items() if circle in agreeing}
