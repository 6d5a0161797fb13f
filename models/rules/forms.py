"""The form of records (spec: records.md §2): what values may occur, their one canonical writing, and small
grammars to check them.

Standard library only; no record type is named here. `shapes` says what fields each type has, `records` is
what others import.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 8
YEARS = range(2000, 2200)  # keeps every sum of a time and a duration inside what `datetime` can hold

_NAME = re.compile(r"[A-Za-z0-9_:@-]{1,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{64,88}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_URI = re.compile(r"https?://[!-~]{1,500}")
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: number for number, letter in enumerate(_ALPHABET)}
_ED25519 = 0xED01


class BadRecord(ValueError):
    """A document is not a record: `code` for us, the message a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def canonical(value: object) -> bytes:
    """The one writing (RFC 8785, JCS) of a value made of strings, integers, booleans, None, lists and
    objects.

    On this subset (no floats, ASCII names) what `json` writes with sorted names is JCS. Raises BadRecord
    outside of it.
    """
    _check_subset(value, DEEPEST)
    return _WRITER.encode(value).encode()


_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _check_subset(value: object, depth: int) -> None:
    if depth == 0:
        raise BadRecord("too-deep", "It is nested too deeply.")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadRecord("bad-string", "A text holds half a character.")
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise BadRecord("bad-integer", "A number is too large.")
    elif isinstance(value, list):
        for item in value:
            _check_subset(item, depth - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not (isinstance(name, str) and _NAME.fullmatch(name)):
                raise BadRecord("bad-name", "A field has a name that records do not use.")
            _check_subset(item, depth - 1)
    else:
        raise BadRecord("bad-value", f"Records hold no {type(value).__name__}.")


def instant(text: str) -> datetime:
    """The aware UTC instant that a record writes as "2026-11-22T10:00:00Z"; BadRecord for any other
    writing."""
    if _TIME.fullmatch(text):
        try:
            then = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if then.year in YEARS:
                return then
    raise BadRecord("bad-time", "A time is not written as 2026-11-22T10:00:00Z.")


def stamp(then: datetime) -> str:
    """How a record writes an instant: UTC, the fraction of a second dropped."""
    if then.tzinfo is None:
        raise BadRecord("bad-time", "A time has no time zone.")
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def key_bytes(key: str) -> bytes:
    """The 32 bytes of an Ed25519 public key written as multikey (z6Mk…); BadRecord if it is not one."""
    if len(key) == 48 and key.startswith("z6Mk"):
        number = 0
        for letter in key[1:]:
            value = _VALUE.get(letter)
            if value is None:
                break
            number = number * 58 + value
        else:
            if number >> 256 == _ED25519:
                return (number & ((1 << 256) - 1)).to_bytes(32)
    raise BadRecord("bad-key", "A key is not an Ed25519 key written as z6Mk….")


def key_text(public: bytes) -> str:
    """How records write 32 bytes of an Ed25519 public key; the inverse of `key_bytes`."""
    number, letters = (_ED25519 << 256) | int.from_bytes(public), ""
    while number:
        number, rest = divmod(number, 58)
        letters = _ALPHABET[rest] + letters
    return "z" + letters


@dataclass(frozen=True)
class Scalar:
    """One plain value. `says` tells what it must be."""

    kind: str
    fits: Callable[[Any], bool]
    says: str

    def check(self, value: object, field: str) -> None:
        if not self.fits(value):
            raise BadRecord("bad-field", f"“{field}” must be {self.says}.")

    def found(self, value: Any, kind: str) -> Iterator[Any]:
        if self.kind == kind:
            yield value


@dataclass(frozen=True)
class ListOf:
    """A list of `least` to `most` items. `order` is "any", "unique", or "rising" (sorted and unique: a set
    has one writing)."""

    item: "Scalar | ObjectOf"
    most: int
    least: int = 0
    order: str = "any"

    def check(self, value: object, field: str) -> None:
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise BadRecord("bad-field", f"“{field}” must be a list of {self.least} to {self.most} items.")
        for item in value:
            self.item.check(item, field)
        if self.order != "any" and len(set(value)) < len(value):
            raise BadRecord("bad-field", f"“{field}” must name everything once.")
        if self.order == "rising" and sorted(value) != value:
            raise BadRecord("bad-field", f"“{field}” must be sorted.")

    def found(self, value: Any, kind: str) -> Iterator[Any]:
        for item in value:
            yield from self.item.found(item, kind)


@dataclass(frozen=True)
class ObjectOf:
    """An object of exactly these fields; an optional one may be absent or null, which mean the same."""

    fields: Mapping[str, "Field"]

    def check(self, value: object, field: str) -> None:
        if not isinstance(value, dict):
            raise BadRecord("bad-field", f"“{field}” must be an object.")
        for name in value:
            if name not in self.fields:
                raise BadRecord("unknown-field", f"“{field}” has no field “{name}”.")
        for name, inner in self.fields.items():
            inner.check(value.get(name), f"{field}.{name}" if field else name)

    def found(self, value: Any, kind: str) -> Iterator[Any]:
        for name, inner in self.fields.items():
            if value.get(name) is not None:
                yield from inner.kind.found(value[name], kind)


@dataclass(frozen=True)
class Named:
    """An object from names of one's own choice to whole numbers."""

    most: int

    def check(self, value: object, field: str) -> None:
        if not isinstance(value, dict) or len(value) > self.most:
            raise BadRecord("bad-field", f"“{field}” must be an object of at most {self.most} numbers.")
        for name, item in value.items():
            whole(0, LARGEST_INTEGER).check(item, f"{field}.{name}")

    def found(self, value: Any, kind: str) -> Iterator[Any]:
        return iter(())


@dataclass(frozen=True)
class Field:
    """What a field holds, and whether it may be missing."""

    kind: Scalar | ListOf | ObjectOf | Named
    optional: bool = False

    def check(self, value: object, field: str) -> None:
        if value is not None:
            self.kind.check(value, field)
        elif not self.optional:
            raise BadRecord("missing-field", f"“{field}” is missing.")


def _reads(reader: Callable[[str], object]) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        try:
            return isinstance(value, str) and reader(value) is not None
        except BadRecord:
            return False

    return fits


def whole(least: int, most: int) -> Scalar:
    """A whole number within these bounds."""

    def fits(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return Scalar("integer", fits, f"a whole number from {least} to {most}")


def one_of(*words: str) -> Scalar:
    """One of these words."""
    return Scalar("word", lambda value: isinstance(value, str) and value in words, " or ".join(words))


def digest_or(*words: str) -> Scalar:
    """A digest, or one of these words."""
    is_digest = DIGEST.fits
    return Scalar(
        "digest", lambda value: value in words or is_digest(value), f"a digest, or {' or '.join(words)}"
    )


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_signature(value: Any) -> bool:
    return isinstance(value, str) and _SIGNATURE.fullmatch(value) is not None


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and _URI.fullmatch(value) is not None


DIGEST = Scalar("digest", _is_digest, "a digest of 64 hexadecimal digits")
TEXT = Scalar("text", _is_digest, "the digest of a text")
KEY = Scalar("key", _reads(key_bytes), "an Ed25519 key (z6Mk…)")
TIME = Scalar("time", _reads(instant), "a time such as 2026-11-22T10:00:00Z")
SIGNATURE = Scalar("signature", _is_signature, "an Ed25519 signature (z…, base58btc)")
FLAG = Scalar("flag", lambda value: isinstance(value, bool), "true or false")
URI = Scalar("uri", _is_uri, "an address (https://…)")
FRACTION = ListOf(whole(0, 1000), most=2, least=2)
