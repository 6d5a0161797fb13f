"""Deliveries that were given up, for those who moderate: what it was, why, sending it again, forgetting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web

from models import neighbours
from models.neighbours import Letter
from models.rules.refusals import NotFound
from server.actions import letters
from server.web.forms import Form
from server.web.moderating import AT_ONCE, Turning, doing, looking, skipped, turning
from server.web.render import frame_of, page, see
from server.web.words import DONE

LETTERS = "/moderate/letters"


@dataclass(frozen=True)
class LettersPage:
    host: str
    rows: Sequence[Letter]
    total: int
    turning: Turning
    done: str


@dataclass(frozen=True)
class ForgetPage:
    host: str
    letter: int
    total: int
    path: str


async def letters_page(request: web.Request) -> web.StreamResponse:
    host, skip = request.query.get("host", "")[:300], skipped(request)
    async with looking(request) as (visit, _):
        rows, total = await neighbours.letters(visit.session, host or None, skip, AT_ONCE)
        context = LettersPage(
            host=host,
            rows=rows,
            total=total,
            turning=turning((f"{path_of(host)}{'&' if host else '?'}skip=", ""), skip, total),
            done=DONE.get(request.query.get("done", ""), ""),
        )
        return page(request, frame_of(visit), "moderate/letters.html", context)


def path_of(host: str, done: str = "") -> str:
    said = {name: value for name, value in (("host", host), ("done", done)) if value}
    return f"{LETTERS}?{urlencode(said)}" if said else LETTERS


async def send_again(request: web.Request, form: Form) -> web.StreamResponse:
    """One, or all to a host. What is not there any more is being sent already, or was forgotten."""
    letter, host = form.number("letter"), form.one("host")
    try:
        async with doing(request) as visit:
            chosen = {"letter": letter} if letter else {"host": host}
            await letters.send_again(visit.session, visit.viewer, visit.now, **chosen)
    except NotFound:
        return see(path_of("", "letter-gone"))
    return see(path_of(host, "letters-again"))


async def forget_page(request: web.Request) -> web.StreamResponse:
    """Asked before: what is forgotten cannot be had back."""
    host, number = request.query.get("host", "")[:300], request.query.get("letter", "")
    letter = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
    async with looking(request) as (visit, _):
        _, total = await neighbours.letters(visit.session, host or None, 0, 0)
        if not total or not (host or letter):
            return see(path_of("", "letter-gone"))
        context = ForgetPage(host=host, letter=letter, total=1 if letter else total, path=path_of(host))
        return page(request, frame_of(visit), "moderate/forget.html", context, HTTPStatus.OK)


async def forget(request: web.Request, form: Form) -> web.StreamResponse:
    letter, host = form.number("letter"), form.one("host")
    try:
        async with doing(request) as visit:
            chosen = {"letter": letter} if letter else {"host": host}
            await letters.forget(visit.session, visit.viewer, visit.now, **chosen)
    except NotFound:
        return see(path_of("", "letter-gone"))
    return see(path_of("" if not letter else host, "letters-forgotten"))
