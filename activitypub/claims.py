"""What a signed request claims, in either scheme, and what both schemes ask of it: headers said once, our host, our time.

Nothing of a claim is true before `signatures.verify_request` returned.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

from activitypub.errors import NotAuthentic

Scheme = Literal["cavage", "rfc9421"]

WINDOW: Final = timedelta(hours=1)
HEADER_LIMIT: Final = 8192
WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: Final = re.compile(
    rf"({'|'.join(DAYS)}), (\d\d) ({'|'.join(MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)


class Headers(Protocol):
    """What a request's headers must be able to say: all values of a name, whatever its case, and everything."""

    def getall(self, key: str, default: list[str]) -> list[str]: ...

    def items(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """What the signature's headers claim. `covered` are names of headers, and of what the scheme derives;
    `algorithm` is "" if it is not said."""

    key_id: str
    algorithm: str
    covered: tuple[str, ...]
    signature: bytes
    created: int | None
    expires: int | None
    scheme: Scheme = "cavage"


def only(headers: Headers, name: str) -> str | None:
    """The one value of a header, or None; NotAuthentic if there are several."""
    values = headers.getall(name, [])
    if len(values) > 1:
        raise NotAuthentic("said-twice", f"The request has more than one {name.capitalize()} header.")
    return values[0].strip(" \t") if values else None


def http_date(instant: datetime) -> str:
    """An aware instant as HTTP writes it: "Sun, 22 Nov 2026 10:00:00 GMT"."""
    at = instant.astimezone(UTC)
    return f"{DAYS[at.weekday()]}, {at.day:02} {MONTHS[at.month - 1]} {at.year:04} {at.hour:02}:{at.minute:02}:{at.second:02} GMT"


def parse_http_date(text: str) -> datetime:
    """The instant in a Date header of exactly that form; NotAuthentic for any other."""
    found = _DATE.fullmatch(text)
    if found:
        day, month, year, hour, minute, second = found.groups()[1:]
        try:
            at = datetime(
                int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        except ValueError as error:
            raise NotAuthentic("bad-date", "The Date header names an instant that does not exist.") from error
        if DAYS[at.weekday()] == found[1]:
            return at
    raise NotAuthentic("bad-date", "The Date header is not an HTTP date.")


def check_time(claim: Claim, date: str | None, now: datetime) -> None:
    """Returns if every instant that was signed lies within an hour of `now`, and nothing has expired."""
    seconds = now.timestamp()
    instants = [parse_http_date(date).timestamp()] if date is not None else []
    if claim.created is not None:
        instants.append(claim.created)
    if any(abs(seconds - instant) > WINDOW.total_seconds() for instant in instants):
        raise NotAuthentic("stale", "The request was signed more than an hour away from now.")
    if claim.expires is not None and claim.expires < seconds:
        raise NotAuthentic("stale", "The signature has expired.")


def check_host(said: str, authority: str) -> None:
    """Returns if a Host header that was signed is ours."""
    if said.lower().removesuffix(":443") != authority.lower().removesuffix(":443"):
        raise NotAuthentic("foreign-host", "The request was signed for another host.")


def check_target(raw_target: str) -> None:
    """Returns if the request target, as it stood on the wire, is a path."""
    if not raw_target.startswith("/") or "#" in raw_target:
        raise NotAuthentic("bad-target", "The request target is not a path.")
