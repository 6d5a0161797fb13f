"""Signed requests, the one entrance for both schemes: draft-cavage (here, ours through bovine) and RFC 9421.

A verified request answers *which key* signed it: method, path, host, date and body, all of them, within
an hour. Whose key it is, and whether they may, is decided by the caller (`origin.key_owner`). Which scheme a
request is signed by is its sender's choice; neither asks for less than the other.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from activitypub import adapter, message_signatures
from activitypub.claims import (
    HEADER_LIMIT,
    WITHOUT_BODY,
    Headers,
    Scheme,
    check_host,
    check_target,
    check_time,
    only,
)
from activitypub.claims import WINDOW as WINDOW
from activitypub.claims import Claim as Claim
from activitypub.claims import http_date as http_date
from activitypub.claims import parse_http_date as parse_http_date
from activitypub.errors import Malformed, NotAuthentic
from activitypub.keypairs import RSA_BITS_READ, PublicKey

ACTIVITY_JSON: Final = "application/activity+json"
ALGORITHMS: Final = frozenset({"rsa-sha256", "hs2019"})
SAID_ONCE: Final = ("signature", "host", "date", "digest")

_PARAMETER: Final = re.compile(r'\s*([a-zA-Z]+)\s*=\s*(?:"([^"\\]*)"|(\d{1,15}))\s*(?:,|$)', re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,15}", re.ASCII)
_FIELD: Final = re.compile(r"\([a-z-]+\)|[a-z0-9-]+", re.ASCII)


@lru_cache(maxsize=16)  # one body goes to many inboxes, one after the other
def body_digest(body: bytes) -> str:
    """The value of the Digest header for `body`."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


def sign_request(
    method: str,
    url: str,
    body: bytes | None,
    key_id: str,
    key: RSAPrivateKey,
    now: datetime,
    content_type: str = ACTIVITY_JSON,
    scheme: Scheme = "cavage",
) -> dict[str, str]:
    """The headers that make this one request ours: Host, Date, Signature, with a body also its digest and
    Content-Type. The query belongs to the signed target; the fragment is not on the wire."""
    parts = urlsplit(url)
    host = _authority(parts)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if scheme == "rfc9421":
        plain = {"Host": host, "Date": http_date(now)} | (
            {"Content-Type": content_type} if body is not None else {}
        )
        where = f"{parts.scheme}://{host}{target}"
        return message_signatures.sign(method, where, body, key_id, key, now, plain)
    headers = {"Host": host, "Date": http_date(now)}
    if body is not None:
        headers["Digest"] = body_digest(body)
        headers["Content-Type"] = content_type
    fields = [(name.lower(), value) for name, value in headers.items() if name != "Host"]
    headers["Signature"] = adapter.cavage_signature(host, method.lower(), target, fields, key_id, key)
    return headers


def authority(url: str) -> str:
    """The Host header that a request to `url` carries: lower case, a port only if it is not the usual one."""
    return _authority(urlsplit(url))


def _authority(parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError as error:
        raise Malformed("bad-url", "The URL has no such port.") from error
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return host if port in (None, usual) else f"{host}:{port}"


def read_signature(headers: Headers) -> Claim:
    """What the request's one signature claims, in whichever scheme; NotAuthentic if there is none that we read."""
    if headers.getall("signature-input", []):
        return message_signatures.read_claim(headers)
    text = only(headers, "signature")
    if text is None:
        raise NotAuthentic("not-signed", "The request is not signed.")
    said = _parameters(text)
    covered = tuple(said.get("headers", "").lower().split())
    if not covered or len(set(covered)) != len(covered) or not all(map(_FIELD.fullmatch, covered)):
        raise NotAuthentic("bad-coverage", "The signature does not say once and clearly what it covers.")
    if not said.get("keyId"):
        raise NotAuthentic("no-key-id", "The signature names no key.")
    try:
        signature = base64.b64decode(said.get("signature", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("bad-signature", "The signature is not base64.") from error
    return Claim(
        key_id=said["keyId"],
        algorithm=said.get("algorithm", "hs2019").lower(),
        covered=covered,
        signature=signature,
        created=_seconds(said.get("created")),
        expires=_seconds(said.get("expires")),
    )


def verify_request(
    claim: Claim,
    method: str,
    raw_target: str,
    headers: Headers,
    body: bytes,
    authority: str,
    now: datetime,
    public_key: PublicKey,
    scheme: str = "https",
) -> str:
    """The id of the key that signed this request, `claim.key_id`; NotAuthentic if it did not.

    `raw_target` is path and query as they stood on the wire, `body` the raw bytes, `authority` the host
    (and unusual port) that we are, from our settings. Covered must be (request-target), host, date or
    (created), and the digest of a body. Real servers sign a GET without its query, or with an empty path
    for /: both pass for GET only.
    """
    if claim.scheme == "rfc9421":
        base = f"{scheme}://{authority}"
        how = (raw_target, headers, body, base, now, public_key)
        return message_signatures.verify(claim, method.upper(), *how)
    if not isinstance(public_key, RSAPublicKey) or public_key.key_size not in RSA_BITS_READ:
        raise NotAuthentic("unfit-key", "The key does not fit the signature's algorithm.")
    if claim.algorithm not in ALGORITHMS:
        raise NotAuthentic("unknown-algorithm", "The signature's algorithm is not rsa-sha256 or hs2019.")
    method = method.upper()
    _check_coverage(claim, method)
    for name in SAID_ONCE:
        only(headers, name)
    values = {name: _covered_value(claim, headers, name) for name in claim.covered if name[0] != "("}
    check_host(values["host"], authority)
    check_time(claim, values.get("date"), now)
    if "digest" in values:
        _check_digest(values["digest"], body)
    for target in _targets(method, raw_target):
        try:
            message = _message(claim, method, target, values)
            public_key.verify(claim.signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
        return claim.key_id
    raise NotAuthentic("wrong-signature", "The signature does not fit the request and the key.")


def _parameters(text: str) -> dict[str, str]:
    """The parameters of a Signature header, quoted or plain numbers; each at most once."""
    said: dict[str, str] = {}
    position = 0
    while position < len(text) and len(text) <= HEADER_LIMIT:
        found = _PARAMETER.match(text, position)
        if found is None or found[1] in said:
            break
        said[found[1]] = found[3] if found[2] is None else found[2]
        position = found.end()
    if position != len(text) or not said:
        raise NotAuthentic("bad-signature", "The Signature header cannot be read.")
    return said


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise NotAuthentic("bad-date", "The signature's created or expires is not a number of seconds.")
    return int(text)


def _check_coverage(claim: Claim, method: str) -> None:
    covered = set(claim.covered)
    needed = {"(request-target)", "host"} | (set() if method in WITHOUT_BODY else {"digest"})
    if not needed <= covered or not covered & {"date", "(created)"}:
        raise NotAuthentic("weak-coverage", "The signature leaves out method, host, date or body.")
    pseudo = covered & {"(created)", "(expires)"}
    if pseudo and claim.algorithm != "hs2019":
        raise NotAuthentic("bad-coverage", "Only hs2019 signatures may cover (created) and (expires).")
    if any(name[0] == "(" and name not in (*pseudo, "(request-target)") for name in covered):
        raise NotAuthentic("bad-coverage", "The signature covers something that does not exist.")
    if ("(created)" in covered and claim.created is None) or (
        "(expires)" in covered and claim.expires is None
    ):
        raise NotAuthentic("bad-coverage", "The signature covers a time that it does not tell.")


def _covered_value(claim: Claim, headers: Headers, name: str) -> str:
    value = only(headers, name)
    if value is None:
        raise NotAuthentic("bad-coverage", "The signature covers a header that the request does not have.")
    return value


def _check_digest(said: str, body: bytes) -> None:
    parts = [part.strip().partition("=") for part in said.split(",")]
    values = [value for name, _, value in parts if name.lower() == "sha-256"]
    if len(values) != 1:
        raise NotAuthentic("bad-digest", "The Digest header does not hold one SHA-256 digest.")
    try:
        digest = base64.b64decode(values[0], validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("bad-digest", "The digest is not base64.") from error
    if not hmac.compare_digest(digest, hashlib.sha256(body).digest()):
        raise NotAuthentic("wrong-digest", "The body is not the one that was signed.")


def _targets(method: str, raw_target: str) -> list[str]:
    """The request targets that a signature may have meant, the one on the wire first."""
    check_target(raw_target)
    if method != "GET":
        return [raw_target]
    path, mark, query = raw_target.partition("?")
    variants = [raw_target, path]
    if path == "/":
        variants += [f"{mark}{query}", ""]
    return list(dict.fromkeys(variants))


def _message(claim: Claim, method: str, target: str, values: dict[str, str]) -> bytes:
    special = {
        "(request-target)": f"{method.lower()} {target}",
        "(created)": str(claim.created),
        "(expires)": str(claim.expires),
    }
    lines = (f"{name}: {special[name] if name[0] == '(' else values[name]}" for name in claim.covered)
    try:
        return "\n".join(lines).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise NotAuthentic("bad-target", "The request holds text that no request can hold.") from error
