"""Other servers, for those who moderate: the list, one server with its health, what is decided about it, and with whom we deal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import urlencode

from aiohttp import web

from models import ledger, neighbours
from models.decisions import Decision
from models.neighbours import Neighbour
from models.rules.peering import read_host
from models.rules.refusals import Conflict, Invalid, Refusal
from server.actions import peers
from server.actions.peers import Act, Reach
from server.keys import HOME
from server.web.forms import Form, Problems, problems_of
from server.web.moderating import AT_ONCE, Tab, Turning, doing, looking, skipped, turning
from server.web.names import NOT_HERE, Said
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.sessions import Visit
from server.web.words import DONE, Choice, Label, table

SERVERS: Final = "/moderate/servers"
LONGEST: Final = 200
SHOWN: Final = table(
    (
        Choice("all", "All"),
        Choice("blocked", "Blocked"),
        Choice("limited", "Limited"),
        Choice("allowed", "Listed"),
        Choice("trouble", "In trouble"),
        Choice("dead", "With deliveries given up"),
    )
)
ACTS: Final[Mapping[str, Choice]] = table(
    (
        Choice(
            "block",
            "Block",
            "Nothing in, nothing out. What it posts is refused and what it asks for is not found. Its follows end, and so do ours "
            "there. What waits for it is dropped.",
        ),
        Choice(
            "limit",
            "Limit",
            "It is heard, but what it says is folded, and its followers are not counted in public.",
        ),
        Choice(
            "allow",
            "Put on the list",
            "It stays connected when the collective deals only with listed servers. Else this changes nothing.",
        ),
        Choice(
            "forget",
            "Undo",
            "As if nothing had been decided about it. Follows that ended do not come back by themselves.",
        ),
    )
)


@dataclass(frozen=True)
class ServersPage:
    q: str
    show: str
    tabs: Sequence[Tab]
    rows: Sequence["Row"]
    total: int
    turning: Turning
    only_allowed: bool
    host: str = ""
    done: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class Row:
    """A server, and in a word how we stand with it."""

    one: Neighbour
    path: str
    labels: Sequence[Label]


@dataclass(frozen=True)
class ServerPage:
    row: Row
    acts: Sequence[Choice]
    letters: str
    only_allowed: bool
    done: str = ""


@dataclass(frozen=True)
class DecidePage:
    """Asked before something is decided. `decisions` are those that run with this server."""

    host: str
    path: str
    act: Choice
    reach: Reach
    decisions: Sequence[tuple[str, Said]]
    mandate: int
    note: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class OnlyAllowedPage:
    only_allowed: bool
    ends: Sequence[Reach]
    mandate: int
    problems: Problems = field(default_factory=Problems)


# The list


async def servers_page(request: web.Request) -> web.StreamResponse:
    return await _servers_page(request, "", Problems())


async def _servers_page(request: web.Request, host: str, problems: Problems) -> web.Response:
    q, show = request.query.get("q", "").strip()[:LONGEST], request.query.get("show", "all")
    show, skip = show if show in SHOWN else "all", skipped(request)
    async with looking(request) as (visit, _):
        found, total = await neighbours.page(visit.session, q, show, skip, AT_ONCE)
        context = ServersPage(
            q=q,
            show=show,
            tabs=[Tab(one.words, _path(q, one.value), one.value == show) for one in SHOWN.values()],
            rows=[_row(one) for one in found],
            total=total,
            turning=turning((_path(q, show, "skip="), ""), skip, total),
            only_allowed=await peers.only_allowed(visit.session),
            host=host,
            done=DONE.get(request.query.get("done", ""), ""),
            problems=problems,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "moderate/servers.html", context, status)


def _path(q: str, show: str, more: str = "") -> str:
    said = {name: value for name, value in (("q", q), ("show", show)) if value and value != "all"}
    query = "&".join(part for part in (urlencode(said), more) if part)
    return f"{SERVERS}?{query}" if query else SERVERS


def _row(one: Neighbour) -> Row:
    peer, labels = one.peer, list[Label]()
    if peer is not None and peer.is_blocked:
        labels.append(Label("Blocked", "bad", "no"))
    if peer is not None and peer.is_limited:
        labels.append(Label("Limited", "warn", "half"))
    if peer is not None and peer.is_allowed:
        labels.append(Label("Listed", "ok", "yes"))
    if one.destination is not None and one.destination.fails:
        labels.append(Label("Does not answer", "warn", "alert"))
    return Row(one, f"{SERVERS}/{one.host}", labels)


async def look_up(request: web.Request, form: Form) -> web.StreamResponse:
    """Go to the page of a server that somebody names, whether or not we have met it."""
    try:
        return see(f"{SERVERS}/{read_host(form.one('host'))}")
    except Invalid as refusal:
        return await _servers_page(request, form.one("host"), problems_of(refusal))


async def to_servers(_request: web.Request) -> web.StreamResponse:
    return see(SERVERS)


# One server


async def server_page(request: web.Request) -> web.StreamResponse:
    async with looking(request) as (visit, _):
        host = _host(request)
        [one] = await neighbours.neighbours(visit.session, [host])
        row = _row(one)
        peer = one.peer
        stands = {
            "block": peer is not None and peer.is_blocked,
            "limit": peer is not None and peer.is_limited,
            "allow": peer is not None and peer.is_allowed,
        }
        may = [act for act in ACTS.values() if not stands.get(act.value, not any(stands.values()))]
        context = ServerPage(
            row=row,
            acts=may,
            letters=f"/moderate/letters?{urlencode({'host': host})}",
            only_allowed=await peers.only_allowed(visit.session),
            done=DONE.get(request.query.get("done", ""), ""),
        )
        return page(request, frame_of(visit), "moderate/server.html", context)


def _host(request: web.Request) -> str:
    try:
        return read_host(request.match_info["host"])
    except Invalid as refusal:
        raise web.HTTPNotFound from refusal


async def decide_page(request: web.Request) -> web.StreamResponse:
    return await _decide_page(request, Form(), Problems())


async def _decide_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with looking(request) as (visit, mandate):
        host = _host(request)
        reach = await peers.reach(visit.session, host)
        context = DecidePage(
            host=host,
            path=f"{SERVERS}/{host}",
            act=ACTS[request.match_info["act"]],
            reach=reach,
            decisions=await _questions(visit, reach),
            mandate=mandate.id,
            note=form.one("note"),
            problems=problems,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "moderate/decide.html", context, status)


async def _questions(visit: Visit, reach: Reach) -> Sequence[tuple[str, Said]]:
    """The decisions that run with a server: where they are, and what is asked."""
    found = []
    for name in reach.decisions:
        scope = await ledger.scope_named(visit.session, name)
        row = None if scope is None else await visit.session.get(Decision, scope.id)
        if scope is None or row is None:
            continue
        text = (await ledger.texts(visit.session, scope.id, [row.question])).get(row.question)
        said = Said(None, None, NOT_HERE) if text is None else Said(text.text, text.lang)
        found.append((decision_path(name), said))
    return found


async def decide(request: web.Request, form: Form) -> web.StreamResponse:
    """Do it. A second time changes nothing but the note."""
    act, host = cast("Act", request.match_info["act"]), _host(request)
    try:
        async with doing(request) as visit:
            home, note = request.app[HOME], form.one("note")
            await peers.decide(visit.session, home, visit.viewer, act, host, note, visit.now)
    except Refusal as refusal:
        return await _decide_page(request, form, problems_of(refusal))
    return see(f"{SERVERS}/{host}?done=server-{act}")


# With whom we deal at all


async def only_allowed_page(request: web.Request) -> web.StreamResponse:
    return await _only_allowed_page(request, Problems())


async def _only_allowed_page(request: web.Request, problems: Problems) -> web.Response:
    async with looking(request) as (visit, mandate):
        on = await peers.only_allowed(visit.session)
        context = OnlyAllowedPage(
            only_allowed=on,
            ends=[] if on else await peers.would_cut_off(visit.session, request.app[HOME]),
            mandate=mandate.id,
            problems=problems,
        )
        status = HTTPStatus.CONFLICT if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "moderate/only_allowed.html", context, status)


async def choose_only_allowed(request: web.Request, form: Form) -> web.StreamResponse:
    on = form.one("federation") == "allow-list"
    try:
        async with doing(request) as visit:
            if on:
                home, seen = request.app[HOME], form.number("seen")
                await peers.deal_only_with_allowed(visit.session, home, visit.viewer, seen, visit.now)
            else:
                await peers.deal_with_all(visit.session, visit.viewer, visit.now)
    except Conflict as refusal:
        return await _only_allowed_page(request, problems_of(refusal))
    return see(f"{SERVERS}?done={'only-listed' if on else 'all-servers'}")
