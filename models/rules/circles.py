"""Circles: how people are dealt into them, and how many of them must confirm a ballot.

Numbers only; who sits where, and what they said, is rows of the home instance and never reaches a record.
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

Id = TypeVar("Id", int, str)

ASSEMBLY_BELOW = 6
"""A collective with fewer members than this is one circle, the assembly, of whatever size."""

SMALLEST, LARGEST = 3, 5
"""How many people sit in a dealt circle."""


def confirmations_needed(size: int) -> int:
    """How many of `size` members must have confirmed a draft before it is the circle's ballot: two thirds,
    rounded up."""
    return -(-2 * size // 3)


def deal(member_ids: Iterable[Id], seed: str) -> list[list[Id]]:
    """Everybody in exactly one circle; the same people and seed give the same circles, in whatever order they
    are named.

    Fewer than six: one circle (none for nobody). From six on: circles of three to five, four where that is
    possible, sizes differing by at most one. People are ordered by SHA-256 of "seed, newline, id", so anybody
    can repeat the deal with a published seed and any tool.
    """
    people = sorted(
        set(member_ids), key=lambda one: (hashlib.sha256(f"{seed}\n{one}".encode()).digest(), one)
    )
    if len(people) < ASSEMBLY_BELOW:
        return [people] if people else []
    fewest, most = -(-len(people) // LARGEST), len(people) // SMALLEST
    count = max(fewest, min(most, (len(people) + 2) // 4))
    return [people[first::count] for first in range(count)]
