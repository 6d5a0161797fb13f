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
from server.web.chances import aftermath_of
from server.web.changes import Changes, changes_of
from server.web.names import Names, Said, Who
from server.web.needs import Need, decision_path, needs_of
from server.web.recovering import Told, told
from server.web.render import frame_of, page
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


async def home(request: web.Request) -> web.StreamResponse:
    answer, look = await _home(request)
    if look is not None:
        await look.note(request)
    return answer


async def _home(request: web.Request) -> tuple[web.Response, Glance | None]:
    before = request.query.get("before", "")
    async with reading(request) as visit:
        over, older = await decisions_over(
            visit, int(before) if before.isdecimal() and len(before) < 16 else None
        )
        running = [] if before else await decisions_running(visit)
        is_members = visit.viewer.is_member and not before
        needs = [*await needs_of(visit), *await aftermath_of(visit)] if is_members else []
        needs.sort(key=lambda need: need.until)
        changes, look = await changes_of(visit) if is_members else (None, None)
        texts = await ledger.texts_named(visit.session, [need.question for need in needs])
        context = HomePage(
            summary=visit.collective.summary,
            members=await people.member_count(visit.session),
            circles=len(await people.circles(visit.session)),
            profile=f"/@{visit.collective.handle}",
            done=DONE.get(request.query.get("done", ""), ""),
            is_member=visit.viewer.is_member,
            todos=[Todo(need, _said(texts.get(need.scope, {}), need.question)) for need in needs],
            running=running,
            over=over,
            older=f"/?before={older}" if older else "",
            is_first_page=not before,
            told=await told(visit) if visit.viewer.is_member else [],
            may_ask=not visit.viewer.is_member and await requests.are_taken(visit.session),
            changes=changes,
            steps=[] if before else await steps_of(visit),
        )
        return page(request, frame_of(visit), "home/show.html", context), look


def _said(texts: Mapping[str, TextRow], digest: str) -> Said:
    return Names(texts, {}, {}, {}).title(digest)


async def decisions_running(visit: Visit) -> Sequence[Row]:
    """What is being decided and may be seen by this viewer, the next to close first."""
    seen = visibilities(visit.viewer)
    found = await decisions.decisions_page(visit.session, False, seen, None, MOST_RUNNING)
    return await rows_of(visit, sorted(found, key=lambda one: one[0].closes_at))


async def decisions_over(visit: Visit, before: int | None) -> tuple[Sequence[Row], int | None]:
    """A page of what was decided, the latest first, and where the next page begins."""
    seen = visibilities(visit.viewer)
    found = await decisions.decisions_page(visit.session, True, seen, before, AT_ONCE + 1)
    more = found[AT_ONCE - 1][1].id if len(found) > AT_ONCE else None
    return await rows_of(visit, found[:AT_ONCE]), more


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
