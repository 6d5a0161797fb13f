"""Receipts: what keepers say they held, and when. The only dates that a home instance cannot make up for its
own circles.

Nothing dated after close and grace is read, so what is timely cannot change later. Asked by `ballots` and
`standing`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from models.rules.records import Record, instant
from models.rules.terms import Frozen
from models.rules.times import Times


@dataclass(frozen=True)
class Receipts:
    """An index: record digest -> keeper -> when it first had it; and each keeper's last sign of life before
    receipts ended."""

    received: dict[str, dict[str, datetime]]
    last_sign: dict[str, datetime]

    def first(self, digest: str, keepers: frozenset[str]) -> datetime | None:
        """When the first of these keepers had this record, by its own signed word; None if none says so."""
        seen = self.received.get(digest, {})
        return min((at for keeper, at in seen.items() if keeper in keepers), default=None)

    def silent_since(self, keepers: frozenset[str], then: datetime) -> bool:
        """Has none of these keepers signed a receipt or a close statement from this instant until receipts
        ended?"""
        return all(self.last_sign[keeper] < then for keeper in keepers if keeper in self.last_sign)


def index(frozen: Frozen, times: Times, receipts: Iterable[Record], signs: Iterable[Record]) -> Receipts:
    """The index of these Receipts of keepers; `signs` are other records by which a keeper shows that it was
    alive."""
    received: dict[str, dict[str, datetime]] = {}
    last_sign: dict[str, datetime] = {}
    for receipt in receipts:
        if receipt.by in frozen.keepers and receipt.at <= times.grace_ends:
            for one in receipt["held"]:
                at, seen = instant(one["received"]), received.setdefault(one["record"], {})
                seen[receipt.by] = min(at, seen.get(receipt.by, at))
                if at <= times.receipts_end:
                    last_sign[receipt.by] = max(at, last_sign.get(receipt.by, at))
    for sign in signs:
        if sign.by in frozen.keepers and sign.at <= times.receipts_end:
            last_sign[sign.by] = max(sign.at, last_sign.get(sign.by, sign.at))
    return Receipts(received, last_sign)


def receipted_by(
    frozen: Frozen, receipts: Iterable[Record], until: datetime, homes: Mapping[str, str]
) -> frozenset[str]:
    """Of these records (digest -> home instance), those that a keeper other than the home receipted, in a Receipt dated by
    `until`; and those for which there is no such keeper."""
    seen: dict[str, set[str]] = {}
    for receipt in receipts:
        if receipt.by in frozen.keepers and receipt.at <= until:
            for one in receipt["held"]:
                if one["record"] in homes:
                    seen.setdefault(one["record"], set()).add(receipt.by)
    return frozenset(
        digest
        for digest, home in homes.items()
        if not frozen.foreign_keepers(home) or frozen.foreign_keepers(home) & seen.get(digest, set())
    )


def effective_at(
    record: Record, home: str, frozen: Frozen, receipts: Receipts, *, asked: bool = True
) -> datetime | None:
    """When a record took effect: the later of its own date and its first receipt by a keeper other than
    `home`; None if it never was receipted. Its own date where there is no such keeper, or where receipts are
    not `asked`."""
    foreign = frozen.foreign_keepers(home)
    if not foreign or not asked:
        return record.at
    first = receipts.first(record.digest, foreign)
    return None if first is None else max(record.at, first)
