"""HTTP Message Signatures (RFC 9421): the parsing and the signature base by http-message-signatures, the policy is ours.

One signature with one label; `keyid` and `created` have to be said; covered has to be what a request is: method, target,
host, and the digest of a body. The key's type is the algorithm. Called by `signatures` alone, the entrance for both schemes.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, cast

import http_sf
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureComponentResolver,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519, RSA_V1_5_SHA256
from multidict import CIMultiDict

from activitypub.claims import (
    HEADER_LIMIT,
    WITHOUT_BODY,
    Claim,
    Headers,
    check_host,
    check_target,
    check_time,
    only,
)
from activitypub.errors import NotAuthentic
from activitypub.keypairs import RSA_BITS_READ, PublicKey

LABEL: Final = "sig1"
COVERED: Final = ("@method", "@target-uri")  # by us; with a body also content-digest
MOST_COVERED: Final = 32
PARAMETERS: Final = frozenset({"alg", "created", "expires", "keyid", "nonce", "tag"})
DERIVED: Final = frozenset(
    {"@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"}
)
SAID_ONCE: Final = ("signature", "signature-input", "host", "date", "content-digest")
KNOWN: Final = frozenset({RSA_V1_5_SHA256.algorithm_id, ED25519.algorithm_id})
# Fragments under which others know something of ours: some sign a GET with the fragment that is not on the wire.
FRAGMENTS: Final = ("main-key", "ed25519-key")


@dataclass(frozen=True)
class Message:
    """A request as the signature base is built of it. `target_uri` may differ from `url` where a GET may be signed so."""

    method: str
    url: str
    headers: Any
    target_uri: str


class Resolver(HTTPSignatureComponentResolver):
    """Takes the target URI as the message says it."""

    derived_component_resolvers: ClassVar = {
        **HTTPSignatureComponentResolver.derived_component_resolvers,
        "@target-uri": lambda resolver: resolver.message.target_uri,
    }


class Verifier(HTTPMessageVerifier):
    """Only the signature itself: times were checked before, by our clock and within our window."""

    require_created = False

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        """Nothing: `check_time` did."""


def read_claim(headers: Headers) -> Claim:
    """What the request's one signature claims; NotAuthentic if there is not one that we read."""
    inputs, values = (_dictionary(only(headers, name)) for name in ("signature-input", "signature"))
    if len(inputs) != 1 or len(values) != 1:
        raise NotAuthentic("said-twice", "The request does not carry exactly one signature.")
    [(label, (listed, said))], [(twin, (signature, _))] = inputs.items(), values.items()
    if label != twin or not isinstance(listed, list) or not isinstance(signature, bytes):
        raise NotAuthentic("bad-signature", "Signature and Signature-Input do not belong together.")
    if not PARAMETERS.issuperset(said):
        raise NotAuthentic("bad-signature", "The signature has a parameter that we do not know.")
    key_id, algorithm = said.get("keyid"), said.get("alg", "")
    if not isinstance(key_id, str) or not key_id:
        raise NotAuthentic("no-key-id", "The signature names no key.")
    created, expires = said.get("created"), said.get("expires")
    if type(created) is not int or (expires is not None and type(expires) is not int):
        raise NotAuthentic("bad-date", "The signature does not say when it was created.")
    if not isinstance(algorithm, str):
        raise NotAuthentic("unknown-algorithm", "The signature's algorithm is not one that we read.")
    return Claim(key_id, algorithm, _covered(listed), signature, created, expires, "rfc9421")


def verify(
    claim: Claim,
    method: str,
    raw_target: str,
    headers: Headers,
    body: bytes,
    base: str,
    now: datetime,
    public_key: PublicKey,
) -> str:
    """The id of the key that signed this request; NotAuthentic if it did not, or signed too little.

    `base` is scheme and authority that we are, from our settings. For GET only, the target URI may have been signed
    without its query, with an empty path, or with the fragment of one of our names.
    """
    algorithm = algorithm_of(public_key)
    if claim.algorithm and claim.algorithm not in KNOWN:
        raise NotAuthentic("unknown-algorithm", "The signature's algorithm is not one that we read.")
    if claim.algorithm not in ("", algorithm.algorithm_id):
        raise NotAuthentic("unfit-key", "The key does not fit the signature's algorithm.")
    check_target(raw_target)
    for name in SAID_ONCE:
        only(headers, name)
    _check_coverage(claim, method, raw_target)
    _check_values(claim, headers, body, base, now)
    for message in _messages(method, base, raw_target, headers):
        if fits(message, claim.key_id, public_key):
            return claim.key_id
    raise NotAuthentic("wrong-signature", "The signature does not fit the request and the key.")


def fits(message: Message, key_id: str, public_key: PublicKey) -> bool:
    """Whether this key made the message's one signature over exactly what it says it covers; nothing else is looked at."""
    keys = MappingKeyResolver(public_keys={key_id: public_key}, private_keys={})
    verifier = Verifier(
        signature_algorithm=algorithm_of(public_key), key_resolver=keys, component_resolver_class=Resolver
    )
    try:
        return len(verifier.verify(message, max_age=None)) == 1
    except HTTPMessageSignaturesException:
        return False


def sign(
    method: str,
    url: str,
    body: bytes | None,
    key_id: str,
    key: RSAPrivateKey,
    now: datetime,
    headers: Mapping[str, str],
) -> dict[str, str]:
    """`headers` with those of our signature over method, target URI and the body, if there is one. `url` has no fragment."""
    keys = MappingKeyResolver(public_keys={}, private_keys={key_id: key})
    signer = HTTPMessageSigner(
        signature_algorithm=RSA_V1_5_SHA256, key_resolver=keys, component_resolver_class=Resolver
    )
    message = Message(method, url, CIMultiDict(headers), url)
    signer.sign(message, key_id=key_id, created=now, label=LABEL, covered_component_ids=COVERED, body=body)
    return dict(message.headers)


def algorithm_of(key: PublicKey) -> type[HTTPSignatureAlgorithm]:
    """The one algorithm of a key, by its type."""
    if isinstance(key, RSAPublicKey):
        if key.key_size not in RSA_BITS_READ:
            raise NotAuthentic("unfit-key", "The key is not one that we accept.")
        return RSA_V1_5_SHA256
    return ED25519


def _dictionary(text: str | None) -> dict[str, Any]:
    if text is None:
        raise NotAuthentic("not-signed", "The request is not signed.")
    try:
        if len(text) > HEADER_LIMIT:
            raise ValueError("too long")
        found = http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=_refuse_twin)
    except (ValueError, RecursionError) as error:
        raise NotAuthentic("bad-signature", "The signature's headers cannot be read.") from error
    return cast(dict[str, Any], found)


def _refuse_twin(key: str, _context: str) -> None:
    raise ValueError(f"{key} is said twice")


def _covered(listed: list[Any]) -> tuple[str, ...]:
    """The names of what is covered, each plain (no parameters) and once."""
    names = tuple(value for value, parameters in listed if isinstance(value, str) and not parameters)
    if not names or len(names) != len(listed) or len(set(names)) != len(names) or len(names) > MOST_COVERED:
        raise NotAuthentic("bad-coverage", "The signature does not say once and clearly what it covers.")
    return names


def _check_coverage(claim: Claim, method: str, raw_target: str) -> None:
    covered = set(claim.covered)
    path = {"@target-uri", "@request-target"} & covered or (
        "@path" in covered and (method in WITHOUT_BODY or "?" not in raw_target or "@query" in covered)
    )
    body = method in WITHOUT_BODY or "content-digest" in covered
    if not ("@method" in covered and path and body and {"@target-uri", "@authority", "host"} & covered):
        raise NotAuthentic("weak-coverage", "The signature leaves out method, target, host or body.")
    if any(name[0] == "@" and name not in DERIVED for name in covered if name) or "" in covered:
        raise NotAuthentic("bad-coverage", "The signature covers something that does not exist.")


def _check_values(claim: Claim, headers: Headers, body: bytes, base: str, now: datetime) -> None:
    values = {name: headers.getall(name, []) for name in claim.covered if name[0] != "@"}
    if not all(values.values()):
        raise NotAuthentic("bad-coverage", "The signature covers a header that the request does not have.")
    if "host" in values:
        check_host(values["host"][0].strip(), base.partition("://")[2])
    check_time(claim, values["date"][0].strip() if "date" in values else None, now)
    if "content-digest" in values:
        _check_digest(values["content-digest"][0], body)


def _check_digest(said: str, body: bytes) -> None:
    try:
        digest, _ = _dictionary(said)["sha-256"]
    except (NotAuthentic, KeyError) as error:
        raise NotAuthentic(
            "bad-digest", "The Content-Digest header does not hold one sha-256 digest."
        ) from error
    if not isinstance(digest, bytes):
        raise NotAuthentic("bad-digest", "The digest is not a byte sequence.")
    if not hmac.compare_digest(digest, hashlib.sha256(body).digest()):
        raise NotAuthentic("wrong-digest", "The body is not the one that was signed.")


def _messages(method: str, base: str, raw_target: str, headers: Headers) -> list[Message]:
    """The request as it may have been signed, as it was on the wire first."""
    whole = f"{base}{raw_target}"
    if method != "GET":
        return [Message(method, whole, headers, whole)]
    path, mark, query = raw_target.partition("?")
    urls = [whole, f"{base}{path}"]
    uris = [*urls, *([f"{base}{mark}{query}", base] if path == "/" else [])]
    uris += [f"{uri}#{fragment}" for uri in uris for fragment in FRAGMENTS]
    found = [Message(method, whole, headers, uri) for uri in dict.fromkeys(uris)]
    return found + ([Message(method, urls[1], headers, urls[1])] if mark else [])
