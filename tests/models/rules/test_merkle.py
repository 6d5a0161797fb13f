"""Merkle roots: the published vectors of RFC 6962, and sets that have one root."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.merkle import buckets, set_root, tree_root

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
DIGESTS = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=40)


@pytest.mark.parametrize(
    ("leaves", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_the_published_roots_come_out(leaves: int, root: str) -> None:
    assert tree_root(LEAVES[:leaves]).hex() == root


def as_defined(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + as_defined(leaves[:k]) + as_defined(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_the_root_is_the_one_that_the_rfc_defines(leaves: list[bytes]) -> None:
    assert tree_root(leaves) == as_defined(leaves)


@given(DIGESTS, st.randoms())
def test_a_set_has_one_root_in_any_order_with_any_repeats(digests: list[str], random: object) -> None:
    shuffled = digests * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set_root(shuffled) == set_root(digests)


@given(DIGESTS, DIGESTS)
def test_two_sets_have_equal_roots_only_if_they_are_equal(one: list[str], other: list[str]) -> None:
    assert (set_root(one) == set_root(other)) == (set(one) == set(other))


@given(DIGESTS, st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_only_the_bucket_that_differs_has_to_be_compared(digests: list[str], new: str) -> None:
    before, after = buckets(digests), buckets([*digests, new])
    assert sum(count for count, _ in before.values()) == len(set(digests))
    assert {digit for digit in after if after[digit] != before.get(digit)} == (
        {new[0]} - {d[0] for d in digests if d == new}
    )
