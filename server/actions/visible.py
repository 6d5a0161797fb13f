"""Who may see a decision. The row cannot be had without the right to it; strangers get the answer for what is not there."""

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger
from models.ledger import Scope
from models.rules.phrases import phrase
from models.rules.refusals import NotFound
from server.viewer import Viewer

PUBLIC = ("public",)
ALL = ("public", "federation", "collective")


def visibilities(viewer: Viewer) -> tuple[str, ...]:
    """The visibilities of decisions that this viewer may see: members all, everybody else the public ones."""
    return ALL if viewer.is_member else PUBLIC


async def decision_for(session: AsyncSession, viewer: Viewer, name: str) -> Scope:
    """The decision of this name, if the viewer may see it; NotFound if there is none, and if they may not."""
    scope = await ledger.scope_named(session, name)
    if scope is None or scope.kind != "decision" or scope.visibility not in visibilities(viewer):
        raise NotFound(
            "not-found", phrase("Either nothing is at this address, or it is not open to everybody.")
        )
    return scope
