"""Asking to join without an invitation, and the page on which whoever may admit answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from models.people import member_count
from models.rules.refusals import Invalid, NotFound, TooMany
from server.actions import people, requests
from server.keys import CLOCK, DATABASE, HOME, SETTINGS
from server.language import _, ngettext
from server.web.accounts import form_frame, kept
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, Stale, posted, problems_of
from server.web.mine import done_in, status_of
from server.web.passwords import hash_password
from server.web.places import place_of
from server.web.render import frame_of, page, see
from server.web.sessions import acting, reading


@dataclass(frozen=True)
class AskPage:
    members: int
    about: str
    most: int
    is_member: bool
    login: str = ""
    name: str = ""
    words: str = ""
    sends: bool = False
    address: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class AskedPage:
    name: str
    login: str
    until: datetime
    gets_mail: bool


@dataclass(frozen=True)
class Waiting:
    number: int
    name: str
    login: str
    words: str
    at: datetime
    ends: datetime
    answer: str


@dataclass(frozen=True)
class RequestsPage:
    waiting: Sequence[Waiting]
    most: int
    are_taken: bool
    mandate: int
    mandate_ends: datetime
    done: str
    problems: Problems = field(default_factory=Problems)


async def ask_page(request: web.Request) -> web.StreamResponse:
    return await _ask(request, Form(), Problems())


async def _ask(request: web.Request, form: Form, problems: Problems, status: int = 0) -> web.Response:
    """The form for a visitor; where none are taken there is no such page."""
    async with reading(request) as visit:
        if not await requests.are_taken(visit.session):
            raise NotFound(
                "not-found", _("Either nothing is at this address, or it is not open to everybody.")
            )
        context = AskPage(
            members=await member_count(visit.session),
            about=visit.collective.summary,
            most=requests.MOST_WORDS,
            is_member=visit.viewer.is_member,
            login=form.one("login"),
            name=form.one("name"),
            words=form.one("words"),
            sends=request.app[SETTINGS].smtp is not None,
            address=form.one("address"),
            problems=problems,
        )
        return page(request, form_frame(visit), "people/ask.html", context, status or status_of(problems))


async def ask(request: web.Request) -> web.StreamResponse:
    """Leave a request. What was typed is kept, also where none are taken any more."""
    try:
        form = await posted(request)
        late = Problems()
    except Stale as stale:
        form = stale.form
        late = Problems(
            _("This page had been open for long. Please choose your password once more and send it again.")
        )
    try:
        return await (_ask(request, form, late) if late else _take(request, form))
    except NotFound as refusal:
        return await kept(request, form, refusal)


async def _take(request: web.Request, form: Form) -> web.Response:
    """What it costs us is counted per address before anything is hashed."""
    login, name, words = form.one("login").lower(), form.one("name"), form.one("words")
    address = form.one("address") if request.app[SETTINGS].smtp is not None else ""
    asked = requests.Asked(login, name, words, address or None)
    try:
        _check(asked, form.one("password"))
        until = await _leave(request, asked, form.one("password"))
    except Invalid as refusal:
        return await _ask(request, form, problems_of(refusal))
    except TooMany as refusal:
        return await _ask(request, form, Problems(refusal.sentence), 429)
    async with reading(request) as visit:
        context = AskedPage(name, login, until, bool(address))
        return page(request, frame_of(visit), "people/asked.html", context)


def _check(asked: requests.Asked, password: str) -> None:
    """All that is wrong at once, field by field."""
    wrong: dict[str, str] = {}
    checks: tuple[Callable[[], None], ...] = (
        lambda: people.check_person(asked.login, asked.name, password),
        lambda: requests.check_words(asked.words),
        lambda: requests.check_address(asked.address),
    )
    for check in checks:
        try:
            check()
        except Invalid as refusal:
            wrong |= refusal.fields
    if wrong:
        order = ("name", "login", "words", "address", "password")
        raise Invalid({field: wrong[field] for field in order if field in wrong})


async def _leave(request: web.Request, asked: requests.Asked, password: str) -> datetime:
    app, now, place = request.app, request.app[CLOCK].now(), place_of(request)
    async with app[DATABASE].ACT.begin() as session:
        await requests.check_open(session, place, now)
        await people.check_tries(session, now, request=place)
        await people.note_tries(session, now, request=place)
    password_hash = await hash_password(app, password)
    async with app[DATABASE].ACT.begin() as session:
        await requests.ask_to_join(session, asked, password_hash, place, now)
    return now + requests.WAITS


# For whoever may admit


async def requests_page(request: web.Request) -> web.StreamResponse:
    return await _requests(request, Form(), Problems())


async def _requests(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        rows = await requests.waiting(visit.session, visit.viewer, visit.now)
        context = RequestsPage(
            waiting=[
                Waiting(
                    number=row.id,
                    name=row.name,
                    login=row.login,
                    words=row.words,
                    at=row.at,
                    ends=row.at + requests.WAITS,
                    answer=form.one(f"answer-{row.id}"),
                )
                for row in rows
            ],
            most=requests.MOST_WAITING,
            are_taken=await requests.are_taken(visit.session),
            mandate=mandate.id,
            mandate_ends=mandate.ends_at,
            done=done_in(request),
            problems=problems,
        )
        return page(request, frame_of(visit), "people/requests.html", context, status_of(problems))


async def answer(request: web.Request, form: Form) -> web.StreamResponse:
    """Admit or decline somebody who asked."""
    number, act, home = int(request.match_info["number"]), request.match_info["act"], request.app[HOME]
    try:
        async with acting(request) as visit:
            visit.viewer.require_member()
            if act == "admit":
                await requests.admit(visit.session, home, visit.viewer, number, visit.now)
            else:
                words = form.one(f"answer-{number}")
                await requests.decline(visit.session, home, visit.viewer, number, words, visit.now)
    except Invalid as refusal:
        if "login" in refusal.fields:
            taken = _(
                "Somebody joined with this log-in name meanwhile. Decline, and ask them to choose another."
            )
            return await _requests(request, form, Problems(taken))
        return await _requests(request, form, problems_of(refusal))
    return see(f"/people/requests?done={'admitted' if act == 'admit' else 'declined'}")


async def decline_all_page(request: web.Request) -> web.StreamResponse:
    """Those that wait now; who asks while this is read is not declined with them."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        mandate = visit.viewer.require("admit")
        rows = await requests.waiting(visit.session, visit.viewer, visit.now)
        if not rows:
            return see("/people/requests")
        context = Confirm(
            heading=ngettext("Decline {n} request?", "Decline all {n} requests?", len(rows)),
            says=[
                _("Nobody who asked gets words with it, or an e-mail."),
                _("This cannot be taken back. Who asked can come by an invitation."),
                _(
                    "They can ask again: under the same log-in name 30 days after they asked, under another at once."
                ),
            ],
            button=_("Decline them all"),
            action="/people/requests/decline-all",
            back="/people/requests",
            above=_("Requests to join"),
            fields=[("up-to", str(rows[-1].id))],
            mandate=mandate.id,
        )
        return really(visit, context)


async def decline_all(request: web.Request, form: Form) -> web.StreamResponse:
    """Decline what was on the page; what came later waits."""
    async with acting(request) as visit:
        visit.viewer.require_member()
        await requests.decline_all(visit.session, visit.viewer, form.number("up-to"), visit.now)
    return see("/people/requests?done=declined-all")


async def take(request: web.Request, form: Form) -> web.StreamResponse:
    """Take requests from now on, or none."""
    taken = form.one("taken") == "yes"
    async with acting(request) as visit:
        visit.viewer.require_member()
        await requests.take_requests(visit.session, visit.viewer, taken, visit.now)
    return see(f"/people/requests?done=requests-{'on' if taken else 'off'}")
