"""What is known about a member as a file: a ZIP with the same twice, for machines (JSON) and for people (one HTML page)."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2320;background:#fff}"
    "dt{color:#56615c}dd{margin:0 0 .5rem;white-space:pre-wrap}section section{border-top:1px solid #d5dad4}"
)


def packed(found: Mapping[str, Any]) -> bytes:
    """The ZIP. Call it in a thread."""
    made = datetime.strptime(str(found["made at"]), "%Y-%m-%dT%H:%M:%S%z").timetuple()[:6]
    files = {
        "about-me.json": json.dumps(found, ensure_ascii=False, indent=2),
        "about-me.html": readable(found),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, made), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


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
