"""Support: what circles say of proposals before the voting opens, as a pure function of what they signed (spec: records.md §3).

It decides nothing and is never moved: whoever supported a version has said nothing yet of the one that
changes it. Asked by `standing`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.rules.records import Record, Refused
from models.rules.terms import Place
from models.rules.times import Times


@dataclass(frozen=True)
class Backing:
    """Who stands where on one proposal, of so many circles on the roll: the records in force, by circle.

    `set_aside` are circles that signed two records with their highest number, with both as evidence. Whoever
    is in none of the three has said nothing, or has taken it back.
    """

    support: Mapping[str, Record]
    concern: Mapping[str, Record]
    set_aside: Mapping[str, tuple[Record, ...]]
    of: int


def backing(
    offer: Record,
    times: Times,
    circles: Mapping[str, Place],
    options: Iterable[Record],
    supports: Iterable[Record],
) -> tuple[dict[str, Backing], Refused]:
    """What the circles on the roll say of each of these proposals, by digest of the proposal; and the records
    that have no effect, with a code. A circle has one sequence of numbers for each proposal."""
    said: dict[str, defaultdict[str, list[Record]]] = {one.digest: defaultdict(list) for one in options}
    refused: Refused = []
    for one in sorted(supports, key=lambda one: one.digest):
        if one.by not in circles:
            refused.append((one, "not-on-roll"))
        elif one.at < offer.at:
            refused.append((one, "before-offer"))
        elif one.at >= times.opens:
            refused.append((one, "after-opening"))
        elif one["option"] not in said:
            refused.append((one, "no-option"))
        else:
            said[one["option"]][one.by].append(one)
    return {option: _backing(by_circle, len(circles)) for option, by_circle in said.items()}, refused


def _backing(by_circle: Mapping[str, Sequence[Record]], of: int) -> Backing:
    stands: dict[str, dict[str, Record]] = {"support": {}, "concern": {}, "none": {}}
    set_aside = {}
    for circle in sorted(by_circle):
        latest = max(one["seq"] for one in by_circle[circle])
        last = {one.digest: one for one in by_circle[circle] if one["seq"] == latest}
        if len(last) > 1:
            set_aside[circle] = tuple(last[digest] for digest in sorted(last))
        else:
            (one,) = last.values()
            stands[one["says"]][circle] = one
    return Backing(stands["support"], stands["concern"], set_aside, of)
