"""Real requests between independent servers, each verified at its own time with its sender's key.

The captures are not part of this repository: they lie beside it, or where JURA_CAPTURES says.
"""

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from activitypub import actors, codec, keypairs, origin, proofs, signatures
from activitypub.errors import NotAuthentic

Capture = dict[str, Any]

BESIDE = Path(__file__).parents[3] / "shared" / "data" / "captures"
FOLDER = Path(os.environ.get("JURA_CAPTURES") or BESIDE)
CAPTURES = {
    f"{path.parent.name}/{path.stem}": json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*/*.json"))
}
BY_SCHEME = Counter(
    (each["method"], (each.get("signature") or {}).get("scheme")) for each in CAPTURES.values()
)

BODIES = {name: json.loads(each["body"]) for name, each in CAPTURES.items() if each["method"] == "POST"}

UNSIGNED = {  # a request that nobody signed: why it does not have to be
    "fedify/01-get-person-unsigned": "an actor is asked for before anything is known of it",
    "fedify/07-get-question-unsigned": "a public object, asked for the first time",
    "fedify/09-get--unsigned": "an actor without a path, asked for before anything is known of it",
    "snac/01-get-webfinger": "WebFinger is for everybody",
    "snac/05-get-person-unsigned": "a key is served to everybody, so that two servers never wait for each other",
    "wordpress/07-get-webfinger": "WebFinger is for everybody",
}

pytestmark = pytest.mark.skipif(
    not CAPTURES, reason="no captured traffic here: it lies beside the repository"
)


ACTORLESS = "gotosocial/56-flag-shared"  # its server showed only a key


def chosen(schemes: tuple[str, ...], *methods: str) -> Any:
    """A test over all captures signed by one of the schemes, each by its name."""
    return pytest.mark.parametrize(
        "name",
        [
            name
            for name, each in CAPTURES.items()
            if (each.get("signature") or {}).get("scheme") in schemes and each["method"] in methods
        ],
    )


def verify(capture: Capture, *, late: timedelta = timedelta(), **instead: Any) -> str:
    how = {
        "method": capture["method"],
        "raw_target": capture["path"],
        "headers": CIMultiDict(capture["headers"]),
        "body": capture["body"].encode(),
        "authority": capture["to_host"],
        "public_key": keypairs.public_from_pem(capture["public_key_pem"]),
        "now": datetime.fromtimestamp(capture["sent_at"], UTC) + late,
    } | instead
    return signatures.verify_request(signatures.read_signature(how["headers"]), **how)


@chosen(("cavage", "rfc9421"), "POST", "GET")
def test_a_captured_request_verifies_at_its_own_time_by_its_senders_key(name: str) -> None:
    capture = CAPTURES[name]
    assert verify(capture) == capture["signature"]["keyId"]


@chosen(("cavage", "rfc9421"), "POST", "GET")
def test_a_captured_request_is_refused_two_hours_later_elsewhere_or_by_another_key(name: str) -> None:
    capture = CAPTURES[name]
    stranger = keypairs.public_from_pem(OTHER_PEM)
    for change in (
        {"late": timedelta(hours=2)},
        {"authority": "elsewhere.example"},
        {"public_key": stranger},
        {"raw_target": "/elsewhere"},
        {"method": "DELETE"},
    ):
        with pytest.raises(NotAuthentic):
            verify(capture, **change)


@chosen(("cavage", "rfc9421"), "POST")
def test_a_captured_post_is_refused_with_one_more_byte(name: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        verify(CAPTURES[name], body=CAPTURES[name]["body"].encode() + b" ")
    assert refused.value.code == "wrong-digest"


@pytest.mark.parametrize("name", [name for name, each in CAPTURES.items() if not each.get("signature")])
def test_an_unsigned_request_is_unsigned_on_purpose_and_said_to_be(name: str) -> None:
    assert name in UNSIGNED
    with pytest.raises(NotAuthentic) as refused:
        signatures.read_signature(CIMultiDict(CAPTURES[name]["headers"]))
    assert refused.value.code == "not-signed"


def test_the_captures_are_all_accounted_for() -> None:
    assert sum(BY_SCHEME.values()) == len(CAPTURES)
    assert {scheme for _, scheme in BY_SCHEME} <= {"cavage", "rfc9421", None}
    assert not BY_SCHEME["POST", None], "every captured POST is signed"
    assert {name for name, each in CAPTURES.items() if not each.get("signature")} == set(UNSIGNED)
    assert {method for method, scheme in BY_SCHEME if scheme == "rfc9421"} == {"GET", "POST"}


@pytest.mark.parametrize("name", [name for name, body in BODIES.items() if "proof" in body])
def test_a_captured_proof_verifies_by_a_key_that_its_actor_lists(name: str) -> None:
    capture, activity = CAPTURES[name], BODIES[name]
    at = datetime.fromtimestamp(capture["sent_at"], UTC)
    listed = origin.assertion_key(capture["actor"], proofs.verification_method(activity))
    assert listed.owner == activity["actor"]
    key = keypairs.public_from_multikey(listed.text)
    proofs.verify(activity, key, at)
    for change in ({"published": "2027-01-01T00:00:00Z"}, {"actor": "https://elsewhere.test/x"}):
        with pytest.raises(NotAuthentic):
            proofs.verify({**activity, **change}, key, at)


def test_there_are_captured_proofs() -> None:
    assert sum("proof" in body for body in BODIES.values()) >= 11


@chosen(("cavage", "rfc9421"), "POST")
def test_a_captured_activity_is_read_and_its_actor_owns_the_key(name: str) -> None:
    capture = CAPTURES[name]
    activity = codec.tidy(codec.decode(capture["body"].encode()))
    assert activity.type == json.loads(capture["body"])["type"]
    if capture["actor"] is None:
        assert name == ACTORLESS
        return
    key_id = capture["signature"]["keyId"]
    assert origin.key_owner(capture["actor"], key_id) == activity.actor
    actor = actors.read_actor(capture["actor"])
    assert actor.id == activity.actor
    assert not actor.kin


OTHER_PEM = keypairs.pem(keypairs.generate_rsa().public_key())
