"""Keys: ours survive storage, strangers' are read within limits."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from activitypub import adapter, keypairs
from activitypub.errors import Malformed

# FEP-521a and W3C vc-di-eddsa share this pair.
SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"

RSA = keypairs.generate_rsa()
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(adapter.base58_bytes(SECRET)[2:])


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def test_an_ed25519_key_has_the_multikey_that_fep_521a_gives_it() -> None:
    assert keypairs.multikey(ED25519) == PUBLIC
    assert keypairs.multikey(ED25519.public_key()) == PUBLIC
    assert keypairs.multikey(keypairs.public_from_multikey(PUBLIC)) == PUBLIC


def test_a_did_key_names_its_own_verification_method() -> None:
    assert keypairs.did_key(PUBLIC) == f"did:key:{PUBLIC}#{PUBLIC}"


def test_private_keys_come_back_from_their_bytes() -> None:
    again = keypairs.rsa_from_bytes(keypairs.private_bytes(RSA))
    assert again.private_numbers() == RSA.private_numbers()
    new = keypairs.generate_ed25519()
    assert keypairs.multikey(keypairs.ed25519_from_bytes(keypairs.private_bytes(new))) == keypairs.multikey(
        new
    )


def test_bytes_of_the_other_kind_of_key_are_refused() -> None:
    with pytest.raises(ValueError, match="not an Ed25519"):
        keypairs.ed25519_from_bytes(keypairs.private_bytes(RSA))
    with pytest.raises(ValueError, match="not an RSA"):
        keypairs.rsa_from_bytes(keypairs.private_bytes(ED25519))


def test_public_keys_come_back_from_their_pem() -> None:
    for key in (RSA.public_key(), ED25519.public_key()):
        assert keypairs.public_from_pem(keypairs.pem(key)) == key


@pytest.mark.parametrize("bits", [1024, 8208])
def test_an_rsa_key_too_short_or_too_long_is_refused(bits: int) -> None:
    # The numbers need not be a working key: only its size is looked at before it is used.
    modulus = (1 << (bits - 1)) | 1
    key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_bytes(serialization.Encoding.PEM, form).decode()
    with pytest.raises(Malformed) as refused:
        keypairs.public_from_pem(pem)
    assert refused.value.code == "bad-key"


def test_other_kinds_of_public_keys_are_refused() -> None:
    with pytest.raises(Malformed, match="Only RSA and Ed25519"):
        keypairs.public_from_pem(pem_of(ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(
    "text",
    ["", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "kl\u00fcssel", "A" * 5000],
)
def test_what_is_no_pem_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        keypairs.public_from_pem(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        PUBLIC[1:],
        "u" + PUBLIC[1:],
        PUBLIC + "1",
        "z1" + PUBLIC[1:],
        PUBLIC[:-1],
        PUBLIC.replace("k", "0"),
        PUBLIC + " ",
        "z" + "6" * 10_000,
        "zß",
        adapter.base58(b"\x12\x05" + bytes(32)),
        adapter.base58(b"\xed\x01" + bytes(31)),
    ],
)
def test_what_is_no_ed25519_multikey_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        keypairs.public_from_multikey(text)
