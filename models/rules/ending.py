"""Endings: the state a decision is in, what its result is then, whom it binds, and when time alone changes
that.

Small functions that `standing` puts together; `result_due` is what a keeper has to publish.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.rules.records import Record, Refused, instant
from models.rules.rounds import Counted, Round
from models.rules.times import Times
from models.rules.view import Binding, Coverage, Shown, Standing

SECOND = timedelta(seconds=1)


def state_of(
    times: Times,
    now: datetime,
    round_: Round | None,
    double: Sequence[Record],
    withdrawn: Record | None,
    problem: str | None,
    objections: Sequence[Record],
) -> str:
    """One of STATES. Two Terms or a withdrawal end a round only as long as its keepers have not agreed on its
    result: keepers that know of such an end publish none, and a date of one's own choice undoes nothing that
    others counted."""
    agreed = round_ is not None and round_.finality.value is not None
    if round_ is not None and round_.finality.reached:
        return "final"
    if double and not agreed:
        return "void"
    if withdrawn is not None and not agreed:
        return "withdrawn"
    if now < times.gather_until:
        return "gathering"
    if round_ is None:
        over = now >= times.closes or (now >= times.ready and problem is not None)
        return "lapsed" if over else "deliberating"
    for end, state in (
        (times.opens, "deliberating"),
        (times.closes, "voting"),
        (times.grace_ends, "closing"),
        (times.wait_ends, "provisional"),
    ):
        if now < end:
            return state
    if round_.heard is None:
        return "contested"
    return "heard" if round_.heard.count.outcome == "adopted" and not objections else "undecided"


def result_shown(state: str, round_: Round | None) -> Shown:
    """The result to show in this state."""
    if round_ is None:
        return Shown()
    if state == "heard" and round_.heard is not None:
        return _shown(round_.heard, round_)
    if state in ("provisional", "contested"):
        return _shown(round_.ours, round_)
    value = round_.finality.value
    if state != "final" or value is None:
        return Shown()
    if value == round_.ours.value:
        return _shown(round_.ours, round_)
    said = Counter(
        (tuple(sorted(one["numbers"].items())), one["lateRoot"]) for one in round_.finality.results.values()
    )
    numbers, late_root = min(said, key=lambda one: (-said[one], one))
    return Shown(value.outcome, value.winner, (), dict(numbers), value.root, late_root, came_after=True)


def _shown(counted: Counted, round_: Round) -> Shown:
    one, numbers = counted.count, counted.numbers(round_.holding)
    return Shown(one.outcome, one.winner, one.tied, numbers, counted.count_root, counted.late_root)


def bindings(
    state: str,
    shown: Shown,
    round_: Round | None,
    times: Times,
    now: datetime,
    ratifies: Iterable[Record],
    refused: Refused,
) -> tuple[Binding, ...]:
    """What the outcome means for each collective that answered, by key."""
    if round_ is None:
        return ()
    ratified: dict[str, Record] = {}
    for one in sorted(ratifies, key=lambda one: (one.at, one.digest)):
        code = _cannot_ratify(one, round_, times)
        if code is None:
            ratified.setdefault(one.by, one)
        else:
            refused.append((one, code))
    rows = []
    for by, answer in sorted(round_.frozen.answers.items()):
        left, said = round_.left.get(by), ratified.get(by)
        until = _until(state, by, answer, round_, times)
        if answer["takes"] == "advisory":
            status, until = "advisory", None
        elif left is not None:
            status, until = "left", None
        elif state not in ("final", "heard"):
            status = "nothing" if state in ("undecided", "void", "withdrawn", "lapsed") else "open"
        elif shown.outcome != "adopted":
            status, until = "nothing", None
        elif until is None or (said is not None and said.at <= until):
            status = "bound"
        else:
            status = "ratifying" if now <= until else "not-bound"
        rows.append(Binding(by, answer["takes"], status, until, answer, said, left))
    return tuple(rows)


def _cannot_ratify(ratify: Record, round_: Round, times: Times) -> str | None:
    if ratify["terms"] != round_.frozen.terms.digest:
        return "other-terms"
    if ratify.by not in round_.frozen.answers:
        return "not-answering"
    return "ratified-early" if ratify.at < times.closes else None


def _until(state: str, by: str, answer: Record, round_: Round, times: Times) -> datetime | None:
    """Until when a collective has to say yes before it is bound: its own date; where it was not heard, the
    Offer's."""
    dates = [instant(answer["ratifyBy"])] if answer["takes"] == "ratifies" else []
    if state == "heard" and any(round_.frozen.circles[circle].collective == by for circle in round_.unheard):
        dates.append(times.ratify_ends)
    return max(dates, default=None)


def coverage(round_: Round | None, times: Times, now: datetime) -> Coverage:
    """How much has been heard. While voting: circles with a ballot, instances that acknowledged; after the
    close: circles not unheard, instances that gave their close statement or a Result."""
    if round_ is None:
        return Coverage(0, 0, 0, 0)
    entries = round_.ours.entries
    circles = sum(
        entry.status != "unheard" and (entry.status != "waiting" or entry.stated or bool(entry.ballots))
        for entry in entries
    )
    heard = frozenset(round_.acks) if now < times.closes else round_.heard_instances
    instances = round_.frozen.instances
    return Coverage(circles, len(entries), len(heard & instances), len(instances))


def wakes_at(state: str, times: Times, now: datetime, bound: Iterable[Binding]) -> datetime | None:
    """The next instant at which time alone changes the state or whom the outcome binds."""
    if state in ("final", "heard"):
        ends = [row.until + SECOND for row in bound if row.status == "ratifying" and row.until is not None]
        return min(ends, default=None)
    if state in ("contested", "undecided", "void", "withdrawn", "lapsed"):
        return None
    instants = (
        times.gather_until,
        times.ready,
        times.opens,
        times.closes,
        times.grace_ends,
        times.challenge_ends,
        times.wait_ends,
    )
    return min((one for one in instants if one > now), default=None)


def result_due(view: Standing, instance: str) -> dict[str, Any] | None:
    """The fields of the Result that this instance has to publish now; None if it is no keeper, if it is too
    early, if the round came to nothing, or if its latest Result says all this already."""
    said = next((one for one in view.keepers if one.instance == instance), None)
    fields = view.result_fields()
    if said is None or view.terms is None or not fields or fields["state"] is None:
        return None
    if said.result is not None and all(said.result.get(name) == value for name, value in fields.items()):
        return None
    return {"terms": view.terms.digest, "seq": said.seq + 1, **fields}
