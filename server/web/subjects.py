"""What a decision is about, where that stands beside its records: a member who may be removed, or our charter."""

from server.web import removals
from server.web.charters import AboutCharter, about_charter
from server.web.sessions import Visit

Subject = removals.Subject | AboutCharter


async def subject_of(visit: Visit, scope_id: int) -> Subject | None:
    """For the page of a decision and the rooms of its circles; None for most."""
    return await removals.subject_of(visit, scope_id) or await about_charter(visit, scope_id)
