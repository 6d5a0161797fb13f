"""The second factor: turned on with a code of an app, and off again; recovery codes are shown once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aiohttp import web
from markupsafe import Markup

from activitypub.later import later
from models.accounts import codes_left
from models.people import Member
from models.rules.refusals import Conflict, Invalid
from server.actions import people, second
from server.keys import CLOCK, DATABASE, HOME
from server.language import _
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, problems_of
from server.web.mine import done_in, status_of
from server.web.places import place_of
from server.web.proving import Proof, proof_for, prove
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading

if TYPE_CHECKING:
    import segno
else:
    segno = later("segno")

HERE: Final = "/me/second"


@dataclass(frozen=True)
class SecondPage:
    """`secret` and `qr` while it is being turned on; `codes` just after."""

    since: datetime | None
    left: int
    proof: Proof
    done: str
    secret: str = ""
    qr: Markup = field(default_factory=Markup)
    codes: Sequence[str] = ()
    problems: Problems = field(default_factory=Problems)


async def second_page(request: web.Request) -> web.StreamResponse:
    return await _second(request)


async def _second(
    request: web.Request, codes: Sequence[str] = (), problems: Problems | None = None
) -> web.Response:
    problems = problems or Problems()
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        secret = second.secret_of(request.app[HOME], member) or "" if member.totp_at is None else ""
        address = second.address_for_app(secret, member.login, visit.collective.name) if secret else ""
        context = SecondPage(
            since=member.totp_at,
            left=await codes_left(visit.session, member.id),
            proof=await proof_for(visit),
            done=done_in(request),
            secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            qr=qr_code(address) if address else Markup(),
            codes=codes,
            problems=problems,
        )
        status = status_of(problems)
        return page(request, frame_of(visit), "people/second.html", context, status, "passkeys.js")


def qr_code(text: str) -> Markup:
    """Dark on light whatever the colours of the page: cameras want it so. The text stands beside it, too."""
    drawn = segno.make(text, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" ', 1))


async def begin(request: web.Request, _form: Form) -> web.StreamResponse:
    """Make a secret and show it. It is asked for only once a code of it was right."""
    try:
        async with acting(request) as visit:
            await second.begin(visit.session, request.app[HOME], visit.viewer.require_member().id)
    except Conflict as refusal:
        return await _second(request, problems=problems_of(refusal))
    return see("/me/second")


async def confirm(request: web.Request, form: Form) -> web.StreamResponse:
    """Turn it on, and show the recovery codes, this once."""
    try:
        member = await prove(request, form)
        async with acting(request) as visit:
            await people.check_tries(visit.session, visit.now, code=member.login)
            codes = await second.confirm(
                visit.session, request.app[HOME], member.id, form.one("code"), visit.now
            )
    except Invalid as refusal:
        if "code" in refusal.fields:
            async with request.app[DATABASE].ACT.begin() as session:
                await people.note_tries(
                    session, request.app[CLOCK].now(), code=member.login, address=place_of(request)
                )
        return await _second(request, problems=problems_of(refusal))
    except Conflict as refusal:
        return await _second(request, problems=problems_of(refusal))
    return await _second(request, codes)


async def codes_page(request: web.Request) -> web.StreamResponse:
    return await _codes(request, Problems())


async def _codes(request: web.Request, problems: Problems) -> web.StreamResponse:
    async with reading(request) as visit:
        if visit.viewer.require_member().totp_at is None:
            return see(HERE)
        context = Confirm(
            heading=_("Make new recovery codes?"),
            says=[
                _("Those that you have no longer work, and cannot be brought back."),
                _("The new ones are shown once. Have something to write them down with."),
            ],
            button=_("Make new recovery codes"),
            action=f"{HERE}/codes",
            back=HERE,
            above=_("Second factor"),
            proof=await proof_for(visit),
            problems=problems,
        )
        return really(visit, context)


async def renew_codes(request: web.Request, form: Form) -> web.StreamResponse:
    """Fresh recovery codes, shown this once; those before are good for nothing."""
    try:
        await prove(request, form)
    except Invalid as refusal:
        return await _codes(request, problems_of(refusal))
    async with acting(request) as visit:
        codes = await second.new_codes(visit.session, _with_a_second(visit).id)
    return await _second(request, codes)


async def off_page(request: web.Request) -> web.StreamResponse:
    return await _off(request, Problems())


async def _off(request: web.Request, problems: Problems) -> web.StreamResponse:
    async with reading(request) as visit:
        if visit.viewer.require_member().totp_at is None:
            return see(HERE)
        context = Confirm(
            heading=_("Turn the second factor off?"),
            says=[
                _("Your password alone is then enough to log in."),
                _("The key in your app is worth nothing any more, and neither are your recovery codes."),
                _("They cannot be brought back. You can set it up anew, with another key."),
                _("You get a notice, and a mail if you have a confirmed address."),
            ],
            button=_("Turn it off"),
            action=f"{HERE}/off",
            back=HERE,
            above=_("Second factor"),
            proof=await proof_for(visit),
            problems=problems,
        )
        return really(visit, context)


async def turn_off(request: web.Request, form: Form) -> web.StreamResponse:
    try:
        await prove(request, form)
    except Invalid as refusal:
        return await _off(request, problems_of(refusal))
    async with acting(request) as visit:
        await second.turn_off(visit.session, request.app[HOME], _with_a_second(visit).id, visit.now)
    return see(f"{HERE}?done=second-off")


def _with_a_second(visit: Visit) -> Member:
    member = visit.viewer.require_member()
    if member.totp_at is None:
        raise Conflict("second-factor", _("You have no second factor. Nothing was changed."))
    return member
