"""Forms as they come in: read once, cleaned, and known to be from a page of ours.

A form is accepted if no other site sent it and if it carries the mark that only a page we gave to this browser can hold. What a
person typed is never thrown away: a form that comes too late for its log-in goes to `server.web.accounts`, words and all.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from activitypub.errors import Forbidden, Malformed
from models.rules.refusals import Invalid, Refusal
from server.keys import HOME
from server.language import _
from server.web.sessions import is_marked

MARK: Final = "mark"
MOST_FIELDS: Final = 200
KEPT_AT_MOST: Final = 200_000
NOT_KEPT: Final = {
    MARK,
    "password",
    "new-password",
    "again",
    "code",
    "passkey",
    "passkey-challenge",
    "ticket",
}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Form:
    """The fields of a form, in order. Line ends are plain and control characters gone; nothing else was changed."""

    pairs: tuple[tuple[str, str], ...] = ()
    file: bytes | None = None

    def one(self, name: str, default: str = "") -> str:
        """The first value of a field, without white space around it."""
        return next((value for key, value in self.pairs if key == name), default).strip()

    def every(self, name: str) -> list[str]:
        return [value.strip() for key, value in self.pairs if key == name]

    def number(self, name: str, default: int = 0) -> int:
        """A whole number of at most nine digits; `default` for anything else."""
        text = self.one(name)
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else default

    def without_secrets(self) -> tuple[tuple[str, str], ...]:
        """The fields that may be shown again."""
        return tuple((key, value) for key, value in self.pairs if key not in NOT_KEPT)

    def kept(self) -> str:
        """The form as one string, to be carried through a log-in, without secrets; nothing of a very long one."""
        text = urlencode(self.without_secrets())
        return text if len(text) <= KEPT_AT_MOST else ""


@dataclass(frozen=True)
class Problems:
    """What is wrong with a form: a sentence for the whole of it, and sentences for fields."""

    sentence: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sentence or self.fields)

    def of(self, name: str) -> str:
        return self.fields.get(name, "")


def problems_of(refusal: Refusal) -> Problems:
    """A refusal as a form shows it."""
    if isinstance(refusal, Invalid):
        return Problems(fields=refusal.fields)
    return Problems(refusal.sentence)


class Stale(Exception):
    """A form from a page of ours, but from before this browser last logged in or out."""

    def __init__(self, form: Form) -> None:
        super().__init__("the form is older than the log-in")
        self.form = form


def parse(text: str) -> Form:
    """A form from its urlencoded text."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Malformed("form", _("This form has more fields than any of ours.")) from error
    return form_of(pairs)


def form_of(pairs: Iterable[tuple[str, str]], file: bytes | None = None) -> Form:
    """A form from its fields as they were sent."""
    return Form(tuple((_clean(key), _clean(value)) for key, value in pairs), file)


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


async def posted(request: web.Request) -> Form:
    """The form of a POST. Refuses what another site sent; raises `Stale` where only the mark is out of date."""
    ours = from_our_site(request)
    if request.content_type != "application/x-www-form-urlencoded":
        raise Malformed("form", _("This address takes a form."))
    form = parse((await request.read()).decode("utf-8", "replace"))
    return known_form(request, form, ours)


def known_form(request: web.Request, form: Form, ours: bool) -> Form:
    """The form, if it carries the mark of this browser; `ours`: the browser says that a page of ours sent it."""
    if is_marked(request, form.one(MARK)):
        return form
    if ours:
        raise Stale(form)
    raise Forbidden(
        "form", _("This form did not come from a page of ours. Open the page again, then send it.")
    )


def from_our_site(request: web.Request) -> bool:
    """Does the browser say that a page of ours sent this? False if it says nothing; refuses if it names another site."""
    site, origin = request.headers.get("Sec-Fetch-Site", "none"), request.headers.get("Origin")
    if site == "same-origin" or (site == "none" and origin == request.app[HOME].url):
        return True
    if site == "none" and origin is None:
        return False
    raise Forbidden("form", _("Another site tried to send a form in your name. Nothing was done."))


def safe_path(text: str, default: str = "/") -> str:
    """A path on this site to go on to; never another site's."""
    return text if re.fullmatch(r"/(?![/\\])[!-\[\]-~]{0,2000}", text) else default


FormHandler = Callable[[web.Request, Form], Awaitable[web.StreamResponse]]
