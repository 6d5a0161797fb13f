"""A member's notices: what is new, what was read, and of which decisions they want to hear nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from models import ledger, notices
from models.decisions import Decision
from models.ledger import Scope
from models.notices import Notice
from models.rules.refusals import NotFound
from server.actions.notice_words import KINDS
from server.actions.visible import decision_for
from server.language import _
from server.web.forms import Form
from server.web.names import Names, Said
from server.web.needs import decision_path
from server.web.render import frame_of, page, see
from server.web.searching import before_in
from server.web.sessions import Visit, acting, reading
from server.web.words import DONE

AT_ONCE: Final = 30


@dataclass(frozen=True)
class Row:
    """A notice. `decision` is the name of what it is about, if it is about one."""

    number: int
    words: str
    path: str
    question: Said | None
    decision: str
    until: datetime | None
    at: datetime
    is_new: bool
    is_muted: bool


@dataclass(frozen=True)
class Quiet:
    """A decision of which the member wants to hear nothing."""

    name: str
    path: str
    question: Said


@dataclass(frozen=True)
class NoticesPage:
    """`latest` is the number of the newest one on the page: what comes later is not marked as read by its form."""

    rows: Sequence[Row]
    unread: int
    latest: int
    older: str
    is_first: bool
    quiet: Sequence[Quiet]
    done: str


async def notices_page(request: web.Request) -> web.StreamResponse:
    before = before_in(request)
    async with reading(request) as visit:
        member = visit.viewer.require_member()
        found = await notices.notices_page(visit.session, member.id, before, AT_ONCE + 1)
        quiet = await notices.muted(visit.session, member.id)
        shown = found[:AT_ONCE]
        asked_in = await _questions(visit, [*(scope for _, scope in shown if scope is not None), *quiet])
        muted = {scope.id for scope in quiet}
        context = NoticesPage(
            rows=[_row(notice, scope, asked_in, muted) for notice, scope in shown],
            unread=visit.unread,
            latest=shown[0][0].id if shown else 0,
            older=f"/notices?before={shown[-1][0].id}" if len(found) > AT_ONCE else "",
            is_first=before is None,
            quiet=[Quiet(one.name, f"/decisions/{one.name}", asked_in[one.id]) for one in quiet],
            done=DONE.get(request.query.get("done", ""), ""),
        )
        return page(request, frame_of(visit), "notices/list.html", context)


async def _questions(visit: Visit, scopes: Sequence[Scope]) -> Mapping[int, Said]:
    """What is decided in each of these."""
    rows = [await visit.session.get(Decision, scope.id) for scope in scopes]
    texts = await ledger.texts_named(visit.session, [row.question for row in rows if row is not None])
    return {
        scope.id: Names(texts.get(scope.name, {}), {}, {}, {}).title(row.question if row else "")
        for scope, row in zip(scopes, rows, strict=True)
    }


def _row(notice: Notice, scope: Scope | None, questions: Mapping[int, Said], muted: set[int]) -> Row:
    kind = KINDS[notice.kind]
    return Row(
        number=notice.id,
        words=kind.words,
        path=kind.path.format(name=scope.name if scope else ""),
        question=questions[scope.id] if scope else None,
        decision=scope.name if scope else "",
        until=notice.until,
        at=notice.at,
        is_new=notice.read_at is None,
        is_muted=scope is not None and scope.id in muted,
    )


async def to_notices(_request: web.Request) -> web.StreamResponse:
    """Where a form of this page goes, there is nothing to look at."""
    return see("/notices")


async def read(request: web.Request, _form: Form) -> web.StreamResponse:
    """One notice is read. A second time changes nothing."""
    async with acting(request) as visit:
        member = visit.viewer.require_member()
        row = await visit.session.get(Notice, int(request.match_info["number"]))
        if row is None or row.member_id != member.id:
            raise NotFound("not-found", _("This notice is not there any more."))
        row.read_at = row.read_at or visit.now
    return see("/notices")


async def read_all(request: web.Request, form: Form) -> web.StreamResponse:
    """All that were there when the page was shown are read."""
    async with acting(request) as visit:
        member = visit.viewer.require_member()
        await notices.mark_read(visit.session, member.id, form.number("latest"), visit.now)
    return see("/notices?done=all-read")


async def mute(request: web.Request, form: Form) -> web.StreamResponse:
    """Hear nothing more of a decision, or hear of it again."""
    act, name = request.match_info["act"], request.match_info["name"]
    async with acting(request) as visit:
        member = visit.viewer.require_member()
        scope = await decision_for(visit.session, visit.viewer, name)
        change = notices.mute if act == "mute" else notices.unmute
        await change(visit.session, member.id, scope.id)
    if form.one("back") == "decision":
        return see(f"{decision_path(name)}?done={act}d-here")
    return see(f"/notices?done={act}d")
