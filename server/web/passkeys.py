"""One's passkeys: made on a device, named, removed. Only making one needs the script; the page says what to do without it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from models.accounts import passkeys_of, spend
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server.actions import passkeys
from server.keys import HOME
from server.language import _
from server.web import ceremonies, tickets
from server.web.ceremonies import Ceremony
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, problems_of
from server.web.mine import done_in, status_of
from server.web.proving import proof_for, prove
from server.web.render import frame_of, page, see
from server.web.sessions import acting, reading

NOT_MADE = phrase("Your device’s answer was not accepted. Nothing was kept here. Try once more.")


@dataclass(frozen=True)
class Key:
    number: int
    name: str
    since: datetime
    used: datetime | None


@dataclass(frozen=True)
class PasskeysPage:
    keys: Sequence[Key]
    ceremony: Ceremony
    done: str
    name: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class PasskeyPage:
    key: Key
    name: str
    problems: Problems = field(default_factory=Problems)


async def passkeys_page(request: web.Request) -> web.StreamResponse:
    return await _passkeys(request, "", Problems())


async def _passkeys(request: web.Request, name: str, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        rows = await passkeys_of(visit.session, member.id)
        context = PasskeysPage(
            keys=[Key(row.id, row.name, row.created_at, row.used_at) for row in rows],
            ceremony=ceremonies.to_make(request, visit.collective, member, rows),
            done=done_in(request),
            name=name,
            problems=problems,
        )
        status = status_of(problems)
        return page(request, frame_of(visit), "people/passkeys.html", context, status, "passkeys.js")


async def add(request: web.Request, form: Form) -> web.StreamResponse:
    """Keep a passkey that the device has just made. The password is asked for, as a passkey opens the account for good."""
    name, challenge = form.one("name"), form.one("passkey-challenge")
    try:
        passkeys.check_name(name)
        member = await prove(request, Form((("password", form.one("password")),)))
        fresh = ceremonies.made(request, member, challenge, form.one("passkey"))
        if fresh is None:
            return await _passkeys(request, name, Problems(NOT_MADE))
        async with acting(request) as visit:
            end = tickets.end_of(challenge)
            if not await spend(visit.session, tickets.name_of(challenge), end, visit.now):
                raise Conflict("passkeys", NOT_MADE)
            await passkeys.keep(
                visit.session,
                request.app[HOME],
                visit.viewer,
                credential=fresh.credential,
                public_key=fresh.public_key,
                count=fresh.count,
                name=name,
                now=visit.now,
            )
    except (Invalid, Conflict) as refusal:
        return await _passkeys(request, name, problems_of(refusal))
    return see("/me/passkeys?done=passkey-added")


async def passkey_page(request: web.Request) -> web.StreamResponse:
    return await _passkey(request, None, Problems())


async def _passkey(request: web.Request, name: str | None, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        row = await passkeys.mine(visit.session, visit.viewer, int(request.match_info["number"]))
        key = Key(row.id, row.name, row.created_at, row.used_at)
        context = PasskeyPage(key, key.name if name is None else name, problems)
        return page(request, frame_of(visit), "people/passkey.html", context, status_of(problems))


async def rename(request: web.Request, form: Form) -> web.StreamResponse:
    name = form.one("name")
    try:
        async with acting(request) as visit:
            await passkeys.rename(visit.session, visit.viewer, int(request.match_info["number"]), name)
    except Invalid as refusal:
        return await _passkey(request, name, problems_of(refusal))
    return see("/me/passkeys?done=passkey-named")


async def remove_page(request: web.Request) -> web.StreamResponse:
    return await _remove(request, Problems())


async def _remove(request: web.Request, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        row = await passkeys.mine(visit.session, visit.viewer, int(request.match_info["number"]))
        context = Confirm(
            heading=_("Remove this passkey?"),
            about=row.name,
            says=[
                _("Nobody can log in with it any more."),
                _("It cannot be brought back; you can make a new one. Your password keeps working."),
                _("You get a notice, and a mail if you have a confirmed address."),
            ],
            button=_("Remove this passkey"),
            action=f"/me/passkeys/{row.id}/remove",
            back="/me/passkeys",
            above=_("Passkeys"),
            proof=await proof_for(visit),
            problems=problems,
        )
        return really(visit, context)


async def remove(request: web.Request, form: Form) -> web.StreamResponse:
    """It is asked who is there: whoever comes by a browser left open locks nobody out."""
    try:
        await prove(request, form)
    except Invalid as refusal:
        return await _remove(request, problems_of(refusal))
    async with acting(request) as visit:
        number = int(request.match_info["number"])
        await passkeys.remove(visit.session, request.app[HOME], visit.viewer, number, visit.now)
    return see("/me/passkeys?done=passkey-removed")
