"""What is known about a member as a file: a ZIP with the same twice, for machines (JSON) and for people (one HTML page), and the
pictures that they uploaded."""

import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from markupsafe import Markup, escape

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2320;background:#fff}"
    "dt{color:#56615c}dd{margin:0 0 .5rem;white-space:pre-wrap}section section{border-top:1px solid #d5dad4}"
)


class Keepsake:
    """The ZIP while it is made, in a file. Call all of this in a thread."""

    def __init__(self, file: IO[bytes], found: Mapping[str, Any]) -> None:
        self.made = datetime.strptime(str(found["made at"]), "%Y-%m-%dT%H:%M:%S%z").timetuple()[:6]
        self.file, self.archive = file, zipfile.ZipFile(file, "w")
        texts = {
            "about-me.json": json.dumps(found, ensure_ascii=False, indent=2),
            "about-me.html": readable(found),
        }
        for name, text in texts.items():
            self.archive.writestr(zipfile.ZipInfo(name, self.made), text.encode(), zipfile.ZIP_DEFLATED)

    def add(self, name: str, picture: bytes) -> None:
        """A picture, as it is: its format has packed it already."""
        self.archive.writestr(zipfile.ZipInfo(name, self.made), picture)

    def finish(self) -> int:
        """No more is added; returns its length. It is read from the beginning."""
        self.archive.close()
        length = self.file.tell()
        self.file.seek(0)
        return length


def readable(found: Mapping[str, Any]) -> str:
    """One page that needs nothing else; everything that people wrote is escaped."""
    parts = Markup("").join(_section(str(name), value) for name, value in found.items())
    title = escape(f"About me, at {found['instance']}")
    return Markup(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>{}</title><style>{}</style><h1>{}</h1>{}</html>"
    ).format(title, Markup(STYLE), title, parts)


def _section(name: str, value: Any) -> Markup:
    return Markup("<section><h2>{}</h2>{}</section>").format(name[:1].upper() + name[1:], _value(value))


def _value(value: Any) -> Markup:
    if isinstance(value, Mapping):
        rows = (
            Markup("<dt>{}</dt><dd>{}</dd>").format(str(key), _value(inner)) for key, inner in value.items()
        )
        return Markup("<dl>{}</dl>").format(Markup("").join(rows))
    if isinstance(value, list):
        if not value:
            return Markup("<p>None.</p>")
        if all(isinstance(one, str) for one in value):
            return escape(", ".join(value))
        return Markup("").join(Markup("<section>{}</section>").format(_value(one)) for one in value)
    if value is None or value == "":
        return Markup("–")
    return escape({True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value)
