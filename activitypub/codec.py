"""The only wire JSON: bytes from strangers in, plain values out, and our documents out as bytes.

`decode` is the line between safe and unsafe: after it a document is within the limits, says each key
once, and holds nothing that two readers read differently. `tidy` is the line between sloppy and strict:
after it nobody asks whether a reference is a string, an object or a list.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from activitypub.errors import Malformed, TooLarge

Json = dict[str, Any]
Texts = dict[str, dict[str, str]]

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 64
MAX_LIST: Final = 10_000
MAX_NODES: Final = 100_000
MAX_INT: Final = 2**53 - 1

# These keywords let a JSON-LD reader see another document than a JSON reader sees.
REARRANGING: Final = frozenset({"@graph", "@included", "@reverse"})

AS2: Final = "https://www.w3.org/ns/activitystreams"
PUBLIC: Final = f"{AS2}#Public"
PUBLIC_NAMES: Final = frozenset({PUBLIC, "as:Public", "Public"})
RECORD: Final = "jura:record"
TEXTS: Final = "jura:texts"
MAX_RECORDS: Final = 100
MAX_REFERENCE: Final = 2048
COLLECTIONS: Final = frozenset({"Collection", "CollectionPage", "OrderedCollection", "OrderedCollectionPage"})


def decode(data: bytes, limit: int = MAX_BYTES) -> Json:
    """The JSON object in `data`; Malformed or TooLarge for everything else.

    Refused: more than `limit` bytes, depth over 64, lists over 10 000 items, more than 100 000 values,
    a key said twice, NaN and infinities, integers beyond 2**53 - 1, NUL, lone surrogates, anything but
    UTF-8, and the keys @graph, @included and @reverse at any depth.
    """
    if len(data) > limit:
        raise TooLarge("too-many-bytes", f"The document has more than {limit} bytes.")
    try:
        document = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Malformed("not-utf-8", "The document is not UTF-8.") from error
    except RecursionError as error:
        raise TooLarge("too-deep", f"The document is nested more than {MAX_DEPTH} deep.") from error
    except json.JSONDecodeError as error:
        raise Malformed("not-json", "The document is not JSON.") from error
    if not isinstance(document, dict):
        raise Malformed("not-an-object", "The document is not a JSON object.")
    _inspect(document, escapes=b"\\u" in data)
    return document


def decode_again(data: bytes) -> Json:
    """What `decode` made of these bytes before, sooner; for bytes that we kept because it let them pass."""
    document: Json = orjson.loads(data)
    return document


def encode(document: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON of one of our own documents; ValueError if it is none (a mistake of ours)."""
    try:
        return orjson.dumps(dict(document))
    except TypeError as error:
        raise ValueError("the document does not fit in JSON") from error


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("duplicate-key", "The document says one key twice.")
    return found


def _integer(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > MAX_INT:
        raise Malformed("integer-too-large", "The document holds an integer that JSON readers round.")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Malformed("not-a-number", "The document holds a number without a finite value.")
    return number


def _constant(text: str) -> None:
    raise Malformed("not-a-number", f"The document holds {text}, which is not JSON.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _inspect(document: Json, *, escapes: bool) -> None:
    """Walks the whole document without recursion and raises at the first thing that we do not read.

    NUL and half a character can only be written by `escapes` (\\u…): as they are, JSON and UTF-8 know neither.
    """
    nodes = 0
    waiting: list[tuple[Any, int]] = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise TooLarge("too-deep", f"The document is nested more than {MAX_DEPTH} deep.")
        nodes += len(value)
        if nodes > MAX_NODES:
            raise TooLarge("too-many-values", f"The document holds more than {MAX_NODES} values.")
        if isinstance(value, dict):
            if not REARRANGING.isdisjoint(value):
                raise Malformed("rearranged", "The document uses @graph, @included or @reverse.")
            if escapes:
                for key in value:
                    _check_text(key)
            items = value.values()
        else:
            if len(value) > MAX_LIST:
                raise TooLarge("list-too-long", f"The document holds a list of more than {MAX_LIST} items.")
            items = value
        for item in items:
            if isinstance(item, str):
                if escapes:
                    _check_text(item)
            elif isinstance(item, dict | list):
                waiting.append((item, depth + 1))


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise Malformed("nul", "The document holds a NUL character.")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Malformed("lone-surrogate", "The document holds half of a character.") from error


@dataclass(frozen=True, slots=True)
class Thing:
    """One AS2 object or embedded activity, read: every reference is an id, every list a tuple.

    `owner` is its attributedTo, or else its actor. `id` is None for an object that has none.
    """

    id: str | None
    type: str
    owner: str | None
    object_id: str | None
    target: str | None
    in_reply_to: str | None
    name: str | None
    content: str | None
    published: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    records: list[Json]
    texts: Texts
    raw: Json


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity, read. `object` is set when it embeds exactly one object, `inner` is that one read.

    `things` are all embedded objects (GoToSocial sends several votes at once); `object_id` names the one
    object whether it is embedded or not. `records` and `texts` are those of the activity and of its
    objects together.
    """

    id: str
    type: str
    actor: str
    object_id: str | None
    object: Json | None
    target: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    records: list[Json]
    texts: Texts
    raw: Json
    inner: Thing | None
    things: tuple[Thing, ...]
    object_ids: tuple[str, ...]
    result: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A collection or one page of it, read. `things` are its embedded items, `ids` the names of all.

    `records` are those of the collection itself (a scope's head); each thing has its own.
    """

    id: str
    type: str
    total: int | None
    first: str | None
    next: str | None
    ids: tuple[str, ...]
    things: tuple[Thing, ...]
    records: list[Json]
    raw: Json


def tidy(document: Json) -> Activity:
    """The activity in a decoded document; Malformed if it has no type, no single actor, or bad records.

    A Question that comes without a Create around it is its author's. An activity without an id (WordPress
    sends profile updates so) gets one made of its actor and its content, so that the same bytes twice are
    still the same activity.
    """
    kind = _type(document)
    actor = reference(document.get("actor", document.get("attributedTo") if kind == "Question" else None))
    if kind is None or actor is None:
        raise Malformed("not-an-activity", "The document is not an activity with a type and one actor.")
    name = reference(document.get("id"))
    if name is None:
        mark = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
        name = f"{actor}#{kind.lower()}-{mark[:32]}"
    objects = _listed(document.get("object"))
    things = tuple(tidy_thing(item) for item in objects if isinstance(item, dict))
    own = _carried(document)
    records, texts = _together([own, *((thing.records, thing.texts) for thing in things)])
    single = len(objects) == 1
    return Activity(
        id=name,
        type=kind,
        actor=actor,
        object_id=reference(objects[0]) if single else None,
        object=things[0].raw if single and things else None,
        target=reference(document.get("target")),
        to=references(document.get("to")),
        cc=references(document.get("cc")),
        records=records,
        texts=texts,
        raw=document,
        inner=things[0] if single and things else None,
        things=things,
        object_ids=references(document.get("object")),
        result=reference(document.get("result")),
    )


def tidy_thing(document: Json) -> Thing:
    """An object, embedded or fetched, read; Malformed if it carries bad records. A missing type is ""."""
    records, texts = _carried(document)
    attributed = document.get("attributedTo")
    return Thing(
        id=reference(document.get("id")),
        type=_type(document) or "",
        owner=reference(document.get("actor") if attributed is None else attributed),
        object_id=reference(document.get("object")),
        target=reference(document.get("target")),
        in_reply_to=reference(document.get("inReplyTo")),
        name=_text(document, "name"),
        content=_text(document, "content"),
        published=_text(document, "published"),
        to=references(document.get("to")),
        cc=references(document.get("cc")),
        records=records,
        texts=texts,
        raw=document,
    )


def tidy_page(document: Json) -> Page:
    """A fetched collection or page, read; Malformed if it is none, or an item carries bad records."""
    name, kind = reference(document.get("id")), _type(document)
    if name is None or kind not in COLLECTIONS:
        raise Malformed("not-a-collection", "The document is not a collection.")
    items = _listed(document.get("orderedItems", document.get("items")))
    total = document.get("totalItems")
    return Page(
        id=name,
        type=kind,
        total=total if isinstance(total, int) and total >= 0 else None,
        first=reference(document.get("first")),
        next=reference(document.get("next")),
        ids=references(items),
        things=tuple(tidy_thing(item) for item in items if isinstance(item, dict)),
        records=_carried(document)[0],
        raw=document,
    )


def reference(value: Any) -> str | None:
    """The one id that `value` refers to: a string, an object with an id, or a list of one of these."""
    if isinstance(value, list):
        return reference(value[0]) if len(value) == 1 else None
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str) and 0 < len(value) <= MAX_REFERENCE:
        return value
    return None


def references(value: Any) -> tuple[str, ...]:
    """All ids in `value`, each once and in order; every name of the public is `PUBLIC`."""
    found = (reference(item) for item in _listed(value))
    return tuple(dict.fromkeys(PUBLIC if each in PUBLIC_NAMES else each for each in found if each))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _type(document: Json) -> str | None:
    """The type as a plain word; of a list the first (our own documents never have one)."""
    value = next(iter(_listed(document.get("type"))), None)
    if not isinstance(value, str) or not value:
        return None
    return value.removeprefix(f"{AS2}#").removeprefix("as:")


def _text(document: Json, key: str) -> str | None:
    """A string property, or else the first of its language map."""
    value = document.get(key)
    if value is None and isinstance(languages := document.get(f"{key}Map"), dict):
        value = next(iter(languages.values()), None)
    return value if isinstance(value, str) else None


def _carried(document: Json) -> tuple[list[Json], Texts]:
    """The records and texts that this one object carries."""
    records = _listed(document.get(RECORD))
    if len(records) > MAX_RECORDS:
        raise TooLarge("too-many-records", f"An object carries more than {MAX_RECORDS} records.")
    if not all(isinstance(record, dict) for record in records):
        raise Malformed("bad-records", "What an object carries as records are not objects.")
    texts = document.get(TEXTS)
    if texts is None:
        return records, {}
    if not isinstance(texts, dict) or not all(map(_is_text, texts.values())):
        raise Malformed("bad-texts", "What an object carries as texts has another shape.")
    return records, texts


def _is_text(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(part, str) for part in value.values())


def _together(carried: Iterable[tuple[list[Json], Mapping[str, dict[str, str]]]]) -> tuple[list[Json], Texts]:
    records: list[Json] = []
    texts: Texts = {}
    for some, beside in carried:
        records += some
        for name, text in beside.items():
            texts.setdefault(name, text)
    if len(records) > MAX_RECORDS:
        raise TooLarge("too-many-records", f"The activity carries more than {MAX_RECORDS} records.")
    return records, texts
