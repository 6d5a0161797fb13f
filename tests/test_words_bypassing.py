"""No words for people stand in code or templates beside the catalogues (docs/architecture.md, section 8, “… words”).

An exception is an entry of one of the tables below, with its reason; one that is no longer needed fails too. Single words in code
are found where they are shown: `tests.server.web.test_every_word`.
"""

import ast
from typing import Final

import pytest

from tests.bare_words import bare, bare_in_code, bare_in_template

ABOUT_RECORDS: Final = "what is wrong with a record is told to the server that sent it"
FOR_OPERATORS: Final = "kept with what failed, and logged, for whoever operates the instance"
IN_A_FILE: Final = "keys of the file about oneself, which programs read; the page in that file names them too"
MACHINES_ONLY: Final[dict[str, str]] = {  # file: why nobody reads what it says on a page
    "models/rules/forms.py": ABOUT_RECORDS,
    "models/rules/records.py": ABOUT_RECORDS,
    "models/rules/shapes.py": ABOUT_RECORDS,
    "server/actions/exporting.py": IN_A_FILE,
    "server/actions/hearing.py": ABOUT_RECORDS,
    "server/actions/noted.py": IN_A_FILE,
    "server/web/keepsake.py": IN_A_FILE,
    "server/workers/inbox.py": FOR_OPERATORS,
    "server/workers/mail.py": FOR_OPERATORS,
    "server/workers/repair.py": FOR_OPERATORS,
    "server/workers/retention.py": FOR_OPERATORS,
}

AN_EVENT: Final = "the name of an event in the log"
A_PURPOSE: Final = "what a signed ticket is for; part of what is signed"
WRITTEN_ONCE: Final = "written into the database once, where members can write something else"
A_NAME: Final = "a name, the same in each language"
SAME: Final[dict[str, str]] = {  # text: why it is the same in every language
    "BEGIN IMMEDIATE": "SQL",
    'aria-describedby=" -hint -problem" aria-invalid="true"': "attributes that a macro makes",
    "Cookie, Accept, Accept-Language": "a header",
    "Mac OS": A_NAME,
    "RFC 9421draft-cavage": A_NAME,
    "second factor": A_PURPOSE,
    "passkey proof": A_PURPOSE,
    "passkey new": A_PURPOSE,
    "mail off \x00 \x00": A_PURPOSE,
    "keys named in scopes": "the name of a limit in the log",
    "removal told": AN_EVENT,
    "round over": AN_EVENT,
    "pulse told": AN_EVENT,
    "reply hidden": AN_EVENT,
    "reply shown again": AN_EVENT,
    "the form is older than the log-in": AN_EVENT,
    "(no address of ours)": AN_EVENT,
    "member \x00": "what attempts are counted by",
    "mail \x00": "the name of a job in the log",
    "A new collective": WRITTEN_ONCE,
    "Found this collective: admit its first members and hold its first decisions.": WRITTEN_ONCE,
    "From a list.": WRITTEN_ONCE,
    "blocked: We no longer deal with this server.": FOR_OPERATORS,
}


def test_words_go_through_the_catalogues() -> None:
    found = {
        path: [f"{path}:{line}: {text!r}" for line, text in said if text not in SAME]
        for path, said in bare().items()
        if path not in MACHINES_ONLY
    }
    wrong = [one for said in found.values() for one in said]
    assert not wrong, "\n".join(wrong)


def test_every_exception_is_needed() -> None:
    assert set(MACHINES_ONLY) - set(bare()) == set()
    there = {text for said in bare().values() for _line, text in said}
    assert set(SAME) - there == set()


@pytest.mark.parametrize(
    "code",
    [
        'raise NotFound("gone", "There is nothing here.")',
        'said = f"{name} asks."',
        'return Row(title="Voting opens")',
        '_("{name} asks.", name="a circle")',
        'PARTS = ("for everybody to read",)',
        'said = "Adopted."',
    ],
)
def test_words_in_code_are_found(code: str) -> None:
    assert list(bare_in_code(ast.parse(code))) != []


@pytest.mark.parametrize(
    "code",
    [
        '"""What it does."""',
        'raise NotFound("gone", phrase("There is nothing here."))',
        'ngettext("{n} more circle", "{n} more circles", 2)',
        'raise ValueError("This cannot be.")',
        'log(session, "reply hidden", "threads")',
        'STATES = {"final": Label("Final at last", "ok", "yes")}',
        'said: "Sequence[str] or none" = None',
        'headers["Content-Type"] = "text/html; charset=utf-8"',
    ],
)
def test_what_is_no_words_or_is_translated_passes_in_code(code: str) -> None:
    assert list(bare_in_code(ast.parse(code))) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{% trans %}Hello{% endtrans %} you</p>",
        "<p>{{ n }} circles</p>",
        '<a title="Remove" href="/x">{{ _("Remove") }}</a>',
        '{{ m.tag("Your remark") }}',
        '{{ "Two words" }}',
        '<p>{{ "Two words" if x else _("none") }}</p>',
        '<p class="{{ x }}">&nbsp;and</p>',
        "{% macro x(a) %}{% for b in a %}by{% endfor %}{% endmacro %}",
    ],
)
def test_words_in_templates_are_found(source: str) -> None:
    assert list(bare_in_template(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        "{% trans n=m %}{{ n }} circle{% pluralize %}{{ n }} circles{% endtrans %}",
        '<a title="{{ _("Remove this text") }}" href="/some where" class="big button">{{ x }} · 2 &middot;</a>',
        "{# Words in a comment #}<!-- and here --><code>jura verify</code>",
        "<p>{% trans a=x %}By {{ a }} and <b>others</b>{% endtrans %}</p>",
        '{{ m.tag(_("Your remark"), kind="soft") }}',
    ],
)
def test_what_is_translated_passes_in_templates(source: str) -> None:
    assert list(bare_in_template(source)) == []
