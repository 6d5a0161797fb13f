"""Finality: when a count is final, what holds it, and how it ends otherwise (spec: records.md §4).

Keepers say what they counted; two thirds of them saying the same, with nothing that holds it, is final and
stays so. What a keeper says later, and what we ourselves count later, changes nothing then. Asked by
`standing`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from models.rules.records import Record
from models.rules.times import Times


@dataclass(frozen=True)
class Value:
    """What must be the same for two counts to agree."""

    root: str
    outcome: str
    winner: str | None


def value_of(result: Record) -> Value:
    """What a Result says."""
    return Value(result["countRoot"], result["outcome"], result.get("winner"))


@dataclass(frozen=True)
class Ours:
    """Our own count. `holding`: how many unheard circles could change it (0: none could)."""

    value: Value
    holding: int


@dataclass(frozen=True)
class Challenged:
    """A challenge. `stands`: it holds finality; else `why` says why not: late, no-receipt,
    not-agreed, not-held or not-verified."""

    record: Record
    stands: bool
    why: str | None


@dataclass(frozen=True)
class Finality:
    """`value` is what enough keepers agree on (None: they do not), since `since`; `results` theirs by keeper.
    `reached` if nothing holds it, so that it is final; else `held_by` names what does: challenge-window,
    agreement, unheard, challenge."""

    value: Value | None
    since: datetime | None
    results: Mapping[str, Record]
    reached: bool
    held_by: tuple[str, ...]
    challenges: tuple[Challenged, ...]


def keepers_needed(keepers: int) -> int:
    """How many keepers must agree: two thirds, rounded up; one of one, two of two."""
    return -(-2 * keepers // 3)


def latest_results(results: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    """By signer, its Result with the highest number; two or more if it signed different ones with that
    number."""
    latest: dict[str, tuple[Record, ...]] = {}
    for result in sorted(results, key=lambda one: (one["seq"], one.digest)):
        before = latest.get(result.by, ())
        same = before and before[0]["seq"] == result["seq"]
        latest[result.by] = (*before, result) if same else (result,)
    return latest


def finality(
    keepers: frozenset[str],
    times: Times,
    results: Sequence[Record],
    challenges: Sequence[Record],
    receipted: frozenset[str],
    held: Mapping[str, Record],
    ours: Ours,
    now: datetime,
    until: datetime | None,
) -> Finality:
    """Where this count stands at `now`. `results` and `challenges` are those of entitled signers about the
    terms in effect; `receipted` are the challenges that another keeper receipted within the window.

    The keepers' words are read in the order of their dates: first all up to the end of the challenge window,
    then one instant after the other, until enough of them agree on something that nothing holds. What is
    dated after `until` (if given) comes too late to be agreed on.
    """
    readable = [one for one in results if until is None or one.at <= until]
    open_ = now < times.challenge_ends
    shaken = {one["result"] for one in challenges if _judged(one, times, receipted, held, ours, None).stands}
    found, held_by = None, ["agreement"]
    for found in _agreements(keepers, times.challenge_ends, readable):
        held_by = _holds(found, shaken, ours)
        if not held_by:
            break
    agreed = found.results if found else {}
    return Finality(
        value=found.value if found else None,
        since=found.since if found and not open_ else None,
        results=agreed,
        reached=not open_ and not held_by,
        held_by=(*(["challenge-window"] if open_ else []), *held_by),
        challenges=tuple(_judged(one, times, receipted, held, ours, agreed) for one in challenges),
    )


@dataclass(frozen=True)
class _Agreement:
    since: datetime
    value: Value
    results: Mapping[str, Record]


def _agreements(keepers: frozenset[str], first: datetime, results: Sequence[Record]) -> Iterator[_Agreement]:
    """What enough keepers agree on, at every instant from `first` on at which one of them said something."""
    said: dict[str, list[Record]] = {}
    votes: Counter[Value] = Counter()
    leading: Value | None = None
    ordered = sorted(results, key=lambda one: (max(first, one.at), one["seq"], one.digest))
    for at, together in groupby(ordered, key=lambda one: max(first, one.at)):
        for result in together:
            mine = said.setdefault(result.by, [])
            if mine and mine[0]["seq"] > result["seq"]:
                continue
            if len(mine) == 1:
                votes[value_of(mine[0])] -= 1
            if mine and mine[0]["seq"] < result["seq"]:
                mine.clear()
            mine.append(result)
            if len(mine) == 1:
                votes[value_of(result)] += 1
                leading = (
                    value_of(result) if votes[value_of(result)] >= keepers_needed(len(keepers)) else leading
                )
        if leading is not None and votes[leading] >= keepers_needed(len(keepers)):
            words = {by: mine[0] for by, mine in sorted(said.items()) if len(mine) == 1}
            agreed = {by: result for by, result in words.items() if value_of(result) == leading}
            yield _Agreement(at, leading, agreed)


def _judged(
    challenge: Record,
    times: Times,
    receipted: frozenset[str],
    held: Mapping[str, Record],
    ours: Ours,
    agreed: Mapping[str, Record] | None,
) -> Challenged:
    """Does it stand: made and receipted in its window, about what is agreed on (if that is asked), all its evidence here, and
    our own recount another?"""
    target = held.get(challenge["result"])
    why = None
    if challenge.at > times.challenge_ends:
        why = "late"
    elif challenge.digest not in receipted:
        why = "no-receipt"
    elif target is None or target.type != "Result":
        why = "not-held"
    elif agreed is not None and target not in agreed.values():
        why = "not-agreed"
    elif any(digest not in held for digest in challenge["evidence"]):
        why = "not-held"
    elif value_of(target) == ours.value:
        why = "not-verified"
    return Challenged(challenge, why is None, why)


def _holds(agreed: _Agreement, shaken: set[str], ours: Ours) -> list[str]:
    """What holds an agreement. Whether unheard circles do is our own judgement as long as we count the same;
    where we count something else (a record came to us late, or not yet), it is the judgement of those who
    agree."""
    holding = ours.holding
    if agreed.value != ours.value:
        holding = max(one["numbers"].get("holding", ours.holding) for one in agreed.results.values())
    challenged = any(one.digest in shaken for one in agreed.results.values())
    return (["unheard"] if holding else []) + (["challenge"] if challenged else [])
