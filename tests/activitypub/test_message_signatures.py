"""RFC 9421: the published vector, what we sign, and every way to be a little less than signed."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from multidict import CIMultiDict

from activitypub import keypairs, message_signatures, signatures
from activitypub.errors import NotAuthentic
from activitypub.keypairs import PrivateKey, PublicKey
from activitypub.message_signatures import Message

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
AT = int(NOW.timestamp())
DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
HOST = "north.example"
KEY_ID = "https://south.example/c/union#main-key"
KEY = keypairs.generate_rsa()
EDWARDS = keypairs.generate_ed25519()
BODY = b'{"type":"Like"}'
POST = ("@method", "@target-uri", "content-digest")
GET = ("@method", "@target-uri")


def digest(body: bytes) -> str:
    return signatures.body_digest(body).replace("SHA-256=", "sha-256=:") + ":"


def signed(
    covered: Sequence[str] = POST,
    *,
    method: str = "POST",
    uri: str = f"https://{HOST}/inbox",
    key: PrivateKey = KEY,
    label: str = "sig1",
    parameters: str = f';created={AT};keyid="{KEY_ID}"',
    values: dict[str, str] | None = None,
    **headers: str,
) -> CIMultiDict[str]:
    """Headers as some server would sign them, by hand, so that it can also be done wrongly."""
    sent = {"Host": HOST, "Date": DATE, "Content-Digest": digest(BODY)}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = uri.removeprefix(f"https://{HOST}").partition("#")[0]
    derived = {"@method": method, "@target-uri": uri, "@authority": HOST, "@scheme": "https"}
    derived |= {
        "@path": path.partition("?")[0],
        "@request-target": path,
        "@query": "?" + path.partition("?")[2],
    }
    known = {name.lower(): value for name, value in sent.items()} | derived | (values or {})
    said = "(" + " ".join(f'"{name}"' for name in covered) + ")" + parameters
    lines = [f'"{name}": {known.get(name, "")}' for name in covered] + [f'"@signature-params": {said}']
    message = "\n".join(lines).encode()
    if isinstance(key, Ed25519PrivateKey):
        signature = key.sign(message)
    else:
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    value = f"{label}=:{base64.b64encode(signature).decode()}:"
    return CIMultiDict({**sent, "Signature-Input": f"{label}={said}", "Signature": value})


def verify(
    headers: CIMultiDict[str],
    *,
    method: str = "POST",
    target: str = "/inbox",
    body: bytes = BODY,
    now: datetime = NOW,
    key: PublicKey | None = None,
    authority: str = HOST,
    scheme: str = "https",
) -> str:
    claim = signatures.read_signature(headers)
    key = key or KEY.public_key()
    return signatures.verify_request(claim, method, target, headers, body, authority, now, key, scheme)


def refused(headers: CIMultiDict[str], **how: Any) -> str:
    with pytest.raises(NotAuthentic) as error:
        verify(headers, **how)
    return error.value.code


# The vector of the standard


PUBLISHED = CIMultiDict(
    {
        "Host": "example.com",
        "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "Content-Type": "application/json",
        "Content-Digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        "Content-Length": "18",
        "Signature-Input": 'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
        "Signature": "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    }
)
PUBLISHED_KEY = keypairs.public_from_pem(
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n"
)
WHERE = "https://example.com/foo?param=Value&Pet=dog"


def test_the_signature_of_appendix_b_2_6_fits_its_request_and_no_other() -> None:
    def fits(method: str = "POST", where: str = WHERE, **changed: str) -> bool:
        headers = CIMultiDict({**PUBLISHED, **changed})
        return message_signatures.fits(
            Message(method, where, headers, where), "test-key-ed25519", PUBLISHED_KEY
        )

    assert fits()
    assert not fits(method="PUT")
    assert not fits(where=WHERE.replace("/foo", "/bar"))
    assert not fits(where=WHERE.replace("example.com", "example.org"))
    assert not fits(Date="Tue, 20 Apr 2021 02:07:56 GMT")


def test_the_request_of_appendix_b_2_6_is_too_little_for_us_as_its_body_is_not_signed() -> None:
    then = datetime.fromtimestamp(1618884473, UTC)
    how: dict[str, Any] = {"target": "/foo?param=Value&Pet=dog", "authority": "example.com", "now": then}
    assert refused(PUBLISHED, key=PUBLISHED_KEY, **how) == "weak-coverage"


# What we sign


@pytest.mark.parametrize(
    ("url", "host", "target", "scheme"),
    [
        ("https://north.example/inbox", HOST, "/inbox", "https"),
        ("https://north.example", HOST, "/", "https"),
        ("https://north.example/?author=1", HOST, "/?author=1", "https"),
        ("https://NORTH.example:443/a%2Fb?x=%20#there", HOST, "/a%2Fb?x=%20", "https"),
        ("http://oak.localhost:8081/inbox", "oak.localhost:8081", "/inbox", "http"),
    ],
)
@pytest.mark.parametrize("body", [BODY, None])
def test_what_we_sign_verifies_by_our_own_policy(
    url: str, host: str, target: str, scheme: str, body: bytes | None
) -> None:
    method = "GET" if body is None else "POST"
    headers = CIMultiDict(signatures.sign_request(method, url, body, KEY_ID, KEY, NOW, scheme="rfc9421"))
    assert headers["Host"] == host
    assert ("Content-Digest" in headers, "Digest" in headers) == (body is not None, False)
    covered = '("@method" "@target-uri" "content-digest")' if body else '("@method" "@target-uri")'
    assert headers["Signature-Input"].startswith(f"sig1={covered};created={AT};keyid=")
    how: dict[str, Any] = {"method": method, "target": target, "body": body or b"", "authority": host}
    assert verify(headers, scheme=scheme, **how) == KEY_ID


# What verifies


@pytest.mark.parametrize(
    "covered",
    [
        POST,
        ("@method", "@target-uri", "@authority", "host", "date", "content-digest"),
        ("content-digest", "@authority", "@path", "@method"),
        ("@method", "@request-target", "host", "content-digest"),
        ("@method", "@scheme", "@authority", "@path", "@query", "content-digest"),
    ],
)
def test_every_coverage_that_says_what_the_request_is_verifies(covered: Sequence[str]) -> None:
    assert verify(signed(covered)) == KEY_ID
    assert verify(signed(covered, label="anything")) == KEY_ID


@pytest.mark.parametrize(("key", "algorithm"), [(KEY, "rsa-v1_5-sha256"), (EDWARDS, "ed25519")])
@pytest.mark.parametrize("said", [True, False])
def test_the_keys_type_is_the_algorithm_said_or_not(key: PrivateKey, algorithm: str, said: bool) -> None:
    alg = f';alg="{algorithm}"' if said else ""
    headers = signed(key=key, parameters=f';created={AT};keyid="{KEY_ID}"{alg};nonce="x";tag="y"')
    assert verify(headers, key=key.public_key()) == KEY_ID


@pytest.mark.parametrize(
    ("wire", "meant"),
    [
        ("/users/x?page=1", "/users/x"),
        ("/users/x", "/users/x#main-key"),
        ("/users/x?page=1", "/users/x#ed25519-key"),
        ("/", ""),
        ("/?author=1", "?author=1"),
    ],
)
def test_a_get_may_be_signed_without_its_query_with_an_empty_path_or_with_our_fragment(
    wire: str, meant: str
) -> None:
    headers = signed(GET, method="GET", uri=f"https://{HOST}{meant}")
    assert verify(headers, method="GET", target=wire, body=b"") == KEY_ID
    post = signed(uri=f"https://{HOST}{meant}")
    assert refused(post, target=wire) == "wrong-signature"


def test_a_digest_of_several_kinds_holds_by_its_sha_256() -> None:
    both = f"sha-512=:AAAA:, {digest(BODY)}"
    assert verify(signed(Content_Digest=both)) == KEY_ID


# What does not


@pytest.mark.parametrize(
    "covered",
    [
        ("@method", "@target-uri"),
        ("@target-uri", "content-digest"),
        ("@method", "content-digest"),
        ("@method", "@path", "content-digest"),
        ("@method", "@authority", "content-digest"),
        ("@method", "@authority", "@query", "content-digest"),
        ("date",),
    ],
)
def test_a_post_that_leaves_out_method_target_host_or_body_is_refused(covered: Sequence[str]) -> None:
    assert refused(signed(covered)) == "weak-coverage"


def test_a_post_whose_path_is_signed_without_its_query_is_refused() -> None:
    headers = signed(("@method", "@authority", "@path", "content-digest"), uri=f"https://{HOST}/inbox?a=1")
    assert refused(headers, target="/inbox?a=1") == "weak-coverage"
    assert refused(headers, target="/inbox?a=2") == "weak-coverage"


@pytest.mark.parametrize(
    "covered",
    [
        (),
        ("@method", "@method", "@target-uri"),
        (*POST, "x-gone"),
        (*POST, "@status"),
        (*POST, "@signature-params"),
    ],
)
def test_a_coverage_that_is_unclear_or_of_what_is_not_there_is_refused(covered: Sequence[str]) -> None:
    assert refused(signed(covered)) == "bad-coverage"


def test_a_part_of_a_header_is_no_coverage_of_it() -> None:
    headers = signed()
    headers["Signature-Input"] = headers["Signature-Input"].replace(
        '"content-digest"', '"content-digest";key="sha-256"'
    )
    assert refused(headers) == "bad-coverage"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (f';keyid="{KEY_ID}"', "bad-date"),
        (f';created="{AT}";keyid="{KEY_ID}"', "bad-date"),
        (f';created={AT}.5;keyid="{KEY_ID}"', "bad-date"),
        (f";created={AT}", "no-key-id"),
        (f';created={AT};keyid=""', "no-key-id"),
        (f";created={AT};keyid=token", "no-key-id"),
        (f';created={AT};keyid="{KEY_ID}";expires=soon', "bad-date"),
        (f';created={AT};keyid="{KEY_ID}";expires={AT - 1}', "stale"),
        (f';created={AT};keyid="{KEY_ID}";why="not"', "bad-signature"),
        (f';created={AT};keyid="{KEY_ID}";alg="hmac-sha256"', "unknown-algorithm"),
        (f';created={AT};keyid="{KEY_ID}";alg=ed25519', "unknown-algorithm"),
        (f';created={AT};keyid="{KEY_ID}";alg="ed25519"', "unfit-key"),
    ],
)
def test_a_signature_without_key_or_time_or_with_what_we_do_not_know_is_refused(
    parameters: str, code: str
) -> None:
    assert refused(signed(parameters=parameters)) == code


def test_the_header_never_chooses_another_algorithm_than_the_key_is_for() -> None:
    headers = signed(parameters=f';created={AT};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"')
    assert refused(headers, key=EDWARDS.public_key()) == "unfit-key"
    assert refused(signed(), key=EDWARDS.public_key()) == "wrong-signature"


@pytest.mark.parametrize("away", [timedelta(hours=1, seconds=1), timedelta(hours=-1, seconds=-1)])
def test_a_request_created_more_than_an_hour_away_is_refused(away: timedelta) -> None:
    assert refused(signed(), now=NOW + away) == "stale"
    assert verify(signed(), now=NOW + away * 0.99) == KEY_ID


def test_a_date_that_was_signed_has_to_be_fresh_too() -> None:
    old = signed((*POST, "date"), Date="Sun, 22 Nov 2026 08:00:00 GMT")
    assert refused(old) == "stale"


def test_a_request_for_another_host_scheme_method_target_or_body_is_refused() -> None:
    assert refused(signed(), authority="elsewhere.example") == "wrong-signature"
    assert refused(signed(), scheme="http") == "wrong-signature"
    assert refused(signed(), method="PUT") == "wrong-signature"
    assert refused(signed(), target="/c/oak/inbox") == "wrong-signature"
    assert refused(signed(), target="//inbox") == "wrong-signature"
    assert refused(signed(), target="inbox") == "bad-target"
    assert refused(signed(), body=BODY + b" ") == "wrong-digest"
    assert refused(signed((*POST, "host"), Host="elsewhere.example")) == "foreign-host"


@pytest.mark.parametrize(
    "value", ["", "sha-512=:AAAA:", "sha-256=1", "SHA-256=AAAA", "sha-256=:AAAA:, sha-256=:AAAA:", "?"]
)
def test_a_digest_that_does_not_say_sha_256_once_is_refused(value: str) -> None:
    assert refused(signed(Content_Digest=value)) == "bad-digest"


@pytest.mark.parametrize("name", ["Signature", "Signature-Input", "Content-Digest", "Host", "Date"])
def test_a_header_said_twice_is_refused_even_with_the_same_value(name: str) -> None:
    headers = signed()
    headers.add(name, headers[name])
    assert refused(headers) == "said-twice"


def test_one_request_carries_one_signature() -> None:
    headers, more = signed(), signed(label="sig2")
    for name in ("Signature", "Signature-Input"):
        headers[name] = f"{headers[name]}, {more[name]}"
    assert refused(headers) == "said-twice"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Signature", "sig1=AAAA"),
        ("Signature", "sig2=:AAAA:"),
        ("Signature", 'keyId="x",headers="date",signature="AAAA"'),
        ("Signature", "sig1=:AAAA"),
        ("Signature-Input", "sig1"),
        ("Signature-Input", 'sig1=("@method"'),
        ("Signature-Input", "sig1=:AAAA:"),
        ("Signature-Input", "sig1=(@method);created=1"),
        ("Signature-Input", 'sig1=("é")'),
        ("Signature-Input", "(" * 9000),
        ("Signature-Input", "(" * 8000),
        ("Signature-Input", ""),
    ],
)
def test_headers_that_cannot_be_read_are_refused_as_nothing_else(name: str, value: str) -> None:
    headers = signed()
    headers[name] = value
    assert refused(headers) in ("bad-signature", "bad-coverage", "said-twice", "no-key-id")


def test_signature_input_without_a_signature_is_not_signed() -> None:
    headers = signed()
    del headers["Signature"]
    assert refused(headers) == "not-signed"
