"""Joining by a link, and making such links: how a collective grows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from markupsafe import Markup

from models.people import Member, member_by_login, member_count
from models.rules.circles import ASSEMBLY_BELOW
from models.rules.refusals import Conflict, Invalid, Refusal, TooMany
from server.actions import people
from server.keys import CLOCK, DATABASE, HOME
from server.language import _, ngettext
from server.web.accounts import form_frame
from server.web.beginning import Step, next_step
from server.web.confirming import Confirm, really
from server.web.factors import qr_code
from server.web.forms import Form, Problems, Stale, posted, problems_of
from server.web.mine import done_in
from server.web.passwords import hash_password, is_password
from server.web.places import place_of
from server.web.render import frame_of, page, see
from server.web.sessions import acting, open_login, reading, remember_login


@dataclass(frozen=True)
class JoinPage:
    is_founder: bool
    members: int
    about: str
    until: datetime
    login: str = ""
    name: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class Open:
    """A link that still admits somebody. What it is nobody can see again."""

    number: int
    maker: str
    uses: int
    made: datetime
    ends: datetime


@dataclass(frozen=True)
class InvitePage:
    uses: int
    members: int
    assembly_below: int
    mandate: int
    mandate_ends: datetime
    open: Sequence[Open]
    done: str
    link: str = ""
    qr: Markup = field(default_factory=Markup)
    link_ends: datetime | None = None
    next: Step | None = None
    problems: Problems = field(default_factory=Problems)


async def join_page(request: web.Request) -> web.StreamResponse:
    return await _join_page(request, Form(), Problems())


async def _join_page(
    request: web.Request, form: Form, problems: Problems, status: int = HTTPStatus.OK
) -> web.Response:
    """The form for a newcomer; a refusal with a kind sentence if the link is unknown, used or over."""
    async with reading(request) as visit:
        invitation = await people.open_invitation(visit.session, request.match_info["token"], visit.now)
        context = JoinPage(
            is_founder=invitation.kind == "founder",
            members=await member_count(visit.session),
            about=visit.collective.summary,
            until=invitation.expires_at,
            login=form.one("login"),
            name=form.one("name"),
            problems=problems,
        )
        return page(request, form_frame(visit), "people/join.html", context, status)


async def join(request: web.Request) -> web.StreamResponse:
    """Become a member and be logged in. Whoever sent the form twice is simply logged in."""
    try:
        form = await posted(request)
    except Stale as stale:
        sentence = _(
            "This page had been open for long. Please choose your password once more and send it again."
        )
        return await _join_page(request, stale.form, Problems(sentence))
    login, name, password = form.one("login").lower(), form.one("name"), form.one("password")
    token = people.new_token()
    try:
        people.check_person(login, name, password)
        await _join(request, login, name, password, token)
    except Invalid as refusal:
        return await _join_page(request, form, problems_of(refusal), HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooMany as refusal:
        return await _join_page(request, form, Problems(refusal.sentence), HTTPStatus.TOO_MANY_REQUESTS)
    response = see("/?done=joined")
    remember_login(request, response, token)
    return response


async def _join(request: web.Request, login: str, name: str, password: str, token: str) -> None:
    app, now, link = request.app, request.app[CLOCK].now(), request.match_info["token"]
    try:
        async with app[DATABASE].READ() as session:  # before the costly hash
            await people.open_invitation(session, link, now)
        password_hash = await hash_password(app, password)
        async with app[DATABASE].ACT.begin() as session:
            member = await people.join(session, link, login, name, password_hash, now)
            await open_login(request, session, member, token, "joined", now)
    except (Conflict, Invalid) as refusal:
        await _recognise(request, login, password, token, refusal)


async def _recognise(request: web.Request, login: str, password: str, token: str, refusal: Refusal) -> None:
    """The link is used or the name taken: if it was by this very person a moment ago, log them in; else refuse."""
    app, now, address = request.app, request.app[CLOCK].now(), place_of(request)
    async with app[DATABASE].READ() as session:
        await people.check_throttle(session, login, address, now)
        member: Member | None = await member_by_login(session, login)
    right = await is_password(app, member.password_hash if member else None, password)
    async with app[DATABASE].ACT.begin() as session:
        await people.check_throttle(session, login, address, now)
        known = member is not None and right and member.totp_at is None
        if known and member is not None and await people.is_still(session, member):
            await open_login(request, session, member, token, "password", now)
            return
        await people.note_failure(session, login, address, now)
    raise refusal


async def invite_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see("/login?next=/people/invite")
    return await _invite_page(request, 1)


async def _invite_page(
    request: web.Request,
    uses: int,
    link: str = "",
    link_ends: datetime | None = None,
    problems: Problems | None = None,
) -> web.Response:
    async with reading(request) as visit:
        mandate = visit.viewer.require("admit")
        context = InvitePage(
            uses=uses,
            members=await member_count(visit.session),
            assembly_below=ASSEMBLY_BELOW,
            mandate=mandate.id,
            mandate_ends=mandate.ends_at,
            open=[
                Open(row.id, maker, row.uses_left, row.created_at, row.expires_at)
                for row, maker in await people.open_invitations(visit.session, visit.viewer, visit.now)
            ],
            done=done_in(request),
            link=link,
            qr=qr_code(link) if link else Markup(),
            link_ends=link_ends,
            next=await next_step(visit) if link else None,
            problems=problems or Problems(),
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "people/invite.html", context, status)


async def invite(request: web.Request, form: Form) -> web.StreamResponse:
    """Make a link and show it, this once. (Sent twice, it makes a second link that nobody has seen, and that ends.)"""
    token = people.new_token()
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            digest, uses = people.token_digest(token), form.number("uses")
            row = await people.invite(visit.session, visit.viewer, digest, uses, visit.now)
    except Invalid as refusal:
        return await _invite_page(request, form.number("uses"), problems=problems_of(refusal))
    link = request.app[HOME].uri(f"join/{token}")
    return await _invite_page(request, row.uses_left, link, row.expires_at)


async def end_page(request: web.Request) -> web.StreamResponse:
    number = int(request.match_info["number"])
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        links = await people.open_invitations(visit.session, visit.viewer, visit.now)
        found = next(((row, maker) for row, maker in links if row.id == number), None)
        if found is None:
            return see("/people/invite")
        row, maker = found
        context = Confirm(
            heading=_("End link no. {number}?", number=str(number)),
            says=[
                _("Made by {name}.", name=maker),
                ngettext(
                    "It would admit {n} person more. Then it admits nobody.",
                    "It would admit {n} people more. Then it admits nobody.",
                    row.uses_left,
                ),
                _("Who has joined with it stays."),
                _("It cannot be opened again. You can make another one."),
            ],
            button=_("End the link"),
            action=f"/people/invite/{number}/end",
            back="/people/invite",
            above=_("Invite people"),
            mandate=mandate.id,
        )
        return really(visit, context)


async def end_link(request: web.Request, _form: Form) -> web.StreamResponse:
    """A link admits nobody any more."""
    async with acting(request) as visit:
        visit.viewer.require_member()
        number = int(request.match_info["number"])
        await people.end_invitation(visit.session, visit.viewer, number, visit.now)
    return see("/people/invite?done=invitation-ended")
