"""Bytes that were let pass are decoded again sooner, to the same document."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.codec import REARRANGING, decode, decode_again
from activitypub.errors import Malformed
from tests.activitypub.patience import patiently

WORDS = st.text(string.printable + "äß€\u2028\U0001f600\x7f", max_size=8)
TEXTS = WORDS.filter(lambda text: text not in REARRANGING) | st.sampled_from(["\\u0000", "\\ud800", "/"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@patiently
@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.booleans())
def test_what_was_decoded_is_decoded_again_to_the_same(document: dict[str, Any], ascii_only: bool) -> None:
    data = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert decode_again(data) == decode(data) == document


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\uDC00", "\\uD83D", "\\\\\\u0000"])
@pytest.mark.parametrize("shape", ['{"a":"%s"}', '{"%s":1}', '{"a":["x%sy"]}', '{"a":{"b":{"c%s":null}}}'])
def test_nul_and_half_a_character_are_found_however_they_are_written(shape: str, escape: str) -> None:
    with pytest.raises(Malformed):
        decode((shape % escape).encode())


@pytest.mark.parametrize(
    "raw", [b'{"a":"\x00"}', b'{"a":"\xed\xa0\x80"}', b'{"\x00":1}', b'{"\xed\xb0\x80":1}']
)
def test_nul_and_half_a_character_cannot_stand_there_as_they_are(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)
