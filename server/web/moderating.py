"""The first page for those who moderate, and what all pages of theirs share: to everybody else there is no such page."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web
from sqlalchemy import func, select

from models import neighbours
from models.mandates import MandateRow
from models.reports import reports
from models.talk import Reply
from server.actions import peers
from server.actions.showing import signed_only
from server.web.render import frame_of, page
from server.web.sessions import Visit, acting, reading
from server.web.words import DONE

AT_ONCE: Final = 50


@dataclass(frozen=True)
class Tab:
    words: str
    path: str
    is_here: bool


@dataclass(frozen=True)
class ModeratePage:
    servers: int
    decided: int
    trouble: int
    letters: int
    reports: int
    hidden: int
    only_allowed: bool
    signed_only: bool
    done: str
    mandate: int
    mandate_ends: datetime


@dataclass(frozen=True)
class Turning:
    """Where one turns the pages of a long list."""

    earlier: str = ""
    further: str = ""


@contextlib.asynccontextmanager
async def looking(request: web.Request) -> AsyncIterator[tuple[Visit, MandateRow]]:
    """A visit of somebody who may moderate, and the mandate under which they do; HTTPNotFound for everybody else."""
    async with reading(request) as visit:
        yield visit, _mandate(visit)


@contextlib.asynccontextmanager
async def doing(request: web.Request) -> AsyncIterator[Visit]:
    """The same, to do one thing."""
    async with acting(request) as visit:
        _mandate(visit)
        yield visit


def _mandate(visit: Visit) -> MandateRow:
    mandate = visit.viewer.mandate_for("moderate")
    if mandate is None or not visit.viewer.is_member:
        raise web.HTTPNotFound
    return mandate


async def moderate_page(request: web.Request) -> web.StreamResponse:
    async with looking(request) as (visit, mandate):
        session = visit.session
        hidden = select(func.count()).select_from(Reply).where(Reply.hidden_at.is_not(None))
        context = ModeratePage(
            servers=(await neighbours.page(session, "", "all", 0, 0))[1],
            decided=await neighbours.decided_about(session),
            trouble=await neighbours.in_trouble(session),
            letters=(await neighbours.letters(session, None, 0, 0))[1],
            reports=(await reports(session, "in", is_open=True, skip=0, size=0))[1],
            hidden=await session.scalar(hidden) or 0,
            only_allowed=await peers.only_allowed(session),
            signed_only=await signed_only(session),
            done=DONE.get(request.query.get("done", ""), ""),
            mandate=mandate.id,
            mandate_ends=mandate.ends_at,
        )
        return page(request, frame_of(visit), "moderate/show.html", context)


def skipped(request: web.Request) -> int:
    """How many rows of a long list were shown on pages before."""
    text = request.query.get("skip", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


def turning(paths: Sequence[str], skip: int, total: int) -> Turning:
    """The pages before and after this one; `paths` are the address up to the number, and what comes after it."""
    before, after = paths
    return Turning(
        earlier=f"{before}{max(0, skip - AT_ONCE)}{after}" if skip else "",
        further=f"{before}{skip + AT_ONCE}{after}" if skip + AT_ONCE < total else "",
    )
