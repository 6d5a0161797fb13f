"""How templates say words in the reader's language: `{% trans %}`, `_("…")`, and phrases wherever they are shown.

Values have names in per cent signs there: `{{ _("%(n)s of them", n=3) }}`. A text of the catalogue may hold HTML, as the template's
own text does; values are escaped.
"""

from typing import Any

import jinja2
from jinja2.runtime import Context
from markupsafe import Markup

from models.rules.phrases import Phrase
from server.language import said_in, shown, translated, translated_many


def show(value: Any) -> Any:
    """What stands in double braces: a phrase is said, anything else is as it is."""
    return said_in(value) if type(value) is Phrase else value


def say(environment: jinja2.Environment) -> None:
    """Give templates their words. White space around and inside a text is one space."""
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's: values are named
    environment.globals.update(
        gettext=_gettext, ngettext=_ngettext, pgettext=_pgettext, npgettext=_npgettext, _=_gettext
    )


def _said(context: Context, text: str, values: dict[str, Any]) -> str:
    said: str = Markup(text) if context.eval_ctx.autoescape else text
    return said % shown(values)


@jinja2.pass_context
def _gettext(context: Context, text: str, /, **values: Any) -> str:
    return _said(context, translated(text), values)


@jinja2.pass_context
def _ngettext(context: Context, one: str, many: str, n: int, /, **values: Any) -> str:
    return _said(context, translated_many(one, many, n), {"num": n, **values})


@jinja2.pass_context
def _pgettext(context: Context, meaning: str, text: str, /, **values: Any) -> str:
    return _said(context, translated(text, meaning), values)


@jinja2.pass_context
def _npgettext(context: Context, meaning: str, one: str, many: str, n: int, /, **values: Any) -> str:
    return _said(context, translated_many(one, many, n, meaning), {"num": n, **values})
