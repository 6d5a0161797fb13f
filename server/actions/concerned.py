"""Whom a decision is about takes part in it like everybody else, and has no other hand in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions
from models.ledger import Scope
from models.people import Member
from models.rules.phrases import phrase
from models.rules.refusals import NotAllowed
from models.rules.view import SETTLED
from server.actions.telling import standing_of
from server.viewer import Viewer

LASTS: Final = timedelta(days=30)  # after the voting closed; then it has to be asked again


@dataclass(frozen=True)
class Asked:
    """The latest question about a member, as its decision stands. `until`: it can be carried out so long."""

    scope: Scope
    state: str
    outcome: str | None
    until: datetime

    def is_running(self) -> bool:
        return self.state not in SETTLED

    def is_due(self, now: datetime) -> bool:
        """May it be carried out now?"""
        return (self.state, self.outcome) == ("final", "adopted") and now < self.until

    def is_open(self, now: datetime) -> bool:
        """Can they still be removed by it?"""
        return self.is_running() or self.is_due(now)


async def asked_about(session: AsyncSession, member: Member, now: datetime) -> Asked | None:
    """The latest question whether this member is removed: what was asked before it has no effect any more."""
    scope = next(iter(await decisions.removals_of(session, member.id)), None)
    if scope is None:
        return None
    view = await standing_of(session, scope, now)
    if view is None:
        return Asked(scope, "gathering", None, scope.created_at + LASTS)
    return Asked(scope, view.state, view.outcome, view.closes + LASTS)


async def is_asked_about(session: AsyncSession, member: Member, now: datetime) -> bool:
    """Can this member still be removed by what was asked?"""
    asked = await asked_about(session, member, now)
    return asked is not None and asked.is_open(now)


async def check_no_question(session: AsyncSession, viewer: Viewer, now: datetime) -> None:
    """NotAllowed for whom a question is about: they get into no account of those who vote on it, nor lock anybody out."""
    if await is_asked_about(session, viewer.require_member(), now):
        raise NotAllowed(
            "removal",
            phrase(
                "A question whether you stay a member is not over yet. Until then such a link is made by others who may "
                "admit people; where there are none, by whoever runs the machine."
            ),
        )


async def check_not_about(session: AsyncSession, viewer: Viewer, scope: Scope) -> None:
    """NotAllowed for whom it is about: under no mandate do they end what is asked, or take away what is said in it; nor do they
    replace the draft that others would confirm."""
    subject = await decisions.removal_in(session, scope.id)
    if subject is not None and subject.id == viewer.require_member().id:
        raise NotAllowed("removal", phrase("This decision is about you: somebody else has to do this."))
