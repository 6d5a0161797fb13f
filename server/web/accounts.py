"""Logging in and out, and what becomes of a form whose log-in ended while somebody wrote it: nothing typed is lost.

Such a form travels through the log-in page as a hidden field; after the log-in it is shown with a button that sends it again.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models.accounts import JoinRequest, request_by_login
from models.people import Member, member_by_login
from models.rules.phrases import phrase
from models.rules.refusals import NotAllowed, NotFound, Refusal, TooMany
from server.actions import people, requests, second
from server.errors import MISSING, status_of
from server.keys import CLOCK, DATABASE, HOME
from server.language import _
from server.web import ceremonies, tickets
from server.web.ceremonies import Ceremony
from server.web.forms import NOT_KEPT, Form, FormHandler, Problems, Stale, parse, posted, safe_path
from server.web.passwords import is_password
from server.web.places import place_of
from server.web.proving import NO_PASSKEY, use_passkey
from server.web.render import Frame, frame_of, page, see
from server.web.sessions import (
    Visit,
    forget_login,
    login_token,
    mark_for,
    open_login,
    reading,
    remember_login,
)
from server.web.words import DONE

WRONG = phrase("This name and password do not belong together. Check both and try again.")


@dataclass(frozen=True)
class LoginPage:
    login: str = ""
    next: str = "/"
    kept: str = ""
    problems: Problems = field(default_factory=Problems)
    ceremony: Ceremony = field(default_factory=Ceremony)
    may_ask: bool = False
    done: str = ""


@dataclass(frozen=True)
class CodePage:
    """The second step of logging in. `ticket` shows that the password was right a moment ago."""

    login: str
    ticket: str
    next: str
    kept: str
    problems: Problems


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
    """A form that was not taken and cannot be sent again: why, and what was typed in it."""

    may_not: bool
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
        except Refusal as refusal:
            return await turned_away(request, form, refusal)
        except web.HTTPNotFound:
            return await turned_away(request, form, NotFound("not-found", MISSING.sentence))

    return take


async def _later(request: web.Request, form: Form) -> web.Response:
    """A form that cannot be taken now: log in first, or (after a log-in in another tab) just send it again. One that is too long to
    go through the log-in is shown, to be copied."""
    async with reading(request) as visit:
        if visit.viewer.is_member:
            return _resume(request, frame_of(visit), request.path, form)
    if form.without_secrets() and not form.kept():
        first = _("You are not logged in any more, and this is too long to be kept while you log in.")
        return await kept(request, form, NotAllowed("log-in", first))
    async with reading(request) as visit:
        context = LoginPage(next=safe_path(request.path), kept=form.kept())
        return await _login_page(visit, context, HTTPStatus.FORBIDDEN)


def _resume(request: web.Request, frame: Frame, action: str, form: Form) -> web.Response:
    context = ResumePage(action, form.without_secrets())
    return page(request, frame, "people/resume.html", context)


async def turned_away(request: web.Request, form: Form, refusal: Refusal) -> web.Response:
    """A form that its own page does not answer. Without a log-in, log in first: also where strangers learn that there is nothing,
    whether there is or not. With one, the power has lapsed, or what it was about is gone: its words are kept."""
    async with reading(request) as visit:
        is_member = visit.viewer.is_member
    if not is_member and isinstance(refusal, NotAllowed | NotFound):
        return await _later(request, form)
    return await kept(request, form, refusal)


async def kept(request: web.Request, form: Form, refusal: Refusal) -> web.Response:
    """Why the form was not taken, and what was typed, to be copied; where nothing was, just why."""
    words = ResumePage("", form.pairs).words
    if not words:
        raise refusal
    async with reading(request) as visit:
        context = KeptPage(isinstance(refusal, NotAllowed), refusal.sentence, words)
        return page(request, frame_of(visit), "people/kept.html", context, status_of(refusal))


def for_members(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A page that only members have: everybody else logs in first and comes back."""

    async def show(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotAllowed as refusal:
            if refusal.code != "log-in":
                raise
            return see(f"/login?next={quote(safe_path(request.path_qs), safe='/@')}")

    return show


async def login_page(request: web.Request) -> web.StreamResponse:
    path = safe_path(request.query.get("next", ""))
    async with reading(request) as visit:
        if visit.viewer.is_member:
            return see(path)
        return await _login_page(visit, LoginPage(next=path))


async def _login_page(visit: Visit, context: LoginPage, status: int = HTTPStatus.OK) -> web.Response:
    request = visit.request
    context = replace(
        context,
        ceremony=ceremonies.to_log_in(request),
        may_ask=await requests.are_taken(visit.session),
        done=DONE.get(request.query.get("done", ""), ""),
    )
    return page(request, form_frame(visit), "people/login.html", context, status, "passkeys.js")


async def log_in(request: web.Request) -> web.StreamResponse:
    """Check name and password, or the passkey; open a log-in, or ask for the second factor; go on to where the person came
    from, with what they had typed."""
    try:
        form = await posted(request)
    except Stale as stale:
        return await _again(
            request, stale.form, Problems(_("This page had been open for long. Please try once more."))
        )
    try:
        if form.one("passkey"):
            member = await use_passkey(request, form, ceremonies.LOG_IN)
            how, problem = "passkey", NO_PASSKEY
        else:
            member, problem = await _by_password(request, form.one("login").lower(), form.one("password"))
            how = "password"
    except TooMany as refusal:
        return await _again(request, form, Problems(refusal.sentence), HTTPStatus.TOO_MANY_REQUESTS)
    if member is None:
        return await _again(request, form, Problems(problem), HTTPStatus.UNPROCESSABLE_ENTITY)
    if how == "password" and member.totp_at is not None:
        return await code_page(request, member, form)
    return await enter(request, member, form, how)


async def _by_password(request: web.Request, login: str, password: str) -> tuple[Member | None, str]:
    """The member whose name and password these are, or None and what to say."""
    database, now, address = request.app[DATABASE], request.app[CLOCK].now(), place_of(request)
    async with database.READ() as session:
        await people.check_throttle(session, login, address, now)
        member = await member_by_login(session, login)
        asked = None if member else await request_by_login(session, login, now - requests.WAITS)
    stored = member.password_hash if member and member.left_at is None else None
    right = await is_password(request.app, stored or (asked.password_hash if asked else None), password)
    async with database.ACT.begin() as session:
        # asked again: of many guesses sent at once, only the allowed number learns anything
        await people.check_throttle(session, login, address, now)
        if not right:
            await people.note_failure(session, login, address, now)
            return None, WRONG
    if asked is not None:
        return None, _of_request(asked)
    return member, ""


def _of_request(asked: JoinRequest) -> str:
    """What somebody learns who asked to join and is no member yet."""
    if asked.declined_at is None:
        return _("You asked to join. Nobody has answered yet: try again in a day or two.")
    if asked.answer:
        return _("Your request to join was declined. They wrote: “{answer}”", answer=asked.answer)
    return _("Your request to join was declined.")


async def enter(request: web.Request, member: Member, form: Form, how: str) -> web.StreamResponse:
    """Open a log-in for somebody who has shown who they are, and go on."""
    token = people.new_token()
    async with request.app[DATABASE].ACT.begin() as session:
        enters = how == "passkey" or await people.is_still(session, member)
        if enters:
            await open_login(request, session, member, token, how, request.app[CLOCK].now())
    if not enters:
        return await _again(request, form, Problems(WRONG), HTTPStatus.UNPROCESSABLE_ENTITY)
    path, kept = safe_path(form.one("next")), parse(form.one("kept"))
    if not kept.pairs:
        response = see(path)
    else:
        async with reading(request) as visit:
            frame = replace(frame_of(visit), member=member.name, mark=mark_for(request, token))
        response = _resume(request, frame, path, kept)
    remember_login(request, response, token)
    return response


async def _again(
    request: web.Request, form: Form, problems: Problems, status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    context = LoginPage(form.one("login"), safe_path(form.one("next")), form.one("kept"), problems)
    async with reading(request) as visit:
        return await _login_page(visit, context, status)


# The second factor


def _subject(member: Member) -> str:
    """For whom the ticket of the second step is: it is worth nothing once the password is another."""
    return f"{member.login} {hashlib.sha256(member.password_hash.encode()).hexdigest()}"


async def code_page(
    request: web.Request, member: Member, form: Form, problems: Problems | None = None, status: int = 200
) -> web.Response:
    """The password was right; now a code is asked for."""
    context = CodePage(
        login=member.login,
        ticket=tickets.issue(request, "second factor", _subject(member)),
        next=safe_path(form.one("next")),
        kept=form.one("kept"),
        problems=problems or Problems(),
    )
    async with reading(request) as visit:
        return page(request, form_frame(visit), "people/code.html", context, status)


async def log_in_with_code(request: web.Request) -> web.StreamResponse:
    """The second step: a code of the app, or a recovery code."""
    try:
        form = await posted(request)
    except Stale as stale:
        return await _again(
            request, stale.form, Problems(_("This page had been open for long. Please try once more."))
        )
    try:
        async with request.app[DATABASE].ACT.begin() as session:
            member, right = await _check_code(session, request, form)
    except TooMany as refusal:
        return await _again(request, form, Problems(refusal.sentence), HTTPStatus.TOO_MANY_REQUESTS)
    if member is None:
        over = Problems(_("That took longer than ten minutes. Please log in once more."))
        return await _again(request, form, over, HTTPStatus.UNPROCESSABLE_ENTITY)
    if not right:
        wrong = Problems(fields={"code": second.WRONG})
        return await code_page(request, member, form, wrong, HTTPStatus.UNPROCESSABLE_ENTITY)
    return await enter(request, member, form, "code")


async def _check_code(session: AsyncSession, request: web.Request, form: Form) -> tuple[Member | None, bool]:
    """Whose log-in it is (None if the ticket is not good) and whether the code is right; a wrong one is counted."""
    app, now, login, address = request.app, request.app[CLOCK].now(), form.one("login"), place_of(request)
    found = await member_by_login(session, login)
    if found is None or not tickets.is_good(request, form.one("ticket"), "second factor", _subject(found)):
        return None, False
    member = await second.locked(session, found.id)
    tries = {"login": people.here(login, address), "address": address, "code": login}
    await people.check_tries(session, now, **tries)
    right = await second.is_right(session, app[HOME], member, form.one("code"), now)
    if not right:
        await people.note_tries(session, now, **tries)
    return member, right


async def log_out(request: web.Request, _form: Form) -> web.StreamResponse:
    """This browser is logged out; a second time changes nothing."""
    token = login_token(request)
    if token is not None:
        async with request.app[DATABASE].ACT.begin() as session:
            await people.log_out(session, token)
    response = see("/")
    forget_login(request, response)
    return response
