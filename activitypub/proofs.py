"""FEP-8b32 object integrity proofs, suite eddsa-jcs-2022, on records and on whole activities.

A proof says which key signed exactly this document. Whose key that is decides the caller; only for a
record the document itself names the key. Linked Data signatures are never verified and never trusted.
"""

import contextlib
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activitypub import adapter
from activitypub.codec import AS2
from activitypub.errors import Malformed, NotAuthentic
from activitypub.keypairs import DID_KEY, did_key, multikey, public_from_multikey

Json = dict[str, Any]

SUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"
CONTEXT: Final = "https://w3id.org/security/data-integrity/v1"
TYPE: Final = "DataIntegrityProof"
SIGNATURE_BYTES: Final = 64
PROOF_VALUE_LIMIT: Final = 100
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def sign(document: Mapping[str, Any], key: Ed25519PrivateKey, verification_method: str, created: str) -> Json:
    """A copy of `document` with its proof, dated `created` ("2026-11-22T10:00:00Z").

    A proof that it had is replaced; its @context, if any, is repeated in the proof, as the suite asks.
    ValueError for a document that JCS cannot write.
    """
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    options: Json = {
        "type": TYPE,
        "cryptosuite": SUITE,
        "verificationMethod": verification_method,
        "proofPurpose": PURPOSE,
        "created": created,
    }
    if "@context" in document:
        options["@context"] = document["@context"]
    value = adapter.base58(key.sign(hashed(options, unsigned)))
    return {**unsigned, "proof": {**options, "proofValue": value}}


def sign_activity(
    activity: Mapping[str, Any], key: Ed25519PrivateKey, verification_method: str, created: str
) -> Json:
    """A copy of the activity with its proof, and the words of proofs in its @context, for who reads JSON-LD.

    That context is a list, as some servers ask, and all of it is repeated in the proof.
    """
    context = activity.get("@context", [])
    first, *rest = context if isinstance(context, list) and context else [context or AS2]
    if CONTEXT not in rest:
        rest = [CONTEXT, *rest]
    return sign({**activity, "@context": [first, *rest]}, key, verification_method, created)


def sign_record(record: Mapping[str, Any], key: Ed25519PrivateKey) -> Json:
    """A copy of `record` with its proof by `key`, dated like the record itself.

    ValueError if `by` is not this key: `who_signed` would refuse it.
    """
    signer = multikey(key)
    if record["by"] != signer:
        raise ValueError("the record is by another key")
    return sign(record, key, did_key(signer), record["at"])


def verify(document: Mapping[str, Any], key: Ed25519PublicKey, now: datetime | None = None) -> None:
    """Returns if `key` signed exactly this document (without an LD `signature`); else NotAuthentic.

    Refused: no proof or a list of them, another type, suite or purpose, a proof whose @context does not
    begin the document's, a proof past its `expires`, and one with `expires` where no `now` is given,
    as records have to stay true for ever.
    """
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise NotAuthentic("no-proof", "The document does not carry one integrity proof.")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    _check_options(options, now)
    unsigned = {name: value for name, value in document.items() if name not in ("proof", "signature")}
    if "@context" in options:
        _check_context(options["@context"], unsigned.get("@context"))
        unsigned["@context"] = options["@context"]
    try:
        key.verify(_proof_bytes(proof.get("proofValue")), hashed(options, unsigned))
    except InvalidSignature as error:
        raise NotAuthentic("wrong-proof", "The integrity proof does not fit the document.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise NotAuthentic("no-canonical-form", "The document has no canonical form to verify.") from error


def verification_method(document: Mapping[str, Any]) -> str:
    """The id of the key that the document's proof names; NotAuthentic if there is none."""
    proof = document.get("proof")
    method = proof.get("verificationMethod") if isinstance(proof, dict) else None
    if not isinstance(method, str):
        raise NotAuthentic("no-proof", "The document does not carry one integrity proof.")
    return method


def made_at(document: Mapping[str, Any]) -> datetime | None:
    """When the document's proof was made, as it says itself; None if it does not. NotAuthentic for what is no instant."""
    proof = document.get("proof")
    created = proof.get("created") if isinstance(proof, dict) else None
    return None if created is None else _instant(created)


def who_signed(record: Mapping[str, Any]) -> str:
    """The Multikey in the record's `by`, after its proof by that very key verified; else NotAuthentic.

    Needs nothing but the record: no clock, no network, no knowledge of who carries it.
    """
    signer = record.get("by")
    if not isinstance(signer, str):
        raise NotAuthentic("no-signer", "The record does not say by whom it is.")
    try:
        key = public_from_multikey(signer)
    except Malformed as error:
        raise NotAuthentic("no-signer", "The record is by something that is not a key.") from error
    if verification_method(record) not in (did_key(signer), f"{DID_KEY}{signer}"):
        raise NotAuthentic("foreign-key", "The record's proof is by another key than the record.")
    verify(record, key)
    return signer


def sign_bytes(message: bytes, key: Ed25519PrivateKey) -> str:
    """A bare Ed25519 signature as multibase (z…), for what is too small to be a document."""
    return adapter.base58(key.sign(message))


def check_bytes(message: bytes, signature: str, signer: str) -> None:
    """Returns if `signature` (multibase) over these bytes is by the Multikey `signer`; else NotAuthentic."""
    try:
        public_from_multikey(signer).verify(_proof_bytes(signature), message)
    except (InvalidSignature, Malformed) as error:
        raise NotAuthentic("wrong-signature", "A signature does not fit what it is about.") from error


def hashed(options: Json, unsigned: Json) -> bytes:
    """What a proof with these options signs: the digests of both canonical forms."""
    return b"".join(hashlib.sha256(jcs(part)).digest() for part in (options, unsigned))


def jcs(value: Json) -> bytes:
    """The canonical writing of RFC 8785; ValueError for what has none.

    Where there are no floats and no names beyond ASCII, as in every record, sorted JSON is that writing, and orjson writes
    it in a tenth of the time.
    """
    if _is_plain(value):
        with contextlib.suppress(orjson.JSONEncodeError):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    return rfc8785.dumps(value)


def _is_plain(value: Json) -> bool:
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if not all(isinstance(name, str) and name.isascii() for name in one):
                return False
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif not (one is None or isinstance(one, str | int)):
            return False
    return True


def _check_options(options: Json, now: datetime | None) -> None:
    if (options.get("type"), options.get("cryptosuite")) != (TYPE, SUITE):
        raise NotAuthentic("unknown-suite", f"The proof is not of the suite {SUITE}.")
    if options.get("proofPurpose") != PURPOSE:
        raise NotAuthentic("wrong-purpose", "The proof was made for another purpose.")
    if not isinstance(options.get("verificationMethod"), str):
        raise NotAuthentic("no-method", "The proof names no key.")
    if "created" in options:
        _instant(options["created"])
    if "expires" in options and (now is None or _instant(options["expires"]) <= now):
        raise NotAuthentic("expired", "The proof has expired.")


def _instant(value: object) -> datetime:
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise NotAuthentic("bad-instant", "The proof holds a date that does not exist.") from error
    raise NotAuthentic("bad-instant", "The proof holds a date in another form.")


def _check_context(said: object, document: object) -> None:
    """The document's @context has to begin with the proof's; what follows it was not signed."""
    proof_list = said if isinstance(said, list) else [said]
    document_list = document if isinstance(document, list) else [document]
    if not proof_list or None in proof_list or document_list[: len(proof_list)] != proof_list:
        raise NotAuthentic("foreign-context", "The proof was made for another @context.")


def _proof_bytes(value: object) -> bytes:
    if isinstance(value, str) and len(value) <= PROOF_VALUE_LIMIT:
        try:
            data = adapter.base58_bytes(value)
        except ValueError:
            data = b""
        if len(data) == SIGNATURE_BYTES:
            return data
    raise NotAuthentic("bad-proof-value", "The proof's value is not an Ed25519 signature.")
