"""Merkle roots (RFC 6962 §2.1): one short name for a list, or for a set, that everybody computes alike.

A scope is a set of records, so its root is that of its sorted digests; sixteen bucket roots make a difference
between two copies cheap to find. Hashing only; the ledger and the count ask it.
"""

import hashlib
from collections.abc import Iterable, Sequence

HEX = "0123456789abcdef"


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The RFC 6962 Merkle tree hash of `leaves` in their order: 32 bytes; of nothing: SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    row = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(row) > 1:
        # Pairing neighbours and carrying an odd last one upwards gives RFC 6962's split at the largest power
        # of two.
        pairs = [hashlib.sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(pairs) * 2 :]
    return row[0]


def set_root(digests: Iterable[str]) -> str:
    """The root (hex) of a set of digests (hex): repeats and order mean nothing."""
    return tree_root([bytes.fromhex(digest) for digest in sorted(set(digests))]).hex()


def buckets(digests: Iterable[str]) -> dict[str, tuple[int, str]]:
    """(count, set root) per first hex digit, empty buckets left out: equal entries need no comparing."""
    held: dict[str, set[str]] = {}
    for digest in digests:
        held.setdefault(digest[0], set()).add(digest)
    return {digit: (len(held[digit]), set_root(held[digit])) for digit in HEX if digit in held}
