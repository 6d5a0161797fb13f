"""The words that people read: finding them in code and templates, and keeping a catalogue of each language up to date.

`make words` runs this: msgids that are new are added, those that are gone are removed, and nothing else changes. What fails to use
a catalogue is found by `tests.bare_words`.
"""

import ast
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from server.language import ENGLISH, FOLDER, LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("server", "models")

# Which arguments of a call are msgids. A pair is a singular and its plural; with `pgettext` the context comes first.
MSGIDS: dict[str, tuple[int | tuple[int, int], ...]] = {
    "_": (0,),
    "phrase": (0,),
    "ngettext": ((0, 1),),
    "phrases": ((0, 1),),
    "pgettext": (1,),
    "Label": (0,),
    "Choice": (1, 2),
    "Words": (0,),
}
MUST_BE_WRITTEN_OUT = ("_", "phrase", "ngettext", "phrases", "pgettext")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}

Found = tuple[str, str, str]  # a context or nothing, a msgid, its plural or nothing


@cache
def modules() -> dict[str, ast.Module]:
    paths = sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def templates() -> dict[str, str]:
    paths = sorted((ROOT / "templates").rglob("*.html"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def constant(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def in_code(tree: ast.Module, where: str) -> Iterator[Found]:
    """The msgids of a module. Those of `_` and its kind must be written out."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = name_of(call)
        if name == "Words" and call.args and isinstance(call.args[0], ast.Dict):
            yield from (("", constant(value), "") for value in call.args[0].values if constant(value))
            continue
        for place in MSGIDS.get(name, ()):
            places = place if isinstance(place, tuple) else (place,)
            texts = [constant(call.args[one]) if one < len(call.args) else "" for one in places]
            if name in MUST_BE_WRITTEN_OUT:
                assert all(texts), f"{where}:{call.lineno}: write the words out in {name}(…)"
            if all(texts):
                context = constant(call.args[0]) if name == "pgettext" else ""
                yield context, texts[0], (texts[1:] or [""])[0]


def in_call(call: ast.Call) -> set[int]:
    """Which arguments of a call are msgids, by `id` of their nodes."""
    places = {
        n
        for place in MSGIDS.get(name_of(call), ())
        for n in (place if isinstance(place, tuple) else (place,))
    }
    return {id(call.args[n]) for n in places if n < len(call.args)}


def in_template(text: str) -> Iterator[Found]:
    for _line, function, message, _comments in babel_extract(
        io.BytesIO(text.encode()), list(KEYWORDS), (), {**OPTIONS, "encoding": "utf-8"}
    ):
        parts = [message] if isinstance(message, str) else [part for part in message if isinstance(part, str)]
        context = parts.pop(0) if function in ("pgettext", "npgettext") else ""
        yield context, parts[0], parts[1] if function in ("ngettext", "npgettext") else ""


@cache
def msgids() -> frozenset[Found]:
    """Every msgid there is."""
    found: set[Found] = set()
    for path, tree in modules().items():
        if path != "server/language.py":
            found |= set(in_code(tree, path))
    for text in templates().values():
        found |= set(in_template(text))
    plurals = {(context, one): many for context, one, many in found if many}
    return frozenset((c, one, plurals.get((c, one), "")) for c, one, _many in found)


def path_of(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "jura.po"


def read(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def known(catalogue: Catalog) -> set[Found]:
    """The msgids of a catalogue."""
    found = set()
    for message in catalogue:
        if message.id:
            one, many = message.id if isinstance(message.id, tuple) else (message.id, "")
            found.add((message.context or "", one, many))
    return found


def updated(language: str) -> str:
    """The catalogue of a language with exactly the msgids that there are; what is translated stays."""
    before = read(language) if path_of(language).exists() else Catalog(locale=language)
    after = Catalog(locale=language, fuzzy=False)
    for context, one, many in sorted(msgids()):
        old = before.get(one, context or None)
        string = old.string if old is not None and isinstance(old.string, tuple) == bool(many) else None
        after.add(
            (one, many) if many else one,
            string or (("",) * after.num_plurals if many else ""),
            context=context or None,
        )
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {after.plural_forms}\\n"\n\n'
    )
    body = io.BytesIO()
    write_po(body, after, width=0, omit_header=True, no_location=True, sort_output=True)
    return header + body.getvalue().decode()


def main() -> None:
    for language in LANGUAGES:
        if language != ENGLISH:
            path_of(language).parent.mkdir(parents=True, exist_ok=True)
            path_of(language).write_text(updated(language), encoding="utf-8")
            empty = sum(
                1
                for m in read(language)
                if m.id and not all([m.string] if isinstance(m.string, str) else m.string)
            )
            print(f"{language}: {len(msgids())} texts, {empty} without a translation")


if __name__ == "__main__":
    main()
