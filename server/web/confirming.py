"""“Really?”: one page for what cannot be got back by one click. It says what goes and what stays; looking at it does nothing.

What weakens an account asks for the password or a passkey as well. Acts that need more than a button have pages of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from server.web.forms import Problems
from server.web.proving import Proof
from server.web.render import frame_of, page
from server.web.sessions import Visit


@dataclass(frozen=True)
class Confirm:
    """`about`: the name of what goes, if it has one. `back`: the page from which one came, and what it is called (`above`)."""

    heading: str
    says: Sequence[str]
    button: str
    action: str
    back: str
    above: str
    about: str = ""
    fields: Sequence[tuple[str, str]] = ()
    mandate: int | None = None
    proof: Proof | None = None
    problems: Problems = field(default_factory=Problems)


def really(visit: Visit, context: Confirm) -> web.Response:
    script = "passkeys.js" if context.proof else ""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context.problems else HTTPStatus.OK
    return page(visit.request, frame_of(visit), "people/confirm.html", context, status, script)
