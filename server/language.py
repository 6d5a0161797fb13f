"""The language in which something is read, and how words are said in it.

A msgid is the English text itself; `server/locale/<language>/LC_MESSAGES/jura.po` has it in the others. A catalogue is read when it
is first needed. The language is that of the request or the mail: whoever begins one says which (`speak`, `speaking`). How to add
words: docs/architecture.md, section 8.
"""

import contextlib
import gettext as catalogues
import io
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from activitypub.later import later
from models.rules.phrases import Phrase

if TYPE_CHECKING:
    import babel.core
    import babel.dates
    import babel.messages.mofile
    import babel.messages.pofile
    import babel.numbers

    core, dates, mofile, numbers, pofile = (
        babel.core,
        babel.dates,
        babel.messages.mofile,
        babel.numbers,
        babel.messages.pofile,
    )
else:
    core, dates, numbers = later("babel.core"), later("babel.dates"), later("babel.numbers")
    mofile, pofile = later("babel.messages.mofile"), later("babel.messages.pofile")

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "es")  # those in which pages can be read
FOLDER: Final = Path(__file__).resolve().parent / "locale"
MOST_RANGES: Final = 20  # of an Accept-Language header are looked at

LANGUAGE: Final[ContextVar[str]] = ContextVar("language", default=ENGLISH)


# Which language


def speak(language: str) -> None:
    """From now on in this request or job, this language is read."""
    LANGUAGE.set(language if language in LANGUAGES else ENGLISH)


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is said inside is read in this language."""
    before = LANGUAGE.set(language if language in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        LANGUAGE.reset(before)


def accepted(header: str) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110 §12.5.4, matched by RFC 4647 §3.4); empty if none is
    named. The order breaks ties; what is malformed is passed over."""
    best, weight = "", 0.0
    for part in header.split(",", MOST_RANGES)[:MOST_RANGES]:
        wanted, _, parameter = part.partition(";")
        quality = _quality(parameter.strip())
        found = wanted.strip().lower().split("-")[0]
        if found in LANGUAGES and quality > weight:
            best, weight = found, quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if not parameter:
        return 1.0
    digits = value.strip().replace(".", "", 1)
    if name.strip().lower() != "q" or not (digits.isascii() and digits.isdigit()) or len(digits) > 4:
        return 0.0
    return min(float(value), 1.0)


# Catalogues


@cache
def catalogue(language: str) -> catalogues.NullTranslations:
    """The words of a language. English has none: its msgids are its words."""
    if language == ENGLISH:
        return catalogues.NullTranslations()
    compiled = io.BytesIO()
    with (FOLDER / language / "LC_MESSAGES" / "jura.po").open("rb") as file:
        mofile.write_mo(compiled, pofile.read_po(file, locale=language))
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


@cache
def locale(language: str) -> "babel.core.Locale":
    """How dates and numbers are written in a language."""
    return core.Locale.parse(language)


def translated(msgid: str, context: str = "") -> str:
    """The text of a msgid as it stands in the catalogue, without values."""
    words = catalogue(LANGUAGE.get())
    return (words.pgettext(context, msgid) if context else words.gettext(msgid)) if msgid else ""


def translated_many(one: str, many: str, n: int, context: str = "") -> str:
    words = catalogue(LANGUAGE.get())
    return words.npgettext(context, one, many, n) if context else words.ngettext(one, many, n)


# Words


def _(msgid: str, **values: Any) -> str:
    """A sentence in the reader's language, with named values in braces."""
    return _filled(translated(msgid), values)


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """A sentence about `n` things; `{n}` is given."""
    return _filled(translated_many(one, many, n), {"n": n, **values})


def pgettext(context: str, msgid: str, **values: Any) -> str:
    """A sentence whose English has several meanings; `context` says which."""
    return _filled(translated(msgid, context), values)


def said_in(text: str) -> str:
    """A phrase in the reader's language; what is no phrase stays as it is."""
    if not isinstance(text, Phrase):
        return text
    found = translated_many(text.msgid, text.many, text.n) if text.many else translated(text.msgid)
    return _filled(found, text.values)


def _filled(text: str, values: Mapping[str, Any]) -> str:
    """With the values in it. Where one is a piece of a page, such as an instant, so is the sentence."""
    if not values:
        return text
    said = shown(values)
    if any(isinstance(value, Markup) for value in said.values()):
        return Markup(text).format(**said)
    return text.format(**said)


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they stand in a sentence: whole numbers as the language writes them, phrases said."""
    return {name: show(value) for name, value in values.items()}


def show(value: Any) -> Any:
    if isinstance(value, Phrase):
        return said_in(value)
    return number(value) if type(value) is int else value


def number(value: int) -> str:
    """A whole number as the reader's language writes it."""
    if -1000 < value < 1000:
        return str(value)
    return numbers.format_decimal(value, locale=locale(LANGUAGE.get()))


def day_words(then: datetime, *, with_day: bool = False) -> str:
    """“22 November 2026”, as the reader's language orders it."""
    language = LANGUAGE.get()
    if language == ENGLISH:
        pattern = "EEEE d MMMM y" if with_day else "d MMMM y"
    else:
        pattern = "full" if with_day else "long"
    return dates.format_date(then, pattern, locale=locale(language))


def instant_words(then: datetime) -> str:
    """“22 November 2026, 10:00 UTC”, for readers anywhere."""
    return f"{day_words(then)}, {then:%H:%M} UTC"


def joined(parts: Sequence[str]) -> str:
    """Several sentences or phrases in a row, each said."""
    return in_a_list([said_in(part) for part in parts if part], " ")


def in_a_list(parts: Sequence[str], between: str = ", ") -> str:
    """One after the other; a piece of a page if one of them is."""
    return (Markup(between) if any(isinstance(part, Markup) for part in parts) else between).join(parts)


class Words(Mapping[str, str]):
    """A table of sentences, each said in the language of whoever reads it. Each value is a msgid."""

    def __init__(self, msgids: Mapping[str, str]) -> None:
        self._msgids = dict(msgids)

    def __getitem__(self, key: str) -> str:
        return translated(self._msgids[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._msgids)

    def __len__(self) -> int:
        return len(self._msgids)
