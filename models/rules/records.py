"""Records: signed facts, their form, their names and how they are read and drafted (spec: records.md §2).

What others import from here: `read`, `draft`, `Record`, `digest`, `canonical`, `text_digest`,
`signing_input`, `instant`, `stamp`, `BadRecord`, `SHAPES`. Proofs are made and checked by the wire; nothing
here knows a key's secret.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from models.rules.forms import DIGEST as _DIGEST
from models.rules.forms import (
    KEY,
    TIME,
    BadRecord,
    Field,
    Scalar,
    canonical,
    instant,
    key_bytes,
    key_text,
    stamp,
    whole,
)
from models.rules.shapes import SHAPES

__all__ = [
    "LARGEST",
    "SALT_BYTES",
    "SHAPES",
    "BadRecord",
    "ByType",
    "Record",
    "Refused",
    "canonical",
    "digest",
    "draft",
    "instant",
    "key_bytes",
    "key_text",
    "read",
    "read_again",
    "signing_input",
    "sitting_input",
    "stamp",
    "text_digest",
]

LARGEST = 16_384
"""Bytes of canonical JSON that a record may take, proof included."""

PROOF_ROOM = 600
"""Bytes that `draft` leaves free for the proof."""

SALT_BYTES = 16

_ANY_TYPE = Scalar("word", lambda value: isinstance(value, str), "a type of record")
_COMMON = {"v": Field(whole(1, 1)), "type": Field(_ANY_TYPE), "by": Field(KEY), "at": Field(TIME)}
_SCOPED = {**_COMMON, "scope": Field(_DIGEST)}


@dataclass(frozen=True, eq=False)
class Record:
    """A well-formed record. `body` is the document without proof and without nulls; two records are equal if
    their digests are."""

    digest: str
    type: str
    scope: str
    by: str
    at: datetime
    body: Mapping[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.body[field]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def get(self, field: str, default: Any = None) -> Any:
        return self.body.get(field, default)

    def texts(self) -> frozenset[str]:
        """Digests of the texts that travel beside this record."""
        return frozenset(SHAPES[self.type].fields.found(self.body, "text"))


ByType = Mapping[str, Sequence[Record]]
"""Records by their type; a type that is not there has none."""

Refused = list[tuple[Record, str]]
"""Records without effect, each with the code that says why."""


def digest(document: Mapping[str, Any]) -> str:
    """The name of a record: SHA-256 (hex) of its canonical writing without `proof`."""
    return hashlib.sha256(canonical(_unproved(document))).hexdigest()


def text_digest(salt: bytes, text: str) -> str:
    """The name (hex) under which a record holds a text: SHA-256 of 16 random bytes of salt and the UTF-8
    text."""
    if len(salt) != SALT_BYTES:
        raise BadRecord("bad-salt", f"A text is salted with {SALT_BYTES} bytes.")
    try:
        return hashlib.sha256(salt + text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise BadRecord("bad-string", "A text holds half a character.") from error


def sitting_input(scope: str, collective: str) -> bytes:
    """What a circle's key signs for its collective's Answer: that it sits for this collective in this decision.

    Without it anybody could list somebody else's circle, and by that strike it off the roll.
    """
    return f"jura circle\n{scope}\n{collective}".encode()


def signing_input(document: Mapping[str, Any], proof_config: Mapping[str, Any]) -> bytes:
    """The 64 bytes that an eddsa-jcs-2022 proof signs: SHA-256 of the proof's options, then of the record
    without proof."""
    options = hashlib.sha256(canonical(dict(proof_config))).digest()
    return options + hashlib.sha256(canonical(_unproved(document))).digest()


def read(document: object) -> Record:
    """The record that a document is, with or without proof. Raises BadRecord; the proof itself is not judged
    here."""
    if not isinstance(document, dict):
        raise BadRecord("not-a-record", "A record is an object.")
    if not isinstance(document.get("proof", {}), dict):
        raise BadRecord("bad-proof", "A proof is an object.")
    unproved = canonical(_unproved(document))
    beside = len(canonical({"proof": document["proof"]})) - 1 if "proof" in document else 0
    if len(unproved) + beside > LARGEST:
        raise BadRecord("too-large", "A record takes at most 16 kB.")
    body = _body(document)
    _check(body)
    return _record(hashlib.sha256(unproved).hexdigest(), body)


def read_again(document: Mapping[str, Any], name: str) -> Record:
    """The record of a document that `read` has read before and that has this digest; nothing is checked again.

    For our own ledger, which takes in nothing unread; `jura doctor --rebuild` checks what it holds.
    """
    return _record(name, _body(document))


def draft(type_: str, by: str, scope: str | None, at: datetime, **fields: Any) -> dict[str, Any]:
    """An unsigned document of this type, checked. Fields that are None are left out; instants are written as
    records write them.

    Lists whose order means nothing are sorted here. `scope` is None for an Offer: the scope is named by the
    Offer's own digest.
    """
    document: dict[str, Any] = {"v": 1, "type": type_, "scope": scope, "by": by, "at": stamp(at), **fields}
    document = {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in document.items()
        if value is not None
    }
    for name in ("choices", "cures"):
        if isinstance(document.get(name), list | tuple | set | frozenset):
            document[name] = sorted(document[name])
    _check(document)
    if len(canonical(document)) > LARGEST - PROOF_ROOM:
        raise BadRecord("too-large", "A record takes at most 16 kB.")
    return document


def _unproved(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


def _body(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _without_nulls(value) for name, value in _unproved(document).items() if value is not None}


def _record(name: str, body: dict[str, Any]) -> Record:
    scope = name if body["type"] == "Offer" else body["scope"]
    return Record(name, body["type"], scope, body["by"], instant(body["at"]), MappingProxyType(body))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _check(body: Mapping[str, Any]) -> None:
    type_ = body.get("type")
    shape = SHAPES.get(type_) if isinstance(type_, str) else None
    if shape is None:
        raise BadRecord("unknown-type", "This type of record is not known here.")
    common = _COMMON if type_ == "Offer" else _SCOPED
    for name in body:
        if name not in common and name not in shape.fields.fields:
            raise BadRecord("unknown-field", f"{type_} has no field “{name}”.")
    for name, field in _fields(common, shape.fields.fields):
        field.check(body.get(name), name)
    shape.agrees(body)


def _fields(*tables: Mapping[str, Field]) -> Iterator[tuple[str, Field]]:
    for table in tables:
        yield from table.items()
