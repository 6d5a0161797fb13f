"""What the door read is not read again behind it, and what is written down counts."""

import tracemalloc

import pytest

from activitypub import codec
from server.peers import heard
from server.peers.heard import Heard

ID = "https://north.test/a/1"


def said(words: str, id_: str = ID) -> bytes:
    return codec.encode({"id": id_, "type": "Like", "actor": "https://north.test/u", "object": words})


def read(body: bytes) -> codec.Activity:
    return codec.tidy(codec.decode(body))


def test_what_was_read_is_handed_on_once() -> None:
    kept, body = Heard(), said("one")
    activity = read(body)
    kept.keep(activity, body)
    assert kept.take(ID, bytes(bytearray(body))) is activity
    again = kept.take(ID, body)
    assert again == activity
    assert again is not activity


def test_other_bytes_under_the_same_id_are_read_as_they_are() -> None:
    kept = Heard()
    kept.keep(read(said("one")), said("one"))
    assert kept.take(ID, said("other")).object_id == "other"


def test_no_more_is_kept_than_so_many_bytes_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Heard()
    bodies = [said("one", f"{ID}{number}") for number in range(9)]
    monkeypatch.setattr(heard, "MOST_BYTES", 8 * len(bodies[0]))
    activities = [read(body) for body in bodies]
    for activity, body in zip(activities, bodies, strict=True):
        kept.keep(activity, body)
        kept.keep(activity, body)  # the same again takes no more room
    assert kept.take(activities[0].id, bodies[0]) is not activities[0]
    assert [kept.take(one.id, body) is one for one, body in zip(activities, bodies, strict=True)][1:] == [
        True
    ] * 8
    long = said("x" * heard.MOST_BYTES)
    kept.keep(read(long), long)
    assert len(kept) == 0
    assert kept.take(ID, long) is not None
    for activity, body in zip(activities, bodies, strict=True):
        kept.keep(activity, body)
    assert len(kept) == 8  # nothing that was taken counts any more


def test_what_is_kept_takes_little_memory_whatever_was_said() -> None:
    kept = Heard()
    tracemalloc.start()
    try:
        for number in range(50):
            body = codec.encode(
                {"id": f"{ID}{number}", "type": "Like", "actor": "https://north.test/u", "x": [{}] * 6_000}
            )
            kept.keep(read(body), body)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 40_000_000
