"""Methods: how positions or choices become an outcome, as one table. Integers only; no clock, no chance.

A method judges one group of circles. That a joint decision asks all circles and each collective is the
business of `counting`; what may be said and what needs a reason is asked here by forms as well.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.rules.phrases import phrase
from models.rules.records import Record
from models.rules.shapes import CONSENT_POSITIONS, MAJORITY_POSITIONS, STATUS_QUO, needs_reason

Choice = str | tuple[str, ...]
"""A position, or the options that a circle approves of (sorted, "status-quo" may be among them; none: it
abstains)."""

REASON_AT_LEAST = 20
"""Characters of a reason, and of what would resolve an objection. Checked where the text is at hand."""


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
    """The smallest number, and no less than one, that is this share of `of`."""
    return max(1, -(-share[0] * of // share[1]))


def more_than(share: tuple[int, int], of: int) -> int:
    """The smallest number that is strictly more than this share of `of`."""
    return share[0] * of // share[1] + 1


@dataclass(frozen=True)
class Verdict:
    """What a method says of one group of `of` circles, of which `present` took part.

    `outcome` is adopted, rejected, no-quorum or tied. `winner` is an option, "status-quo" where it was
    rejected, None where nothing was decided. `winning` circles stand behind the winner, or behind what came
    closest; `needed` would do.
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


@dataclass(frozen=True)
class Leaning:
    """What a tally says before the quorum is asked: the leading options, how many stand behind them, how many
    it takes."""

    outcome: str
    leaders: tuple[str, ...]
    winning: int
    needed: int


Judge = Callable[[Rule, Sequence[str], Mapping[str, int], int], Leaning]
Fill = Callable[[Sequence[str], Mapping[str, int], int], Iterator[list[Choice]]]


@dataclass(frozen=True)
class Method:
    """A row of the table. `options`: the fewest and the most it can put to the vote. Without `positions`,
    circles choose."""

    name: str
    positions: tuple[str, ...]
    options: tuple[int, int]
    explanation: str
    judge: Judge
    fill: Fill

    def fits(self, answer: Mapping[str, Any], options: Sequence[str]) -> bool:
        """Is {"position": …} or {"choices": […]} something that can be said here?"""
        if self.positions:
            return answer.get("position") in self.positions
        choices = answer.get("choices")
        return choices is not None and set(choices) <= {*options, STATUS_QUO}

    def needs_reason(self, answer: Mapping[str, Any]) -> bool:
        """Must this answer come with a reason?"""
        return needs_reason(answer)

    def tally(self, options: Sequence[str], choices: Sequence[Choice]) -> dict[str, int]:
        """How many hold each position, or approve of each option: those that nobody holds with 0."""
        tally = dict.fromkeys(self.positions or (*options, STATUS_QUO), 0)
        for choice in choices:
            for said in (choice,) if isinstance(choice, str) else choice:
                tally[said] = tally.get(said, 0) + 1
        return tally

    def decide(self, rule: Rule, options: Sequence[str], choices: Sequence[Choice], of: int) -> Verdict:
        """The verdict of a group of `of` circles in which these choices were made. The quorum is asked
        first."""
        tally = self.tally(options, choices)
        leaning = self.judge(rule, options, tally, of)
        quorum = at_least(rule.quorum, of)
        outcome = leaning.outcome if len(choices) >= quorum else "no-quorum"
        winner = {"adopted": leaning.leaders[0], "rejected": STATUS_QUO}.get(outcome)
        tied = leaning.leaders if outcome == "tied" else ()
        return Verdict(
            outcome, winner, tied, tally, of, len(choices), quorum, leaning.winning, leaning.needed
        )

    def fillings(
        self, options: Sequence[str], choices: Sequence[Choice], unheard: int
    ) -> Iterator[list[Choice]]:
        """What `unheard` more circles could say: ways among which one changes the outcome, if any way does.

        Nearly all are uniform (all say the same); a tie may take an uneven one. Tests compare with trying
        everything.
        """
        return self.fill(options, self.tally(options, choices), unheard)


def choice_of(answer: Mapping[str, Any] | Record) -> Choice:
    """What a ballot says, as the count takes it."""
    position: str | None = answer.get("position")
    return tuple(sorted(answer.get("choices", ()))) if position is None else position


def _judge_consent(rule: Rule, options: Sequence[str], tally: Mapping[str, int], of: int) -> Leaning:
    willing = tally["consent"] + tally["concern"]
    outcome = "adopted" if willing and not tally["object"] else "rejected"
    return Leaning(outcome, tuple(options[:1]), willing, 1)


def _fill_consent(options: Sequence[str], tally: Mapping[str, int], unheard: int) -> Iterator[list[Choice]]:
    for position in ("consent", "object", "stand-aside"):
        yield [position] * unheard


def _judge_majority(rule: Rule, options: Sequence[str], tally: Mapping[str, int], of: int) -> Leaning:
    base = of if rule.base == "eligible" else tally["yes"] + tally["no"]
    needed = more_than(rule.threshold, base) if rule.strict else at_least(rule.threshold, base)
    outcome = "adopted" if tally["yes"] >= needed else "rejected"
    return Leaning(outcome, tuple(options[:1]), tally["yes"], needed)


def _fill_majority(options: Sequence[str], tally: Mapping[str, int], unheard: int) -> Iterator[list[Choice]]:
    for position in MAJORITY_POSITIONS:
        yield [position] * unheard


def _judge_approval(rule: Rule, options: Sequence[str], tally: Mapping[str, int], of: int) -> Leaning:
    most = max(tally[option] for option in options)
    leaders = tuple(sorted(option for option in options if tally[option] == most))
    if most <= tally[STATUS_QUO]:
        return Leaning("rejected", leaders, most, tally[STATUS_QUO] + 1)
    second = max((tally[one] for one in (*options, STATUS_QUO) if one != leaders[0]), default=0)
    return Leaning("adopted" if len(leaders) == 1 else "tied", leaders, most, second + 1)


def _fill_approval(options: Sequence[str], tally: Mapping[str, int], unheard: int) -> Iterator[list[Choice]]:
    yield [()] * unheard
    everything = (*options, STATUS_QUO)
    for one in options:
        yield [(one,)] * unheard
        yield [tuple(other for other in everything if other != one)] * unheard
    for one in options:
        for other in options:
            lead = tally[other] - tally[one]
            if one != other and 0 <= lead <= unheard:
                both: Choice = (one, other)
                yield [both] * (unheard - lead) + [(one,)] * lead


def _table(*rows: Method) -> Mapping[str, Method]:
    table: dict[str, Method] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"{row.name} is in the table twice")
        table[row.name] = row
    return table


METHODS = _table(
    Method(
        "consent",
        CONSENT_POSITIONS,
        (1, 1),
        phrase("Adopted if enough circles take part, at least one consents, and none objects."),
        _judge_consent,
        _fill_consent,
    ),
    Method(
        "majority",
        MAJORITY_POSITIONS,
        (1, 1),
        phrase("Adopted if enough circles take part and the share that says yes reaches the threshold."),
        _judge_majority,
        _fill_majority,
    ),
    Method(
        "approval",
        (),
        (2, 5),
        phrase(
            "Each circle approves of as many options as it likes; the one that most approve of is adopted, "
            "if more circles approve of it than of leaving things as they are."
        ),
        _judge_approval,
        _fill_approval,
    ),
)
"""Every way of deciding there is."""
