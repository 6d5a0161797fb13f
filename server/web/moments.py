"""Words for instants and lengths of time. A member's time is that of the zone they chose; for everybody else pages say UTC. How
far away it is, and the instant in UTC, are told with it.

The zone is that of the visit (`server.web.sessions`), which sets it before anything is written.
"""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from activitypub.later import later
from server.language import LANGUAGE, _, day_words, locale, ngettext

if TYPE_CHECKING:
    import babel.dates

    dates = babel.dates
else:
    dates = later("babel.dates")

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
    return _words(then.astimezone(ZONE.get()), with_day=False)


def moment(then: datetime) -> Markup:
    """The same as a piece of a page: machines read the instant in it, and people UTC when they point at it."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        machine(then), date_words(then), short_date(then)
    )


def countdown(then: datetime, now: datetime) -> Markup:
    """“in 3 hours (22 November 2026, 11:00 CET)” as a piece of a page; where scripts run, it keeps up."""
    return Markup('<span data-away="{}">{}</span> ({})').format(
        machine(then), distance(then, now), moment(then)
    )


def _words(then: datetime, *, with_day: bool = True) -> str:
    return f"{day_words(then, with_day=with_day)}, {then:%H:%M} {_zone_words(then)}"


def weekday_words(day: int) -> str:
    """“Monday” for 0."""
    return str(dates.get_day_names(context="stand-alone", locale=locale(LANGUAGE.get()))[day])


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


def span(length: timedelta) -> str:
    """“48 hours”, “7 days”, “90 minutes”: the largest unit that says it without a fraction; days from three on."""
    seconds = int(length.total_seconds())
    if seconds >= 3 * 86_400 and seconds % 86_400 == 0:
        return ngettext("{n} day", "{n} days", seconds // 86_400)
    if seconds >= 3600 and seconds % 3600 == 0:
        return ngettext("{n} hour", "{n} hours", seconds // 3600)
    if seconds % 60 == 0:
        return ngettext("{n} minute", "{n} minutes", seconds // 60)
    return ngettext("{n} second", "{n} seconds", seconds)


def distance(then: datetime, now: datetime) -> str:
    """“in 3 hours”, “3 hours ago”, “just now”: never longer than it is, in minutes up to two hours, hours up to three days, then
    days."""
    return _ahead(then - now) if then > now else _past(now - then)


def _ahead(length: timedelta) -> str:
    if length < MINUTE:
        return _("in less than a minute")
    if length < 2 * HOUR:
        return ngettext("in {n} minute", "in {n} minutes", length // MINUTE)
    if length < 3 * DAY:
        return ngettext("in {n} hour", "in {n} hours", length // HOUR)
    return ngettext("in {n} day", "in {n} days", length // DAY)


def _past(length: timedelta) -> str:
    if length < MINUTE:
        return _("just now")
    if length < 2 * HOUR:
        return ngettext("{n} minute ago", "{n} minutes ago", length // MINUTE)
    if length < 3 * DAY:
        return ngettext("{n} hour ago", "{n} hours ago", length // HOUR)
    return ngettext("{n} day ago", "{n} days ago", length // DAY)
