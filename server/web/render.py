"""Pages: templates, what the layout needs, and the headers under which pages go out.

A page is one template and one frozen dataclass; the template sees it as `page`, and the layout's `frame`. Templates may not query.
What members wrote is escaped, its paragraphs and line breaks are kept, and nothing in it becomes a link.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web
from markupsafe import Markup, escape

from models.rules.hues import HUES, sheet
from server.keys import CLOCK, HOME, TEMPLATES
from server.language import LANGUAGE
from server.web import moments
from server.web.saying import say, show
from server.web.sessions import Visit, mark_for, remember_browser

ROOT: Final = Path(__file__).resolve().parents[2]
STATIC: Final = ROOT / "server" / "static"
FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
CONNECTS: Final = {"live.js": "; connect-src 'self'"}  # the scripts that ask us for something
ASSETS: web.AppKey[dict[str, str]] = web.AppKey("assets", dict)


@dataclass(frozen=True)
class Frame:
    """What the layout of every page shows: whose instance this is, who looks, and the mark for forms."""

    name: str
    address: str
    url: str
    path: str
    member: str
    may_convene: bool
    may_admit: bool
    may_speak: bool
    may_moderate: bool
    may_operate: bool
    hue: str
    unread: int
    mark: str
    now: datetime
    assets: dict[str, str]
    language: str


def frame_of(visit: Visit) -> Frame:
    """The frame of a page about a visit. A visitor's page has no mark (and sets no cookie) unless it asks for one."""
    request, viewer = visit.request, visit.viewer
    return Frame(
        name=visit.collective.name,
        address=visit.collective.address,
        url=request.app[HOME].url,
        path=request.path_qs,
        member=viewer.member.name if viewer.member and viewer.is_member else "",
        may_convene=viewer.is_member and viewer.may("convene"),
        may_admit=viewer.is_member and viewer.may("admit"),
        may_speak=viewer.is_member and viewer.may("speak"),
        may_moderate=viewer.is_member and viewer.may("moderate"),
        may_operate=viewer.is_member and viewer.may("operate"),
        hue=visit.hue,
        unread=visit.unread,
        mark=mark_for(request) if viewer.is_member else "",
        now=visit.now,
        assets=request.app[ASSETS],
        language=LANGUAGE.get(),
    )


def bare_frame(request: web.Request) -> Frame:
    """The frame of a page that must not need the database."""
    authority = request.app[HOME].authority
    return Frame(
        name=authority,
        address="",
        url=request.app[HOME].url,
        path=request.path_qs,
        member="",
        may_convene=False,
        may_admit=False,
        may_speak=False,
        may_moderate=False,
        may_operate=False,
        hue="",
        unread=0,
        mark="",
        now=request.app[CLOCK].now(),
        assets=request.app[ASSETS],
        language=LANGUAGE.get(),
    )


def page(
    request: web.Request, frame: Frame, template: str, context: object, status: int = 200, script: str = ""
) -> web.Response:
    """The page as an answer. What a member sees is kept by no cache. `script` is the one file of ours that may run on it."""
    text = request.app[TEMPLATES].get_template(template).render(page=context, frame=frame)
    response = web.Response(text=text, content_type="text/html", charset="utf-8", status=status)
    response.headers["Cache-Control"] = "no-store" if frame.member or frame.mark else "no-cache"
    response.headers["Vary"] = "Cookie, Accept, Accept-Language"
    if script:
        response.headers["Content-Security-Policy"] = (
            f"{POLICY}{CONNECTS.get(script, '')}; script-src {frame.url}{frame.assets[script]}"
        )
    remember_browser(request, response)
    return response


def see(path: str) -> web.Response:
    """Go and look there (after a POST)."""
    return web.Response(status=303, headers={"Location": path})


async def guard_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Every answer of ours: no script, no third party, no frame, no guessing of types."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")


@cache
def make_environment(*, development: bool) -> jinja2.Environment:
    """Templates: everything escaped, a name that is not there is an error. Instances in one process share what was compiled."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=development,
        extensions=["jinja2.ext.i18n"],
        finalize=show,
    )
    say(environment)
    environment.filters.update(
        paragraphs=paragraphs,
        span=moments.span,
        machine=moments.machine,
        moment=moments.moment,
        date_words=moments.date_words,
        short_date=moments.short_date,
        local_words=moments.local_words,
        short=short,
    )
    environment.globals.update(distance=moments.distance)
    return environment


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs: blank lines part them, line breaks stay."""
    parts = re.split(r"\n\s*\n", text.strip())
    lines = ([escape(line) for line in part.split("\n")] for part in parts)
    return Markup("\n").join(Markup("<p>{}</p>").format(Markup("<br>").join(part)) for part in lines)


def short(digest: str) -> str:
    """A digest as people compare it: three groups of four."""
    return f"{digest[:4]} {digest[4:8]} {digest[8:12]}"


# Files


@cache
def load_assets() -> dict[str, tuple[str, bytes]]:
    """Each file of `static/`, and a sheet for each hue, by its name: the address, which changes with its content, and the bytes."""
    files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}
    files |= {f"hue-{name}.css": sheet(degrees).encode() for name, degrees in HUES.items()}
    found = {}
    for name, body in files.items():
        mark = hashlib.sha256(body).hexdigest()[:12]
        stem, _, kind = name.rpartition(".")
        found[name] = (f"/static/{stem}.{mark}.{kind}", body)
    return found


def static_handler(assets: dict[str, tuple[str, bytes]]) -> Any:
    """Answers for the files of `static/`, for ever at one address."""
    types = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    by_path = dict(assets.values())

    async def static(request: web.Request) -> web.Response:
        body = by_path.get(request.path)
        if body is None:
            raise web.HTTPNotFound
        kind = types[Path(request.path).suffix]
        headers = {"Cache-Control": FOR_A_YEAR, "Content-Type": f"{kind}; charset=utf-8"}
        return web.Response(body=body, headers=headers)

    return static
