"""Passkeys as browsers and devices speak of them (WebAuthn level 3): what we ask, and whether the answer is right.

Every answer must come from our own address, for a challenge that we gave to this browser, from a device that checked who holds it.
Nothing here touches a row.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from cryptography.exceptions import UnsupportedAlgorithm

from activitypub.later import later
from models.accounts import Passkey
from models.people import Actor, Member
from server.keys import HOME
from server.web import tickets

if TYPE_CHECKING:
    import webauthn
    from webauthn.helpers import exceptions, structs
else:
    webauthn = later("webauthn")
    exceptions = later("webauthn.helpers.exceptions")
    structs = later("webauthn.helpers.structs")

LOG_IN: Final = "passkey log-in"
PROVE: Final = "passkey proof"
NEW: Final = "passkey new"
MOST_BYTES: Final = 20_000
# What reading hostile bytes can raise beside the library's own `WebAuthnException`.
MALFORMED: Final = (
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
)


@dataclass(frozen=True)
class Ceremony:
    """What the script asks the device, as JSON, and the challenge that comes back with the form."""

    options: str = ""
    challenge: str = ""


@dataclass(frozen=True)
class Fresh:
    """A passkey that a device just made."""

    credential: str
    public_key: bytes
    count: int


def to_log_in(request: web.Request) -> Ceremony:
    """Any passkey that the device has for us."""
    return _to_use(request, tickets.issue(request, LOG_IN), ())


def to_prove(request: web.Request, member: Member, passkeys: Iterable[Passkey]) -> Ceremony:
    """One of this member's passkeys."""
    return _to_use(request, tickets.issue(request, PROVE, str(member.id)), passkeys)


def _to_use(request: web.Request, challenge: str, passkeys: Iterable[Passkey]) -> Ceremony:
    options = webauthn.generate_authentication_options(
        rp_id=_host(request),
        challenge=tickets.raw_of(challenge),
        allow_credentials=_described(passkeys),
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return Ceremony(webauthn.options_to_json(options), challenge)


def to_make(request: web.Request, collective: Actor, member: Member, passkeys: Iterable[Passkey]) -> Ceremony:
    """A new passkey, on a device that has none of this member's yet."""
    challenge = tickets.issue(request, NEW, str(member.id))
    options = webauthn.generate_registration_options(
        rp_id=_host(request),
        rp_name=collective.name,
        user_id=handle_of(request, member),
        user_name=member.login,
        user_display_name=member.name,
        challenge=tickets.raw_of(challenge),
        exclude_credentials=_described(passkeys),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
    )
    return Ceremony(webauthn.options_to_json(options), challenge)


def handle_of(request: web.Request, member: Member) -> bytes:
    """How a device files the member's passkey: it tells nothing about them."""
    return hashlib.sha256(f"{request.app[HOME].url} member {member.id}".encode()).digest()[:16]


def made(request: web.Request, member: Member, challenge: str, answer: str) -> Fresh | None:
    """The new passkey, if the answer is right."""
    if not tickets.is_good(request, challenge, NEW, str(member.id)) or len(answer) > MOST_BYTES:
        return None
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=tickets.raw_of(challenge),
            expected_rp_id=_host(request),
            expected_origin=request.app[HOME].url,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, *MALFORMED):
        return None
    return Fresh(
        webauthn.helpers.bytes_to_base64url(found.credential_id),
        found.credential_public_key,
        found.sign_count,
    )


def credential_in(answer: str) -> str:
    """Which passkey an answer claims to be of; nothing if it cannot be read."""
    try:
        said: Mapping[str, Any] = json.loads(answer) if len(answer) <= MOST_BYTES else {}
    except (ValueError, RecursionError):
        return ""
    name = said.get("id") if isinstance(said, dict) else None
    return name if isinstance(name, str) else ""


def used(request: web.Request, row: Passkey, challenge: str, answer: str) -> int | None:
    """The device's new count, if the answer is right. The caller has checked for whom the challenge was, and spends it."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=tickets.raw_of(challenge),
            expected_rp_id=_host(request),
            expected_origin=request.app[HOME].url,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.count,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, *MALFORMED):
        return None
    return found.new_sign_count


def _host(request: web.Request) -> str:
    return urlsplit(request.app[HOME].url).hostname or ""


def _described(passkeys: Iterable[Passkey]) -> "list[structs.PublicKeyCredentialDescriptor]":
    return [
        structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(row.credential))
        for row in passkeys
    ]
