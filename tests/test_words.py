"""The catalogues of words for people: each holds exactly the texts that there are, and says them with their values and markup.

That no words stand beside them is tested by `tests.test_words_bypassing` and `tests.server.web.test_every_word`.
"""

import ast
import re
from collections import Counter

import pytest
from babel.messages.catalog import Message

from models.rules.phrases import phrase, phrases
from server.language import ENGLISH, LANGUAGES, accepted, number, said_in, speaking
from server.web.render import make_environment
from tests.words import (
    known,
    modules,
    msgids,
    name_of,
    path_of,
    read,
    updated,
)

TRANSLATED = [language for language in LANGUAGES if language != ENGLISH]
NAMES = re.compile(r"%\(\w+\)s|%%|\{\w+\}")
TAGS = re.compile(r"<[^<>]+>")
STRAIGHT = re.compile(r"\w'|'\w")


# Catalogues


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_holds_exactly_the_texts_that_there_are(language: str) -> None:
    assert known(read(language)) == set(msgids()), "run make words"
    assert path_of(language).read_text(encoding="utf-8") == updated(language), "run make words"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_a_guess(language: str) -> None:
    ids = [m for m in read(language) if m.id]
    forms = {m.id: [m.string] if isinstance(m.string, str) else list(m.string) for m in ids}
    assert [id_ for id_, said in forms.items() if not all(said)] == []
    assert [m.id for m in ids if m.fuzzy] == []


def strings(message: Message) -> list[str]:
    found = [message.string] if isinstance(message.string, str) else list(message.string)
    return [one for one in found if one]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_values_and_the_markup_of_its_text(language: str) -> None:
    for message in (m for m in read(language) if m.id):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        values = [set(NAMES.findall(one)) for one in ids]
        for string in strings(message):
            assert set(NAMES.findall(string)) in values, string
            assert Counter(TAGS.findall(string)) == Counter(TAGS.findall(ids[-1])), string
            assert "<" not in TAGS.sub("", string), string
            assert string.count('"') == ids[-1].count('"'), f"{string}: it may stand in an attribute"


@pytest.mark.parametrize("language", LANGUAGES)
def test_apostrophes_are_those_of_print(language: str) -> None:
    """As the quotation marks are; a straight one beside a curved one looks like a slip."""
    if language == ENGLISH:
        said = [text for _, *forms in msgids() for text in forms]
    else:
        said = [string for message in read(language) if message.id for string in strings(message)]
    assert [text for text in said if STRAIGHT.search(text)] == []


# Code


def test_nothing_is_said_before_somebody_reads_it() -> None:
    """What is made when a module is loaded is a `phrase`, a `Label`, a `Choice` or a `Words`: `_` knows no reader yet."""
    early = []
    for path, tree in modules().items():
        inside = {
            id(n)
            for f in ast.walk(tree)
            if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for n in ast.walk(f)
        }
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in inside)
        early += [
            f"{path}:{c.lineno}" for c in calls if name_of(c) in ("_", "ngettext", "pgettext", "said_in")
        ]
    assert early == []


# The words themselves


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", ""),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr, en;q=0.5, es;q=0.4", "en"),
        ("de;q=1, es; Q=0.7", "es"),
        ("es;q=0", ""),
        ("*", ""),
        ("en;q=0.3,es;q=0.3", "en"),
        ("es;q=x,en;q=0.1", "en"),
        ("es;level=1", ""),
        (",;q=1,,", ""),
        ("es;q=٣", ""),
        (",".join(["fr"] * 30 + ["es"]), ""),
    ],
)
def test_the_language_is_that_of_the_request(header: str, language: str) -> None:
    assert accepted(header) == language


def test_a_phrase_is_english_and_can_be_said_again() -> None:
    inner = phrases("{n} circle", "{n} circles", 1200)
    said = phrase("{name} asks {whom}.", name="Ana {x}", whom=inner)
    assert said == "Ana {x} asks 1,200 circles."
    assert said_in(said) == said
    with speaking("es"):
        assert number(1234567) == "1.234.567"
        assert "1200" in said_in(said) or "1.200" in said_in(said)


def test_templates_escape_values_and_say_phrases() -> None:
    environment = make_environment(development=False)
    source = (
        "{% trans a=x %}\n  <b>{{ a }}</b>\n  100%\n{% endtrans %}|{{ p }}|"
        "{% trans n=m %}one{% pluralize %}{{ n }} of them{% endtrans %}"
    )
    template = environment.from_string(source)
    said = template.render(x="<i>", m=2500, p=phrase("{n} & more", n=1000))
    assert said == "<b>&lt;i&gt;</b> 100%|1,000 &amp; more|2,500 of them"
