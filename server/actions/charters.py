"""Our charter: which versions there were, which one is in force, and whether a change is under way.

All of it is computed when asked, from the records of the decisions that were about it: a charter is in force from the instant at
which its decision is final and adopted. Nothing switches it on, and nothing else changes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models import charters
from models.ledger import Scope
from models.rules.charters import SOFTWARE, Charter, changed, told
from models.rules.records import stamp
from models.rules.view import SETTLED
from server.actions.telling import standing_of


@dataclass(frozen=True)
class Version:
    """A charter that is or was in force, from when, and by which decision; the first one came with the software. `changed`: the
    parameters that were others before."""

    number: int
    charter: Charter
    since: datetime
    scope: Scope | None = None
    changed: Sequence[str] = ()


@dataclass(frozen=True)
class History:
    """The versions from the first to the one in force, and the change that is being decided, if one is."""

    versions: Sequence[Version]
    underway: Version | None

    @property
    def current(self) -> Version:
        return self.versions[-1]


async def history(session: AsyncSession, now: datetime) -> History:
    """How our charter came to be what it is `now`, and what may become of it."""
    adopted: list[tuple[datetime, Scope, Charter]] = []
    running: tuple[Scope, Charter] | None = None
    for scope, charter in await charters.proposed(session):
        view = await standing_of(session, scope, now)
        if view is None or (view.final_at is None and view.state not in SETTLED):
            running = scope, charter
        elif view.final_at is not None and view.outcome == "adopted":
            adopted.append((view.final_at, scope, charter))
    adopted.sort(key=lambda one: (one[0], one[1].name))
    found = [Version(1, SOFTWARE, await charters.begun_at(session))]
    for since, scope, charter in adopted:
        found.append(_next(found[-1], charter, since, scope))
    underway = _next(found[-1], running[1], now, running[0]) if running else None
    return History(found, underway)


def _next(before: Version, charter: Charter, since: datetime, scope: Scope) -> Version:
    return Version(before.number + 1, charter, since, scope, changed(before.charter, charter))


async def charter_at(session: AsyncSession, now: datetime) -> Charter:
    """The charter in force: what binds whatever this collective convenes now."""
    return (await history(session, now)).current.charter


def document(known: History, home: str, now: datetime, visible: Sequence[str]) -> dict[str, Any]:
    """All of it for machines: times in seconds, shares as in the rule of an Offer. Decisions of other visibilities than these
    are not named, and a change that is being decided among members is not told."""
    underway = known.underway if known.underway and _may_see(known.underway, visible) else None
    return {
        "type": "Charter",
        "from": home,
        "at": stamp(now),
        "versions": [_told(one, visible) for one in known.versions],
        "underway": {**_told(underway, visible), "since": None} if underway else None,
    }


def _told(one: Version, visible: Sequence[str]) -> dict[str, Any]:
    return {
        "number": one.number,
        "since": stamp(one.since),
        "decision": one.scope.name if one.scope and _may_see(one, visible) else None,
        "changed": list(one.changed),
        "parameters": told(one.charter),
    }


def _may_see(one: Version, visible: Sequence[str]) -> bool:
    return one.scope is not None and one.scope.visibility in visible
