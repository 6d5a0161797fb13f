"""Members talk about a decision: in their circle's room for its eyes only, and on the decision's page for all members.

Nothing of it leaves the instance, and nothing is logged: who says what inside a circle is no event (spec: records.md §6). Hiding
what was said to all members is a moderator's act (`server.actions.hushing`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, remarks
from models.base import changed, insert_once
from models.ledger import Scope
from models.remarks import Look, Remark
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound, TooMany
from server.actions.balloting import seat
from server.viewer import Viewer

LONGEST: Final = 4_000
PER_HOUR: Final = 60  # of one member, everywhere
PER_PLACE: Final = 5_000
VISIT_ENDS: Final = timedelta(minutes=30)  # without a look; the next one begins another visit
NOTED_EVERY: Final = timedelta(minutes=2)


async def place_of(session: AsyncSession, viewer: Viewer, scope: Scope, *, in_circle: bool) -> int | None:
    """The circle in whose room the viewer talks, or None for the talk of all members; NotFound for who sits in no circle."""
    viewer.require_member()
    return (await seat(session, viewer, scope))[1].id if in_circle else None


async def say(
    session: AsyncSession,
    viewer: Viewer,
    scope: Scope,
    words: str,
    form: str,
    now: datetime,
    *,
    in_circle: bool,
) -> Remark:
    """The viewer says something. `form` names the form that was filled in: sent again, nothing is said twice."""
    member = viewer.require_member()
    circle_id = await place_of(session, viewer, scope, in_circle=in_circle)
    await ledger.locked_scope(session, scope.name)  # one click after the other
    said = await remarks.remark_of_form(session, member.id, form)
    if said is not None and (said.scope_id, said.circle_id) == (scope.id, circle_id):
        return said
    words = checked(words)
    if await remarks.said_since(session, member.id, now - timedelta(hours=1)) >= PER_HOUR:
        raise TooMany(
            "remarks",
            phrase(
                "You wrote {n} remarks in an hour. Wait a little, then send it again.",
                n=PER_HOUR,
            ),
        )
    if await remarks.how_many(session, scope.id, circle_id) >= PER_PLACE:
        raise TooMany("remarks", phrase("There are {n} remarks here, and no more fit.", n=PER_PLACE))
    said = Remark(scope_id=scope.id, circle_id=circle_id, member_id=member.id, form=form, words=words, at=now)
    session.add(said)
    await session.flush()
    await changed(session, scope.name)
    return said


async def own(session: AsyncSession, viewer: Viewer, scope: Scope, number: int) -> Remark:
    """A remark of the viewer's own, where they may still read it; NotFound for everything else."""
    member = viewer.require_member()
    said = await remarks.remark(session, scope.id, number)
    if said is None or said.member_id != member.id:
        raise NotFound("remark", phrase("There is no such remark of yours here."))
    if said.circle_id is not None:
        await seat(session, viewer, scope)
    return said


async def edit(
    session: AsyncSession,
    viewer: Viewer,
    scope: Scope,
    number: int,
    words: str,
    base: str,
    now: datetime,
) -> Remark:
    """Other words for a remark of one's own. `base` is what they were written from: if it was changed in another window meanwhile,
    nothing is overwritten."""
    await ledger.locked_scope(session, scope.name)
    said = await own(session, viewer, scope, number)
    if said.deleted_at is not None:
        raise Conflict(
            "remark-deleted", phrase("You deleted this remark. Your words are kept below; say them anew.")
        )
    if said.hidden_at is not None:
        raise Conflict(
            "remark-hidden",
            phrase(
                "Who moderates has hidden this remark, so it cannot be changed. Your words are kept below; say them anew."
            ),
        )
    words = checked(words)
    if words == said.words:
        return said
    if base != version(said):
        raise Conflict(
            "remark-changed",
            phrase(
                "You changed this remark in another window meanwhile. Your words are kept below; send them again to replace it."
            ),
        )
    said.words, said.edited_at = words, now
    await changed(session, scope.name)
    return said


async def delete(session: AsyncSession, viewer: Viewer, scope: Scope, number: int, now: datetime) -> Remark:
    """The words of a remark of one's own go, for good. A second time changes nothing."""
    await ledger.locked_scope(session, scope.name)
    said = await own(session, viewer, scope, number)
    if said.deleted_at is None:
        said.words, said.hidden_why, said.deleted_at = "", "", now
        await changed(session, scope.name)
    return said


def version(said: Remark) -> str:
    """Changes whenever the words do."""
    return (said.edited_at or said.at).isoformat()


def checked(words: str) -> str:
    words = words.strip()
    if not words:
        raise Invalid({"words": phrase("Write something first.")})
    if len(words) > LONGEST:
        raise Invalid(
            {"words": phrase("Keep it under {n} characters; this has {now}.", n=LONGEST, now=len(words))}
        )
    return words


async def note_look(
    session: AsyncSession, viewer: Viewer, place: str, upto: Mapping[str, int], now: datetime
) -> None:
    """The viewer looks at a place where this much is to be seen. After half an hour without a look a new visit has begun."""
    member = viewer.require_member()
    seen = await remarks.locked_look(session, member.id, place)
    here: dict[str, Any] = dict(upto)
    if seen is None:
        first = {"member_id": member.id, "place": place, "at": now, "upto": here, "before": {}}
        await session.execute(insert_once(session, Look), first)
        return
    if now - seen.at >= VISIT_ENDS:
        seen.before, seen.before_at = seen.upto, seen.at
    seen.at, seen.upto = now, here


def is_worth_noting(seen: Look | None, now: datetime) -> bool:
    """Reloading a page writes nothing."""
    return seen is None or now - seen.at >= NOTED_EVERY


def known_before(seen: Look | None, now: datetime) -> tuple[Mapping[str, Any], datetime | None]:
    """What was there when the viewer's visit before this one ended, and when that was; nothing on the first."""
    if seen is None:
        return {}, None
    if now - seen.at >= VISIT_ENDS:
        return seen.upto, seen.at
    return seen.before, seen.before_at
