"""Keys: made, stored as bytes, written for the wire, and read from strangers within limits.

RSA signs requests (every server understands it), Ed25519 signs records and documents. No key is looked
up or owned here: that is the server's. What a text says is kept for a while, as it always says the same.
"""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from activitypub import adapter
from activitypub.errors import Malformed

RSA_BITS: Final = 2048
RSA_BITS_READ: Final = range(2048, 8192 + 1)
ED25519_PREFIX: Final = b"\xed\x01"
DID_KEY: Final = "did:key:"
PEM_LIMIT: Final = 4096
MULTIKEY_LIMIT: Final = 64
KEPT: Final = 1_000  # public keys once read, as whoever speaks mostly speaks again

PublicKey = RSAPublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | Ed25519PrivateKey


def generate_rsa() -> RSAPrivateKey:
    """A new RSA-2048 key; takes about a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def generate_ed25519() -> Ed25519PrivateKey:
    """A new Ed25519 key."""
    return Ed25519PrivateKey.generate()


def private_bytes(key: PrivateKey) -> bytes:
    """The key as DER PKCS#8, not encrypted: the caller seals it before it is stored."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def rsa_from_bytes(data: bytes) -> RSAPrivateKey:
    """Our own RSA key back from `private_bytes`; ValueError if it is none.

    The key is not validated again: that takes 31 ms, and these bytes were sealed by us.
    """
    key = serialization.load_der_private_key(data, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - the bytes are wrong, not their type
    return key


def ed25519_from_bytes(data: bytes) -> Ed25519PrivateKey:
    """Our own Ed25519 key back from `private_bytes`; ValueError if it is none."""
    key = serialization.load_der_private_key(data, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")  # noqa: TRY004 - the bytes are wrong, not their type
    return key


def pem(key: PublicKey) -> str:
    """The public key as an actor's `publicKeyPem` has it (SubjectPublicKeyInfo)."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


@lru_cache(maxsize=KEPT)
def public_from_pem(text: str) -> PublicKey:
    """A stranger's public key: RSA of 2048 to 8192 bits, or Ed25519; Malformed for anything else."""
    if len(text) > PEM_LIMIT:
        raise Malformed("bad-key", "The key is longer than any key we accept.")
    try:
        key = serialization.load_pem_public_key(text.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("bad-key", "The key is not a public key in PEM form.") from error
    if isinstance(key, RSAPublicKey):
        if key.key_size not in RSA_BITS_READ:
            raise Malformed("bad-key", f"An RSA key of {key.key_size} bits is not accepted.")
        return key
    if isinstance(key, Ed25519PublicKey):
        return key
    raise Malformed("bad-key", "Only RSA and Ed25519 keys are accepted.")


def multikey(key: Ed25519PublicKey | Ed25519PrivateKey) -> str:
    """z6Mk…, the name of an Ed25519 key in records, actors and did:key (FEP-521a)."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return adapter.base58(ED25519_PREFIX + public.public_bytes_raw())


@lru_cache(maxsize=KEPT)
def public_from_multikey(text: str) -> Ed25519PublicKey:
    """The Ed25519 key that `multikey` named; Malformed for any other text.

    One key has one name: a text that decodes but is not the canonical form is refused.
    """
    if len(text) > MULTIKEY_LIMIT:
        raise Malformed("bad-key", "The key is longer than an Ed25519 key.")
    try:
        data = adapter.base58_bytes(text)
    except ValueError as error:
        raise Malformed("bad-key", "The key is not in multibase base58 form.") from error
    if data[:2] != ED25519_PREFIX or len(data) != 34 or adapter.base58(data) != text:
        raise Malformed("bad-key", "The key is not an Ed25519 Multikey.")
    try:
        return Ed25519PublicKey.from_public_bytes(data[2:])
    except ValueError as error:
        raise Malformed("bad-key", "The key is not an Ed25519 Multikey.") from error


def did_key(public_multikey: str) -> str:
    """The verification method that needs no document: did:key:z6Mk…#z6Mk… (W3C did:key)."""
    return f"{DID_KEY}{public_multikey}#{public_multikey}"
