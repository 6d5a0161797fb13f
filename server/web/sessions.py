"""Browsers: the cookie of a log-in, the mark in forms, and the visit: who looks, at which collective, at what instant.

Visitors get no cookie until they are shown a form. Faces open one READ or ACT transaction per request through `reading` and
`acting` (and `noting`); nobody else in `server.web` begins one.
"""

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models.choices import all_choices
from models.notices import unread_count
from models.people import Actor, Member
from server.actions import people
from server.actions.accounts import note_act
from server.actions.describing import hue_in
from server.actions.languages import language_in
from server.actions.people import LOGIN_LASTS, viewer_of
from server.actions.telling import us
from server.keys import CLOCK, DATABASE, HOME, SETTINGS
from server.language import _, accepted, speak
from server.viewer import Viewer
from server.web.moments import read_in

FORM_COOKIE_LASTS = 24 * 3600
_NEW_FORM_COOKIE: web.RequestKey[str] = web.RequestKey("new_form_cookie", str)


@dataclass(frozen=True)
class Visit:
    """One request inside its transaction, with what every page needs, asked once. `choices`: all that the collective has set."""

    request: web.Request
    session: AsyncSession
    viewer: Viewer
    collective: Actor
    choices: Mapping[str, Any] = field(default_factory=dict)
    unread: int = 0  # notices of whoever looks

    @property
    def now(self) -> datetime:
        return self.viewer.now

    @property
    def hue(self) -> str:
        return hue_in(self.choices)


@contextlib.asynccontextmanager
async def reading(request: web.Request) -> AsyncIterator[Visit]:
    """A visit that only looks."""
    async with request.app[DATABASE].READ() as session:
        yield await _visit(request, session)


@contextlib.asynccontextmanager
async def acting(request: web.Request) -> AsyncIterator[Visit]:
    """A visit that does one thing: what it changes stands iff the block ends without an error."""
    async with request.app[DATABASE].ACT.begin() as session:
        visit = await _visit(request, session)
        token = login_token(request)
        if visit.viewer.is_member and token:
            await note_act(session, token, visit.now)
        yield visit


@contextlib.asynccontextmanager
async def noting(request: web.Request) -> AsyncIterator[Visit]:
    """A look at a page, of which something is kept for whoever looks. It is no act: nothing was sent."""
    async with request.app[DATABASE].ACT.begin() as session:
        yield await _visit(request, session)


async def _visit(request: web.Request, session: AsyncSession) -> Visit:
    collective, _ = await us(session)
    viewer = await viewer_of(session, login_token(request), request.app[CLOCK].now())
    read_in(viewer.member.zone if viewer.member else None)
    own = viewer.member.lang if viewer.member else None
    found = await all_choices(session)
    speak(own or accepted(request.headers.get("Accept-Language", "")) or language_in(found))
    member = viewer.member if viewer.is_member else None
    unread = await unread_count(session, member.id) if member else 0
    return Visit(request, session, viewer, collective, found, unread)


def cookie_name(request: web.Request) -> str:
    return "__Host-jura" if request.app[SETTINGS].secure else "jura"


def form_cookie_name(request: web.Request) -> str:
    return cookie_name(request) + "-form"


def login_token(request: web.Request) -> str | None:
    """What the log-in cookie holds, whether or not it is still good."""
    return request.cookies.get(cookie_name(request)) or None


def mark_for(request: web.Request, login: str | None = None) -> str:
    """The hidden mark of a form on the page that answers this request: an HMAC over the browser's cookie. A browser without one
    is given one. `login` is a log-in that this very answer opens."""
    return _mark(request, login or browser_of(request))


def browser_of(request: web.Request) -> str:
    """What only this browser holds; one without anything is given something with the page that answers."""
    token = _browser(request)
    if token is None:
        token = request[_NEW_FORM_COOKIE] = request.get(_NEW_FORM_COOKIE) or secrets.token_urlsafe(32)
    return token


def is_marked(request: web.Request, mark: str) -> bool:
    """Was a form with this mark on a page that we gave to this browser?"""
    token = _browser(request)
    return token is not None and hmac.compare_digest(_mark(request, token).encode(), mark.encode())


def _browser(request: web.Request) -> str | None:
    return login_token(request) or request.cookies.get(form_cookie_name(request)) or None


def _mark(request: web.Request, token: str) -> str:
    return hmac.new(request.app[HOME].csrf_key, token.encode(), hashlib.sha256).hexdigest()


def remember_browser(request: web.Request, response: web.StreamResponse) -> None:
    """Set the cookie for forms, if this page has the browser's first one."""
    token = request.get(_NEW_FORM_COOKIE)
    if token is not None:
        _set(request, response, form_cookie_name(request), token, FORM_COOKIE_LASTS)


async def open_login(
    request: web.Request, session: AsyncSession, member: Member, token: str, how: str, now: datetime
) -> None:
    """A log-in for a member who has shown who they are. The one that this browser had ends: its cookie is about to be lost."""
    before = login_token(request)
    if before is not None:
        await people.log_out(session, before)
    await people.log_in(session, member, people.token_digest(token), now, how, browser_words(request))


def remember_login(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """From now on this browser is logged in."""
    _set(request, response, cookie_name(request), token, int(LOGIN_LASTS.total_seconds()))


def forget_login(request: web.Request, response: web.StreamResponse) -> None:
    _set(request, response, cookie_name(request), "", 0)


def _set(request: web.Request, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
    secure = request.app[SETTINGS].secure
    response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="Lax", secure=secure)


BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_words(request: web.Request) -> str:
    """What kind of browser this says it is, such as “Firefox on Android”; no more of it is kept."""
    said = request.headers.get("User-Agent", "")
    browser = next((words for mark, words in BROWSERS if mark in said), _("A browser"))
    system = next((words for mark, words in SYSTEMS if mark in said), "")
    return f"{browser} on {system}" if system else browser
