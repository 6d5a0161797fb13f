"""Sentences for people, said where no language is known: English text that remembers how to be said in another.

A `Phrase` is a `str` in English, for logs, machines and tests. It keeps its msgid and its values, so that a page can say it in the
reader's language (`server.language.said_in`). Pure; every rule, action and page may make one.

    phrase("There is room for {n} more.", n=3)
    phrases("{n} circle is asked.", "{n} circles are asked.", 4)
"""

from collections.abc import Mapping, Sequence
from typing import Any


class Phrase(str):
    """English words. `many` is the msgid of the plural, or empty; `n` is what is counted."""

    __slots__ = ("many", "msgid", "n", "values")
    msgid: str
    many: str
    n: int
    values: Mapping[str, Any]


def phrase(msgid: str, **values: Any) -> Phrase:
    """A sentence with named values in braces. Whole numbers get their commas; a value may be a phrase itself."""
    return _made(msgid, msgid, "", 1, values)


def phrases(one: str, many: str, n: int, **values: Any) -> Phrase:
    """A sentence about `n` things; `{n}` is given."""
    return _made(one if n == 1 else many, one, many, n, {"n": n, **values})


def in_a_row(parts: Sequence[str]) -> str:
    """Several sentences as one; each is said in the reader's language."""
    if len(parts) < 2:
        return parts[0] if parts else ""
    values = {f"s{number}": part for number, part in enumerate(parts)}
    msgid = " ".join(f"{{{name}}}" for name in values)
    return _made(msgid, msgid, "", 1, values)


def _made(english: str, msgid: str, many: str, n: int, values: Mapping[str, Any]) -> Phrase:
    shown = {name: f"{value:,}" if type(value) is int else value for name, value in values.items()}
    made = Phrase(english.format(**shown) if shown else english)
    made.msgid, made.many, made.n, made.values = msgid, many, n, values
    return made
