"""Words for people that stand in code and templates beside the catalogues: what `tests.test_words_bypassing` looks for.

A text has words if it has a sentence's look: two words with a space between them, or one that begins with a capital and ends like a
sentence. Single words in code are left to the pages themselves (`tests.server.web.test_every_word`), where none can hide.
"""

import ast
import html
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import jinja2
from jinja2 import nodes

from tests.words import in_call, modules, name_of, templates

CODE: Final = (
    "models/",
    "server/web/",
    "server/workers/",
    "server/actions/",
    "server/translate",
    "server/errors.py",
)
NOT_CODE: Final = ("models/migrations/",)

ATTRIBUTES: Final = ("title", "aria-label", "alt", "placeholder", "content", "label", "value")
TWO_WORDS: Final = r"(?<![\w./#:@<-])[^\W\d_]+[,.:;!?…’)”]* +[(“]?[^\W\d_]{2,}(?![\w/#@=-])"
A_SENTENCE: Final = r"^[A-Z][a-z]+[.!?…]$"
A_WORD_AND_A_VALUE: Final = r"^\x00 +[a-z]{3,}[.,:;]?$|^[A-Za-z]{2,}:? +\x00[.,:;]?$"
WORDS: Final = re.compile("|".join((TWO_WORDS, A_SENTENCE, A_WORD_AND_A_VALUE)))
LETTERS: Final = re.compile(r"[^\W\d_]")
TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]*>")
STYLE: Final = re.compile(r"^[a-z]+\{.*\}$")
VALUE: Final = "\x00"  # stands where a value is put in

# Calls whose texts nobody but programmers and operators reads.
MACHINES: Final = {
    "compile", "match", "fullmatch", "search", "sub", "split", "strftime",  # expressions, formats
    "text", "execute", "exec_driver_sql", "CheckConstraint", "Index", "UniqueConstraint", "ForeignKey",  # SQL
    "log", "debug", "info", "warning", "error", "exception", "getLogger",  # logs
}  # fmt: skip
ERRORS: Final = re.compile(r"^[A-Z]\w*(Error|Exception|Defect)$|^ExceptionGroup$")
MACHINE_NAMES: Final = re.compile(r"^_?[A-Z_]*(POLICY|SQL|QUERY|PATTERN|CONNECTS)[A-Z_]*$")


def looks(text: str) -> bool:
    return bool(WORDS.search(TAG.sub(" ", STYLE.sub("", text))))


# Code


def bare_in_code(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each literal that looks like words for people and does not go through a catalogue."""
    if isinstance(node, ast.Call):
        if name_of(node) in MACHINES or ERRORS.match(name_of(node)):
            return
        msgids = in_call(node)
        for child in ast.iter_child_nodes(node):
            if id(child) not in msgids:
                yield from bare_in_code(child)
        return
    if isinstance(node, ast.JoinedStr | ast.Constant):
        text = _text(node)
        if looks(text):
            yield node.lineno, text
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from bare_in_code(part.value)
        return
    if isinstance(node, ast.Assign | ast.AnnAssign) and _is_machines(node):
        return
    for child in ast.iter_child_nodes(node):
        if not _is_docstring(child) and not _is_annotation(node, child):
            yield from bare_in_code(child)


def _text(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(p.value) if isinstance(p, ast.Constant) else VALUE for p in node.values)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_annotation(parent: ast.AST, node: ast.AST) -> bool:
    return node in (getattr(parent, "annotation", None), getattr(parent, "returns", None))


def _is_machines(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and MACHINE_NAMES.match(target.id) for target in targets)


# Templates

TRANSLATES: Final = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
PARSER: Final = jinja2.Environment(
    extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, autoescape=True
)
PARSER.policies["ext.i18n.trimmed"] = True
COMMENT: Final = re.compile(r"<!--.*?-->|<!doctype[^>]*>", re.S | re.I)
CODE_ELEMENT: Final = re.compile(r"<(code|pre|kbd|style)\b[^<>]*>.*?</\1>", re.S)


def bare_in_template(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of what a template says without a catalogue: text, the values of attributes, and constants."""
    said = list(_said(PARSER.parse(source)))
    page = COMMENT.sub(_blank, "".join(text if literal else VALUE for _line, text, literal in said))
    for tag in TAG.findall(page):
        for name in ATTRIBUTES:
            for value in re.findall(rf'\s{name}="([^"]*)"', tag):
                if LETTERS.search(html.unescape(value)) and (
                    name not in ("content", "value") or looks(value)
                ):
                    yield 0, f'{name}="{value}"'
    for part in TAG.sub("\n\n", CODE_ELEMENT.sub(_blank, page)).split("\n\n"):
        text = " ".join(html.unescape(part).replace(VALUE, " ").split())
        if LETTERS.search(text):
            yield 0, text
    yield from ((line, text) for line, text, literal in said if not literal and looks(text))


def _blank(found: re.Match[str]) -> str:
    return "\n\n"


def _said(node: nodes.Node) -> Iterator[tuple[int, str, bool]]:
    """What is printed, in its order; values as themselves if they are constants."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.TemplateData):
            yield child.lineno, child.data, True
        elif isinstance(child, nodes.Call) and getattr(child.node, "name", "") in TRANSLATES:
            yield child.lineno, "", False
            yield from (found for one in child.kwargs for found in _said(one))
        elif isinstance(child, nodes.Const):
            yield child.lineno, child.value if isinstance(child.value, str) else "", False
        else:
            if isinstance(child, nodes.Name) and isinstance(node, nodes.Output):
                yield child.lineno, "", False
            yield from _said(child)


# Both


@cache
def bare() -> dict[str, list[tuple[int, str]]]:
    """Every file that has such words: line and text of each. Of the text of a template the line is not known: it is 0."""
    found = {
        path: sorted(bare_in_code(tree))
        for path, tree in modules().items()
        if path.startswith(CODE) and not path.startswith(NOT_CODE)
    }
    found |= {path: sorted(bare_in_template(source)) for path, source in templates().items()}
    return {path: said for path, said in found.items() if said}
