"""A device that makes passkeys, in software (WebAuthn level 3): what it signs is what browsers pass on.

It can be told to lie: another origin, a count that stands still, nobody at the device. Called by tests of passkeys only.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def raw(words: str) -> bytes:
    return urlsafe_b64decode(words + "=" * (-len(words) % 4))


@dataclass
class Authenticator:
    """Holds one passkey. `kind`: ES256 or Ed25519."""

    origin: str
    kind: str = "ES256"
    signs_for: str = ""
    count: int = 0
    counts: bool = True  # many devices always say 0
    verifies: bool = True  # somebody unlocked it
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user: bytes = b""

    def __post_init__(self) -> None:
        self.host = self.origin.split("//")[1].split(":")[0]
        self.key: Any = (
            ec.generate_private_key(ec.SECP256R1()) if self.kind == "ES256" else Ed25519PrivateKey.generate()
        )

    def make(self, options: str) -> str:
        """What `navigator.credentials.create` gives, as JSON."""
        asked = json.loads(options)
        assert {"type": "public-key", "alg": -7 if self.kind == "ES256" else -8} in asked["pubKeyCredParams"]
        self.user = raw(asked["user"]["id"])
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(self._cose())
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        said = {"attestationObject": text(cbor2.dumps(statement))}
        return self._answer(said, self._client("webauthn.create", asked["challenge"]))

    def use(self, options: str) -> str:
        """What `navigator.credentials.get` gives, as JSON."""
        asked = json.loads(options)
        allowed = [raw(one["id"]) for one in asked.get("allowCredentials", [])]
        assert not allowed or self.id in allowed
        self.count += self.counts
        data, client = self._data(0), self._client("webauthn.get", asked["challenge"])
        signed = data + hashlib.sha256(client).digest()
        said = {
            "authenticatorData": text(data),
            "signature": text(self._sign(signed)),
            "userHandle": text(self.user),
        }
        return self._answer(said, client)

    def _client(self, what: str, challenge: str) -> bytes:
        said = {"type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return (
            hashlib.sha256((self.signs_for or self.host).encode()).digest()
            + bytes([flags])
            + self.count.to_bytes(4, "big")
        )

    def _answer(self, said: dict[str, str], client: bytes) -> str:
        response = {"clientDataJSON": text(client), **said}
        return json.dumps(
            {"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response}
        )

    def _sign(self, signed: bytes) -> bytes:
        if self.kind == "ES256":
            return bytes(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return bytes(self.key.sign(signed))

    def _cose(self) -> dict[int, Any]:
        """The public key as COSE has it."""
        if self.kind == "ES256":
            point = self.key.public_key().public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        plain = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return {1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes(*plain)}
