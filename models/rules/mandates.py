"""Mandates: power on a timer. Whether one is in force is computed when asked; no job ever switches one off.

Values only. Rows, grants and recalls live elsewhere and are handed in; every use of a power asks
`powers_in_force`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

POWERS = ("operate", "moderate", "admit", "speak", "steward", "convene", "represent", "coordinate")
"""What can be lent. There is no other way to hold a power, and no role that holds them all."""

FOUNDING_TERM = timedelta(days=30)
USUAL_TERM = timedelta(days=30)
LONGEST_TERM = timedelta(days=90)
EMERGENCY_TERM = timedelta(hours=72)
EMERGENCY_POWERS = ("operate",)
RATIFICATION_WINDOW = timedelta(hours=48)
TERM_LIMIT = 2


@dataclass(frozen=True)
class Mandate:
    """Powers lent from `starts` until just before `ends`. A date that is None has not come about.

    `principal_ended` is when the circle or collective that granted it ceased to be; `renew_by` is set for
    mandates used on other instances, where a silent grantor suspends its delegate.
    """

    powers: frozenset[str]
    starts: datetime
    ends: datetime
    accepted: datetime | None = None
    recalled: datetime | None = None
    resigned: datetime | None = None
    principal_ended: datetime | None = None
    renew_by: datetime | None = None


def status(mandate: Mandate, now: datetime) -> str:
    """One word: recalled, resigned, orphaned, lapsed, offered, awaiting, suspended, or in-force."""
    for word, ended in (
        ("recalled", mandate.recalled),
        ("resigned", mandate.resigned),
        ("orphaned", mandate.principal_ended),
        ("lapsed", mandate.ends),
    ):
        if ended is not None and ended <= now:
            return word
    if mandate.accepted is None or mandate.accepted > now:
        return "offered"
    if mandate.starts > now:
        return "awaiting"
    if mandate.renew_by is not None and mandate.renew_by <= now:
        return "suspended"
    return "in-force"


def in_force(mandate: Mandate, now: datetime) -> bool:
    """Accepted, begun, not ended, not recalled, not resigned, its principal still there, and re-attested
    where it must be."""
    return status(mandate, now) == "in-force"


def powers_in_force(mandates: Iterable[Mandate], now: datetime) -> frozenset[str]:
    """Every power that these mandates lend at `now`."""
    return frozenset(power for one in mandates if in_force(one, now) for power in one.powers)


def lapses_next(mandates: Iterable[Mandate], now: datetime) -> datetime | None:
    """When the next of the mandates in force ends by time alone (its end or its `renew_by`); None if none is
    in force."""
    ends = [
        end for one in mandates if in_force(one, now) for end in (one.ends, one.renew_by) if end is not None
    ]
    return min(ends, default=None)


def may_hold_again(term: int, limit: int = TERM_LIMIT) -> bool:
    """Whether a grant of this term number keeps within the limit of consecutive terms."""
    return 1 <= term <= limit


def term_problem(starts: datetime, ends: datetime, emergency: bool = False) -> str | None:
    """What is wrong with a term, as a code: ends-before-it-starts, term-too-long; None if nothing is."""
    longest = EMERGENCY_TERM if emergency else LONGEST_TERM
    if ends <= starts:
        return "ends-before-it-starts"
    return "term-too-long" if ends - starts > longest else None
