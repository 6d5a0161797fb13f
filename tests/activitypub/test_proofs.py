"""Integrity proofs: the published vectors to the byte, and every tampering refused as not authentic."""

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from activitypub import adapter, keypairs, proofs
from activitypub.errors import NotAuthentic
from tests.activitypub.patience import patiently

Json = dict[str, Any]
VECTORS = Path(__file__).parent / "vectors"
FEP, W3C = (
    json.loads((VECTORS / name).read_text(encoding="utf-8"))
    for name in ("fep-8b32.json", "vc-di-eddsa-jcs-2022.json")
)
KEY = Ed25519PrivateKey.from_private_bytes(adapter.base58_bytes(FEP["secret"])[2:])
PUBLIC = KEY.public_key()
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
AT = "2026-11-22T10:00:00Z"
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def record(**more: Any) -> Json:
    return {"v": 1, "type": "Leave", "scope": "a" * 64, "by": keypairs.multikey(KEY), "at": AT, **more}


def resigned(document: Json, **options: Any) -> Json:
    """The document signed anew by its own key with other proof options, as a careless signer would."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    kept = {name: value for name, value in document["proof"].items() if name != "proofValue"} | options
    parts = b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in (kept, unsigned))
    return {**unsigned, "proof": {**kept, "proofValue": adapter.base58(KEY.sign(parts))}}


def refused(document: Json, now: datetime | None = None) -> str:
    with pytest.raises(NotAuthentic) as error:
        proofs.verify(document, PUBLIC, now)
    return error.value.code


@pytest.mark.parametrize("vector", [FEP, W3C], ids=["fep-8b32", "w3c"])
def test_signing_a_published_document_gives_the_published_proof_to_the_byte(vector: Json) -> None:
    proof = vector["signed"]["proof"]
    signed = proofs.sign(vector["document"], KEY, proof["verificationMethod"], proof["created"])
    assert rfc8785.dumps(signed) == rfc8785.dumps(vector["signed"])
    assert keypairs.multikey(KEY) == vector["public"]


@pytest.mark.parametrize("vector", [FEP, W3C], ids=["fep-8b32", "w3c"])
def test_the_published_proof_verifies_by_the_published_key(vector: Json) -> None:
    before = deepcopy(vector["signed"])
    proofs.verify(vector["signed"], keypairs.public_from_multikey(vector["public"]))
    assert vector["signed"] == before


def test_the_canonical_form_and_its_hash_are_those_of_the_w3c() -> None:
    canonical = rfc8785.dumps(W3C["document"])
    assert canonical.decode() == W3C["canonicalDocument"]
    assert hashlib.sha256(canonical).hexdigest() == W3C["documentHash"]


def tampered(change: Callable[[Json], Any]) -> Json:
    document = deepcopy(FEP["signed"])
    change(document)
    return document


TAMPERINGS: dict[str, Callable[[Json], Any]] = {
    "the content": lambda d: d["object"].update(content="Hello, world"),
    "the date": lambda d: d["proof"].update(created="2023-02-24T23:36:39Z"),
    "the purpose": lambda d: d["proof"].update(proofPurpose="authentication"),
    "the suite": lambda d: d["proof"].update(cryptosuite="eddsa-rdfc-2022"),
    "the context": lambda d: d.update({"@context": d["@context"][::-1]}),
    "a number that readers round": lambda d: d["object"].update(n=2**60),
    "the key it names": lambda d: d["proof"].update(verificationMethod="https://server.example/users/bob#k"),
    "the context's form": lambda d: d.update({"@context": d["@context"][0]}),
    "an infinite number": lambda d: d["object"].update(n=float("inf")),
    "half a character": lambda d: d["object"].update(content="\ud800"),
    "a member": lambda d: d.pop("actor"),
    "the value": lambda d: d["proof"].update(proofValue=d["proof"]["proofValue"][:-1] + "M"),
    "the value's length": lambda d: d["proof"].update(proofValue="z" + "1" * 70),
    "the value's base": lambda d: d["proof"].update(proofValue="u" + "A" * 80),
    "the value's size": lambda d: d["proof"].update(proofValue="z" + "2" * 100_000),
    "the value's type": lambda d: d["proof"].update(proofValue=7),
    "the value's presence": lambda d: d["proof"].pop("proofValue"),
    "the proof's type": lambda d: d["proof"].update(type="Ed25519Signature2020"),
    "the method's type": lambda d: d["proof"].update(verificationMethod=["x"]),
    "the date's form": lambda d: d["proof"].update(created="yesterday"),
    "the date's digits": lambda d: d["proof"].update(created="2023-02-30T23:36:38Z"),
    "the proof's presence": lambda d: d.pop("proof"),
    "the number of proofs": lambda d: d.update(proof=[d["proof"], d["proof"]]),
    "a list of one proof": lambda d: d.update(proof=[d["proof"]]),
    "the proof's shape": lambda d: d.update(proof="z"),
    "the proof's context": lambda d: d["proof"].update({"@context": []}),
    "the lack of a context": lambda d: (d.pop("@context"), d["proof"].update({"@context": None})),
}


@pytest.mark.parametrize("change", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_a_document_with_something_changed_is_not_authentic(change: Callable[[Json], Any]) -> None:
    refused(tampered(change))


def test_a_document_nested_beyond_reason_is_not_authentic() -> None:
    deep: Any = []
    for _ in range(3000):
        deep = [deep]
    assert refused(tampered(lambda d: d.update(deep=deep))) == "no-canonical-form"


def test_a_proof_by_another_key_is_not_authentic() -> None:
    with pytest.raises(NotAuthentic):
        proofs.verify(FEP["signed"], STRANGER.public_key())


def test_a_linked_data_signature_is_dropped_before_the_proof_is_verified() -> None:
    proofs.verify({**FEP["signed"], "signature": {"type": "RsaSignature2017", "signatureValue": "x"}}, PUBLIC)


def test_a_context_that_goes_on_after_the_proofs_own_is_accepted_as_the_suite_says() -> None:
    longer = [*FEP["signed"]["@context"], {"jura": "https://w3id.org/jura/v1#"}]
    proofs.verify({**FEP["signed"], "@context": longer}, PUBLIC)


def test_a_valid_proof_for_another_purpose_or_suite_is_not_taken() -> None:
    assert refused(resigned(FEP["signed"], proofPurpose="authentication")) == "wrong-purpose"
    assert refused(resigned(FEP["signed"], cryptosuite="eddsa-rdfc-2022")) == "unknown-suite"
    assert refused(resigned(FEP["signed"], type="Other")) == "unknown-suite"


def test_a_proof_counts_until_it_expires_and_never_where_nobody_knows_the_time() -> None:
    signed = resigned(FEP["signed"], expires="2026-11-22T10:00:01Z")
    proofs.verify(signed, PUBLIC, NOW)
    assert refused(signed, NOW.replace(second=1)) == "expired"
    assert refused(signed) == "expired"
    assert refused(resigned(FEP["signed"], expires="soon"), NOW) == "bad-instant"


@pytest.mark.parametrize("created", ["2023-02-24T23:36:38.123Z", "2023-02-24T23:36:38+02:00"])
def test_every_form_of_a_date_that_the_standard_allows_verifies(created: str) -> None:
    proofs.verify(proofs.sign({"a": 1}, KEY, "https://x.example/#k", created), PUBLIC)


def test_signing_again_replaces_the_proof() -> None:
    signed = proofs.sign(FEP["signed"], KEY, "https://server.example/users/alice#ed25519-key", AT)
    assert signed["proof"]["created"] == AT
    proofs.verify(signed, PUBLIC)


# Records


def test_a_record_tells_by_itself_who_signed_it() -> None:
    signed = proofs.sign_record(record(), KEY)
    assert proofs.who_signed(signed) == keypairs.multikey(KEY)
    assert signed["proof"]["created"] == AT


def test_a_record_may_name_its_key_by_the_bare_did() -> None:
    signed = proofs.sign(record(), KEY, f"did:key:{keypairs.multikey(KEY)}", AT)
    assert proofs.who_signed(signed) == keypairs.multikey(KEY)


def test_nobody_signs_a_record_by_another_key() -> None:
    with pytest.raises(ValueError, match="another key"):
        proofs.sign_record(record(), STRANGER)


def test_a_record_in_the_name_of_another_key_is_not_authentic() -> None:
    forged = proofs.sign_record(record(by=keypairs.multikey(STRANGER)), STRANGER) | {
        "by": keypairs.multikey(KEY)
    }
    with pytest.raises(NotAuthentic) as error:
        proofs.who_signed(forged)
    assert error.value.code == "foreign-key"
    forged["proof"] = {**forged["proof"], "verificationMethod": keypairs.did_key(keypairs.multikey(KEY))}
    with pytest.raises(NotAuthentic) as error:
        proofs.who_signed(forged)
    assert error.value.code == "wrong-proof"


@pytest.mark.parametrize(
    "method", ["https://server.example/users/alice#ed25519-key", "did:key:z6Mk", "", None, 3]
)
def test_a_record_whose_proof_names_anything_but_its_own_key_is_not_authentic(method: Any) -> None:
    with pytest.raises(NotAuthentic):
        proofs.who_signed(proofs.sign(record(), KEY, method, AT))


@pytest.mark.parametrize("by", [None, "", 3, "did:key:x", "z6Mk", {}])
def test_a_record_by_nobody_is_not_authentic(by: Any) -> None:
    with pytest.raises(NotAuthentic):
        proofs.who_signed({**proofs.sign_record(record(), KEY), "by": by})


def test_a_record_whose_proof_expires_is_not_authentic_whatever_the_time() -> None:
    signed = resigned(proofs.sign_record(record(), KEY), expires="2999-01-01T00:00:00Z")
    with pytest.raises(NotAuthentic):
        proofs.who_signed(signed)


@patiently
@given(
    st.dictionaries(
        st.sampled_from(["v", "by", "at", "proof", "type"]), st.text() | st.integers() | st.none()
    )
)
def test_any_odd_record_is_refused_as_not_authentic_and_nothing_else(odd: Json) -> None:
    with pytest.raises(NotAuthentic):
        proofs.who_signed({**proofs.sign_record(record(), KEY), "x": 1, **odd})
