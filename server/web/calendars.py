"""Calendars (RFC 5545): plain values in, bytes out. Lines are folded by octets, texts escaped, times in UTC."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

MOST_OCTETS: Final = 75
CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Happening:
    """An instant in a calendar. `changed` is when what we say of it last changed."""

    uid: str
    at: datetime
    changed: datetime
    summary: str
    description: str
    url: str
    is_cancelled: bool = False


def document(name: str, happenings: Sequence[Happening]) -> bytes:
    """The calendar as it is served."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Jura//Jura//EN", f"X-WR-CALNAME:{_escaped(name)}"]
    for one in happenings:
        lines += _event(one)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(lines))


def _event(one: Happening) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{_escaped(one.uid)}",
        f"DTSTAMP:{_stamp(one.changed)}",
        f"LAST-MODIFIED:{_stamp(one.changed)}",
        f"DTSTART:{_stamp(one.at)}",
        f"SUMMARY:{_escaped(one.summary)}",
        f"DESCRIPTION:{_escaped(one.description)}",
        f"URL:{one.url}",
        f"STATUS:{'CANCELLED' if one.is_cancelled else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _stamp(then: datetime) -> str:
    return then.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    plain = CONTROL.sub("", text.replace("\r\n", "\n"))
    return re.sub(r"([\\;,])", r"\\\1", plain).replace("\n", "\\n")


def _folded(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines as octets: long ones go on in the next line after a space, and no character is cut."""
    for line in lines:
        begun = b""
        for character in line:
            octets = character.encode("utf-8", "replace")
            if len(begun) + len(octets) > MOST_OCTETS:
                yield begun + b"\r\n"
                begun = b" "
            begun += octets
        yield begun + b"\r\n"
