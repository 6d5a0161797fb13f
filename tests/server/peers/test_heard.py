"""What the door read is not read again behind it, and what is written down counts."""

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


def test_no_more_is_kept_than_so_many_and_nothing_long() -> None:
    kept = Heard()
    bodies = [said("one", f"{ID}{number}") for number in range(heard.MOST + 1)]
    activities = [read(body) for body in bodies]
    for activity, body in zip(activities, bodies, strict=True):
        kept.keep(activity, body)
    assert kept.take(activities[0].id, bodies[0]) is not activities[0]
    assert kept.take(activities[1].id, bodies[1]) is activities[1]
    long = said("x" * heard.LONGEST)
    kept.keep(read(long), long)
    assert kept.take(ID, long) is not None
    assert len(kept) == heard.MOST - 1
