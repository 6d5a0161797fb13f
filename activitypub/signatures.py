"""HTTP requests signed by draft-cavage: ours through bovine, those of others by our own strict policy.

A verified request answers *which key* signed it: method, path, host, date and body, all of them, within
an hour. Whose key it is, and whether they may, is decided by the caller (`origin.key_owner`).
RFC 9421 is not spoken yet; such requests are refused with a code of their own.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from activitypub import adapter
from activitypub.errors import Malformed, NotAuthentic
from activitypub.keypairs import RSA_BITS_READ, PublicKey

WINDOW: Final = timedelta(hours=1)
HEADER_LIMIT: Final = 8192
ACTIVITY_JSON: Final = "application/activity+json"
ALGORITHMS: Final = frozenset({"rsa-sha256", "hs2019"})
WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})
SAID_ONCE: Final = ("signature", "host", "date", "digest")

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: Final = re.compile(
    rf"({'|'.join(DAYS)}), (\d\d) ({'|'.join(MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)
_PARAMETER: Final = re.compile(r'\s*([a-zA-Z]+)\s*=\s*(?:"([^"\\]*)"|(\d{1,15}))\s*(?:,|$)', re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,15}", re.ASCII)
_FIELD: Final = re.compile(r"\([a-z-]+\)|[a-z0-9-]+", re.ASCII)


class Headers(Protocol):
    """What a request's headers must be able to say: all values of a name, whatever its case."""

    def getall(self, key: str, default: list[str]) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """What a Signature header claims; nothing of it is true before `verify_request` returned."""

    key_id: str
    algorithm: str
    covered: tuple[str, ...]
    signature: bytes
    created: int | None
    expires: int | None


def http_date(instant: datetime) -> str:
    """An aware instant as HTTP writes it: "Sun, 22 Nov 2026 10:00:00 GMT"."""
    at = instant.astimezone(UTC)
    return f"{DAYS[at.weekday()]}, {at.day:02} {MONTHS[at.month - 1]} {at.year:04} {at:%H:%M:%S} GMT"


def parse_http_date(text: str) -> datetime:
    """The instant in a Date header of exactly that form; NotAuthentic for any other."""
    found = _DATE.fullmatch(text)
    if found:
        day, month, year, hour, minute, second = found.groups()[1:]
        try:
            at = datetime(
                int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        except ValueError as error:
            raise NotAuthentic("bad-date", "The Date header names an instant that does not exist.") from error
        if DAYS[at.weekday()] == found[1]:
            return at
    raise NotAuthentic("bad-date", "The Date header is not an HTTP date.")


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
) -> dict[str, str]:
    """The headers that make this one request ours: Host, Date, Signature, with a body also Digest and
    Content-Type. The query belongs to the signed target; the fragment is not on the wire."""
    parts = urlsplit(url)
    host = authority(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": host, "Date": http_date(now)}
    if body is not None:
        headers["Digest"] = body_digest(body)
        headers["Content-Type"] = content_type
    fields = [(name.lower(), value) for name, value in headers.items() if name != "Host"]
    headers["Signature"] = adapter.cavage_signature(host, method.lower(), target, fields, key_id, key)
    return headers


def authority(url: str) -> str:
    """The Host header that a request to `url` carries: lower case, a port only if it is not the usual one."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise Malformed("bad-url", "The URL has no such port.") from error
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return host if port in (None, usual) else f"{host}:{port}"


def read_signature(headers: Headers) -> Claim:
    """What the request's one Signature header claims; NotAuthentic if there is none that we read."""
    if headers.getall("signature-input", []):
        raise NotAuthentic("unknown-scheme", "The request is signed by RFC 9421, which we do not read yet.")
    text = _only(headers, "signature")
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
) -> str:
    """The id of the key that signed this request, `claim.key_id`; NotAuthentic if it did not.

    `raw_target` is path and query as they stood on the wire, `body` the raw bytes, `authority` the host
    (and unusual port) that we are, from our settings. Covered must be (request-target), host, date or
    (created), and the digest of a body. Real servers sign a GET without its query, or with an empty path
    for /: both pass for GET only.
    """
    if not isinstance(public_key, RSAPublicKey) or public_key.key_size not in RSA_BITS_READ:
        raise NotAuthentic("unfit-key", "The key does not fit the signature's algorithm.")
    if claim.algorithm not in ALGORITHMS:
        raise NotAuthentic("unknown-algorithm", "The signature's algorithm is not rsa-sha256 or hs2019.")
    method = method.upper()
    _check_coverage(claim, method)
    for name in SAID_ONCE:
        _only(headers, name)
    values = {name: _covered_value(claim, headers, name) for name in claim.covered if name[0] != "("}
    _check_host(values["host"], authority)
    _check_time(claim, values.get("date"), now)
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


def _only(headers: Headers, name: str) -> str | None:
    values = headers.getall(name, [])
    if len(values) > 1:
        raise NotAuthentic("said-twice", f"The request has more than one {name.capitalize()} header.")
    return values[0].strip(" \t") if values else None


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
    value = _only(headers, name)
    if value is None:
        raise NotAuthentic("bad-coverage", "The signature covers a header that the request does not have.")
    return value


def _check_host(said: str, authority: str) -> None:
    if said.lower().removesuffix(":443") != authority.lower().removesuffix(":443"):
        raise NotAuthentic("foreign-host", "The request was signed for another host.")


def _check_time(claim: Claim, date: str | None, now: datetime) -> None:
    seconds = now.timestamp()
    instants = [parse_http_date(date).timestamp()] if date is not None else []
    if claim.created is not None:
        instants.append(claim.created)
    if any(abs(seconds - instant) > WINDOW.total_seconds() for instant in instants):
        raise NotAuthentic("stale", "The request was signed more than an hour away from now.")
    if claim.expires is not None and claim.expires < seconds:
        raise NotAuthentic("stale", "The signature has expired.")


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
    if not raw_target.startswith("/") or "#" in raw_target:
        raise NotAuthentic("bad-target", "The request target is not a path.")
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
