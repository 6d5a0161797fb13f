"""Times: every instant that an Offer fixes, computed once. Durations in an Offer are seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.rules.records import Record, instant

AHEAD = timedelta(minutes=5)
"""A record dated further ahead than this is held back."""


@dataclass(frozen=True)
class Times:
    """The instants of a decision, in their order.

    `ready`: options and answers are complete, terms can be frozen. `receipts_end`: a receipt that makes a
    ballot timely says it was received by then (close and slack, never after the grace). `grace_ends`: nothing
    dated later can change a count. `challenge_ends`: final at the earliest. `wait_ends`: every hold ends.
    `ratify_ends`: objections of the unheard end.
    """

    gather_until: datetime
    respond_by: datetime
    ready: datetime
    opens: datetime
    closes: datetime
    receipts_end: datetime
    grace_ends: datetime
    challenge_ends: datetime
    wait_ends: datetime
    ratify_ends: datetime


def times_of(offer: Record) -> Times:
    """The instants that an Offer fixes."""
    gather, respond, opens, closes = (
        instant(offer[name]) for name in ("gatherUntil", "respondBy", "opensAt", "closesAt")
    )

    def after_close(*fields: str) -> datetime:
        return closes + timedelta(seconds=sum(offer[field] for field in fields))

    return Times(
        gather_until=gather,
        respond_by=respond,
        ready=max(gather, respond),
        opens=opens,
        closes=closes,
        receipts_end=min(after_close("receiptSlack"), after_close("grace")),
        grace_ends=after_close("grace"),
        challenge_ends=after_close("grace", "challenge"),
        wait_ends=after_close("maxWait"),
        ratify_ends=after_close("maxWait", "ratify"),
    )
