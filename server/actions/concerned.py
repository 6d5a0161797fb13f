"""Whom a decision is about takes part in it like everybody else, and has no other hand in it."""

from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions
from models.ledger import Scope
from models.rules.phrases import phrase
from models.rules.refusals import NotAllowed
from server.viewer import Viewer


async def check_not_about(session: AsyncSession, viewer: Viewer, scope: Scope) -> None:
    """NotAllowed for whom it is about: under no mandate do they end what is asked, or take away what is said in it; nor do they
    replace the draft that others would confirm."""
    subject = await decisions.removal_in(session, scope.id)
    if subject is not None and subject.id == viewer.require_member().id:
        raise NotAllowed("removal", phrase("This decision is about you: somebody else has to do this."))
