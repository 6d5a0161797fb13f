"""With which servers we deal, lists of them, and how much may arrive: the rules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import blocklists
from models.rules.blocklists import Line
from models.rules.pace import Bucket, take
from models.rules.peering import names_covering, read_host, refusal
from models.rules.refusals import Invalid

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("blocked", "allowed", "only_allowed", "why"),
    [
        (False, False, False, None),
        (False, False, True, "not-listed"),
        (False, True, True, None),
        (True, True, True, "blocked"),
        (True, False, False, "blocked"),
    ],
)
def test_a_block_holds_everywhere_and_the_list_where_only_the_listed_may(
    blocked: bool, allowed: bool, only_allowed: bool, why: str | None
) -> None:
    assert refusal(blocked=blocked, allowed=allowed, only_allowed=only_allowed) == why


def test_a_name_covers_its_ports_and_what_lies_below_it_and_nothing_beside_it() -> None:
    assert names_covering("a.b.example:8443") == ("a.b.example:8443", "a.b.example", "b.example")
    assert names_covering("social.example") == ("social.example",)
    assert "cial.example" not in names_covering("social.example")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Social.Example", "social.example"),
        (" https://social.example/about ", "social.example"),
        ("@ana@social.example", "social.example"),
        ("social.example:8443", "social.example:8443"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("social.example.", "social.example"),
    ],
)
def test_whatever_form_a_server_is_named_in_it_is_one_name(typed: str, meant: str) -> None:
    assert read_host(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "example", "a b.example", "-a.example", "a..example", "x" * 300, "a.b:0"]
)
def test_what_names_no_server_is_said_so(typed: str) -> None:
    with pytest.raises(Invalid):
        read_host(typed)


@given(st.text(max_size=60))
def test_every_text_is_a_host_or_none_and_one_that_was_read_is_read_the_same(text: str) -> None:
    try:
        host = read_host(text)
    except Invalid:
        return
    assert read_host(host) == host


# Lists

MASTODONS = """#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
bad.example,suspend,false,false,"spam, mostly",false
loud.example,silence,false,false,,false
fine.example,noop,true,false,,false
h*dden.example,suspend,false,false,,true
bad.example,silence,false,false,later,false
"""


def test_a_list_of_mastodons_is_read_each_server_once_and_what_cannot_be_done_is_said() -> None:
    assert blocklists.read(MASTODONS) == [
        Line("bad.example", "block", "spam, mostly"),
        Line("loud.example", "limit"),
        Line("fine.example", "", "", "nothing is to be done by “noop”"),
        Line("h*dden.example", "", "", "part of its name is hidden"),
    ]


def test_bare_names_are_a_list_of_servers_to_be_blocked() -> None:
    assert blocklists.read("one.example\n\ntwo.example\n") == [
        Line("one.example", "block"),
        Line("two.example", "block"),
    ]


def test_what_is_written_is_read_as_the_same_and_is_no_formula() -> None:
    lines = [Line("a.example", "block", 'said "no", twice\nand more'), Line("b.example", "limit", "")]
    assert blocklists.read(blocklists.write(lines)) == lines
    assert "'=1+1" in blocklists.write([Line("a.example", "block", "=1+1")])


def test_an_empty_and_an_endless_list_are_refused() -> None:
    for text in ("", "\n\n", "a.example\n" * (blocklists.MOST + 2)):
        with pytest.raises(Invalid):
            blocklists.read(text)


# Pace


@given(st.lists(st.integers(0, 90), min_size=1, max_size=300), st.integers(1, 50))
def test_no_more_is_let_through_than_a_full_bucket_and_what_time_fills_in(
    gaps: list[int], per_minute: int
) -> None:
    bucket: Bucket | None = None
    now, passed = NOW, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        bucket, wait = take(bucket, per_minute, now)
        passed += wait is None
    assert passed <= per_minute + per_minute * (now - NOW) / timedelta(minutes=1)


@given(st.integers(1, 1000))
def test_who_waits_as_long_as_they_were_told_is_let_through(per_minute: int) -> None:
    bucket, wait = None, None
    for _ in range(per_minute + 1):
        assert wait is None
        bucket, wait = take(bucket, per_minute, NOW)
    assert wait is not None
    _, again = take(bucket, per_minute, NOW + wait)
    assert again is None


def test_a_clock_that_goes_back_fills_nothing() -> None:
    bucket, _ = take(None, 1, NOW)
    bucket, wait = take(bucket, 1, NOW - timedelta(hours=5))
    assert wait is not None
    _, wait = take(bucket, 1, NOW)
    assert wait is not None
