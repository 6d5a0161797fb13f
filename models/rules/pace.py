"""How much may arrive from one place: a bucket that fills with time and is emptied by what comes. Pure; who asks owns the clock."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Bucket:
    """`left` of what was allowed, as of `at`."""

    left: float
    at: datetime


def take(bucket: Bucket | None, per_minute: int, now: datetime) -> tuple[Bucket, timedelta | None]:
    """Take one: the bucket as it is then, and None; or, if it is empty, how long to wait until there is one again.

    It holds a minute's worth at most. A clock that goes back fills nothing.
    """
    if bucket is None:
        return Bucket(per_minute - 1, now), None
    passed = max(timedelta(), now - bucket.at)
    left = min(float(per_minute), bucket.left + per_minute * (passed / MINUTE))
    at = max(bucket.at, now) if passed else bucket.at
    if left < 1:
        return Bucket(left, at), timedelta(seconds=math.ceil((1 - left) * 60 / per_minute))
    return Bucket(left - 1, at), None
