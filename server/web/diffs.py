"""What changed between two texts, word by word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

MOST_WORDS: Final = 2_000
"""Longer texts are shown as wholly replaced: comparing them would cost more than it tells."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text. `kind`: same, ins (only in the new text) or del (only in the old one)."""

    kind: str
    text: str


@lru_cache(maxsize=64)  # versions never change, and a comparison of long ones takes 10 ms
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
            found += _replaced("".join(before[a:b]), "".join(after[c:d]))
    return _pieces(found)


def _replaced(old: str, new: str) -> list[tuple[str, str]]:
    """Words in the place of others. The space behind both is not marked: a line that ends is neither gone nor new."""
    space = new[len(new.rstrip()) :]
    if not space or not old.endswith(space):
        return [("del", old), ("ins", new)]
    return [("del", old[: -len(space)]), ("ins", new[: -len(space)]), ("same", space)]


def _words(text: str) -> list[str]:
    """Words, each with the white space that follows it."""
    return re.findall(r"\s+|\S+\s*", text)


def _pieces(found: Sequence[tuple[str, str]]) -> Sequence[Piece]:
    joined: list[Piece] = []
    for kind, text in found:
        if joined and joined[-1].kind == kind:
            joined[-1] = Piece(kind, joined[-1].text + text)
        elif text:
            joined.append(Piece(kind, text))
    return joined
