"""What makes this instance itself: its address and its keys. Actions get it as `home`; it holds no state that rows do not.

Private keys are stored encrypted (Fernet, key derived from the instance secret by HKDF) and parsed once per process.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from activitypub import keypairs, proofs
from activitypub.actors import assertion_key_id
from models.ledger import Signed
from models.people import Actor
from models.rules import records
from server.settings import Settings, SettingsError


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())


@dataclass(frozen=True)
class Home:
    """The instance at `url`. `key_of`/`rsa_of` open an actor's private keys; `csrf_key` authenticates forms."""

    url: str
    authority: str
    development: bool
    csrf_key: bytes = field(repr=False)
    _box: Fernet = field(repr=False)
    _opened: dict[tuple[int, str], Any] = field(default_factory=dict, repr=False)

    def uri(self, path: str) -> str:
        return f"{self.url}/{path}"

    def seal(self, private: bytes) -> bytes:
        return self._box.encrypt(private)

    def unseal(self, sealed: bytes) -> bytes:
        """The private bytes; a wrong instance secret is said as such."""
        try:
            return self._box.decrypt(sealed)
        except InvalidToken as error:
            raise SettingsError(
                "The instance secret does not open this database's keys: it is not the one they were made with."
            ) from error

    def key_of(self, actor: Actor) -> Ed25519PrivateKey:
        """The Ed25519 key with which a local actor signs records."""
        if (actor.id, "ed25519") not in self._opened:
            if actor.private_ed25519 is None:
                raise LookupError(f"{actor.uri} has no key here")
            self._opened[actor.id, "ed25519"] = keypairs.ed25519_from_bytes(
                self.unseal(actor.private_ed25519)
            )
        key: Ed25519PrivateKey = self._opened[actor.id, "ed25519"]
        return key

    def rsa_of(self, actor: Actor) -> RSAPrivateKey:
        """The RSA key with which a local actor signs requests (parsing one takes 31 ms: opened once)."""
        return self._rsa(actor, "rsa", actor.private_rsa)

    def rsa_keys_for(self, actor: Actor, body: bytes) -> list[RSAPrivateKey]:
        """The keys to sign a request with this body by, in order: what announces a new key goes by the one before first, as
        others know it, and by the new one to those who have it already."""
        if actor.previous_rsa is None or not _announces(actor, body):
            return [self.rsa_of(actor)]
        return [self._rsa(actor, "previous", actor.previous_rsa), self.rsa_of(actor)]

    def _rsa(self, actor: Actor, which: str, sealed: bytes | None) -> RSAPrivateKey:
        """Opened once, and again when it was changed."""
        if sealed is None:
            raise LookupError(f"{actor.uri} has no key here")
        before, key = self._opened.get((actor.id, which), (None, None))
        if before != sealed:
            key = keypairs.rsa_from_bytes(self.unseal(sealed))
            self._opened[actor.id, which] = (sealed, key)
        return cast(RSAPrivateKey, key)

    def sign(self, signer: Actor, kind: str, in_scope: str | None, now: datetime, **fields: Any) -> Signed:
        """A record of this type, signed by a local actor; `BadRecord` if its shape is wrong."""
        if signer.ed25519 is None:
            raise LookupError(f"{signer.uri} has no key here")
        draft = records.draft(kind, signer.ed25519, in_scope, now, **fields)
        document: Mapping[str, Any] = proofs.sign_record(draft, self.key_of(signer))
        return Signed(records.read(document), document)

    def prove(self, activity: Mapping[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
        """The activity with an integrity proof by the local actor that does it (FEP-8b32), dated `now`."""
        method = assertion_key_id(actor.uri)
        return proofs.sign_activity(activity, self.key_of(actor), method, records.stamp(now))

    def sits_for(self, circle: Actor, scope: str, collective: str) -> str:
        """A circle's signature that it sits for this collective in this decision."""
        return proofs.sign_bytes(records.sitting_input(scope, collective), self.key_of(circle))


def _announces(actor: Actor, body: bytes) -> bool:
    """Is this the Update by which the actor shows the key that it has now?"""
    said = orjson.loads(body)
    shown = said.get("object") if said.get("type") == "Update" else None
    return (
        isinstance(shown, dict)
        and shown.get("id") == actor.uri
        and (shown.get("publicKey") or {}).get("publicKeyPem") == actor.rsa_pem
    )


def make_home(settings: Settings) -> Home:
    box = Fernet(base64.urlsafe_b64encode(_derive(settings.secret, "jura private keys")))
    return Home(
        url=settings.url,
        authority=settings.authority,
        development=settings.development,
        csrf_key=_derive(settings.secret, "jura forms"),
        _box=box,
    )
