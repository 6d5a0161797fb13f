"""Logging in and out, and what becomes of a form whose log-in ended while somebody wrote it: nothing typed is lost.

Such a form travels through the log-in page as a hidden field; after the log-in it is shown with a button that sends it again.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from aiohttp import web

from models.people import member_by_login
from models.rules.refusals import NotAllowed, TooMany
from server.actions import people
from server.keys import CLOCK, DATABASE
from server.web.forms import NOT_KEPT, Form, FormHandler, Problems, Stale, parse, posted, safe_path
from server.web.passwords import is_password
from server.web.render import Frame, frame_of, page, see
from server.web.sessions import (
    Visit,
    address_of,
    forget_login,
    login_token,
    mark_for,
    reading,
    remember_login,
)

WRONG = "This name and password do not belong together. Check both and try again."


@dataclass(frozen=True)
class LoginPage:
    login: str = ""
    next: str = "/"
    kept: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class ResumePage:
    """A form that was written before the log-in: `words` for reading, `pairs` for sending it again to `action`."""

    action: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def words(self) -> list[str]:
        """What looks as if a person had typed it."""
        return [value for name, value in self.pairs if name not in NOT_KEPT and re.search(r"\s|.{65}", value)]


@dataclass(frozen=True)
class KeptPage:
    """A form that may not be sent any more: why, and what was typed in it."""

    sentence: str
    words: list[str]


def form_frame(visit: Visit) -> Frame:
    """The frame of a page that holds a form, for visitors too."""
    return replace(frame_of(visit), mark=mark_for(visit.request))


def taking(
    handler: FormHandler, read: Callable[[web.Request], Awaitable[Form]] = posted
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler of a POST: it gets the checked form, as `read` reads it. If the log-in ended meanwhile, the words are kept."""

    async def take(request: web.Request) -> web.StreamResponse:
        try:
            form = await read(request)
        except Stale as stale:
            return await _later(request, stale.form)
        try:
            return await handler(request, form)
        except NotAllowed as refusal:
            if refusal.code == "log-in":
                return await _later(request, form)
            return await _not_allowed(request, form, refusal)

    return take


async def _later(request: web.Request, form: Form) -> web.Response:
    """A form that cannot be taken now: log in first, or (after a log-in in another tab) just send it again."""
    async with reading(request) as visit:
        if visit.viewer.is_member:
            return _resume(request, frame_of(visit), request.path, form)
        context = LoginPage(next=safe_path(request.path), kept=form.kept())
        return page(request, form_frame(visit), "people/login.html", context, HTTPStatus.FORBIDDEN)


def _resume(request: web.Request, frame: Frame, action: str, form: Form) -> web.Response:
    context = ResumePage(action, parse(form.kept()).pairs)
    return page(request, frame, "people/resume.html", context)


async def _not_allowed(request: web.Request, form: Form, refusal: NotAllowed) -> web.Response:
    """The power has lapsed since the form was opened: the words are shown, so that they can be copied."""
    words = ResumePage("", form.pairs).words
    if not words:
        raise refusal
    async with reading(request) as visit:
        context = KeptPage(refusal.sentence, words)
        return page(request, frame_of(visit), "people/kept.html", context, HTTPStatus.FORBIDDEN)


async def login_page(request: web.Request) -> web.StreamResponse:
    path = safe_path(request.query.get("next", ""))
    async with reading(request) as visit:
        if visit.viewer.is_member:
            return see(path)
        return page(request, form_frame(visit), "people/login.html", LoginPage(next=path))


async def log_in(request: web.Request) -> web.StreamResponse:
    """Check name and password; open a log-in; go on to where the person came from, with what they had typed."""
    try:
        form = await posted(request)
    except Stale as stale:
        return await _again(
            request, stale.form, Problems("This page had been open for long. Please try once more.")
        )
    token = people.new_token()
    try:
        name = await _enter(request, form.one("login").lower(), form.one("password"), token)
    except TooMany as refusal:
        return await _again(request, form, Problems(refusal.sentence), HTTPStatus.TOO_MANY_REQUESTS)
    if name is None:
        return await _again(request, form, Problems(WRONG), HTTPStatus.UNPROCESSABLE_ENTITY)
    path, kept = safe_path(form.one("next")), parse(form.one("kept"))
    if not kept.pairs:
        response = see(path)
    else:
        async with reading(request) as visit:
            frame = replace(frame_of(visit), member=name, mark=mark_for(request, token))
        response = _resume(request, frame, path, kept)
    remember_login(request, response, token)
    return response


async def _enter(request: web.Request, login: str, password: str, token: str) -> str | None:
    """Open a log-in under `token` and return the member's name; None if name and password do not belong together."""
    database, now, address = request.app[DATABASE], request.app[CLOCK].now(), address_of(request)
    async with database.READ() as session:
        await people.check_throttle(session, login, address, now)
        member = await member_by_login(session, login)
    stored = member.password_hash if member and member.left_at is None else None
    right = await is_password(request.app, stored, password)
    async with database.ACT.begin() as session:
        # asked again: of many guesses sent at once, only the allowed number learns anything
        await people.check_throttle(session, login, address, now)
        if member is None or not right:
            await people.note_failure(session, login, address, now)
            return None
        await people.log_in(session, member, people.token_digest(token), now)
    return member.name


async def _again(
    request: web.Request, form: Form, problems: Problems, status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    context = LoginPage(form.one("login"), safe_path(form.one("next")), form.one("kept"), problems)
    async with reading(request) as visit:
        return page(request, form_frame(visit), "people/login.html", context, status)


async def log_out(request: web.Request, _form: Form) -> web.StreamResponse:
    """This browser is logged out; a second time changes nothing."""
    token = login_token(request)
    if token is not None:
        async with request.app[DATABASE].ACT.begin() as session:
            await people.log_out(session, token)
    response = see("/")
    forget_login(request, response)
    return response
