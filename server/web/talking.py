"""What members say to each other, as pages show it: the latest remarks, oldest first, with a mark on those that came since one's
last visit, and the form for one more."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from models import remarks
from models.ledger import Scope
from models.people import Circle, Member
from models.remarks import Look, Remark
from models.rules.refusals import NotFound
from server.actions.balloting import seat
from server.actions.remarks import LONGEST, is_worth_noting, known_before, note_look
from server.actions.visible import decision_for
from server.language import _
from server.web.forms import Form, Problems
from server.web.needs import decision_path
from server.web.searching import before_in
from server.web.sessions import Visit, noting

AT_ONCE: Final = 50


@dataclass(frozen=True)
class RemarkRow:
    """One remark. Without `words` its author deleted it, or it is `hidden` (the reason) and this viewer does not see them. `href`:
    where its author changes or deletes it, `hush`: where who moderates hides it or shows it again."""

    anchor: str
    name: str
    is_mine: bool
    words: str
    at: datetime
    edited: datetime | None
    is_new: bool
    href: str
    hidden: str
    hush: str


@dataclass(frozen=True)
class Talk:
    rows: Sequence[RemarkRow]
    total: int
    new: int
    earlier: str
    latest: str
    action: str
    once: str
    words: str
    longest: int
    problems: Problems


@dataclass(frozen=True)
class Glance:
    """A member looked at a place where this much was to be seen."""

    place: str
    upto: dict[str, int]
    is_worth_noting: bool

    async def note(self, request: web.Request) -> None:
        """Keep it, so that the next visit can say what is new; not on every reload."""
        if self.is_worth_noting:
            async with noting(request) as visit:
                if visit.viewer.is_member:
                    await note_look(visit.session, visit.viewer, self.place, self.upto, visit.now)


async def talk_of(
    visit: Visit, scope: Scope, path: str, circle_id: int | None, form: Form, problems: Problems
) -> tuple[Talk, Glance]:
    """The talk at `path`, which the viewer may read, and what is to be kept of their look at it. `form` is one that was not
    accepted; if it was the talk's own, its words are kept."""
    session, member = visit.session, visit.viewer.require_member()
    before = before_in(visit.request)
    found = await remarks.talk(session, scope.id, circle_id, before, AT_ONCE + 1)
    shown = found[-AT_ONCE:]
    place = f"{'talk' if circle_id is None else 'room'}:{scope.id}"
    seen = await remarks.look(session, member.id, place)
    moderates = circle_id is None and visit.viewer.may("moderate")
    upto_then = _read_upto(seen, visit.now)
    rows = [_row(said, author, member, scope, upto_then, moderates=moderates) for said, author in shown]
    is_ours = form.one("form") == "remark"
    talk = Talk(
        rows=rows,
        total=await remarks.how_many(session, scope.id, circle_id),
        new=sum(row.is_new for row in rows),
        earlier=f"{path}?before={shown[0][0].id}#talk" if len(found) > AT_ONCE else "",
        latest=f"{path}#talk" if before is not None else "",
        action=f"{path}/say",
        once=form.one("once") if is_ours else secrets.token_hex(16),
        words=form.one("words") if is_ours else "",
        longest=LONGEST,
        problems=problems,
    )
    upto = {"remarks": max([said.id for said, _ in shown], default=0)}
    return talk, Glance(place, upto, before is None and is_worth_noting(seen, visit.now))


async def seated(visit: Visit) -> tuple[Scope, Member, Circle]:
    """The decision that the address names, the member who looks and the circle in which they sit for it; NotFound for everybody
    else, visitors first of all."""
    if not visit.viewer.is_member:
        raise NotFound("not-found", _("Either nothing is at this address, or it is not open to everybody."))
    scope = await decision_for(visit.session, visit.viewer, visit.request.match_info["name"])
    return scope, *await seat(visit.session, visit.viewer, scope)


def _read_upto(seen: Look | None, now: datetime) -> int | None:
    """The last remark that the viewer had read before this visit; None on their first."""
    before, _ = known_before(seen, now)
    return before.get("remarks")


def _row(
    said: Remark, author: Member, me: Member, scope: Scope, upto: int | None, *, moderates: bool
) -> RemarkRow:
    mine, is_there, is_hidden = author.id == me.id, said.deleted_at is None, said.hidden_at is not None
    path = f"{decision_path(scope.name)}/remarks/{said.id}"
    return RemarkRow(
        anchor=f"remark-{said.id}",
        name=author.name,
        is_mine=mine,
        words=said.words if mine or moderates or not is_hidden else "",
        at=said.at,
        edited=said.edited_at,
        is_new=upto is not None and said.id > upto and not mine and is_there,
        href=path if mine and is_there else "",
        hidden=said.hidden_why if is_hidden and is_there else "",
        hush=f"{path}/{'show' if is_hidden else 'hide'}" if moderates and is_there else "",
    )
