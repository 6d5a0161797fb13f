"""A circle's room in a decision: where its members stand, the draft they share, and the confirmations that make it a ballot.

Only those who sit in the circle are let in; everybody else is told that there is nothing. Nothing here leaves the instance but
the ballot itself, and the page shows beforehand, word for word, what that will be.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from models import decisions
from models.decisions import Draft, Position
from models.people import Circle, Member
from models.rules.ballots import Entry
from models.rules.circles import confirmations_needed
from models.rules.phrases import phrase
from models.rules.view import Standing
from server.language import LANGUAGE, _, ngettext
from server.web.decisions import Known, known_as
from server.web.drafts import Version, preview_of, spoken, version_of
from server.web.forms import Form, Problems
from server.web.live import SCRIPT, Live, live_of
from server.web.names import Said
from server.web.needs import BEFORE
from server.web.phases import now_words
from server.web.proposals import ProposalRow, looking_of, proposals_of
from server.web.render import frame_of, page
from server.web.rolls import CircleRow, circle_row, option_titles
from server.web.sessions import Visit, reading
from server.web.subjects import Subject, subject_of
from server.web.talking import Glance, Talk, seated, talk_of
from server.web.words import DONE, LANGUAGES, POSITION_HINTS, POSITIONS, STATES, Choice, Label, Named

READERS: Final[Mapping[str, str]] = {
    "public": phrase("for everybody to read"),
    "federation": phrase("to all collectives that take part"),
    "collective": phrase("to all members of this collective"),
}


@dataclass(frozen=True)
class Stand:
    """Where one member stands, for the circle's eyes. `is_before`: a proposal has changed since they said so."""

    name: str
    mine: bool
    position: Label | None
    choices: Sequence[Said]
    note: str
    at: datetime | None
    is_before: bool


@dataclass(frozen=True)
class Drafted:
    """The latest version of the draft, if there is one: the row, in words, as it would be read, and who confirmed it."""

    latest: Draft | None = None
    version: Version | None = None
    preview: CircleRow | None = None
    confirmed: Set[int] = frozenset()

    @property
    def is_cast(self) -> bool:
        return self.latest is not None and self.latest.ballot is not None


@dataclass(frozen=True)
class Confirming:
    """Where the confirmations of the latest draft stand, and what one more would do."""

    names: Sequence[str] = ()
    words: str = ""
    may: bool = False
    mine: bool = False


@dataclass(frozen=True)
class Fields:
    """What stands in the two forms: the member's own position, and the draft."""

    my_position: str
    my_choices: Sequence[str]
    my_note: str
    position: str
    choices: Sequence[str]
    reason: str
    resolve: str
    lang: str
    base: int


@dataclass(frozen=True)
class Option:
    """Something that can be chosen in a method of choosing."""

    value: str
    title: Said


@dataclass(frozen=True)
class RoomPage:
    path: str
    question: Said
    state: Label
    now_words: str
    done: str
    circle: str
    seats: Sequence[str]
    readers: str
    positions: Sequence[Choice]
    my_positions: Sequence[Choice]
    options: Sequence[Option]
    proposals: Sequence[ProposalRow]
    languages: Sequence[Choice]
    stands: Sequence[Stand]
    draft: Version | None
    preview: CircleRow | None
    confirming: Confirming
    may_write: bool
    blocked: str
    published: CircleRow | None
    fields: Fields
    problems: Problems
    my_problems: Problems
    talk: Talk
    live: Live | None
    subject: Subject | None = None


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a form that was sent: the draft's, the one for one's position, or that of the talk."""

    draft: Problems = field(default_factory=Problems)
    mine: Problems = field(default_factory=Problems)
    talk: Problems = field(default_factory=Problems)


async def room(request: web.Request) -> web.StreamResponse:
    answer, look = await room_page(request, Form(), Wrong())
    await look.note(request)
    return answer


async def room_page(
    request: web.Request, form: Form, wrong: Wrong, status: int = 200
) -> tuple[web.Response, Glance]:
    """The room. With a form that was not accepted, its words stand where they were typed."""
    async with reading(request) as visit:
        scope, member, circle = await seated(visit)
        live = await live_of(visit, scope, status, circle.id)
        known = await known_as(visit, scope)
        path = f"{known.path}/circle"
        talk, look = await talk_of(visit, known.scope, path, circle.id, form, wrong.talk)
        context = await _context(visit, known, member, circle, form, wrong, talk)
        shown = replace(context, live=live, subject=await subject_of(visit, known.scope.id))
        answer = page(request, frame_of(visit), "circles/room.html", shown, status, SCRIPT if live else "")
        return answer, look


async def entered(visit: Visit) -> tuple[Known, Member, Circle]:
    """The decision, the member and the circle in which they sit; NotFound for everybody else, visitors first of all."""
    scope, member, circle = await seated(visit)
    return await known_as(visit, scope), member, circle


async def _context(
    visit: Visit,
    known: Known,
    member: Member,
    circle: Circle,
    form: Form,
    wrong: Wrong,
    talk: Talk,
) -> RoomPage:
    session, view, scope = visit.session, known.view, known.scope
    seats = await decisions.seats(session, scope.id, circle.id)
    rows = await decisions.positions(session, scope.id, circle.id)
    positions = [Named(one, POSITIONS[one].words, POSITION_HINTS[one]) for one in view.method.positions]
    titles, entry = option_titles(view, known.names), view.entry(circle.actor.ed25519 or "")
    drafted = await _drafted(visit, known, circle, len(seats), entry)
    blocked = _blocked(view, entry)
    may = _may_confirm(visit, view) and not (drafted.is_cast or blocked)
    return RoomPage(
        path=known.path,
        question=known.question,
        state=STATES[view.state],
        now_words=now_words(view),
        done=DONE.get(visit.request.query.get("done", ""), ""),
        circle=circle.actor.name,
        seats=[one.name for one in seats],
        readers=READERS[scope.visibility],
        positions=positions,
        my_positions=[one for one in positions if one.value != "no-agreement"],
        options=[Option(value, title) for value, title in titles.items()],
        proposals=proposals_of(view, known.names, looking_of(visit, view.offer, circle)),
        languages=list(LANGUAGES.values()),
        stands=_stands(seats, rows, member, titles, _changed(view)),
        draft=drafted.version,
        preview=drafted.preview,
        confirming=_confirming(seats, drafted.confirmed, member, scope.visibility, may=may),
        may_write=view.state in (*BEFORE, "voting") and visit.now < view.closes,
        blocked=blocked,
        published=circle_row(entry, known.names, titles) if entry and entry.ballots else None,
        fields=_fields(member, rows, drafted.latest, form),
        problems=wrong.draft,
        my_problems=wrong.mine,
        talk=talk,
        live=None,
    )


async def _drafted(visit: Visit, known: Known, circle: Circle, size: int, entry: Entry | None) -> Drafted:
    """The latest version beside the one before it, and the ballot that it would be."""
    session, titles = visit.session, option_titles(known.view, known.names)
    found = [*await decisions.drafts(session, known.scope.id, circle.id, None, 2), None, None]
    latest, before = found[:2]
    if latest is None:
        return Drafted()
    confirmed = set(await decisions.confirmed_by(session, latest.id))
    counts = max(confirmations_needed(size), len(confirmed))
    preview = preview_of(latest, circle.actor.name, size, counts, entry, titles, visit.now)
    return Drafted(latest, version_of(latest, before, titles), preview, confirmed)


def _blocked(view: Standing, entry: Entry | None) -> str:
    """Why a ballot of this circle would not be accepted by anybody, although the voting is open."""
    if view.state != "voting":
        return ""
    if entry is None:
        return _(
            "Your circle is not on the roll of this decision: your collective’s answer came too late or was not listed."
        )
    home = next((one for one in view.acks if one.instance == entry.place.instance), None)
    if home is None or home.ack is None:
        return _(
            "Your instance has not acknowledged these terms, so no other would accept your ballot yet. Try again in a minute."
        )
    return ""


def _stands(
    seats: Sequence[Member],
    rows: Sequence[tuple[Position, Member]],
    me: Member,
    titles: Mapping[str, Said],
    changed: datetime | None,
) -> Sequence[Stand]:
    said = {member.id: row for row, member in rows}
    stands = []
    for one in seats:
        row = said.get(one.id)
        position, choices = spoken(row.position, titles) if row else (None, ())
        note, at = (row.note, row.at) if row else ("", None)
        is_before = at is not None and changed is not None and at < changed
        stands.append(Stand(one.name, one.id == me.id, position, choices, note, at, is_before))
    return stands


def _changed(view: Standing) -> datetime | None:
    """When a proposal got another version last, if any did."""
    return max((one.since for one in view.proposals if len(one.versions) > 1), default=None)


def _may_confirm(visit: Visit, view: Standing) -> bool:
    return view.state == "voting" and visit.now < view.closes


def _confirming(
    seats: Sequence[Member], confirmed: Set[int], me: Member, visibility: str, *, may: bool
) -> Confirming:
    mine = me.id in confirmed
    return Confirming(
        names=[one.name for one in seats if one.id in confirmed],
        words=confirm_words(len(seats), len(confirmed), mine, READERS[visibility]),
        may=may,
        mine=mine,
    )


def _fields(me: Member, rows: Sequence[tuple[Position, Member]], latest: Draft | None, sent: Form) -> Fields:
    """The forms as they were sent; else as they stand: the member's own position, and the latest draft to go on from."""
    mine: Mapping[str, Any] = next((row.position for row, member in rows if member.id == me.id), {})
    note = next((row.note for row, member in rows if member.id == me.id), "")
    answer: Mapping[str, Any] = latest.position if latest else {}
    base = latest.number if latest else 0
    if sent.one("form") == "position":
        mine, note = answer_in(sent, "my-"), sent.one("my-note")
    if sent.one("form") == "draft":
        answer = answer_in(sent, "")
    drafted = sent.one("form") == "draft"
    return Fields(
        my_position=mine.get("position") or "",
        my_choices=mine.get("choices", ()),
        my_note=note,
        position=answer.get("position") or "",
        choices=answer.get("choices", ()),
        reason=sent.one("reason") if drafted else latest.reason if latest else "",
        resolve=sent.one("resolve") if drafted else latest.resolve if latest else "",
        lang=sent.one("lang") if drafted else latest.lang if latest else LANGUAGE.get(),
        base=base,
    )


def answer_in(form: Form, prefix: str) -> dict[str, Any]:
    """What a form says: {"position": …}, or {"choices": […]} where there were boxes to tick."""
    if form.one("kind") == "choices":
        return {"choices": sorted(set(form.every(f"{prefix}choices")))}
    return {"position": form.one(f"{prefix}position")}


def confirm_words(seats: int, confirmed: int, mine: bool, readers: str) -> str:
    """What a confirmation would do now, or what is still missing."""
    needed = confirmations_needed(seats)
    if mine:
        more = needed - confirmed
        return ngettext(
            "You confirmed this. {n} more confirmation needed.",
            "You confirmed this. {n} more confirmations needed.",
            more,
        )
    if confirmed + 1 < needed:
        return _(
            "Your confirmation is no. {number} of the {needed} needed. When all are there, the ballot is published {readers}.",
            number=confirmed + 1,
            needed=needed,
            readers=readers,
        )
    last = _(
        "With it the ballot is published {readers}. It can be replaced until the voting closes, but not taken back.",
        readers=readers,
    )
    if needed == 1:
        return _("You need nobody else in this circle. Your confirmation is enough.") + f" {last}"
    return _("Your confirmation is the last of the {needed} needed.", needed=needed) + f" {last}"


def same_words(draft: Draft, answer: Mapping[str, Any], form: Form) -> bool:
    """Does this version say exactly what the form says?"""
    said = (dict(draft.position), draft.reason, draft.resolve)
    return said == (dict(answer), form.one("reason"), form.one("resolve"))
