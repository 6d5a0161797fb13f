"""Duties: what one instance must now say for a decision to go on, as a pure function of the records, the instant and who it is.

Terms (the convener, or after a pause another), acknowledgements, receipts, close statements, results. Saying them is
`server.actions.keeping`'s business; saying one twice is impossible, since what was said is among the records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.rules.ending import result_due
from models.rules.records import Record, stamp
from models.rules.standing import Standing, standing
from models.rules.terms import LISTED, Frozen, NoTerms, compute, left_out, recompute, standing_answers
from models.rules.times import Times, times_of

PATIENCE = timedelta(seconds=60)
"""How long the convener waits for answers on their way, and an objecting instance before it acknowledges all the same."""

RECEIPTS_AT_ONCE = 100


@dataclass(frozen=True)
class Us:
    """Who we are in a scope: the key of our collective and the key of our instance."""

    collective: str
    instance: str


@dataclass(frozen=True)
class Duty:
    """A record that is due: its type, whose key signs it (collective or instance) and its fields."""

    type: str
    signer: str
    fields: Mapping[str, Any]


def duties(records: Iterable[Record], now: datetime, us: Us, received: Mapping[str, datetime]) -> list[Duty]:
    """All that `us` must say at `now`. `received`: when each ballot and leave came to be held here."""
    known = {record.digest: record for record in records}
    view = standing(known.values(), now)
    if view.state in ("withdrawn", "void", "lapsed"):
        return []
    times = times_of(view.offer)
    mine = [r for r in known.values() if r.by in (us.collective, us.instance)]
    due = [*_terms(view, known, mine, times, now, us), *_acks(view, known, mine, times, now, us)]
    frozen = view.round.frozen if view.round else None
    if frozen is not None and us.instance in frozen.instances:
        due += _receipts(frozen, known, mine, now, us, received)
        due += _close_statement(frozen, known, mine, times, now, us)
        due += _result(view, us)
    return due


def next_duty(records: Iterable[Record], now: datetime, us: Us) -> datetime | None:
    """The next instant at which time alone can make something due or change the state; None if it never will again."""
    known = {record.digest: record for record in records}
    view = standing(known.values(), now)
    times = times_of(view.offer)
    instants = [times.closes, times.grace_ends]
    if view.round is None:
        instants += [times.ready, times.ready + PATIENCE, times.opens, _fallback_at(view, known, times, us)]
    instants += [
        r.at + PATIENCE for r in known.values() if r.type == "TermsObjection" and r.by == us.instance
    ]
    ahead = [at for at in instants if at > now]
    if view.next_at is not None:
        ahead.append(view.next_at)
    return min(ahead, default=None)


def _answers(view: Standing, known: Mapping[str, Record]) -> dict[str, Record]:
    """Answers that stand and take part, by collective."""
    latest, _ = standing_answers(view.offer, [r for r in known.values() if r.type == "Answer"])
    return {by: answer for by, answer in latest.items() if answer["takes"] != "declines"}


def _fallback_at(view: Standing, known: Mapping[str, Record], times: Times, us: Us) -> datetime:
    """When we may propose terms if the convener has not: each answering collective waits for those with a lower key."""
    others = sorted(by for by in _answers(view, known) if by != view.offer.by)
    rank = others.index(us.collective) + 1 if us.collective in others else len(others) + 1
    step = min(timedelta(minutes=5), (times.closes - times.opens) / (2 * (len(others) + 1)))
    return times.opens + step * rank


def _terms(
    view: Standing, known: Mapping[str, Record], mine: Sequence[Record], times: Times, now: datetime, us: Us
) -> Iterator[Duty]:
    """The round's terms: by the convener once all answers can be here; by another if none came. None where a round has begun."""
    answers = _answers(view, known)
    if us.collective not in answers or now > times.closes or now < times.ready:
        return
    if view.terms is not None or any(r.type == "Terms" and r.by == us.collective for r in mine):
        return
    if us.collective == view.offer.by:
        heard = {r.by for r in known.values() if r.type == "Answer"}
        patience = PATIENCE if set(view.offer["invited"]) - heard else timedelta()
        if now < times.ready + patience:
            return
    elif any(r.type == "Terms" for r in known.values()) or now < _fallback_at(view, known, times, us):
        return
    said = {kind: [r for r in known.values() if r.type == kind] for kind in LISTED}
    try:
        fields = compute(view.offer, said)
    except NoTerms:
        return
    yield Duty("Terms", "collective", fields)


def _acks(
    view: Standing, known: Mapping[str, Record], mine: Sequence[Record], times: Times, now: datetime, us: Us
) -> Iterator[Duty]:
    """Acknowledge the first terms that we can recompute; what they left out is objected to first, by digest. If others came into
    effect, acknowledge those as well: that chooses nothing any more, and without it no ballot of our circles would be accepted."""
    if now > times.closes or us.collective not in _answers(view, known):
        return
    acked = {r["terms"] for r in mine if r.type == "TermsAck"}
    candidates = [r for r in known.values() if r.type == "Terms" and r["round"] == 1]
    if acked:
        candidates = [view.terms] if view.terms is not None and view.terms.digest not in acked else []
    for terms in sorted(candidates, key=lambda r: (r.by != view.offer.by, r.by, r.digest)):
        frozen, _ = recompute(view.offer, terms, known)
        if frozen is None:
            continue
        if terms.by != view.offer.by and (terms.by not in frozen.answers or terms.at < times.opens):
            continue
        missing = left_out(view.offer, terms, known)
        said = {r["missing"]: r.at for r in mine if r.type == "TermsObjection" and r["terms"] == terms.digest}
        for digest in missing:
            if digest not in said:
                yield Duty("TermsObjection", "instance", {"terms": terms.digest, "missing": digest})
        if us.collective not in frozen.answers:
            return
        if not missing or all(digest in said and now >= said[digest] + PATIENCE for digest in missing):
            yield Duty("TermsAck", "instance", {"terms": terms.digest})
        return


def _home_of(record: Record, frozen: Frozen) -> str | None:
    """The instance that answers for whoever signed a ballot, a leave or a challenge."""
    if record.type == "Leave":
        answer = frozen.answers.get(record.by)
        return None if answer is None else str(answer["instance"])
    place = frozen.circles.get(record.by)
    if place is None:
        return record.by if record.type == "Challenge" and record.by in frozen.instances else None
    return place.instance


def _receipts(
    frozen: Frozen,
    known: Mapping[str, Record],
    mine: Sequence[Record],
    now: datetime,
    us: Us,
    received: Mapping[str, datetime],
) -> Iterator[Duty]:
    """Receipts for what other instances' circles and collectives signed and we hold."""
    if us.instance not in frozen.keepers:
        return
    done = {one["record"] for r in mine if r.type == "Receipt" for one in r["held"]}
    open_ = sorted(
        r.digest
        for r in known.values()
        if (r.type in ("Leave", "Challenge") or (r.type == "Ballot" and r["terms"] == frozen.terms.digest))
        and r.digest not in done
        and r.digest in received
        and _home_of(r, frozen) not in (None, us.instance)
    )
    for start in range(0, len(open_), RECEIPTS_AT_ONCE):
        held = [
            {"record": digest, "received": stamp(min(received[digest], now).replace(microsecond=0))}
            for digest in open_[start : start + RECEIPTS_AT_ONCE]
        ]
        yield Duty("Receipt", "instance", {"held": held})


def _close_statement(
    frozen: Frozen, known: Mapping[str, Record], mine: Sequence[Record], times: Times, now: datetime, us: Us
) -> Iterator[Duty]:
    """After the close: the last ballot of each of our circles, or none."""
    terms = frozen.terms.digest
    ours = sorted(c for c, place in frozen.circles.items() if place.instance == us.instance)
    if now <= times.closes or not ours:
        return
    if any(r.type == "CloseStatement" and r["terms"] == terms and r.by == us.instance for r in mine):
        return
    last: dict[str, Record] = {}
    ballots = [
        r for r in known.values() if r.type == "Ballot" and r["terms"] == terms and r.at <= times.closes
    ]
    for ballot in sorted(ballots, key=lambda r: (r["seq"], r.digest)):
        last[ballot.by] = ballot
    circles = [{"circle": c} | ({"ballot": last[c].digest} if c in last else {}) for c in ours]
    yield Duty("CloseStatement", "instance", {"terms": terms, "circles": circles})


def _result(view: Standing, us: Us) -> Iterator[Duty]:
    """After the grace: what we counted, and again whenever we come to count something else or its state changes."""
    fields = result_due(view, us.instance)
    if fields is not None:
        yield Duty("Result", "instance", fields)
