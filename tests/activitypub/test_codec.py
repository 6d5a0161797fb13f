"""Wire JSON: what is within the limits comes back unchanged, everything else is refused with its reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub import codec
from activitypub.errors import Malformed, TooLarge, WireError
from tests.activitypub.patience import patiently

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
KEYS = TEXTS.filter(lambda key: key not in codec.REARRANGING)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-codec.MAX_INT, codec.MAX_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=30,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=6)

NORTH = "https://north.example/c/assembly"
SOUTH = "https://south.example/c/union"


def follow(**more: Any) -> codec.Json:
    return {"id": f"{NORTH}/follows/1", "type": "Follow", "actor": NORTH, "object": SOUTH, **more}


def refusal(data: bytes) -> WireError:
    with pytest.raises(WireError) as refused:
        codec.decode(data)
    return refused.value


@patiently
@given(DOCUMENTS)
def test_what_we_encode_we_decode_to_the_same(document: dict[str, Any]) -> None:
    assert codec.decode(codec.encode(document)) == document


@patiently
@given(DOCUMENTS)
def test_a_document_escaped_by_another_writer_reads_the_same(document: dict[str, Any]) -> None:
    assert codec.decode(json.dumps(document, indent=1).encode()) == document


@patiently
@given(st.binary(max_size=200))
def test_bytes_from_anywhere_are_read_or_refused_but_never_fail_otherwise(data: bytes) -> None:
    try:
        document = codec.decode(data)
    except Malformed:
        return
    assert isinstance(document, dict)


@patiently
@given(DOCUMENTS)
def test_tidying_any_document_gives_an_activity_or_a_refusal(document: dict[str, Any]) -> None:
    try:
        activity = codec.tidy(document | {"type": document.get("type", "Create")})
    except Malformed:
        return
    assert activity.id
    assert activity.actor


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b'{"a":1}x', "not-json"),
        (b"{'a':1}", "not-json"),
        (b'{"a":01}', "not-json"),
        (b'{"a":"\x01"}', "not-json"),
        (b"[]", "not-an-object"),
        (b'"a"', "not-an-object"),
        (b"null", "not-an-object"),
        (b'\xef\xbb\xbf{"a":1}', "not-json"),
        (b'{"a":"\xff"}', "not-utf-8"),
        (b'{"a":"\xed\xa0\x80"}', "not-utf-8"),
        ('{"a":1}'.encode("utf-16"), "not-utf-8"),
        (b'{"a":NaN}', "not-a-number"),
        (b'{"a":-Infinity}', "not-a-number"),
        (b'{"a":1e999}', "not-a-number"),
        (b'{"a":9007199254740992}', "integer-too-large"),
        (b'{"a":-9007199254740992}', "integer-too-large"),
        (b'{"a":' + b"9" * 100_000 + b"}", "integer-too-large"),
        (b'{"a":1,"a":2}', "duplicate-key"),
        (b'{"x":[{"a":1,"\\u0061":2}]}', "duplicate-key"),
        (b'{"a":"\\ud800"}', "lone-surrogate"),
        (b'{"\\udc00":1}', "lone-surrogate"),
        (b'{"a":["x\\u0000y"]}', "nul"),
        (b'{"\\u0000":1}', "nul"),
        (b'{"@graph":[]}', "rearranged"),
        (b'{"object":{"tag":[{"@reverse":{}}]}}', "rearranged"),
        (b'{"@context":[{"x":{"@included":1}}]}', "rearranged"),
    ],
)
def test_a_document_that_readers_could_read_differently_is_refused(data: bytes, code: str) -> None:
    assert refusal(data).code == code


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (nested(65), "too-deep"),
        (b'{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}", "too-deep"),
        (b'{"a":[' + b"0," * 10_000 + b"0]}", "list-too-long"),
        (b'{"a":[' + b",".join([b"[" + b"0," * 9_000 + b"0]"] * 12) + b"]}", "too-many-values"),
        (b'{"a":"' + b"x" * 1_000_000 + b'"}', "too-many-bytes"),
    ],
)
def test_a_document_beyond_a_limit_is_too_large(data: bytes, code: str) -> None:
    error = refusal(data)
    assert isinstance(error, TooLarge)
    assert error.code == code


def test_a_document_at_the_limits_is_read() -> None:
    assert codec.decode(nested(64))
    assert len(codec.decode(b'{"a":[' + b"0," * 9_999 + b"0]}")["a"]) == 10_000
    assert codec.decode(b'{"a":9007199254740991,"b":-9007199254740991}')


def test_a_caller_may_ask_for_less_than_a_megabyte() -> None:
    with pytest.raises(TooLarge):
        codec.decode(b'{"a":"long"}', limit=8)


def test_what_does_not_fit_in_json_is_our_mistake_and_a_value_error() -> None:
    for wrong in ({"a": object()}, {"a": "\ud800"}, {"a": 2**70}):
        with pytest.raises(ValueError, match="does not fit"):
            codec.encode(wrong)


# Tidying


@pytest.mark.parametrize(
    "actor", [NORTH, {"id": NORTH, "type": "Group"}, [NORTH], [{"id": NORTH, "inbox": "x"}]]
)
def test_an_actor_is_read_as_a_string_an_object_or_a_list_of_one(actor: Any) -> None:
    assert codec.tidy(follow(actor=actor)).actor == NORTH


@pytest.mark.parametrize("actor", [None, "", [], [NORTH, SOUTH], {}, {"id": 7}, 7, "x" * 3000])
def test_an_activity_without_one_actor_is_malformed(actor: Any) -> None:
    with pytest.raises(Malformed) as refused:
        codec.tidy(follow(actor=actor))
    assert refused.value.code == "not-an-activity"


@pytest.mark.parametrize("kind", [None, "", 3, [], {}])
def test_an_activity_without_a_type_is_malformed(kind: Any) -> None:
    with pytest.raises(Malformed):
        codec.tidy(follow(type=kind))


@pytest.mark.parametrize(
    "kind", ["Follow", ["Follow", "x:Y"], "as:Follow", "https://www.w3.org/ns/activitystreams#Follow"]
)
def test_every_way_to_write_a_type_gives_the_plain_word(kind: Any) -> None:
    assert codec.tidy(follow(type=kind)).type == "Follow"


def test_an_object_given_by_its_id_is_not_embedded() -> None:
    activity = codec.tidy(follow())
    assert (activity.object_id, activity.object, activity.inner) == (SOUTH, None, None)


def test_an_embedded_object_is_given_raw_and_read() -> None:
    inside = follow(id="https://south.example/f/1", actor=SOUTH, object=NORTH)
    activity = codec.tidy(follow(type="Accept", object=inside))
    assert activity.object == inside
    assert activity.object_id == "https://south.example/f/1"
    assert activity.inner is not None
    assert (activity.inner.type, activity.inner.owner, activity.inner.object_id) == ("Follow", SOUTH, NORTH)


def test_several_embedded_votes_are_all_read_and_none_is_the_one_object() -> None:
    votes = [
        {"id": f"{NORTH}/v/{n}", "type": "Note", "attributedTo": NORTH, "inReplyTo": SOUTH, "name": name}
        for n, name in enumerate(["yes", "no"])
    ]
    activity = codec.tidy(follow(type="Create", object=votes))
    assert (activity.object, activity.object_id, activity.inner) == (None, None, None)
    assert [(thing.name, thing.in_reply_to) for thing in activity.things] == [("yes", SOUTH), ("no", SOUTH)]
    assert activity.object_ids == (f"{NORTH}/v/0", f"{NORTH}/v/1")


@pytest.mark.parametrize("name", ["as:Public", "Public", "https://www.w3.org/ns/activitystreams#Public"])
def test_the_public_has_one_name_whatever_was_written(name: str) -> None:
    assert codec.tidy(follow(to=name, cc=[{"id": SOUTH}, SOUTH, 3])).to == (codec.PUBLIC,)
    assert codec.tidy(follow(to=name, cc=[{"id": SOUTH}, SOUTH, 3])).cc == (SOUTH,)


def test_content_is_read_from_its_language_map_where_it_stands_only_there() -> None:
    assert codec.tidy_thing({"type": "Note", "contentMap": {"de": "Ja"}}).content == "Ja"
    assert codec.tidy_thing({"type": "Note", "content": "", "contentMap": {"de": "Ja"}}).content == ""


def test_attributed_to_an_empty_list_is_nobody_even_beside_an_actor() -> None:
    assert codec.tidy_thing({"type": "Note", "attributedTo": [], "actor": NORTH}).owner is None


def test_an_activity_without_id_gets_the_same_one_for_the_same_content() -> None:
    one, same, other = (
        codec.tidy({"type": "Update", "actor": NORTH, "object": thing}) for thing in (NORTH, NORTH, SOUTH)
    )
    assert one.id == same.id
    assert one.id != other.id
    assert one.id.startswith(f"{NORTH}#update-")


def test_records_and_texts_are_gathered_from_the_activity_and_its_object() -> None:
    text = {"salt": "aa", "text": "Why", "lang": "en"}
    activity = codec.tidy(
        follow(
            **{
                "type": "Offer",
                "jura:record": {"type": "Offer"},
                "jura:texts": {"d1": text},
                "object": {"type": "Object", "jura:record": [{"type": "Answer"}], "jura:texts": {"d2": text}},
            }
        )
    )
    assert [record["type"] for record in activity.records] == ["Offer", "Answer"]
    assert set(activity.texts) == {"d1", "d2"}


@pytest.mark.parametrize(
    ("carried", "code"),
    [
        ({"jura:record": [{}] * 101}, "too-many-records"),
        ({"jura:record": [{}] * 60, "object": {"jura:record": [{}] * 41}}, "too-many-records"),
        ({"jura:record": "x"}, "bad-records"),
        ({"jura:record": [{}, 3]}, "bad-records"),
        ({"jura:texts": []}, "bad-texts"),
        ({"jura:texts": {"d": "text"}}, "bad-texts"),
        ({"jura:texts": {"d": {"text": 3}}}, "bad-texts"),
    ],
)
def test_what_an_object_carries_in_another_shape_is_refused(carried: codec.Json, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        codec.tidy(follow(**carried))
    assert refused.value.code == code


# Collections


def test_a_page_of_a_scope_is_read_with_the_records_of_each_item() -> None:
    quiet = {"type": "Object", "jura:record": {"type": "Ballot"}, "jura:texts": {"d": {"text": "x"}}}
    page = codec.tidy_page(
        {"id": "p", "type": "OrderedCollectionPage", "orderedItems": [quiet, NORTH, 3], "next": "n"}
    )
    assert (page.id, page.next, page.total, page.ids) == ("p", "n", None, (NORTH,))
    assert [thing.records for thing in page.things] == [[{"type": "Ballot"}]]
    assert page.things[0].texts == {"d": {"text": "x"}}


def test_the_head_of_a_scope_is_the_record_of_the_collection_itself() -> None:
    head = {"type": "Head", "root": "ab"}
    page = codec.tidy_page(
        {"id": "s", "type": "OrderedCollection", "totalItems": 2, "first": {"id": "f"}, "jura:record": head}
    )
    assert (page.total, page.first, page.records, page.things) == (2, "f", [head], ())


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "s", "type": "Note"},
        {"type": "OrderedCollection"},
        {"id": "s", "type": "OrderedCollection", "items": [{"jura:record": 3}]},
        {"id": "s", "type": "OrderedCollection", "orderedItems": [{"jura:record": [{}] * 101}]},
    ],
)
def test_what_is_no_collection_or_carries_nonsense_is_malformed(odd: codec.Json) -> None:
    with pytest.raises(Malformed):
        codec.tidy_page(odd)


def test_a_size_that_is_no_size_is_left_out() -> None:
    for total in (-1, "3", 2.5, None, [1]):
        assert codec.tidy_page({"id": "s", "type": "Collection", "totalItems": total}).total is None
