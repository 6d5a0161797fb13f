"""Versions of a draft: what changed, word by word and without names; and the preview, which is what will be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.diffs import MOST_WORDS, Piece, word_diff
from tests.federation.meetings import Meetings
from tests.server.web.browser import Element
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_rooms import draft, room_of

TEXTS = st.text(alphabet="ab \n", max_size=40)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_a_difference(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(p.text for p in pieces if p.kind != "ins") == old
    assert "".join(p.text for p in pieces if p.kind != "del") == new


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("same words", "same words", [Piece("same", "same words")]),
        (
            "we like old bikes",
            "we like new bikes",
            [Piece("same", "we like "), Piece("del", "old"), Piece("ins", "new"), Piece("same", " bikes")],
        ),
        (
            "one.\n\nTwo",
            "two.\n\nTwo",
            [Piece("del", "one."), Piece("ins", "two."), Piece("same", "\n\nTwo")],
        ),
        ("", "all new", [Piece("ins", "all new")]),
        ("all gone", "", [Piece("del", "all gone")]),
    ],
)
def test_words_are_compared_not_letters(old: str, new: str, pieces: list[Piece]) -> None:
    assert word_diff(old, new) == pieces


def test_what_is_too_long_to_compare_is_shown_as_replaced() -> None:
    old, new = "a " * (MOST_WORDS + 1), "b"
    assert word_diff(old, new) == [Piece("del", old), Piece("ins", new)]


async def test_the_history_shows_what_each_version_changed_and_never_who_wrote_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        path = room_of(fed)
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        check(await ana.get(f"{path}/drafts"))
        await draft(ana, path, "consent", "We like the old bikes very much.")
        await draft(bo, path, "concern", "We like the new bikes very much.")
        room = await ana.get(path)
        check(room)
        page = await ana.get(room.links()["All 2 versions"])
        check(page)
        for where in (room.by_id("draft"), page.by_id("version-2"), page.by_id("version-1")):
            assert "Bo" not in where.text
            assert "Ana" not in where.text
        new = page.by_id("version-2")
        assert [(e.tag, e.text) for e in new.all("ins", "del")][-2:] == [("del", "old"), ("ins", "new")]
        assert "Consent with a concern" in [e.text for e in new.all("ins")]
        assert [e.text for e in page.by_id("version-1").all("ins", "del")] == []
        assert [e.get("id") for e in page.all("li") if (e.get("id") or "").startswith("version")] == [
            "version-2",
            "version-1",
        ]
        assert (await ana.get(f"{path}/drafts?before=2")).all("h2")[0].text == "Version 1"
        assert (await visitor.get(f"{path}/drafts")).status == 404
        assert (await (await enter(fed, "elm", "ana")).get(f"{path}/drafts")).text.count("old bikes") == 0


def words_of(row: Element) -> list[str]:
    """What a circle's row says, without its status, time and digest."""
    heading = row.all("h4")[0].all("span")[:2]
    return [e.text for e in [*heading, *row.all("p")] if e.get("class") != "meta"]


async def test_the_preview_is_what_others_then_read(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "elm")
        said = (("concern", "It may take too much room."), ("consent", "Now there is room."))
        for number, (position, reason) in enumerate(said, 1):
            await draft(ana, path, position, reason)
            page = await ana.get(path)
            shown = page.by_id("preview")
            await ana.send(page, f"{path}/confirm")
            await fed.settle()
            rows = (await visitor.get(f"/decisions/{fed.decision}")).all("li")
            row = next(e for e in rows if reason in e.text)
            assert words_of(row) == words_of(shown)
            assert reason in words_of(shown)
            for one in (row, shown):
                assert ("Version 2" in one.text, "Confirmed by 1 of 1" in one.text) == (number == 2, True)
