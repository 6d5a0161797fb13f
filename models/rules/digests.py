"""When a digest is due: at an hour of the clock where the member lives, every day or on one day of the week."""

from datetime import UTC, datetime, time, timedelta, tzinfo

HOURS = range(24)
WEEKDAYS = range(7)  # Monday is 0


def next_digest(after: datetime, zone: tzinfo, hour: int, weekday: int | None = None) -> datetime:
    """The first instant after `after` at which it is this hour in this zone (on this day of the week); in UTC.

    Where the clock is put forward over that hour, it is the hour that the clock shows instead.
    """
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        then = datetime.combine(day, time(hour), zone).astimezone(UTC)
        if then > after and weekday in (None, day.weekday()):
            return then
        day += timedelta(days=1)
