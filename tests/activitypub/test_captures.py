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

from activitypub import actors, codec, keypairs, origin, signatures
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

pytestmark = pytest.mark.skipif(
    not CAPTURES, reason="no captured traffic here: it lies beside the repository"
)


def chosen(scheme: str, *methods: str) -> Any:
    """A test over all captures signed by the scheme, each by its name."""
    return pytest.mark.parametrize(
        "name",
        [
            name
            for name, each in CAPTURES.items()
            if (each.get("signature") or {}).get("scheme") == scheme and each["method"] in methods
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


@chosen("cavage", "POST", "GET")
def test_a_captured_request_verifies_at_its_own_time_by_its_senders_key(name: str) -> None:
    capture = CAPTURES[name]
    assert verify(capture) == capture["signature"]["keyId"]


@chosen("cavage", "POST", "GET")
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


@chosen("cavage", "POST")
def test_a_captured_post_is_refused_with_one_more_byte(name: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        verify(CAPTURES[name], body=CAPTURES[name]["body"].encode() + b" ")
    assert refused.value.code == "wrong-digest"


@chosen("rfc9421", "POST", "GET")
def test_a_request_signed_by_rfc_9421_is_not_verified_yet_and_says_so(name: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        signatures.read_signature(CIMultiDict(CAPTURES[name]["headers"]))
    assert refused.value.code == "unknown-scheme"


def test_the_captures_are_all_accounted_for() -> None:
    assert sum(BY_SCHEME.values()) == len(CAPTURES)
    assert {scheme for _, scheme in BY_SCHEME} <= {"cavage", "rfc9421", None}
    assert not BY_SCHEME["POST", None], "every captured POST is signed"


@chosen("cavage", "POST")
def test_a_captured_activity_is_read_and_its_actor_owns_the_key(name: str) -> None:
    capture = CAPTURES[name]
    activity = codec.tidy(codec.decode(capture["body"].encode()))
    assert activity.type == json.loads(capture["body"])["type"]
    if capture["actor"] is None:
        pytest.skip("the capture holds no actor document")
    key_id = capture["signature"]["keyId"]
    assert origin.key_owner(capture["actor"], key_id) == activity.actor
    actor = actors.read_actor(capture["actor"])
    assert actor.id == activity.actor
    assert not actor.kin


OTHER_PEM = keypairs.pem(keypairs.generate_rsa().public_key())
