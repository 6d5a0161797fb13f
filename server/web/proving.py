"""“It is you”: before what a stranger at a forgotten browser must not do, the password or a passkey is asked for once more.

Also what logging in by passkey and this have in common. Wrong attempts are counted apart from those of logging in: who guesses at
the door keeps nobody who is inside from what they want to do.
"""

from dataclasses import dataclass, field

from aiohttp import web

from models import accounts
from models.people import Member
from models.rules.phrases import phrase
from models.rules.refusals import Invalid, TooMany
from server.actions.people import check_tries, note_tries
from server.keys import CLOCK, DATABASE
from server.web import ceremonies, tickets
from server.web.ceremonies import Ceremony
from server.web.forms import Form
from server.web.passwords import is_password
from server.web.places import place_of
from server.web.sessions import Visit, reading

WRONG = phrase("This is not your password. Try again.")
NO_PASSKEY: str = phrase("That passkey was not accepted. Use your password, or try once more.")


@dataclass(frozen=True)
class Proof:
    """What a form needs in which somebody shows who they are."""

    has_passkeys: bool = False
    ceremony: Ceremony = field(default_factory=Ceremony)


async def proof_for(visit: Visit) -> Proof:
    member = visit.viewer.require_member()
    passkeys = await accounts.passkeys_of(visit.session, member.id)
    if not passkeys:
        return Proof()
    return Proof(True, ceremonies.to_prove(visit.request, member, passkeys))


async def prove(request: web.Request, form: Form) -> Member:
    """Returns the member whose browser this is, if the form shows that they sit at it; else `Invalid`, so that what else was typed
    stays in the form, also after too many attempts."""
    try:
        return await _proved(request, form)
    except TooMany as refusal:
        raise Invalid({"password": refusal.sentence}) from refusal


async def _proved(request: web.Request, form: Form) -> Member:
    app, now, address = request.app, request.app[CLOCK].now(), place_of(request)
    async with reading(request) as visit:
        member = visit.viewer.require_member()
    if form.one("passkey"):
        if await use_passkey(request, form, ceremonies.PROVE, member) is None:
            raise Invalid({"password": NO_PASSKEY})
        return member
    async with app[DATABASE].READ() as session:
        await check_tries(session, now, proof=member.login, address=address)
    right = await is_password(app, member.password_hash, form.one("password"))
    async with app[DATABASE].ACT.begin() as session:
        await check_tries(session, now, proof=member.login, address=address)
        if right:
            return member
        await note_tries(session, now, proof=member.login, address=address)
    raise Invalid({"password": WRONG})


async def use_passkey(
    request: web.Request, form: Form, purpose: str, of: Member | None = None
) -> Member | None:
    """Whose passkey answered the challenge of this form, or None. The challenge and the count are used up."""
    app, now, address = request.app, request.app[CLOCK].now(), place_of(request)
    challenge, answer = form.one("passkey-challenge"), form.one("passkey")
    async with app[DATABASE].READ() as session:
        await check_tries(session, now, address=address)
        row = await accounts.passkey_named(session, ceremonies.credential_in(answer))
    subject = str(of.id) if of else ""
    good = tickets.is_good(request, challenge, purpose, subject)
    known = row is not None and (of is None or row.member_id == of.id)
    right = (
        good and known and row is not None and ceremonies.used(request, row, challenge, answer) is not None
    )
    async with app[DATABASE].ACT.begin() as session:
        await check_tries(session, now, address=address)
        stands = await accounts.passkey_named(session, row.credential) if right and row else None
        # again with the row locked: of two answers at once with one count, one is right
        count = ceremonies.used(request, stands, challenge, answer) if stands else None
        member = await session.get(Member, stands.member_id) if stands and count is not None else None
        fresh = member is not None and await accounts.spend(
            session, tickets.name_of(challenge), tickets.end_of(challenge), now
        )
        if not fresh or stands is None or count is None or member is None or member.left_at is not None:
            await note_tries(session, now, address=address)
            return None
        stands.count, stands.used_at = count, now
        return member
