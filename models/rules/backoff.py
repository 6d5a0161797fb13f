"""Backoff: when to try again. Pure arithmetic; the delivery and inbox workers ask it and own the clock.

Jitter comes from a seed, never from a random source, so that a schedule can be recomputed and tested.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=12)
MOST_ATTEMPTS = 16  # with these gaps: 3.2 days from the first attempt to the last

HOST_PATIENCE = 3  # failures in a row that one host may have before we leave it alone for a while
HOST_FIRST = timedelta(minutes=2)
HOST_LONGEST = timedelta(hours=6)


def next_attempt(attempts: int, seed: str = "") -> timedelta | None:
    """How long to wait after `attempts` failed attempts (>= 1); None when it is time to give up.

    One minute, doubled each time, at most twelve hours, plus up to a tenth of it drawn from `seed`.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    return _spread(_doubled(FIRST, attempts - 1, LONGEST), f"{seed}:{attempts}")


def host_pause(fails: int, seed: str = "") -> timedelta:
    """How long to leave a whole host alone after `fails` failures in a row; zero while we are still
    patient."""
    if fails < HOST_PATIENCE:
        return timedelta(0)
    return _spread(_doubled(HOST_FIRST, fails - HOST_PATIENCE, HOST_LONGEST), f"{seed}:{fails}")


def retry_after(
    header: str | None, cap: timedelta = LONGEST, now: datetime | None = None
) -> timedelta | None:
    """What a `Retry-After` header asks for, between nothing and `cap`; None if it says nothing that we
    understand.

    Seconds, or an HTTP date (RFC 9110 §10.2.3); a date needs `now`.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return cap if len(text) > 9 else min(timedelta(seconds=int(text)), cap)
    if now is None or not text:
        return None
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(timedelta(0), min(then - now, cap))


def _doubled(first: timedelta, times: int, longest: timedelta) -> timedelta:
    doublings: int = 2 ** max(0, min(times, 20))
    return min(first * doublings, longest)


def _spread(pause: timedelta, seed: str) -> timedelta:
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2]) % 1000
    return timedelta(seconds=int(pause.total_seconds()) * (10_000 + share) // 10_000)
