"""A round whose terms are in effect: its entries, its count, what of it is late or unheard, and where its
finality stands.

Everything here is derived from records dated up to close and grace, except Results and challenges. Asked by
`standing`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.rules.ballots import Box, Entry, entry, sort_ballots
from models.rules.counting import Count, could_change, count
from models.rules.finality import Finality, Ours, Value, finality, latest_results, value_of
from models.rules.merkle import set_root
from models.rules.methods import METHODS, Choice, choice_of, rule_of
from models.rules.receipts import effective_at, index, receipted_by
from models.rules.records import ByType, Record, Refused
from models.rules.terms import BOUND, Frozen, InEffect
from models.rules.times import Times


@dataclass(frozen=True)
class Counted:
    """A count with the circles it was taken from, and the roots (hex) of exactly the records it read and of
    the late ballots."""

    entries: tuple[Entry, ...]
    count: Count
    advisory: Count | None
    count_root: str
    late_root: str

    @property
    def value(self) -> Value:
        """What must be the same for two counts to agree."""
        return Value(self.count_root, self.count.outcome, self.count.winner)

    def numbers(self, holding: int) -> dict[str, int]:
        """The numbers of a Result: both sides with denominators, the tally ("said:" and a position or the
        digest of an option), how many binding and ratifying circles have which status, and how many of the
        unheard could change the outcome."""
        circles, collectives = self.count.circles, self.count.collectives
        statuses = Counter(entry.status for entry in self.entries if entry.takes in BOUND)
        return {
            "circles": circles.of,
            "circlesPresent": circles.present,
            "circlesQuorum": circles.quorum,
            "circlesWinning": circles.winning,
            "circlesNeeded": circles.needed,
            "collectives": collectives.of,
            "collectivesPresent": collectives.present,
            "collectivesQuorum": collectives.quorum,
            "collectivesWinning": collectives.winning,
            "collectivesNeeded": collectives.needed,
            **{f"said:{said}": many for said, many in sorted(self.count.tally.items())},
            **{f"status:{status}": many for status, many in sorted(statuses.items())},
            "holding": holding,
        }


@dataclass(frozen=True)
class KeeperSays:
    """A keeper's latest word. `result` is None if it said nothing, or contradicted itself (`contradicts`).
    `seq` is the highest number it used, 0 if none. `agrees`: with what enough keepers agree on, or as long as
    there is no such thing, with us (in the end: with our count among those heard)."""

    instance: str
    collective: str
    result: Record | None
    seq: int
    contradicts: bool
    agrees: bool


@dataclass(frozen=True)
class Left:
    """A collective's leaving, and when it took effect."""

    record: Record
    at: datetime


@dataclass(frozen=True)
class Round:
    """A round by our own count. `heard` is the count among the circles that were heard, once every hold has
    ended and some were not. `holding`: how many unheard circles could change the outcome."""

    frozen: Frozen
    acks: Mapping[str, Record]
    ours: Counted
    heard: Counted | None
    unheard: tuple[str, ...]
    holding: int
    finality: Finality
    keepers: tuple[KeeperSays, ...]
    left: Mapping[str, Left]
    heard_instances: frozenset[str]

    @property
    def held_by(self) -> tuple[str, ...]:
        """What keeps the count from being final: challenge-window, agreement, unheard, challenge."""
        unheard = ("unheard",) if self.holding and "unheard" not in self.finality.held_by else ()
        return (*self.finality.held_by, *unheard)


def run_round(
    offer: Record,
    effect: InEffect,
    frozen: Frozen,
    by_type: ByType,
    held: Mapping[str, Record],
    times: Times,
    now: datetime,
) -> tuple[Round, Refused]:
    """The round that these records make, as of `now`, and the records that have no business in it."""
    refused: Refused = []
    results = _about_terms(frozen, by_type["Result"], frozen.keepers, "not-a-keeper", refused)
    results = _from(times.grace_ends, results, "result-early", refused)
    box = _box(offer, effect, frozen, by_type, held, times, {r.by for r in results}, refused)
    left = _left(box, by_type["Leave"], refused)
    box = replace(box, leaves={collective: one.at for collective, one in left.items()})
    accepted, more = sort_ballots(box, by_type["Ballot"])
    refused += more
    ours = _counted(box, accepted, now, left)
    unheard = tuple(one.circle for one in ours.entries if one.status == "unheard" and one.takes in BOUND)
    holding = len(unheard) if unheard and _could_change(box, ours, unheard) else 0
    heard = _counted(box, accepted, now, left, set(unheard)) if unheard and now >= times.wait_ends else None
    parties = frozen.instances | set(frozen.circles)
    challenges = [one for one in by_type["Challenge"] if one.by in parties]
    refused += [(one, "not-entitled") for one in by_type["Challenge"] if one.by not in parties]
    homes = {one.digest: _home(frozen, one.by) for one in challenges}
    end = finality(
        frozen.keepers,
        times,
        results,
        challenges,
        receipted_by(frozen, by_type["Receipt"], times.challenge_ends, homes),
        held,
        Ours(ours.value, holding),
        now,
        times.wait_ends if unheard else None,
    )
    said = _keepers_say(frozen, results, end.value or (heard or ours).value)
    signs = frozenset(box.statements) | box.signed_after
    return Round(frozen, effect.acks, ours, heard, unheard, holding, end, said, left, signs), refused


def _home(frozen: Frozen, key: str) -> str:
    """The instance that answers for a circle; an instance answers for itself."""
    place = frozen.circles.get(key)
    return key if place is None else place.instance


def _box(
    offer: Record,
    effect: InEffect,
    frozen: Frozen,
    by_type: ByType,
    held: Mapping[str, Record],
    times: Times,
    signed_after: set[str],
    refused: Refused,
) -> Box:
    for receipt in by_type["Receipt"]:
        if receipt.by not in frozen.keepers:
            refused.append((receipt, "not-a-keeper"))
    statements = _about_terms(frozen, by_type["CloseStatement"], frozen.instances, "not-answering", refused)
    statements = _from(times.closes, statements, "statement-early", refused)
    latest: dict[str, Record] = {}
    for one in sorted(statements, key=lambda one: (one.at, one.digest)):
        if one.at <= times.grace_ends or not frozen.foreign_keepers(one.by):
            latest[one.by] = one
        else:
            refused.append((one, "statement-late"))
    receipts = index(frozen, times, by_type["Receipt"], statements)
    return Box(offer, frozen, times, receipts, effect.acks, latest, {}, frozenset(signed_after), held)


def _left(box: Box, leaves: Iterable[Record], refused: Refused) -> dict[str, Left]:
    """By collective, its first leaving that took effect by the close. Later ones change nothing in this
    round."""
    left: dict[str, Left] = {}
    for leave in sorted(leaves, key=lambda one: one.digest):
        answer = box.frozen.answers.get(leave.by)
        if answer is None:
            refused.append((leave, "not-answering"))
            continue
        at = effective_at(leave, answer["instance"], box.frozen, box.receipts)
        if at is None or at > box.times.closes:
            refused.append((leave, "leave-not-effective"))
        elif leave.by not in left or at < left[leave.by].at:
            left[leave.by] = Left(leave, at)
    return left


def _about_terms(
    frozen: Frozen, records: Iterable[Record], entitled: frozenset[str], code: str, refused: Refused
) -> list[Record]:
    fit = []
    for one in records:
        if one["terms"] != frozen.terms.digest:
            refused.append((one, "other-terms"))
        elif one.by not in entitled:
            refused.append((one, code))
        else:
            fit.append(one)
    return fit


def _from(first: datetime, records: Iterable[Record], code: str, refused: Refused) -> list[Record]:
    refused += [(one, code) for one in records if one.at < first]
    return [one for one in records if one.at >= first]


def _counted(
    box: Box,
    accepted: Mapping[str, Sequence[Record]],
    now: datetime,
    left: Mapping[str, Left],
    without: set[str] | None = None,
) -> Counted:
    """The count of all circles; or, `without` the unheard ones, of those heard, leniently."""
    lenient = without is not None
    places = sorted(box.frozen.circles.values(), key=lambda place: (place.collective, place.circle))
    entries = tuple(
        entry(box, place, accepted.get(place.circle, ()), now, lenient=lenient)
        for place in places
        if place.circle not in (without or ())
    )
    electorate = _heard_only(box.frozen.electorate(*BOUND), without or set())
    advisory = _heard_only(box.frozen.electorate("advisory"), without or set())
    method, rule = METHODS[box.offer["method"]], rule_of(box.offer)
    said = _said(entries)
    options = box.frozen.terms["options"]
    read = {box.offer.digest, box.frozen.terms.digest, *box.frozen.terms["answers"], *options}
    read |= {one.ballot.digest for one in entries if one.ballot}
    read |= {ballot.digest for one in entries for ballot in one.evidence}
    read |= {one.record.digest for one in left.values()}
    return Counted(
        entries,
        count(method, rule, options, electorate, said),
        count(method, rule, options, advisory, said) if advisory else None,
        set_root(read),
        set_root(ballot.digest for one in entries for ballot in one.late),
    )


def _heard_only(electorate: Mapping[str, Sequence[str]], without: set[str]) -> dict[str, tuple[str, ...]]:
    if not without:
        return {collective: tuple(own) for collective, own in electorate.items()}
    heard = {c: tuple(one for one in own if one not in without) for c, own in electorate.items()}
    return {collective: own for collective, own in heard.items() if own}


def _said(entries: Iterable[Entry]) -> dict[str, Choice]:
    return {one.circle: choice_of(one.ballot) for one in entries if one.ballot}


def _could_change(box: Box, ours: Counted, unheard: Sequence[str]) -> bool:
    return could_change(
        METHODS[box.offer["method"]],
        rule_of(box.offer),
        box.frozen.terms["options"],
        box.frozen.electorate(*BOUND),
        _said(ours.entries),
        unheard,
    )


def _keepers_say(frozen: Frozen, results: Iterable[Record], agreed: Value) -> tuple[KeeperSays, ...]:
    latest = latest_results(results)
    homes = {answer["instance"]: by for by, answer in sorted(frozen.answers.items(), reverse=True)}
    said = []
    for keeper in sorted(frozen.keepers):
        words = latest.get(keeper, ())
        result = words[0] if len(words) == 1 else None
        seq = words[0]["seq"] if words else 0
        agrees = result is not None and value_of(result) == agreed
        said.append(KeeperSays(keeper, homes[keeper], result, seq, len(words) > 1, agrees))
    return tuple(said)
