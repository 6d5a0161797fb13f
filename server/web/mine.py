"""One's own account, page by page: what one is called, the password, language and time zone, where one is logged in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from models.notices import SecretAddress
from models.rules.phrases import phrase
from models.rules.refusals import Invalid
from server.actions import accounts
from server.actions.people import token_digest
from server.keys import HOME
from server.language import Words, _, ngettext
from server.web.beginning import Step, next_step
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, problems_of
from server.web.passwords import hash_password
from server.web.proving import Proof, proof_for, prove
from server.web.render import frame_of, page, see
from server.web.sessions import acting, forget_login, login_token, reading
from server.web.words import DONE, READING, Choice, Named

LOGINS: Final = "/me/logins"
AGAIN: Final = phrase(
    "A browser cannot be logged in again from elsewhere: whoever sits at it needs the password or a passkey."
)

# How somebody showed who they are when they logged in.
HOWS: Final = Words(
    {
        "password": "with the password",
        "code": "with the password and a code",
        "passkey": "with a passkey",
        "joined": "when you joined",
    }
)


@dataclass(frozen=True)
class ProfilePage:
    name: str
    about: str
    is_public: bool
    problems: Problems


@dataclass(frozen=True)
class PasswordPage:
    proof: Proof
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class SettingsPage:
    languages: Sequence[Choice]
    zones: Sequence[Choice]
    lang: str
    zone: str
    done: str
    next: Step | None
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class LoginRow:
    number: int
    browser: str
    how: str
    since: datetime
    ends: datetime
    acted: datetime | None
    is_this: bool


@dataclass(frozen=True)
class LoginsPage:
    rows: Sequence[LoginRow]
    done: str


def done_in(request: web.Request) -> str:
    """What was just done, if the address says so."""
    return DONE.get(request.query.get("done", ""), "")


def status_of(problems: Problems) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK


async def profile_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        member = visit.viewer.require_member()
    return await _profile(request, member.name, member.about, Problems())


async def _profile(request: web.Request, name: str, about: str, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        context = ProfilePage(name, about, visit.viewer.require_member().actor_id is not None, problems)
        return page(request, frame_of(visit), "people/profile.html", context, status_of(problems))


async def change_profile(request: web.Request, form: Form) -> web.StreamResponse:
    """Be called so from now on, and say this of oneself."""
    name, about = form.one("name"), form.one("about")
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            await accounts.describe(visit.session, request.app[HOME], visit.viewer, name, about, visit.now)
    except Invalid as refusal:
        return await _profile(request, name, about, problems_of(refusal))
    return see("/me?done=profile")


async def password_page(request: web.Request) -> web.StreamResponse:
    return await _password(request, Problems())


async def _password(request: web.Request, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        context = PasswordPage(await proof_for(visit), problems)
        status = status_of(problems)
        return page(request, frame_of(visit), "people/password.html", context, status, "passkeys.js")


async def change_password(request: web.Request, form: Form) -> web.StreamResponse:
    """Another password; every other browser is logged out."""
    new = form.one("new-password")
    try:
        accounts.check_password(new, form.one("again"))
        await prove(request, form)
    except Invalid as refusal:
        return await _password(request, problems_of(refusal))
    password_hash = await hash_password(request.app, new)
    async with acting(request) as visit:
        member = visit.viewer.require_member()
        token = login_token(request)
        home = request.app[HOME]
        await accounts.change_password(visit.session, home, member, password_hash, token, visit.now)
    return see("/me?done=password")


async def settings_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        member = visit.viewer.require_member()
    return await _settings(request, member.lang or "", member.zone or "UTC", Problems())


async def _settings(request: web.Request, lang: str, zone: str, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        context = SettingsPage(
            languages=[Choice("", "As my browser asks"), *READING.values()],
            zones=[Named(name, name.replace("_", " ")) for name in accounts.zones()],
            lang=lang,
            zone=zone,
            done=done_in(request),
            next=await next_step(visit) if done_in(request) else None,
            problems=problems,
        )
        return page(request, frame_of(visit), "people/settings.html", context, status_of(problems))


async def change_settings(request: web.Request, form: Form) -> web.StreamResponse:
    """Read in this language, and see times in this zone."""
    lang, zone = form.one("lang"), form.one("zone")
    try:
        async with acting(request) as visit:
            await accounts.prefer(visit.session, visit.viewer, lang, zone, list(READING))
    except Invalid as refusal:
        return await _settings(request, lang, zone, problems_of(refusal))
    return see("/me/settings?done=settings")


async def logins_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        this = token_digest(login_token(request) or "")
        rows = [
            LoginRow(
                number=row.id,
                browser=_browser(row.browser),
                how=HOWS.get(row.how, ""),
                since=row.created_at,
                ends=row.expires_at,
                acted=row.acted_at,
                is_this=row.token_hash == this,
            )
            for row in await accounts.logins_of(visit.session, member.id, visit.now)
        ]
        return page(request, frame_of(visit), "people/logins.html", LoginsPage(rows, done_in(request)))


def _browser(kept: str) -> str:
    """“Firefox on Android” as the reader's language says it."""
    browser, _between, system = kept.partition(" on ")
    return _("{browser} on {system}", browser=browser, system=system) if system else kept or _("A browser")


async def end_login_page(request: web.Request) -> web.StreamResponse:
    number = int(request.match_info["number"])
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        rows = await accounts.logins_of(visit.session, member.id, visit.now)
        row = next((one for one in rows if one.id == number), None)
        if row is None:
            return see(LOGINS)
        context = Confirm(
            heading=_("Log this browser out?")
            if row.token_hash == token_digest(login_token(request) or "")
            else _("Log that browser out?"),
            about=_browser(row.browser),
            says=[AGAIN],
            button=_("Log it out"),
            action=f"{LOGINS}/{row.id}/end",
            back=LOGINS,
            above=_("Where you are logged in"),
        )
        return really(visit, context)


async def end_logins_page(request: web.Request) -> web.StreamResponse:
    everywhere = request.query.get("which") == "all"
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        many = len(await accounts.logins_of(visit.session, member.id, visit.now)) - (0 if everywhere else 1)
        if many < 1:
            return see(LOGINS)
        has_address = await visit.session.get(SecretAddress, member.id) is not None
        context = Confirm(
            heading=_("Log out everywhere?") if everywhere else _("Log out everywhere else?"),
            says=[
                ngettext("It is {n} browser.", "They are {n} browsers.", many),
                AGAIN,
                *(
                    [_("The addresses of your own feed and calendar end, too. You can make new ones.")]
                    * has_address
                ),
            ],
            button=_("Log out everywhere") if everywhere else _("Log out everywhere else"),
            action=f"{LOGINS}/end",
            back=LOGINS,
            above=_("Where you are logged in"),
            fields=[("which", "all" if everywhere else "others")],
        )
        return really(visit, context)


async def end_login(request: web.Request, _form: Form) -> web.StreamResponse:
    """Log one browser out; this one too, if it is this one."""
    async with acting(request) as visit:
        ended = await accounts.end_login(visit.session, visit.viewer, int(request.match_info["number"]))
    if ended == token_digest(login_token(request) or ""):
        return _out(request)
    return see("/me/logins?done=login-ended")


async def end_logins(request: web.Request, form: Form) -> web.StreamResponse:
    """Log every other browser out, or every one."""
    everywhere = form.one("which") == "all"
    async with acting(request) as visit:
        member = visit.viewer.require_member()
        kept = None if everywhere else login_token(request)
        await accounts.end_others(visit.session, member.id, kept)
    return _out(request) if everywhere else see("/me/logins?done=logins-ended")


def _out(request: web.Request) -> web.Response:
    response = see("/")
    forget_login(request, response)
    return response
