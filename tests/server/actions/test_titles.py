"""The plain title of a post, whatever its author put into it."""

from typing import Any

import pytest

from server.actions.titles import TITLE_LENGTH, title_of


@pytest.mark.parametrize(
    ("post", "title"),
    [
        ({"content": "<p><strong>Proposal: a van</strong></p><p>We would</p>"}, "Proposal: a van"),
        ({"content": "<p> </p><ul><li>One &amp; <b>only</b></li><li>Two</li></ul>"}, "One & only"),
        ({"content": "One<br>Two"}, "One"),
        ({"content": "<script>alert(1)</script><style>p{}</style><p>Seen</p>"}, "Seen"),
        ({"content": "<p>&lt;img src=x onerror=alert(1)&gt;</p>"}, "<img src=x onerror=alert(1)>"),
        ({"content": "<p>un\u202eder\u0007 \u2066it</p><p>\u200b</p>"}, "under it"),
        ({"content": "<p>Text</p>", "summary": "Sad news"}, "Sad news"),
        ({"type": "Article", "name": "Our year", "summary": "Long", "content": "<p>x</p>"}, "Our year"),
        ({"type": "Note", "name": "A vote", "content": "<p>x</p>"}, "x"),
        ({"content": "<p" + "<" * 5000}, "A post without words"),
        ({"content": ["<p>x</p>"], "summary": 7}, "A post without words"),
        ({}, "A post without words"),
    ],
)
def test_it_is_one_line_without_markup(post: dict[str, Any], title: str) -> None:
    assert title_of(post) == title


def test_it_is_never_long() -> None:
    found = title_of({"content": f"<p>{'word ' * 100}</p>"})
    assert len(found) <= TITLE_LENGTH
    assert found.endswith("word…")
