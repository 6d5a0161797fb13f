"""Lists of blocked servers as servers pass them on: CSV with the columns that Mastodon writes. Reading decides nothing."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from models.rules.peering import read_host
from models.rules.phrases import phrase
from models.rules.refusals import Invalid

COLUMNS: Final = (
    "#domain",
    "#severity",
    "#reject_media",
    "#reject_reports",
    "#public_comment",
    "#obfuscate",
)
SEVERITIES: Final = {"suspend": "block", "silence": "limit"}
MOST: Final = 2_000  # lines that are read at once
NOTE_LENGTH: Final = 500


@dataclass(frozen=True)
class Line:
    """One server of a list. With a `problem` it is passed over."""

    host: str
    act: str  # block or limit
    note: str = ""
    problem: str = ""


def read(text: str) -> list[Line]:
    """The servers of a list, each once, the first line about it first. Without a heading the first column is the server,
    to be blocked."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(map(str.strip, row))]
    except csv.Error as error:
        raise Invalid({"list": phrase("This is not a list of comma-separated values.")}) from error
    if len(rows) > MOST + 1:
        raise Invalid({"list": phrase("At most {n} servers at once. Split the list.", n=MOST)})
    if not rows:
        raise Invalid({"list": phrase("Paste a list: one server on each line.")})
    names = [name.strip().lower().lstrip("#") for name in rows[0]]
    has_heading = "domain" in names
    lines = (
        _line(dict(zip(names if has_heading else ["domain"], row, strict=False)))
        for row in rows[has_heading:]
    )
    found: dict[str, Line] = {}
    for line in lines:
        found.setdefault(line.host, line)
    return list(found.values())


def _line(row: dict[str, str]) -> Line:
    name, severity = row.get("domain", "").strip(), row.get("severity", "suspend").strip().lower()
    note = row.get("public_comment", "").strip()[:NOTE_LENGTH]
    if "*" in name:
        return Line(name, "", note, phrase("part of its name is hidden"))
    try:
        host = read_host(name)
    except Invalid:
        return Line(name, "", note, phrase("this is no name of a server"))
    act = SEVERITIES.get(severity or "suspend")
    return (
        Line(host, act, note)
        if act
        else Line(host, "", note, phrase("nothing is to be done by “{severity}”", severity=severity))
    )


def write(lines: Iterable[Line]) -> str:
    """The list as others read it."""
    severity = {act: word for word, act in SEVERITIES.items()}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([line.host, severity[line.act], "false", "false", _harmless(line.note), "false"])
    return out.getvalue()


def _harmless(note: str) -> str:
    """A note that no spreadsheet takes for a formula."""
    return f"'{note}" if note.startswith(("=", "+", "-", "@", "\t", "\r")) else note
