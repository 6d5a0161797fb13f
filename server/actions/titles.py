"""The plain title of a post: its name, its warning, or how its text begins. Never HTML, never long, on one line."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from activitypub.content import plain
from models.rules.phrases import phrase

MOST_READ: Final = 2_000
TITLE_LENGTH: Final = 120


def title_of(post: Mapping[str, Any]) -> str:
    """One line of plain text for a post."""
    said = post.get("name") if post.get("type") == "Article" else None
    for text in (said, post.get("summary"), post.get("content")):
        if isinstance(text, str) and (line := first_line(text)):
            return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
    return phrase("A post without words")


def first_line(text: str) -> str:
    """The first line of some HTML that has words; empty if none has."""
    lines = (" ".join(line.split()) for line in plain(text[:MOST_READ]).split("\n"))
    return next((line for line in lines if any(map(_is_seen, line))), "")


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
