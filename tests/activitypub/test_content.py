"""Foreign HTML: nothing but the allow-list survives, whatever comes in, and what survives can be read again."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.content import CLASSES, MAX_LENGTH, REL, TAGS, is_blank, plain, sanitise

NASTY = st.sampled_from(
    [
        *(
            "<",
            ">",
            "</",
            "/>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "&lt;",
            "&#x3c;",
            "&#0;",
            "\0",
            "\u202e",
            "\u2066",
        ),
        *(
            "<p>",
            "</p>",
            "<br>",
            "<b>",
            "</b>",
            "<h1>",
            "</h1>",
            "<h2 class=x>",
            "<svg>",
            "<math>",
            "<mtext>",
            "<style>",
        ),
        *(
            "<script>",
            "</script>",
            "<template>",
            "<table>",
            "<td>",
            "<select>",
            "<textarea>",
            "<noscript>",
            "<xmp>",
        ),
        *(
            "<a href='",
            "javascript:x()",
            "data:text/html,x",
            "https://x.test/",
            "mailto:a@x.test",
            "//x.test",
            "'>",
            "</a>",
        ),
        *(
            "<img src=x onerror=x()>",
            "<iframe srcdoc='",
            " onclick=x() ",
            " style='position:fixed' ",
            " class='mention evil' ",
        ),
        *(
            "<span class=invisible>",
            "<a class='hashtag u-url' rel=me>",
            "<base href=//x>",
            "<meta http-equiv=refresh>",
            "x",
        ),
    ]
)
ANY = st.lists(NASTY | st.text(max_size=8), max_size=30).map("".join)


class Reader(HTMLParser):
    """Elements and attributes as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.other: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def assert_safe(clean: str) -> None:
    read = Reader(clean)
    assert read.other == []
    for tag, attributes in read.seen:
        assert tag in TAGS
        assert set(attributes) <= {"a": {"href", "class", "rel"}, "span": {"class"}}.get(tag, set())
        assert set((attributes.get("class") or "").split()) <= CLASSES
        if tag == "a":
            assert attributes["rel"] == REL
            assert re.match(r"(https?:|mailto:)", attributes.get("href") or "https:", re.IGNORECASE)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\0]", clean)


@given(ANY)
def test_nothing_but_the_allow_list_survives_and_cleaning_again_changes_nothing(text: str) -> None:
    clean = sanitise(text)
    assert_safe(clean)
    assert sanitise(clean) == clean


@given(ANY)
def test_plain_words_hold_no_markup_of_their_own(text: str) -> None:
    words = plain(text)
    assert sanitise(words.replace("&", "&amp;").replace("<", "&lt;")).count("<") == 0
    assert not re.search("[\u202a-\u202e\u2066-\u2069\0]", words)


@pytest.mark.parametrize(
    "much", ["<a>" * 20_000, "<b><p>" * 9_000, "&" * 60_000, "<" * 60_000, "<h1>x" * 9_000, "x" * 99_999]
)
def test_what_comes_out_is_never_longer_than_the_bound(much: str) -> None:
    clean = sanitise(much)
    assert len(clean) <= MAX_LENGTH
    assert_safe(clean)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<h1>Title</h1>x", "<p><strong>Title</strong></p>x"),
        (
            '<a href="https://x.test/?a=1&b=2">y</a>',
            f'<a href="https://x.test/?a=1&amp;b=2" rel="{REL}">y</a>',
        ),
        ('<a href="java\tscript:x()">y</a>', f'<a rel="{REL}">y</a>'),
        ("<p>a<br/>b</p><img src=x>", "<p>a<br>b</p>"),
        ("<table><tr><td>cell</td></tr></table>", "cell"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ('<span class="invisible x">https://</span>', '<span class="invisible">https://</span>'),
        ("<style>p{}</style><script>x</script>", ""),
    ],
)
def test_examples(text: str, clean: str) -> None:
    assert sanitise(text) == clean


def test_words_keep_their_lines_and_blank_is_what_nobody_can_read() -> None:
    assert plain("<p>a<br>b</p><p>1 &lt; 2</p>") == "a\nb\n1 < 2"
    assert all(
        map(
            is_blank,
            ("", "<br>", "<p>&nbsp;</p>", "\u200b\u2060", "<img src=x>", "<a href='https://x.test'></a>"),
        )
    )
    assert not is_blank("<p>0</p>")
