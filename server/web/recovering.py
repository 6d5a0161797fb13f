"""Getting back in: whoever may admit makes a link, the member sets a new password with it, and is told of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from models import accounts
from models.rules.refusals import Invalid
from server.actions import people, recovering
from server.actions.accounts import check_password
from server.actions.concerned import check_no_question
from server.keys import CLOCK, DATABASE, HOME
from server.language import _
from server.web.accounts import form_frame
from server.web.forms import Form, Problems, Stale, posted, problems_of
from server.web.mine import status_of
from server.web.passwords import hash_password
from server.web.places import place_of
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading


@dataclass(frozen=True)
class HelpPage:
    """For whoever may admit. `link` is shown once."""

    number: int
    name: str
    has_second: bool
    mandate: int
    mandate_ends: datetime
    link: str = ""
    link_ends: datetime | None = None
    resets: bool = False


@dataclass(frozen=True)
class RecoverPage:
    name: str
    login: str
    resets: bool
    passkeys: int
    until: datetime
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class Told:
    """What a member is told of a link that was made for them."""

    maker: str
    by_mail: bool
    mandate: int | None
    made: datetime
    used: datetime | None
    ends: datetime


async def told(visit: Visit) -> Sequence[Told]:
    found = await recovering.told(visit.session, visit.viewer, visit.now)
    return [
        Told(name, row.by_mail, row.mandate_id, row.created_at, row.used_at, row.expires_at)
        for row, name in found
    ]


async def help_page(request: web.Request) -> web.StreamResponse:
    return await _help(request)


async def _help(
    request: web.Request, link: str = "", ends: datetime | None = None, *, resets: bool = False
) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        await check_no_question(visit.session, visit.viewer, visit.now)
        member = await recovering.member_here(visit.session, int(request.match_info["number"]))
        context = HelpPage(
            number=member.id,
            name=member.name,
            has_second=member.totp_at is not None,
            mandate=mandate.id,
            mandate_ends=mandate.ends_at,
            link=link,
            link_ends=ends,
            resets=resets,
        )
        return page(request, frame_of(visit), "people/help.html", context)


async def make_link(request: web.Request, form: Form) -> web.StreamResponse:
    """Make a link and show it, this once. Sent twice, the first link works no more."""
    token = people.new_token()
    async with acting(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("admit")
        member = await recovering.member_here(visit.session, int(request.match_info["number"]))
        row = await recovering.make_link(
            visit.session,
            visit.viewer,
            member,
            people.token_digest(token),
            visit.now,
            resets_second=form.one("resets") == "yes",
        )
    link = request.app[HOME].uri(f"recover/{token}")
    return await _help(request, link, row.expires_at, resets=row.resets_second)


async def recover_page(request: web.Request) -> web.StreamResponse:
    return await _recover(request, Problems())


async def _recover(request: web.Request, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        digest = people.token_digest(request.match_info["token"])
        row, member = await recovering.open_link(visit.session, digest, visit.now)
        resets = row.resets_second and member.totp_at is not None
        keys = len(await accounts.passkeys_of(visit.session, member.id))
        context = RecoverPage(member.name, member.login, resets, keys, row.expires_at, problems)
        return page(request, form_frame(visit), "people/recover.html", context, status_of(problems))


async def recover(request: web.Request) -> web.StreamResponse:
    """Set the new password. Then one logs in with it."""
    try:
        form = await posted(request)
    except Stale:
        return await _recover(request, Problems(_("This page had been open for long. Please try once more.")))
    app, digest = request.app, people.token_digest(request.match_info["token"])
    now, address = app[CLOCK].now(), place_of(request)
    try:
        check_password(form.one("new-password"), form.one("again"))
    except Invalid as refusal:
        return await _recover(request, problems_of(refusal))
    async with app[DATABASE].READ() as session:  # before the costly hash
        await people.check_tries(session, now, address=address)
        await recovering.open_link(session, digest, now)
    password_hash = await hash_password(app, form.one("new-password"))
    async with app[DATABASE].ACT.begin() as session:
        member = await recovering.recover(session, app[HOME], digest, password_hash, now)
        await people.forget_failures(session, member.login, address)
    return see("/login?done=recovered")


async def cancel(request: web.Request, _form: Form) -> web.StreamResponse:
    """The member takes back what they did not ask for."""
    async with acting(request) as visit:
        await recovering.cancel(visit.session, visit.viewer, visit.now)
    return see("/me?done=link-cancelled")
