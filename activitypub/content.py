"""HTML from strangers, made safe by allow-list: what passes is text, a little structure, and links that cannot act.

`sanitise` is the only way by which foreign HTML reaches a page of ours; `plain` is the same without any markup.
"""

import html
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from activitypub.later import later

if TYPE_CHECKING:
    import nh3
else:
    nh3 = later("nh3")

MAX_LENGTH: Final = 40_000
MAX_TAGS: Final = 2_000  # more than that is read as plain text: tidying it costs more than sending it

INLINE: Final = frozenset(
    {
        "a",
        "abbr",
        "b",
        "br",
        "code",
        "del",
        "em",
        "i",
        "rp",
        "rt",
        "ruby",
        "s",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
    }
)
BLOCKS: Final = frozenset({"blockquote", "li", "ol", "p", "pre", "ul"})
TAGS: Final = INLINE | BLOCKS
CLASSES: Final = frozenset({"mention", "hashtag", "invisible", "ellipsis"})
REL: Final = "nofollow noopener noreferrer"
SCHEMES: Final = frozenset({"http", "https", "mailto"})
# What holds no words for people: it goes with all that is in it.
WORDLESS: Final = frozenset(
    {
        "script",
        "style",
        "template",
        "iframe",
        "object",
        "noscript",
        "svg",
        "math",
        "title",
        "textarea",
        "select",
    }
)

_TAG: Final = re.compile(r"<[^<>]*>")
# A page has its own headings: theirs become paragraphs in bold.
_HEADING: Final = re.compile(r"<(/?)h[1-6](?=[\s>/])[^<>]{0,500}>", re.IGNORECASE)
_BREAK: Final = re.compile(r"<br>|</(?:p|li|pre|blockquote)>")
# Marks that turn or hide the text around them, and what no page may hold.
_UNSEEN: Final = re.compile(
    "[\u061c\u202a-\u202e\u2066-\u2069\ufeff\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]"
)
_BLANK: Final = re.compile("[\\s\u00ad\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u3164\uffa0]+")


def sanitise(text: str) -> str:
    """Foreign HTML as it may stand on a page of ours: nothing but the allow-list survives, and no more than `MAX_LENGTH`.

    What would be longer once it is tidied, or is hardly anything but tags, is shown as plain text.
    """
    written = _visible(text[:MAX_LENGTH])
    if written.count("<") > MAX_TAGS:
        return as_html(_visible(html.unescape(_TAG.sub(" ", written)))[: MAX_LENGTH // 8])
    clean = _visible(_cleaner().clean(_HEADING.sub(_paragraph, written)))
    return clean if len(clean) <= MAX_LENGTH else as_html(_words(clean)[: MAX_LENGTH // 8])


def plain(text: str, limit: int = MAX_LENGTH) -> str:
    """The words of foreign HTML (or of plain text), without markup; line breaks where it had some."""
    return _words(sanitise(text))[:limit]


def is_blank(text: str) -> bool:
    """Is there nothing to read in this HTML?"""
    return not _BLANK.sub("", plain(text))


def one_line(text: str, limit: int) -> str:
    """The words of a name or title on one line."""
    return " ".join(plain(text).split())[:limit]


def as_html(text: str) -> str:
    """Plain text as HTML."""
    return f"<p>{html.escape(text).replace(chr(10), '<br>')}</p>" if text else ""


@cache
def _cleaner() -> "nh3.Cleaner":
    """Leaves what is on the allow-list."""
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(WORDLESS),
        attributes={"a": {"href"}},
        allowed_classes={"a": set(CLASSES), "span": set(CLASSES)},
        link_rel=REL,
        url_schemes=set(SCHEMES),
        url_relative="deny",
    )


@cache
def _bare() -> "nh3.Cleaner":
    """Leaves nothing but words."""
    return nh3.Cleaner(tags=set(), clean_content_tags=set(WORDLESS), attributes={}, link_rel=None)


def _words(clean: str) -> str:
    return _visible(html.unescape(_bare().clean(_BREAK.sub(lambda found: f"{found[0]}\n", clean)))).strip()


def _visible(text: str) -> str:
    return _UNSEEN.sub("", text)


def _paragraph(found: re.Match[str]) -> str:
    return "</strong></p>" if found[1] else "<p><strong>"
