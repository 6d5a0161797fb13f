"""What a person sees when something does not work: what happened, in a sentence, and what to do next.

A stranger cannot tell what is not there from what may not be seen.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from models.rules.phrases import phrase
from models.rules.refusals import Refusal
from server.errors import Trouble
from server.web.render import Frame, bare_frame, frame_of, page
from server.web.sessions import reading
from server.web.words import POWERS


@dataclass(frozen=True)
class TroublePage:
    title: str
    sentence: str
    advice: str
    login: str = ""
    register: str = ""  # where it stands who holds which mandate


HIDDEN = TroublePage(
    phrase("There is nothing here for you"),
    phrase("Either nothing is at this address, or it is not open to everybody."),
    phrase("Check the address. If you are a member of this collective or were invited, log in first."),
)

FOR_MEMBERS = phrase("Check the address. What belongs to a circle opens only for those who sit in it.")

# By the refusal's code, then by status.
PAGES: dict[str | int, tuple[str, str]] = {
    "invitation": (
        phrase("This link is not known here"),
        phrase("Check that you copied all of it, or ask who sent it for a new one."),
    ),
    "used": (
        phrase("This link has been used"),
        phrase("If it was you who used it, log in. If not, ask for a new link."),
    ),
    "expired": (phrase("This link is over"), phrase("Links last seven days. Ask who sent it for a new one.")),
    "form": (
        phrase("This form was not accepted"),
        phrase("Open the page again on this site, then send the form from there."),
    ),
    HTTPStatus.BAD_REQUEST: (phrase("This could not be read"), phrase("Go back and try again.")),
    HTTPStatus.UNAUTHORIZED: (phrase("Please log in"), phrase("Log in, then come back to this page.")),
    HTTPStatus.FORBIDDEN: (
        phrase("You may not do this now"),
        phrase("Powers are lent here for a time. The register says who holds which one, and until when."),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        phrase("This address takes no form"),
        phrase("Go back to the page you came from and try again."),
    ),
    HTTPStatus.CONFLICT: (
        phrase("This is not possible now"),
        phrase("Go back, look at the page as it is now, and decide then."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        phrase("This is too long"),
        phrase("Go back, shorten your text, and send it again."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        phrase("Too many attempts"),
        phrase("Wait a quarter of an hour, then try again."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        phrase("There is too much to do here just now"),
        phrase(
            "Nothing was saved. Wait a minute, then try again; your browser may still have what you typed."
        ),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        phrase("Something went wrong on our side"),
        phrase("Nothing was saved. Go back and try again; your browser may still have what you typed."),
    ),
}
OTHER = (phrase("This did not work"), phrase("Go back and try again."))


async def trouble_page(request: web.Request, trouble: Trouble) -> web.Response:
    """The page for people; everything that is not found looks the same, save an invitation's link."""
    if trouble.status == HTTPStatus.NOT_FOUND and trouble.code != "invitation":
        context = HIDDEN
    else:
        title, advice = PAGES.get(trouble.code) or PAGES.get(trouble.status) or OTHER
        context = TroublePage(title, trouble.sentence, advice)
    frame = await _frame(request, trouble)
    if frame.member and context is HIDDEN:
        context = replace(context, advice=FOR_MEMBERS)
    if trouble.code in POWERS and frame.address:
        context = replace(context, register=f"/{frame.address.rpartition('@')[0]}#mandates")
    if not frame.member and (trouble.status in (401, 403, 404) or trouble.code == "used"):
        back = request.path if request.method == "GET" and trouble.code != "used" else "/"
        context = replace(context, login=f"/login?next={quote(back, safe='/@')}")
    return page(request, frame, "errors/show.html", context, trouble.status)


async def _frame(request: web.Request, trouble: Trouble) -> Frame:
    """Whose page it is and who looks; where that cannot be known, only where it is."""
    if trouble.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return bare_frame(request)
    try:
        async with reading(request) as visit:
            return frame_of(visit)
    except Refusal:
        return bare_frame(request)
