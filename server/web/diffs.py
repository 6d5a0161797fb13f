"""What changed between two texts, word by word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MOST_WORDS: Final = 2_000
"""Longer texts are shown as wholly replaced: comparing them would cost more than it tells."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text. `kind`: same, ins (only in the new text) or del (only in the old one)."""

    kind: str
    text: str


def word_diff(old: str, new: str) -> Sequence[Piece]:
    """The new text with what is gone and what is added marked. Joined without what is gone it is the new text, without what is
    added the old one."""
    before, after = _words(old), _words(new)
    if old == new:
        return _pieces([("same", new)])
    if len(before) > MOST_WORDS or len(after) > MOST_WORDS:
        return _pieces([("del", old), ("ins", new)])
    found: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(after[c:d])))
        else:
            found += [("del", "".join(before[a:b])), ("ins", "".join(after[c:d]))]
    return _pieces(found)


def _words(text: str) -> list[str]:
    """Words, each with the white space that follows it."""
    return re.findall(r"\s+|\S+\s*", text)


def _pieces(found: Sequence[tuple[str, str]]) -> Sequence[Piece]:
    return [Piece(kind, text) for kind, text in found if text]
