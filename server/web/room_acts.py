"""What members do in their circle's room: say where they stand, write the draft, confirm it, take a confirmation back."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from models import decisions, ledger
from models.decisions import Draft
from models.rules.refusals import Conflict, Invalid, Refusal
from server.actions import balloting
from server.actions.balloting import REASON_AT_MOST, Words
from server.keys import HOME
from server.language import LANGUAGE, _
from server.web.forms import Form, Problems, problems_of
from server.web.needs import decision_path
from server.web.render import see
from server.web.rooms import Wrong, answer_in, entered, room_page, same_words
from server.web.sessions import Visit, acting, reading
from server.web.words import LANGUAGES


async def to_room(request: web.Request) -> web.StreamResponse:
    return see(f"{decision_path(request.match_info['name'])}/circle")


async def act(request: web.Request, form: Form) -> web.StreamResponse:
    """One of the forms of the room. Sent twice, it does no more than once."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        await entered(visit)
    what = request.match_info["act"]
    try:
        async with acting(request) as visit:
            done = await ACTS[what](visit, form)
    except Refusal as refusal:
        return await _again(request, form, what, refusal)
    return see(f"{decision_path(request.match_info['name'])}/circle?done={done}")


async def _again(request: web.Request, form: Form, what: str, refusal: Refusal) -> web.Response:
    """The room with the words as typed and what is wrong with them."""
    problems = problems_of(refusal)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(refusal, Invalid) else HTTPStatus.CONFLICT
    wrong = Wrong(draft=problems)
    if what == "position":
        mine = Problems(problems.sentence, {f"my-{name}": said for name, said in problems.fields.items()})
        wrong = Wrong(mine=mine)
    answer, _ = await room_page(request, form, wrong, status)
    return answer


async def _position(visit: Visit, form: Form) -> str:
    known, _circle, _seats = await entered(visit)
    note = form.one("my-note")
    if len(note) > REASON_AT_MOST:
        raise Invalid({"note": _("Keep your note under {most} characters.", most=REASON_AT_MOST)})
    answer = answer_in(form, "my-")
    await balloting.note_position(visit.session, visit.viewer, known.scope, answer, note, visit.now)
    return "position"


async def _draft(visit: Visit, form: Form) -> str:
    await ledger.locked_scope(visit.session, visit.request.match_info["name"])  # one click after the other
    known, member, circle = await entered(visit)
    answer, base = answer_in(form, ""), form.number("base")
    latest = await decisions.latest_draft(visit.session, known.scope.id, circle.id)
    mine = latest is not None and latest.number == base + 1 and latest.by_member_id == member.id
    if latest is not None and mine and same_words(latest, answer, form):
        return "draft"
    lang = form.one("lang") if form.one("lang") in LANGUAGES else LANGUAGE.get()
    words = Words(answer, form.one("reason"), form.one("resolve"), lang)
    await balloting.save_draft(visit.session, visit.viewer, known.scope, words, base, visit.now)
    return "draft"


async def _confirm(visit: Visit, form: Form) -> str:
    known, _, circle = await entered(visit)
    home, number = visit.request.app[HOME], form.number("number")
    try:
        digest = await balloting.confirm(visit.session, home, visit.viewer, known.scope, number, visit.now)
    except Conflict:
        latest = await decisions.latest_draft(visit.session, known.scope.id, circle.id)
        if not await _confirmed_already(visit, latest, number):
            raise
        return "cast"
    return "cast" if digest else "confirmed"


async def _confirmed_already(visit: Visit, latest: Draft | None, number: int) -> bool:
    """Is it this member's second click on a draft that their first one, or another's, has made the ballot?"""
    if latest is None or latest.number != number or latest.ballot is None:
        return False
    member = visit.viewer.require_member()
    return member.id in await decisions.confirmed_by(visit.session, latest.id)


async def _unconfirm(visit: Visit, form: Form) -> str:
    known, _, _ = await entered(visit)
    await balloting.unconfirm(visit.session, visit.viewer, known.scope, form.number("number"))
    return "unconfirmed"


ACTS: dict[str, Callable[[Visit, Form], Awaitable[str]]] = {
    "position": _position,
    "draft": _draft,
    "confirm": _confirm,
    "unconfirm": _unconfirm,
}
