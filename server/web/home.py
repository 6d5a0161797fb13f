"""The first page. Visitors learn whose this is, what is being decided in public and how to follow; members see what needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from aiohttp import web

from models import decisions, ledger, people
from models.decisions import Decision
from models.ledger import Scope, TextRow
from models.people import Actor
from server.actions import requests
from server.actions.visible import visibilities
from server.language import _
from server.web.beginning import Step, steps_of
from server.web.chances import all_needs
from server.web.changes import Changes, changes_of
from server.web.live import SCRIPT, Live, live_by_the_clock
from server.web.names import Names, Said, Who
from server.web.needs import Need, decision_path
from server.web.recovering import Told, told
from server.web.render import frame_of, page
from server.web.searching import before_in
from server.web.sessions import Visit, reading
from server.web.talking import Glance
from server.web.words import DONE, OUTCOMES, STATES, Label

AT_ONCE: Final = 20
MOST_RUNNING: Final = 50


@dataclass(frozen=True)
class Row:
    """A decision in a list."""

    path: str
    question: Said
    state: Label
    outcome: Label | None
    winner: Said | None
    convener: Who
    when: str
    at: datetime | None
    is_public: bool


@dataclass(frozen=True)
class Todo:
    need: Need
    question: Said


@dataclass(frozen=True)
class HomePage:
    summary: str
    members: int
    circles: int
    profile: str
    done: str
    is_member: bool
    todos: Sequence[Todo]
    running: Sequence[Row]
    over: Sequence[Row]
    older: str
    is_first_page: bool
    told: Sequence[Told]
    may_ask: bool
    changes: Changes | None
    steps: Sequence[Step]
    live: Live | None


async def home(request: web.Request) -> web.StreamResponse:
    answer, look = await _home(request)
    if look is not None:
        await look.note(request)
    return answer


async def _home(request: web.Request) -> tuple[web.Response, Glance | None]:
    before = before_in(request)
    async with reading(request) as visit:
        running, over, older = await both_lists(visit, before, with_running=before is None)
        is_members = visit.viewer.is_member and before is None
        needs = await all_needs(visit) if is_members else []
        changes, look = await changes_of(visit) if is_members else (None, None)
        members, circles = await people.how_many(visit.session)
        context = HomePage(
            summary=visit.collective.summary,
            members=members,
            circles=circles,
            profile=f"/@{visit.collective.handle}",
            done=DONE.get(request.query.get("done", ""), ""),
            is_member=visit.viewer.is_member,
            todos=await _todos(visit, needs, (*running, *over)),
            running=running,
            over=over,
            older=f"/?before={older}" if older else "",
            is_first_page=before is None,
            told=await told(visit) if visit.viewer.is_member else [],
            may_ask=not visit.viewer.is_member and requests.taken(visit.choices, members),
            changes=changes,
            steps=[] if before is not None else await steps_of(visit, members),
            live=None if before is not None else live_by_the_clock(),
        )
        script = SCRIPT if context.live else ""
        return page(request, frame_of(visit), "home/show.html", context, script=script), look


async def _todos(visit: Visit, needs: Sequence[Need], listed: Sequence[Row]) -> Sequence[Todo]:
    """Needs with their questions, which are asked for where they do not stand in a list anyway."""
    known = {row.path: row.question for row in listed}
    rest = [need.question for need in needs if decision_path(need.scope) not in known]
    texts = await ledger.texts_named(visit.session, rest)
    return [
        Todo(need, known.get(decision_path(need.scope)) or _said(texts.get(need.scope, {}), need.question))
        for need in needs
    ]


def _said(texts: Mapping[str, TextRow], digest: str) -> Said:
    return Names(texts, {}, {}, {}).title(digest)


async def both_lists(
    visit: Visit, before: int | None = None, *, with_running: bool = True
) -> tuple[Sequence[Row], Sequence[Row], int | None]:
    """What is being decided and may be seen by this viewer, the next to close first; a page of what was decided, the latest first;
    and where the next page of it begins."""
    seen = visibilities(visit.viewer)
    running: Sequence[tuple[Decision, Scope]] = ()
    if with_running:
        running = await decisions.decisions_page(visit.session, False, seen, None, MOST_RUNNING)
    over = await decisions.decisions_page(visit.session, True, seen, before, AT_ONCE + 1)
    more = over[AT_ONCE - 1][1].id if len(over) > AT_ONCE else None
    soonest = sorted(running, key=lambda one: one[0].closes_at)
    rows = await rows_of(visit, [*soonest, *over[:AT_ONCE]])
    return rows[: len(running)], rows[len(running) :], more


async def rows_of(visit: Visit, found: Sequence[tuple[Decision, Scope]]) -> Sequence[Row]:
    """Rows for a list, with three queries however many they are."""
    winners = [row.winner for row, _ in found if row.winner]
    options = await ledger.records_named(visit.session, winners)
    titles = {digest: option["title"] for digest, option in options.items() if option.type == "Option"}
    texts = await ledger.texts_named(visit.session, [*(row.question for row, _ in found), *titles.values()])
    actors = await people.actors_by_key(visit.session, {row.convener for row, _ in found})
    return [_row(visit, row, scope, texts.get(scope.name, {}), titles, actors) for row, scope in found]


def _row(
    visit: Visit,
    row: Decision,
    scope: Scope,
    texts: Mapping[str, TextRow],
    titles: Mapping[str, str],
    actors: Mapping[str, Actor],
) -> Row:
    names = Names(texts, actors, {}, {})
    state = "closing" if row.state == "voting" and visit.now >= row.closes_at else row.state
    title = titles.get(row.winner or "") if row.outcome == "adopted" else None
    when, at = _when(row, visit.now)
    return Row(
        path=decision_path(scope.name),
        question=names.title(row.question),
        state=STATES[state],
        outcome=_outcome(row),
        winner=names.title(title) if title else None,
        convener=names.collective(row.convener),
        when=when,
        at=at,
        is_public=scope.visibility == "public",
    )


def _outcome(row: Decision) -> Label | None:
    """What came out; what is provisional is not shown in the colour of what is final."""
    if row.outcome is None or row.state not in ("final", "provisional"):
        return None
    label = OUTCOMES[row.outcome]
    return label if row.state == "final" else replace(label, tone="")


def _when(row: Decision, now: datetime) -> tuple[str, datetime | None]:
    """What to say of its time: when the voting opens, closes or closed; nothing where there was none."""
    if row.state in ("void", "withdrawn", "lapsed"):
        return "", None
    if now < row.opens_at:
        return _("voting opens"), row.opens_at
    return _("voting closes") if now < row.closes_at else _("voting closed"), row.closes_at
