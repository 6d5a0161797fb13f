"""Ballots: which one of a circle counts, and what is to be said of a circle without one (spec: records.md §4,
R2 to R4).

One circle at a time; a ballot's date only matters against the window, never against another ballot. Asked by
`standing`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.rules.circles import confirmations_needed
from models.rules.methods import METHODS, choice_of
from models.rules.receipts import Receipts, effective_at
from models.rules.records import Record, Refused
from models.rules.terms import Frozen, Place
from models.rules.times import Times


@dataclass(frozen=True)
class Entry:
    """A circle on the roll and what became of its vote.

    `status`: waiting (until close and grace, as long as nothing else can be said), cast, late, set-aside,
    silent, unheard, left. `ballot` is the one that counts, if any. `ballots` are all that were accepted, by
    sequence number. `late` are those that do not count because they were not timely; `why_late`: after-close
    or no-receipt. `evidence` are two or more ballots with one number. `gap`: an earlier ballot that it
    follows is missing here. `stated`: its home's close statement is here.
    """

    place: Place
    status: str
    ballot: Record | None
    ballots: tuple[Record, ...]
    late: tuple[Record, ...]
    why_late: str | None
    evidence: tuple[Record, ...]
    gap: bool
    stated: bool

    @property
    def circle(self) -> str:
        """The circle's key."""
        return self.place.circle

    @property
    def collective(self) -> str:
        """The key of the collective it belongs to."""
        return self.place.collective

    @property
    def takes(self) -> str:
        """How its collective takes part: binding, ratifies or advisory."""
        return self.place.takes


@dataclass(frozen=True)
class Box:
    """What the ballots of a round are judged by. `statements`: the close statement in force by instance.
    `leaves`: by collective, when its leaving took effect. `signed_after`: instances that published a Result.
    `held`: digests of all records here."""

    offer: Record
    frozen: Frozen
    times: Times
    receipts: Receipts
    acks: Mapping[str, Record]
    statements: Mapping[str, Record]
    leaves: Mapping[str, datetime]
    signed_after: frozenset[str]
    held: Mapping[str, Record]


def sort_ballots(box: Box, ballots: Iterable[Record]) -> tuple[dict[str, list[Record]], Refused]:
    """Accepted ballots by circle, and the others with a code. Lateness is not judged here."""
    accepted: dict[str, list[Record]] = {}
    refused: Refused = []
    for ballot in ballots:
        code = _problem(box, ballot)
        if code is None:
            accepted.setdefault(ballot.by, []).append(ballot)
        else:
            refused.append((ballot, code))
    return accepted, refused


def _problem(box: Box, ballot: Record) -> str | None:
    place = box.frozen.circles.get(ballot.by)
    if place is None:
        return "not-on-roll"
    if ballot["terms"] != box.frozen.terms.digest:
        return "other-terms"
    ack = box.acks.get(place.instance)
    if ack is None or ack.at > ballot.at:
        return "no-ack"
    if ballot.at < box.times.opens:
        return "ballot-early"
    if not METHODS[box.offer["method"]].fits(ballot.body, box.frozen.terms["options"]):
        return "bad-position"
    return "too-few-confirmed" if ballot["confirmed"] < confirmations_needed(place.size) else None


def entry(
    box: Box, place: Place, ballots: Sequence[Record], now: datetime, *, lenient: bool = False
) -> Entry:
    """What became of this circle's vote, given its accepted ballots.

    `lenient` is how circles are heard when every hold has ended: a ballot dated within the window is also
    timely if no keeper that could have receipted it gave a sign of life afterwards.
    """
    mine = sorted(ballots, key=lambda one: (one["seq"], one.digest))
    timely = [one for one in mine if _is_timely(box, place, one, lenient)]
    cures = [one for one in mine if one.get("cures") and _is_cure_in_time(box, place, one, lenient)]
    counted, evidence = _last_word(timely, cures)
    over = now >= box.times.grace_ends
    fit = {one.digest for one in (*timely, *(c for c in cures if c == counted or c in evidence))}
    late = [one for one in mine if one.digest not in fit and (over or one.at > box.times.closes)]
    why = None if not late else "no-receipt" if any(b.at <= box.times.closes for b in late) else "after-close"
    stated = box.statements.get(place.instance)
    listed = {one["circle"]: one.get("ballot") for one in stated["circles"]} if stated else {}
    if evidence:
        status = "set-aside"
    elif place.collective in box.leaves:
        status = "left"
    elif counted is not None:
        status = "cast"
    elif not over:
        status = "waiting"
    else:
        status = _without_ballot(box, place, bool(late), listed)
    return Entry(
        place,
        status,
        counted,
        tuple(mine),
        tuple(late),
        why,
        evidence,
        _gap(counted, mine),
        place.circle in listed,
    )


def _without_ballot(box: Box, place: Place, has_late: bool, listed: Mapping[str, str | None]) -> str:
    """late, silent or unheard: after close and grace, for a circle of which no ballot is timely.

    Unheard unless its home said in time which its last ballot was and we hold that one. The only keeper of a
    scope is heard by whatever it signs after the close: there is nobody else to ask.
    """
    heard = place.circle in listed and (listed[place.circle] is None or listed[place.circle] in box.held)
    if not box.frozen.foreign_keepers(place.instance):
        heard = heard or place.instance in box.signed_after
    if not heard:
        return "unheard"
    return "late" if has_late else "silent"


def _is_timely(box: Box, place: Place, ballot: Record, lenient: bool) -> bool:
    if ballot.at > box.times.closes:
        return False
    return _in_time(box, place, ballot, box.times.receipts_end, lenient)


def _is_cure_in_time(box: Box, place: Place, ballot: Record, lenient: bool) -> bool:
    return ballot.at <= box.times.grace_ends and _in_time(box, place, ballot, box.times.grace_ends, lenient)


def _in_time(box: Box, place: Place, ballot: Record, until: datetime, lenient: bool) -> bool:
    foreign = box.frozen.foreign_keepers(place.instance)
    asked = not (lenient and box.receipts.silent_since(foreign, ballot.at))
    since = effective_at(ballot, place.instance, box.frozen, box.receipts, asked=asked)
    left = box.leaves.get(place.collective)
    return since is not None and since <= until and (left is None or since < left)


def _last_word(timely: Sequence[Record], cures: Sequence[Record]) -> tuple[Record | None, tuple[Record, ...]]:
    """(the ballot with the highest number, nothing), or (None, the ballots with one number that were not
    cured).

    A cure dated after the close must say what one of the two ballots said that it names: whoever signs two
    ballots may explain which one was meant, and gains no later vote by it.
    """
    by_seq: dict[int, dict[str, Record]] = {}
    for ballot in timely:
        by_seq.setdefault(ballot["seq"], {})[ballot.digest] = ballot
    seq_of = {ballot.digest: ballot["seq"] for ballot in timely}
    in_window = frozenset(seq_of)
    cured: set[int] = set()
    for cure in cures:  # in the order of their numbers: a cure may itself be doubled, and then cured
        seqs = [seq_of.get(digest) for digest in cure["cures"]]
        seq = seqs[0]
        if seq is None or seq != seqs[1] or seq >= cure["seq"]:
            continue
        same = any(choice_of(cure) == choice_of(by_seq[seq][digest]) for digest in cure["cures"])
        if same or cure.digest in in_window:
            cured.add(seq)
            seq_of[cure.digest] = cure["seq"]
            by_seq.setdefault(cure["seq"], {})[cure.digest] = cure
    doubled = [seq for seq in sorted(by_seq) if len(by_seq[seq]) > 1 and seq not in cured]
    if doubled:
        return None, tuple(by_seq[seq][digest] for seq in doubled for digest in sorted(by_seq[seq]))
    return (next(iter(by_seq[max(by_seq)].values())), ()) if by_seq else (None, ())


def _gap(counted: Record | None, mine: Sequence[Record]) -> bool:
    if counted is None or counted["seq"] == 1:
        return False
    return all(one.digest != counted.get("prev") for one in mine)
