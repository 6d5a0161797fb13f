"""Methods: how positions or choices become an outcome, as one table. Integers only; no clock, no chance, no names of persons.

A method judges one group of circles; that a joint decision asks all circles and each collective is `counting`'s business.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.rules.records import Record
from models.rules.shapes import STATUS_QUO, needs_reason

Choice = str | tuple[str, ...]
"""A position, or the options that a circle approves of (sorted; "status-quo" may be among them; none: it abstains)."""

REASON_AT_LEAST = 20
"""Characters that a reason, and what would resolve an objection, must have. Checked where the text is at hand."""


@dataclass(frozen=True)
class Rule:
    """The numbers of an Offer's `rule`; fractions as (part, whole)."""

    quorum: tuple[int, int]
    collectives: tuple[int, int]
    threshold: tuple[int, int]
    base: str
    strict: bool


def rule_of(offer: Record) -> Rule:
    """The rule that an Offer sets."""
    said: Mapping[str, Any] = offer["rule"]
    quorum, collectives, threshold = (
        (said[name][0], said[name][1]) for name in ("quorum", "collectives", "threshold")
    )
    return Rule(quorum, collectives, threshold, said["base"], said["strict"])


def at_least(share: tuple[int, int], of: int) -> int:
    """The smallest number, at least one, that is this share of `of`."""
    return max(1, -(-share[0] * of // share[1]))


def more_than(share: tuple[int, int], of: int) -> int:
    """The smallest number that is strictly more than this share of `of`."""
    return share[0] * of // share[1] + 1


@dataclass(frozen=True)
class Verdict:
    """What a method says of one group: `winning` of it stand behind `winner` (or behind what came closest), `needed` would do.

    `outcome` is adopted, rejected, no-quorum or tied. `winner` is an option, "status-quo" where it was rejected, and None where
    nothing was decided. `present` of `of` circles took part; `quorum` is how many it takes.
    """

    outcome: str
    winner: str | None
    tied: tuple[str, ...]
    tally: Mapping[str, int]
    of: int
    present: int
    quorum: int
    winning: int
    needed: int


Judge = Callable[[Rule, Sequence[str], Counter[str]], tuple[str, tuple[str, ...], int, int]]
Fillings = Callable[[Sequence[str], Counter[str], int], Iterator[list[Choice]]]


@dataclass(frozen=True)
class Method:
    """A row of the table. `options` is the fewest and the most it can put to the vote; `positions` is empty where circles choose."""

    name: str
    positions: tuple[str, ...]
    options: tuple[int, int]
    explanation: str
    judge: Judge
    fill: Fillings

    def fits(self, answer: Mapping[str, Any], options: Sequence[str]) -> bool:
        """Is {"position": …} or {"choices": […]} something that can be said here?"""
        if self.positions:
            return answer.get("position") in self.positions
        choices = answer.get("choices")
        return choices is not None and set(choices) <= {*options, STATUS_QUO}

    def needs_reason(self, answer: Mapping[str, Any]) -> bool:
        """Must this answer come with a reason?"""
        return needs_reason(answer)

    def tally(self, options: Sequence[str], choices: Sequence[Choice]) -> Counter[str]:
        """How many hold each position or approve of each option, those with none included."""
        tally = Counter(dict.fromkeys(self.positions or (*options, STATUS_QUO), 0))
        for choice in choices:
            tally.update((choice,) if isinstance(choice, str) else choice)
        return tally

    def decide(self, rule: Rule, options: Sequence[str], choices: Sequence[Choice], of: int) -> Verdict:
        """The verdict of a group of `of` circles, of which `choices` took part."""
        tally = self.tally(options, choices)
        if rule.base == "eligible":
            tally_of = of
        else:
            tally_of = len(choices)
        outcome, best, winning, needed = self.judge(rule, options, Counter({**tally, "": tally_of}))
        quorum = at_least(rule.quorum, of)
        if len(choices) < quorum:
            outcome = "no-quorum"
        winner = {"adopted": best[0] if best else None, "rejected": STATUS_QUO}.get(outcome)
        tied = best if outcome == "tied" else ()
        return Verdict(outcome, winner, tied, dict(tally), of, len(choices), quorum, winning, needed)

    def fillings(self, options: Sequence[str], choices: Sequence[Choice], unheard: int) -> Iterator[list[Choice]]:
        """What `unheard` more circles could say: those ways that change an outcome if any way at all does."""
        return self.fill(options, self.tally(options, choices), unheard)


def choice_of(answer: Mapping[str, Any] | Record) -> Choice:
    """What a ballot says, as the count takes it."""
    position: str | None = answer.get("position")
    return tuple(sorted(answer.get("choices", ()))) if position is None else position
