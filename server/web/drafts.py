"""Versions of a circle's draft: each with its time and what changed in it, never with who wrote it (spec: records.md §6); and the
ballot that a version would be, as everybody else would read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from aiohttp import web

from models import decisions
from models.decisions import Draft
from models.rules.ballots import Entry
from server.language import _
from server.web.decisions import known_as
from server.web.diffs import Piece, word_diff
from server.web.names import Said
from server.web.render import frame_of, page
from server.web.rolls import Ballot, CircleRow, option_titles
from server.web.searching import before_in
from server.web.sessions import reading
from server.web.talking import seated
from server.web.words import POSITIONS, Label

AT_ONCE: Final = 20


@dataclass(frozen=True)
class Version:
    """A version of the draft, and what its texts changed of the version before (nothing of a first one). `position_was` and
    `choices_were`: what it said before, where that changed."""

    number: int
    at: datetime
    position: Label | None
    choices: Sequence[Said]
    reason: Sequence[Piece]
    resolve: Sequence[Piece]
    lang: str
    published: bool
    follows: int
    position_was: Label | None
    choices_were: Sequence[Said]
    moved: bool


@dataclass(frozen=True)
class HistoryPage:
    path: str
    question: Said
    circle: str
    versions: Sequence[Version]
    older: str
    is_first: bool


def spoken(answer: Mapping[str, Any], titles: Mapping[str, Said]) -> tuple[Label | None, Sequence[Said]]:
    """A stored answer in words: a position, or what is approved of."""
    position = answer.get("position")
    unknown = Said(None, None, _("an option that is no longer there"))
    return POSITIONS[position] if position else None, [
        titles.get(c, unknown) for c in answer.get("choices", ())
    ]


def version_of(draft: Draft, before: Draft | None, titles: Mapping[str, Said]) -> Version:
    """A version beside the one before it."""
    position, choices = spoken(draft.position, titles)
    was, were = spoken(before.position, titles) if before else (None, ())
    return Version(
        number=draft.number,
        at=draft.at,
        position=position,
        choices=choices,
        reason=word_diff(before.reason if before else draft.reason, draft.reason),
        resolve=word_diff(before.resolve if before else draft.resolve, draft.resolve),
        lang=draft.lang,
        published=draft.ballot is not None,
        follows=before.number if before else 0,
        position_was=was,
        choices_were=were,
        moved=before is not None and dict(before.position) != dict(draft.position),
    )


def preview_of(
    draft: Draft,
    circle: str,
    size: int,
    confirmed: int,
    entry: Entry | None,
    titles: Mapping[str, Said],
    now: datetime,
) -> CircleRow:
    """The circle as everybody would see it if this draft became its ballot now."""
    position, choices = spoken(draft.position, titles)
    objects = draft.position.get("position") == "object"
    seqs = [one["seq"] for one in entry.ballots] if entry else []
    ballot = Ballot(
        anchor="will-be",
        position=position,
        choices=choices,
        reason=Said(draft.reason, draft.lang) if draft.reason else None,
        resolve=Said(draft.resolve, draft.lang) if objects else None,
        seq=max(seqs, default=0) + 1,
        confirmed=confirmed,
        at=now,
        digest="",
    )
    return CircleRow("preview", Said(circle), size, None, ballot, (), gap=False)


async def history(request: web.Request) -> web.StreamResponse:
    """Every version, the latest first."""
    async with reading(request) as visit:
        scope, _member, circle = await seated(visit)
        known = await known_as(visit, scope)
        before = before_in(request)
        found = await decisions.drafts(visit.session, known.scope.id, circle.id, before, AT_ONCE + 1)
        titles = option_titles(known.view, known.names)
        shown = [version_of(one, older, titles) for one, older in pairwise([*found, None]) if one is not None]
        path = f"{known.path}/circle"
        context = HistoryPage(
            path=path,
            question=known.question,
            circle=circle.actor.name,
            versions=shown[:AT_ONCE],
            older=f"{path}/drafts?before={found[AT_ONCE - 1].number}" if len(found) > AT_ONCE else "",
            is_first=before is None,
        )
        return page(request, frame_of(visit), "circles/drafts.html", context)
