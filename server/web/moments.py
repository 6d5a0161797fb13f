"""Words for instants and lengths of time. A member's time is that of the zone they chose; for everybody else pages say UTC. How
far away it is, and the instant in UTC, are told with it.

The zone is that of the visit (`server.web.sessions`), which sets it before anything is written.
"""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


ZONE: Final[ContextVar[tzinfo]] = ContextVar("zone", default=UTC)


def read_in(zone: str | None) -> None:
    """Whoever reads what is written from now on in this request does so in this time zone; without one, in UTC."""
    try:
        ZONE.set(ZoneInfo(zone) if zone else UTC)
    except (ZoneInfoNotFoundError, ValueError):  # one that this machine does not know any more
        ZONE.set(UTC)


def date_words(then: datetime) -> str:
    """“Sunday 22 November 2026, 10:00 UTC”, whatever the reader's zone."""
    return _words(then.astimezone(UTC))


def local_words(then: datetime) -> str:
    """“Sunday 22 November 2026, 11:00 CET”, in the reader's zone."""
    return _words(then.astimezone(ZONE.get()))


def short_date(then: datetime) -> str:
    """“22 November 2026, 11:00 CET”, in the reader's zone."""
    return local_words(then).split(" ", 1)[1]


def _words(then: datetime) -> str:
    return f"{DAYS[then.weekday()]} {then.day} {MONTHS[then.month - 1]} {then.year}, {then:%H:%M} {_zone_words(then)}"


def _zone_words(then: datetime) -> str:
    """“CET”; where the zone has no letters of its own, “UTC-3”."""
    name = then.tzname() or ""
    if name.isalpha():
        return name
    minutes = int((then.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def machine(then: datetime) -> str:
    """The value of a `datetime` attribute."""
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plural(count: int, one: str, many: str = "") -> str:
    """“1 circle”, “3 circles”."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def verb(count: int, one: str, many: str) -> str:
    """“has” for one, “have” for none and for many."""
    return one if count == 1 else many


def span(length: timedelta) -> str:
    """“48 hours”, “7 days”, “90 minutes”: the largest unit that says it without a fraction; days from three on."""
    seconds = int(length.total_seconds())
    if seconds >= 3 * 86_400 and seconds % 86_400 == 0:
        return plural(seconds // 86_400, "day")
    if seconds >= 3600 and seconds % 3600 == 0:
        return plural(seconds // 3600, "hour")
    if seconds % 60 == 0:
        return plural(seconds // 60, "minute")
    return plural(seconds, "second")


def roughly(length: timedelta) -> str:
    """A length as people say it, never longer than it is: minutes up to two hours, hours up to three days, then days."""
    if length < MINUTE:
        return "less than a minute"
    if length < 2 * HOUR:
        return plural(length // MINUTE, "minute")
    if length < 3 * DAY:
        return plural(length // HOUR, "hour")
    return plural(length // DAY, "day")


def distance(then: datetime, now: datetime) -> str:
    """“in 3 hours”, “3 hours ago”, “just now”."""
    if then > now:
        return f"in {roughly(then - now)}"
    return "just now" if now - then < MINUTE else f"{roughly(now - then)} ago"
