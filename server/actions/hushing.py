"""Who moderates hides a remark of the members' talk, with a reason, or shows it again. What is said in a circle's room is not
theirs to hide: only its circle reads it."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, remarks
from models.base import changed
from models.events import log
from models.ledger import Scope
from models.remarks import Remark
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound
from server.actions.concerned import check_not_about
from server.viewer import Viewer

LONGEST_WHY: Final = 300


async def remark_in(session: AsyncSession, viewer: Viewer, scope: Scope, number: int) -> Remark:
    """A remark to all members, for who moderates and is not whom the decision is about. Nobody learns from the answer whether a
    circle's room has one of this number."""
    viewer.require_member()
    viewer.require("moderate")
    await check_not_about(session, viewer, scope)
    said = await remarks.remark(session, scope.id, number)
    if said is None or said.circle_id is not None:
        raise NotFound("remark", phrase("There is no such remark here."))
    return said


async def hide(
    session: AsyncSession, viewer: Viewer, scope: Scope, number: int, why: str, now: datetime
) -> None:
    """The other members see the reason instead of the words; the author is told. Needs `moderate`. Sent twice it is done once; of
    two who do it with different reasons, the first one’s stands."""
    mandate = viewer.require("moderate")
    await ledger.locked_scope(session, scope.name)
    said = await remark_in(session, viewer, scope, number)
    if said.deleted_at is not None:
        raise Conflict(
            "remark-gone", phrase("Its author has deleted this remark meanwhile. There is nothing to hide.")
        )
    if not 1 <= len(why) <= LONGEST_WHY:
        raise Invalid({"why": phrase("Say why, in 1 to {n} characters. All members read it.", n=LONGEST_WHY)})
    if said.hidden_at is not None:
        if said.hidden_why == why:
            return
        raise Conflict(
            "hidden-already",
            phrase(
                "Somebody else has hidden this remark meanwhile. The members read their reason, not yours. Yours is kept below; "
                "to put it there, show the remark again first."
            ),
        )
    said.hidden_at, said.hidden_why, said.hidden_under = now, why, mandate.id
    await changed(session, scope.name)
    log(session, "remark hidden", now, scope=scope.name, mandate_id=mandate.id, remark=said.id)


async def show(session: AsyncSession, viewer: Viewer, scope: Scope, number: int, now: datetime) -> None:
    """All members see the words again. Needs `moderate`. A second time changes nothing."""
    mandate = viewer.require("moderate")
    await ledger.locked_scope(session, scope.name)
    said = await remark_in(session, viewer, scope, number)
    if said.hidden_at is None:
        return
    said.hidden_at, said.hidden_why, said.hidden_under = None, "", None
    await changed(session, scope.name)
    log(session, "remark shown again", now, scope=scope.name, mandate_id=mandate.id, remark=said.id)
