"""The view of a decision that `standing` gives: plain values, numbers with their denominators, codes instead
of sentences.

Pages, the command line and the workers read it; nothing here decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.rules.ballots import Entry
from models.rules.counting import Count
from models.rules.finality import Challenged, Value
from models.rules.methods import Method, Rule
from models.rules.proposals import Amendment, Proposal
from models.rules.records import Record
from models.rules.rounds import KeeperSays, Left, Round
from models.rules.support import Backing
from models.rules.terms import Frozen, InEffect, Place
from models.rules.times import Times

STATES = (
    "gathering",
    "deliberating",
    "voting",
    "closing",
    "provisional",
    "final",
    "heard",
    "contested",
    "undecided",
    "void",
    "withdrawn",
    "lapsed",
)
"""One list for code, pages and wire (spec: records.md §4)."""

ENDED = ("final", "heard", "contested", "undecided", "void", "withdrawn", "lapsed")
"""States in which nothing more is waited for. A contested decision still becomes final if its keepers agree
after all."""

SETTLED = ("final", "void", "withdrawn", "lapsed")
"""Ends that nothing undoes. The other ends become final if its keepers agree after all: an instance that was away while time ran
out counts when it is back."""


RESULT_STATES = ("provisional", "final", "heard", "contested", "undecided")
"""States that a Result can name."""


@dataclass(frozen=True)
class Ignored:
    """A record that has no effect here, and why, as a code."""

    record: Record
    code: str


@dataclass(frozen=True)
class Acked:
    """An answering instance, and its acknowledgement of the terms in effect, if it gave one."""

    instance: str
    collective: str
    ack: Record | None


@dataclass(frozen=True)
class Coverage:
    """How much of the roll has been heard from: circles n of m, instances n of m."""

    circles_heard: int
    circles: int
    instances_heard: int
    instances: int


@dataclass(frozen=True)
class Binding:
    """What the outcome means for one collective.

    `status`: open (nothing is decided yet), bound, ratifying (`until` when), not-bound, advisory, left, or
    nothing (the decision ended without adopting anything).
    """

    collective: str
    takes: str
    status: str
    until: datetime | None
    answer: Record
    ratified: Record | None
    left: Left | None


@dataclass(frozen=True)
class Shown:
    """The result to show. Nothing before close and grace; then our own count; in the end what was agreed on
    (state final) or what those heard decided (state heard). `came_after`: our own count differs from what
    became final."""

    outcome: str | None = None
    winner: str | None = None
    tied: tuple[str, ...] = ()
    numbers: Mapping[str, int] | None = None
    count_root: str | None = None
    late_root: str | None = None
    came_after: bool = False


@dataclass(frozen=True)
class Standing:
    """Where a decision stands at `now`.

    `held_by` says what a provisional or contested result waits for: challenge-window, agreement, unheard,
    challenge. `next_at` is the next instant at which time alone changes something, None if never again.
    `answers` are those that stand, by collective, before there are terms as well; `proposals` those put to
    the vote, or that would be if terms were made now, with their versions; `amendments` would change one of
    them and are not voted on; `support` is what circles say of each version and amendment, by digest, and
    decides nothing. `terms_problem` is why no terms can be made of what is here (NoTerms codes),
    `double_terms` the evidence that makes a round void. `round` is None as long as no terms are in effect.
    """

    offer: Record
    now: datetime
    state: str
    held_by: tuple[str, ...]
    next_at: datetime | None
    times: Times
    method: Method
    rule: Rule
    answers: Mapping[str, Record]
    proposals: tuple[Proposal, ...]
    amendments: tuple[Amendment, ...]
    support: Mapping[str, Backing]
    effect: InEffect
    terms_problem: str | None
    terms_objections: tuple[Record, ...]
    round: Round | None
    shown: Shown
    coverage: Coverage
    collectives: tuple[Binding, ...]
    withdrawn: Record | None
    objections: tuple[Record, ...]
    ignored: tuple[Ignored, ...]

    @property
    def options(self) -> tuple[Record, ...]:
        """What is voted on: the version in force of each proposal."""
        return tuple(one.option for one in self.proposals)

    @property
    def opens(self) -> datetime:
        """When voting opens."""
        return self.times.opens

    @property
    def closes(self) -> datetime:
        """When voting closes."""
        return self.times.closes

    @property
    def invited(self) -> tuple[str, ...]:
        """Keys of all collectives that may answer, the convener's first."""
        return (self.offer.by, *self.offer["invited"])

    @property
    def frozen(self) -> Frozen | None:
        """What the terms in effect froze."""
        return self.round.frozen if self.round else None

    @property
    def terms(self) -> Record | None:
        """The Terms in effect."""
        return self.round.frozen.terms if self.round else None

    @property
    def double_terms(self) -> tuple[Record, ...]:
        """Two or more Terms by one signer: evidence that makes the round void."""
        return self.effect.double

    @property
    def acks(self) -> tuple[Acked, ...]:
        """Every answering instance with its acknowledgement of the terms in effect."""
        if self.round is None:
            return ()
        homes = {answer["instance"]: by for by, answer in sorted(self.round.frozen.answers.items())}
        return tuple(Acked(one, homes[one], self.round.acks.get(one)) for one in sorted(homes))

    def acknowledged(self, instance: str) -> bool:
        """Has this instance acknowledged the terms in effect? Before that, no ballot of its circles is
        accepted."""
        return self.round is not None and instance in self.round.acks

    @property
    def roll(self) -> Mapping[str, Place]:
        """The circles on the roll by key."""
        return self.round.frozen.circles if self.round else {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every circle on the roll, by collective and key, with what became of its vote."""
        return self.round.ours.entries if self.round else ()

    @property
    def count(self) -> Count | None:
        """Our own running count."""
        return self.round.ours.count if self.round else None

    @property
    def advisory(self) -> Count | None:
        """The advisory circles, counted apart; None if there are none."""
        return self.round.ours.advisory if self.round else None

    @property
    def heard_count(self) -> Count | None:
        """The count among those heard, once every hold has ended and some were not."""
        return self.round.heard.count if self.round and self.round.heard else None

    @property
    def holding(self) -> int:
        """How many unheard circles hold the result, because they could change it."""
        return self.round.holding if self.round else 0

    @property
    def keepers(self) -> tuple[KeeperSays, ...]:
        """Every keeper with its latest Result, and whether it agrees with what is agreed on (or else with our
        own count)."""
        return self.round.keepers if self.round else ()

    @property
    def agreed(self) -> Value | None:
        """What enough keepers agree on; None if they do not."""
        return self.round.finality.value if self.round else None

    @property
    def final_at(self) -> datetime | None:
        """Since when the result is final; None if it is not."""
        return self.round.finality.since if self.round and self.state == "final" else None

    @property
    def challenges(self) -> tuple[Challenged, ...]:
        """Every challenge, and whether it stands."""
        return self.round.finality.challenges if self.round else ()

    @property
    def late(self) -> tuple[Record, ...]:
        """Ballots that are shown and not counted, because nobody else held them in time."""
        return tuple(ballot for one in self.entries for ballot in one.late)

    @property
    def outcome(self) -> str | None:
        """adopted, rejected, no-quorum or tied: see `Shown`."""
        return self.shown.outcome

    @property
    def winner(self) -> str | None:
        """Digest of the adopted option, or "status-quo"; None where nothing was decided."""
        return self.shown.winner

    @property
    def tied(self) -> tuple[str, ...]:
        """The options that share the lead."""
        return self.shown.tied

    @property
    def numbers(self) -> Mapping[str, int]:
        """The numbers of the result, as a Result record holds them."""
        return self.shown.numbers or {}

    @property
    def count_root(self) -> str | None:
        """The root (hex) of exactly the records that the result shown was counted from."""
        return self.shown.count_root

    @property
    def late_root(self) -> str | None:
        """The root (hex) of the late ballots."""
        return self.shown.late_root

    def result_fields(self) -> dict[str, Any]:
        """What a keeper's Result says now, beside `terms` and `seq`: its own count, or that among those
        heard; empty as long as there is nothing to say. A winner or state of None is left out of the
        record."""
        if self.round is None or self.now < self.times.grace_ends:
            return {}
        counted = self.round.ours
        if self.state == "heard" and self.round.heard is not None:
            counted = self.round.heard
        return {
            "outcome": counted.count.outcome,
            "winner": counted.count.winner,
            "numbers": counted.numbers(self.holding),
            "countRoot": counted.count_root,
            "lateRoot": counted.late_root,
            "state": self.state if self.state in RESULT_STATES else None,
        }

    def entry(self, circle: str) -> Entry | None:
        """What became of this circle's vote; None if it is not on the roll."""
        return next((one for one in self.entries if one.circle == circle), None)
