"""Words for instants and lengths of time. No script runs on our pages, so a reader's local time is not known: pages say UTC, and
how far away it is.
"""

from datetime import UTC, datetime, timedelta

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def date_words(then: datetime) -> str:
    """“Sunday 22 November 2026, 10:00 UTC”."""
    then = then.astimezone(UTC)
    return f"{DAYS[then.weekday()]} {then.day} {MONTHS[then.month - 1]} {then.year}, {then:%H:%M} UTC"


def short_date(then: datetime) -> str:
    """“22 November 2026, 10:00 UTC”."""
    return date_words(then).split(" ", 1)[1]


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
