"""The canonical writing that proofs sign: the shorter way writes what the standard's own library writes."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from activitypub.proofs import jcs
from tests.activitypub.patience import patiently

NAMES = st.text(st.characters(min_codepoint=0, max_codepoint=0x1F9FF, exclude_categories=["Cs"]), max_size=6)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | NAMES
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        PLAIN | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@patiently
@given(DOCUMENTS)
def test_whatever_json_holds_is_written_as_rfc_8785_writes_it(document: dict[str, Any]) -> None:
    assert jcs(document) == rfc8785.dumps(document)


@pytest.mark.parametrize(
    "document",
    [
        {"\x00\x1f\x7f\u2028": '\b\t\n\f\r"\\/\x00\x0e\x1f\x7f\u2028\u20ac\U0001f600'},
        {"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3, "1": 4, "\r": 5},
        {"b": [1.0, -0.0, 1e21, 1e-7, 333333333.33333329], "a": [True, None, 0, -1]},
        {"deep": json.loads("[" * 300 + "]" * 300)},
        {"": {}, "list": [], "int": 2**53 - 1, "least": -(2**53) + 1},
    ],
    ids=["escapes", "order of names", "numbers", "depth", "edges"],
)
def test_odd_documents_are_written_as_rfc_8785_writes_them(document: dict[str, Any]) -> None:
    assert jcs(document) == rfc8785.dumps(document)


@pytest.mark.parametrize(
    "document",
    [
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": 2**70},
        {"a": float("nan")},
        {"a": "\ud800"},
        {"a": {1: 2}},
        {"a": b"x"},
    ],
    ids=repr,
)
def test_what_has_no_canonical_writing_gets_none(document: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        jcs(document)
