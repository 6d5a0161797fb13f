"""Records: one fact has one writing and one name, and what is not a record is refused with a code and a
sentence."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.rules.forms import DIGEST, ListOf, whole
from models.rules.records import (
    LARGEST,
    SHAPES,
    BadRecord,
    canonical,
    digest,
    draft,
    instant,
    key_bytes,
    key_text,
    read,
    signing_input,
    stamp,
    text_digest,
)
from models.rules.shapes import _table
from tests.models.rules.builders import HOUR, START, WORDS, key, listed, offer, record

NAMES = st.from_regex(r"[A-Za-z0-9_:@-]{1,12}", fullmatch=True)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
FLAT = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(NAMES, PLAIN, max_size=3)
VALUES = FLAT | st.lists(FLAT, max_size=3) | st.dictionaries(NAMES, FLAT, max_size=3)
OFFER = dict(offer().body)
SCOPE = offer().digest


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_the_canonical_writing_is_jcs(value: dict[str, Any]) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "bad-value"),
        (float("nan"), "bad-value"),
        (b"x", "bad-value"),
        ((1,), "bad-value"),
        (2**53, "bad-integer"),
        (-(2**53), "bad-integer"),
        ("\ud800", "bad-string"),
        ({"é": 1}, "bad-name"),
        ({"": 1}, "bad-name"),
        ({1: 1}, "bad-name"),
        ([[[[[[[[[1]]]]]]]]], "too-deep"),
    ],
)
def test_what_has_no_one_writing_is_refused(value: Any, code: str) -> None:
    with pytest.raises(BadRecord) as refused:
        canonical({"x": value})
    assert refused.value.code == code


def test_a_record_keeps_its_name_whatever_proof_it_carries_and_in_whatever_order_it_is_written() -> None:
    turned = dict(reversed(OFFER.items()))
    assert digest({**turned, "proof": {"proofValue": "z1"}}) == digest(OFFER) == offer().digest
    assert read({**turned, "proof": {"proofValue": "z2"}}) == offer()
    assert len({offer(), read(turned)}) == 1


def test_an_offer_is_its_own_scope_and_every_other_record_names_one() -> None:
    assert offer().scope == offer().digest
    assert record("Leave", "oak", SCOPE, START).scope == SCOPE
    with pytest.raises(BadRecord, match="scope"):
        draft("Leave", key("oak"), None, START)
    with pytest.raises(BadRecord, match="scope"):
        read({**OFFER, "scope": SCOPE})


def test_absent_and_null_mean_the_same_and_a_record_holds_no_null() -> None:
    bare = read({**OFFER, "details": None, "scope": None})
    assert "details" not in bare.body
    assert bare.get("details") is None
    assert bare.digest != offer().digest  # another writing is another name
    assert "reason" not in draft("Leave", key("oak"), SCOPE, START, reason=None)


def test_a_record_names_its_texts_wherever_they_sit() -> None:
    one, two = text_digest(b"1" * 16, "North"), text_digest(b"2" * 16, "South")
    circles = [listed("a", 3, one), listed("b", 4, two)]
    answer = record(
        "Answer",
        "oak",
        SCOPE,
        START,
        takes="binding",
        circles=circles,
        keeps=True,
        instance=key("i"),
        actor="https://a.example/b",
        round=1,
    )
    assert answer.texts() == {one, two}
    assert offer().texts() == {WORDS}
    assert record("Leave", "oak", SCOPE, START).texts() == frozenset()


def test_a_text_is_named_by_its_salt_and_its_words() -> None:
    salt = bytes(range(16))
    assert text_digest(salt, "ja") == text_digest(salt, "ja")
    assert len({text_digest(salt, "ja"), text_digest(salt, "né"), text_digest(b"x" * 16, "ja")}) == 3
    with pytest.raises(BadRecord, match="salted"):
        text_digest(b"short", "ja")
    with pytest.raises(BadRecord, match="half a character"):
        text_digest(salt, "\udc00")


def test_what_a_proof_signs_is_two_hashes_its_options_first() -> None:
    config = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-22T10:00:00Z",
    }
    signed = signing_input({**OFFER, "proof": {"proofValue": "z"}}, config)
    assert len(signed) == 64
    assert signed[32:].hex() == offer().digest
    assert signed[:32] != signing_input(OFFER, {**config, "created": "2026-11-22T10:00:01Z"})[:32]


@given(st.integers(946_684_800, 7_258_118_399).map(lambda s: datetime.fromtimestamp(s + 0.5, UTC)))
def test_an_instant_is_written_in_whole_seconds_of_utc(then: datetime) -> None:
    assert instant(stamp(then)) == then.replace(microsecond=0)
    assert stamp(then.astimezone(timezone(timedelta(hours=5, minutes=30)))) == stamp(then)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T10:00:00+00:00",
        "2026-11-22 10:00:00Z",
        "2026-11-22T10:00:00.5Z",
        "2026-02-30T10:00:00Z",
        "2026-11-22T24:00:00Z",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "٢٠٢٦-11-22T10:00:00Z",
        "",
    ],
)
def test_no_other_writing_of_a_time_is_read(text: str) -> None:
    with pytest.raises(BadRecord):
        instant(text)


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(BadRecord):
        stamp(datetime(2026, 11, 22))  # noqa: DTZ001


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_written_in_one_way(public: bytes) -> None:
    assert key_text(public).startswith("z6Mk")
    assert key_bytes(key_text(public)) == public


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z6Mk",
        "z6Mk" + "0" * 44,
        "z6Mk" + "z" * 44,
        "z6Mk" + "1" * 44,
        key("oak") + "1",
        "Z" + key("oak")[1:],
    ],
)
def test_what_is_no_ed25519_key_is_refused(text: str) -> None:
    with pytest.raises(BadRecord):
        key_bytes(text)


def test_there_is_no_other_type_and_none_twice() -> None:
    for type_ in ("Wish", None, ["Offer"], 7):
        with pytest.raises(BadRecord) as refused:
            read({**OFFER, "type": type_})
        assert refused.value.code == "unknown-type"
    with pytest.raises(ValueError, match="two shapes"):
        _table(("Offer", SHAPES["Offer"]), ("Offer", SHAPES["Offer"]))


@pytest.mark.parametrize("document", [None, [], "Offer", 7])
def test_only_an_object_is_a_record(document: object) -> None:
    with pytest.raises(BadRecord):
        read(document)


def test_a_record_takes_at_most_sixteen_kilobytes_with_its_proof() -> None:
    assert read({**OFFER, "proof": {"proofValue": "z" * 1000}}) == offer()
    with pytest.raises(BadRecord) as refused:
        read({**OFFER, "proof": {"proofValue": "z" * LARGEST}})
    assert refused.value.code == "too-large"
    with pytest.raises(BadRecord):
        read({**OFFER, "proof": "z"})
    rows = [listed(f"{n}") for n in range(60)]
    full = record(
        "Answer",
        "oak",
        SCOPE,
        START,
        takes="binding",
        circles=rows,
        keeps=True,
        instance=key("i"),
        actor="https://a.example/b",
        round=1,
    )
    assert len(canonical(dict(full.body))) < LARGEST
    with pytest.raises(BadRecord) as refused:
        draft(
            "Terms",
            key("oak"),
            SCOPE,
            START,
            round=1,
            answers=[],
            options=[],
            roll=sorted(key(f"{n}") for n in range(300)),
            rollRoot=WORDS,
            keepers=sorted(key(f"k{n}") for n in range(15)),
        )
    assert refused.value.code == "too-large"


BALLOT: dict[str, Any] = {
    "terms": WORDS,
    "seq": 1,
    "position": "consent",
    "confirmed": 2,
    "entered": "circle",
}
ANSWER: dict[str, Any] = {
    "takes": "binding",
    "circles": [listed("c")],
    "keeps": True,
    "instance": key("i"),
    "actor": "https://a.example/b",
    "round": 1,
}
RECEIPT: dict[str, Any] = {"held": [{"record": WORDS, "received": stamp(START)}]}
TWICE = {"record": WORDS, "received": stamp(START)}


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("Answer", {**ANSWER, "takes": "ratifies"}),
        ("Answer", {**ANSWER, "ratifyBy": START}),
        ("Answer", {**ANSWER, "circles": []}),
        ("Answer", {**ANSWER, "takes": "declines"}),
        ("Answer", {**ANSWER, "circles": ANSWER["circles"] * 2}),
        ("Answer", {**ANSWER, "keeps": 1}),
        ("Answer", {**ANSWER, "actor": "ftp://a.example"}),
        ("Answer", {**ANSWER, "actor": "https://a.example/ b"}),
        ("Answer", {**ANSWER, "instance": "z6Mk"}),
        ("Answer", {**ANSWER, "circles": [{**listed("c"), "leader": "Ana"}]}),
        ("Answer", {**ANSWER, "circles": "none"}),
        ("Answer", {**ANSWER, "circles": [7]}),
        ("Ballot", {**BALLOT, "choices": []}),
        ("Ballot", {**BALLOT, "position": None}),
        ("Ballot", {**BALLOT, "position": "object", "reason": WORDS}),
        ("Ballot", {**BALLOT, "resolve": WORDS}),
        ("Ballot", {**BALLOT, "position": "concern"}),
        ("Ballot", {**BALLOT, "position": "yes"}),
        ("Ballot", {**BALLOT, "position": None, "choices": [WORDS]}),
        ("Ballot", {**BALLOT, "seq": 0}),
        ("Ballot", {**BALLOT, "seq": True}),
        ("Ballot", {**BALLOT, "prev": WORDS}),
        ("Ballot", {**BALLOT, "cures": [WORDS]}),
        ("Ballot", {**BALLOT, "cures": [WORDS, WORDS]}),
        ("Ballot", {**BALLOT, "member": "Ana"}),
        ("Receipt", {"held": []}),
        ("Receipt", {"held": [TWICE, TWICE]}),
        ("Receipt", {"held": [{"record": WORDS, "received": stamp(START + HOUR)}]}),
        ("CloseStatement", {"terms": WORDS, "circles": [{"circle": key("c")}, {"circle": key("c")}]}),
        (
            "Result",
            {
                "terms": WORDS,
                "seq": 1,
                "outcome": "adopted",
                "numbers": {"x": -1},
                "countRoot": WORDS,
                "lateRoot": WORDS,
            },
        ),
        (
            "Result",
            {
                "terms": WORDS,
                "seq": 1,
                "outcome": "adopted",
                "numbers": [],
                "countRoot": WORDS,
                "lateRoot": WORDS,
            },
        ),
        (
            "Terms",
            {
                "round": 1,
                "answers": [SCOPE, WORDS],
                "options": [WORDS, WORDS],
                "roll": [],
                "rollRoot": WORDS,
                "keepers": [],
            },
        ),
        (
            "Terms",
            {
                "round": 1,
                "answers": sorted([SCOPE, WORDS], reverse=True),
                "options": [],
                "roll": [],
                "rollRoot": WORDS,
                "keepers": [],
            },
        ),
        ("Challenge", {"result": WORDS, "claim": "wrong-count", "evidence": []}),
        ("Challenge", {"result": WORDS, "claim": "unfair", "evidence": [WORDS]}),
    ],
)
def test_fields_that_do_not_fit_their_type_are_refused(type_: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BadRecord) as refused:
        draft(type_, key("oak"), SCOPE, START, **fields)
    assert str(refused.value)


@pytest.mark.parametrize(
    ("position", "reason", "resolve"),
    [
        ("consent", None, None),
        ("abstain", None, None),
        ("concern", WORDS, None),
        ("object", WORDS, WORDS),
        ("no", WORDS, None),
    ],
)
def test_a_ballot_comes_with_the_words_its_position_needs(
    position: str, reason: str | None, resolve: str | None
) -> None:
    draft(
        "Ballot",
        key("c"),
        SCOPE,
        START,
        **{**BALLOT, "position": position, "reason": reason, "resolve": resolve},
    )


def test_choosing_nothing_is_abstaining_and_needs_no_reason() -> None:
    draft("Ballot", key("c"), SCOPE, START, **{**BALLOT, "position": None, "choices": []})


def test_choices_are_a_set_and_a_draft_writes_them_sorted() -> None:
    drafted = draft(
        "Ballot",
        key("c"),
        SCOPE,
        START,
        **{**BALLOT, "position": None, "choices": ["status-quo", WORDS], "reason": WORDS},
    )
    assert drafted["choices"] == sorted(["status-quo", WORDS])


@pytest.mark.parametrize(
    "changed",
    [
        {"gatherUntil": START - HOUR},
        {"gatherUntil": START + 3 * HOUR},
        {"respondBy": START + 3 * HOUR},
        {"closesAt": START + 2 * HOUR + timedelta(seconds=299)},
        {"grace": 59},
        {"challenge": -1},
        {"maxWait": 3600},
        {"maxWait": 31 * 86400},
        {"rule": {"quorum": [1, 0]}},
        {"rule": {"quorum": [3, 2]}},
        {"rule": {"quorum": [1, 2, 3]}},
        {"rule": {"collectives": [1, 1]}},
        {"rule": {"threshold": [1, 1]}},
        {"rule": {"base": "all"}},
        {"rule": {"veto": True}},
        {"maxOptions": 2},
        {"maxKeepers": 16},
        {"invited": [key("oak")]},
        {"invited": [key("elm"), key("elm")]},
        {"method": "lots"},
        {"reveal": "sealed"},
    ],
)
def test_an_offer_that_cannot_be_run_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadRecord):
        offer(**changed)


def test_all_circles_can_be_asked_for_where_that_can_be_reached() -> None:
    assert offer(rule={"threshold": [1, 1], "strict": False})["rule"]["threshold"] == [1, 1]
    assert offer(method="approval")["maxOptions"] == 5
    with pytest.raises(BadRecord):
        offer(method="approval", maxOptions=1)


def test_the_smallest_windows_are_five_minutes_and_one_minute() -> None:
    opens = START + 2 * HOUR
    offer(closesAt=opens + timedelta(minutes=5), grace=60, challenge=0, maxWait=60)


def test_every_type_says_who_signs_it() -> None:
    assert {shape.signer for shape in SHAPES.values()} <= {
        "collective",
        "circle",
        "instance",
        "circle or collective",
        "circle or instance",
    }


@given(st.lists(st.integers(0, 5), max_size=6))
def test_a_rising_list_is_a_set_with_one_writing(numbers: list[int]) -> None:
    kind = ListOf(whole(0, 5), most=4, order="rising")
    fits = len(numbers) <= 4 and sorted(set(numbers)) == numbers
    try:
        kind.check(numbers, "numbers")
    except BadRecord:
        assert not fits
    else:
        assert fits


def test_a_digest_is_lower_case() -> None:
    with pytest.raises(BadRecord):
        DIGEST.check(WORDS.upper(), "terms")
