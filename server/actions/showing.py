"""Choosing to whom documents are shown: to everybody, or to signed requests only."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from models import choices
from models.events import log
from models.rules.peering import ALLOW_LIST, AUTHORIZED_FETCH, FEDERATION, OPEN
from models.rules.phrases import phrase
from models.rules.refusals import Conflict
from server.viewer import Viewer


async def show_to_signed_only(session: AsyncSession, viewer: Viewer, demanded: bool, now: datetime) -> None:
    """From now on actors, objects and collections are shown to signed requests only, or to everybody again. Where only listed
    servers are dealt with, they are always shown to signed requests only."""
    mandate = viewer.require("moderate")
    if not demanded and await choices.choice(session, FEDERATION, OPEN) == ALLOW_LIST:
        raise Conflict(
            "signed-only", phrase("While only listed servers are dealt with, documents need a signature.")
        )
    await choices.choose(session, AUTHORIZED_FETCH, demanded, now, mandate.id)
    who = viewer.require_member().login
    log(
        session,
        "signatures demanded" if demanded else "signatures not demanded",
        now,
        actor=who,
        mandate_id=mandate.id,
    )


async def signed_only(session: AsyncSession) -> bool:
    """Are documents shown to signed requests only?"""
    return bool(await choices.choice(session, AUTHORIZED_FETCH, False))
