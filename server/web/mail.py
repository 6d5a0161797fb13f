"""E-mail for a member: the address and its confirmation, how often, what at once; and the link by which it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from aiohttp import web

from models.mails import Mailbox
from models.rules.refusals import Invalid, Refusal
from server.actions import mailing
from server.keys import CLOCK, DATABASE, HOME, SETTINGS
from server.language import _
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, problems_of
from server.web.mine import done_in, status_of
from server.web.moments import weekday_words
from server.web.proving import Proof, proof_for, prove
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, mark_for, reading
from server.web.words import Choice, Named

HOURS: Final = tuple(Named(str(hour), f"{hour:02}:00") for hour in range(24))
DIGESTS: Final = (
    Choice("off", "Never"),
    Choice("daily", "Every day", "One mail with what you have not read. None if there is nothing."),
    Choice("weekly", "Every week", "The same, on the day that you choose."),
)
AT_ONCE: Final = (
    Choice("closing", "The voting closes in 12 hours, and my circle has published no ballot"),
    Choice("objection", "A circle objects"),
    Choice("recall", "A mandate of mine is recalled"),
)


@dataclass(frozen=True)
class Chosen:
    """What a form shows: what is stored, or what was typed."""

    address: str = ""
    digest: str = "off"
    hour: str = "8"
    weekday: str = "0"
    at_once: Sequence[str] = ()


@dataclass(frozen=True)
class MailPage:
    sends: bool
    proof: Proof
    confirmed: str
    refused: datetime | None
    pending: str
    pending_until: datetime | None
    chosen: Chosen
    done: str
    weekdays: Sequence[Choice]
    digests: Sequence[Choice] = DIGESTS
    hours: Sequence[Choice] = HOURS
    kinds: Sequence[Choice] = AT_ONCE
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class ConfirmPage:
    path: str
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class OffPage:
    path: str
    is_off: bool


async def mail_page(request: web.Request) -> web.StreamResponse:
    return await _mail_page(request, None, Problems())


async def _mail_page(request: web.Request, typed: Chosen | None, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        box = await visit.session.get(Mailbox, member.id)
        context = MailPage(
            sends=request.app[SETTINGS].smtp is not None,
            proof=await proof_for(visit),
            confirmed=(box.address if box else None) or "",
            refused=box.refused_at if box else None,
            pending=(box.pending if box else None) or "",
            pending_until=box.pending_until if box else None,
            chosen=typed or _stored(box),
            done=done_in(request),
            weekdays=[Named(str(day), weekday_words(day)) for day in range(7)],
            problems=problems,
        )
        status = status_of(problems)
        return page(request, frame_of(visit), "people/mail.html", context, status, "passkeys.js")


def _stored(box: Mailbox | None) -> Chosen:
    if box is None:
        return Chosen()
    return Chosen("", box.digest, str(box.hour), str(box.weekday), box.at_once)


async def name_address(request: web.Request, form: Form) -> web.StreamResponse:
    """Have a link sent to an address. It is asked who is there: by that address one can get a new password."""
    address = form.one("address")
    try:
        mailing.check_address(address)
        await prove(request, form)
        async with acting(request) as visit:
            await mailing.ask_address(visit.session, request.app[HOME], visit.viewer, address, visit.now)
    except Refusal as refusal:
        if refusal.code == "log-in":
            raise
        async with reading(request) as visit:
            box = await visit.session.get(Mailbox, visit.viewer.require_member().id)
        return await _mail_page(request, replace(_stored(box), address=address), problems_of(refusal))
    return see("/me/mail?done=mail-link")


async def choose(request: web.Request, form: Form) -> web.StreamResponse:
    """Get mail so often, and this at once."""
    typed = Chosen("", form.one("digest"), form.one("hour"), form.one("weekday"), form.every("at-once"))
    hour, weekday = form.number("hour", 99), form.number("weekday", 99)
    try:
        async with acting(request) as visit:
            await mailing.choose(
                visit.session, visit.viewer, typed.digest, hour, weekday, typed.at_once, visit.now
            )
    except Refusal as refusal:
        if refusal.code == "log-in":
            raise
        return await _mail_page(request, typed, problems_of(refusal))
    return see("/me/mail?done=settings")


async def forget_page(request: web.Request) -> web.StreamResponse:
    return await _forget(request, Problems())


async def _forget(request: web.Request, problems: Problems) -> web.StreamResponse:
    async with reading(request) as visit:
        box = await visit.session.get(Mailbox, visit.viewer.require_member().id)
        if box is None or not (box.address or box.pending):
            return see("/me/mail")
        context = Confirm(
            heading=_("Forget your address?"),
            about=box.address or box.pending or "",
            says=[
                _("What you chose to get is forgotten with it."),
                _("Mail that waits is not sent, except warnings about your account."),
                _("You can then get no link by e-mail to choose a new password."),
                _("One last mail goes to an address that was confirmed, and says that it is used no more."),
                _("It cannot be brought back: you can name it again, and confirm it anew."),
            ],
            button=_("Forget my address"),
            action="/me/mail/forget",
            back="/me/mail",
            above=_("E-mail"),
            proof=await proof_for(visit),
            problems=problems,
        )
        return really(visit, context)


async def forget(request: web.Request, form: Form) -> web.StreamResponse:
    """Have the address forgotten. It is asked who is there, as when one is named."""
    try:
        await prove(request, form)
    except Invalid as refusal:
        return await _forget(request, problems_of(refusal))
    async with acting(request) as visit:
        await mailing.forget_address(visit.session, request.app[HOME], visit.viewer, visit.now)
    return see("/me/mail?done=mail-forgotten")


async def confirm_page(request: web.Request) -> web.StreamResponse:
    """Where the link leads: a button, since programs that look at mail open links too."""
    return await _confirm_page(request, Problems())


async def _confirm_page(request: web.Request, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        context = ConfirmPage(request.path, problems)
        return page(request, frame_of(visit), "people/confirm_mail.html", context, status_of(problems))


async def confirm(request: web.Request, _form: Form) -> web.StreamResponse:
    """The address is mine."""
    try:
        async with acting(request) as visit:
            await mailing.confirm(
                visit.session, request.app[HOME], visit.viewer, request.match_info["token"], visit.now
            )
    except Refusal as refusal:
        if refusal.code == "log-in":
            raise
        return await _confirm_page(request, problems_of(refusal))
    return see("/me/mail?done=mail-confirmed")


async def off_page(request: web.Request) -> web.StreamResponse:
    """Where the link of each mail leads: a button; no log-in is asked for."""
    async with reading(request) as visit:
        await mailing.check_stop(visit.session, request.app[HOME], *_asked(request))
        return _off(visit, is_off=False)


async def turn_off(request: web.Request) -> web.StreamResponse:
    """No more mail. The address itself is the proof, so mail programs can do this with one POST (RFC 8058)."""
    async with request.app[DATABASE].ACT.begin() as session:
        await mailing.stop(session, request.app[HOME], *_asked(request), request.app[CLOCK].now())
    async with reading(request) as visit:
        return _off(visit, is_off=True)


def _asked(request: web.Request) -> tuple[int, str]:
    return int(request.match_info["number"]), request.match_info["mark"]


def _off(visit: Visit, *, is_off: bool) -> web.Response:
    frame = replace(frame_of(visit), mark=mark_for(visit.request))
    return page(visit.request, frame, "people/mail_off.html", OffPage(visit.request.path, is_off))
