"""The first steps of a new collective. What is done follows from what is there; stored is only that the list was put away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.choices import choice, choose
from models.decisions import Decision
from models.events import log
from models.people import Actor, Invitation
from server.actions.describing import has_hue
from server.actions.founding import NEW_NAME
from server.viewer import Viewer

PUT_AWAY: Final = "first-steps-put-away"


async def first_steps(
    session: AsyncSession, collective: Actor, choices: Mapping[str, Any], members: int
) -> Mapping[str, bool]:
    """Which of the steps are done: described, coloured, invited, asked. Empty once the list was put away or all are done."""
    if choices.get(PUT_AWAY):
        return {}
    ours = select(Decision.scope_id).where(Decision.convener == collective.ed25519)
    asked = await session.scalar(ours.limit(1))
    linked = await session.scalar(select(Invitation.id).where(Invitation.kind == "member").limit(1))
    steps = {
        "described": collective.name != NEW_NAME and bool(collective.summary),
        "coloured": has_hue(choices),
        "invited": members > 1 or linked is not None,
        "asked": asked is not None,
    }
    return {} if all(steps.values()) else steps


async def put_away(session: AsyncSession, viewer: Viewer, now: datetime) -> None:
    """The list is shown no more, to nobody. A second time changes nothing. Needs `operate`."""
    mandate = viewer.require("operate")
    if await choice(session, PUT_AWAY, False):
        return
    await choose(session, PUT_AWAY, True, now, mandate.id)
    log(session, "first steps put away", now, mandate_id=mandate.id)
