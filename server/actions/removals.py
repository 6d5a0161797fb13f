"""Whether somebody is a member any longer: asked of this collective alone, about one person, and carried out once it is adopted.

Whom a decision is about stands in a row of ours beside it (`models.decisions.Removal`), never in what is signed: records name
circles, never people. So nobody can be removed by a decision about something else, and what is carried out is what was asked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, people
from models.decisions import Removal
from models.events import log
from models.ledger import Scope
from models.mandates import MandateRow, mandates_by_member
from models.people import Member
from models.rules.charters import is_enough, says
from models.rules.mandates import POWERS, powers_in_force
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotAllowed
from server.actions.charters import charter_at
from server.actions.concerned import asked_about
from server.actions.convening import Plan, as_chartered, convene
from server.actions.departing import end_account, erase
from server.actions.founding import KeyPair
from server.actions.languages import language_of
from server.actions.recovering import member_here
from server.actions.texts import DETAILS_LENGTH
from server.home import Home
from server.language import said_in, speaking
from server.viewer import Viewer, as_rule

QUESTION: Final = phrase("Shall one of us be a member no longer?")
PROPOSAL: Final = phrase("They are a member no longer")
METHODS: Final = ("consent", "majority")
TALK: Final = (timedelta(hours=24), timedelta(hours=48), timedelta(days=7))
SHORTEST_WHY: Final = 20
SELF: Final = phrase("Nobody removes themselves. To leave, go to your own page.")


async def held_alone(session: AsyncSession, member: Member, now: datetime) -> Sequence[str]:
    """The powers that nobody else holds now: without this member, nobody does."""
    others = [one.id for one in await people.members(session) if one.id != member.id]
    theirs, rest = [
        powers_in_force(map(as_rule, await mandates_by_member(session, who)), now)
        for who in ([member.id], others)
    ]
    return [power for power in POWERS if power in theirs - rest]


async def reason_of(session: AsyncSession, scope: Scope) -> str:
    """Why it was asked; nothing once that was removed."""
    (offer,) = await ledger.of_types(session, scope.id, ("Offer",))
    text = (await ledger.texts(session, scope.id)).get(offer.get("details", ""))
    return (text.text if text else None) or ""


async def ask(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    member: Member,
    why: str,
    method: str,
    talk: timedelta,
    keys: Sequence[KeyPair],
    now: datetime,
) -> Scope:
    """Ask all circles, among members only. Needs `convene`. The question names nobody; the pages say whom it is about."""
    viewer.require("convene")
    check_other(viewer, member)
    await _lock(session, member)
    before = await asked_about(session, member, now)
    if before is not None and before.is_open(now):
        raise Conflict("removal-asked", phrase("This is asked already, or decided and not carried out yet."))
    wrong, charter = {}, await charter_at(session, now)
    if not SHORTEST_WHY <= len(why) <= DETAILS_LENGTH:
        wrong["why"] = phrase(
            "Say why, in {least} to {most} characters.", least=SHORTEST_WHY, most=DETAILS_LENGTH
        )
    if method not in METHODS:
        wrong["method"] = phrase("Choose one of the methods offered.")
    if talk not in TALK:
        wrong["talk"] = phrase("Choose one of these.")
    elif not is_enough(charter["gather"], int(talk.total_seconds())):
        wrong["talk"] = says("gather", charter)
    if wrong:
        raise Invalid(wrong)
    lang = await language_of(session)
    with speaking(lang):
        question, proposal = said_in(QUESTION), said_in(PROPOSAL)
    plan = Plan(
        question=question,
        details=why,
        method=method,
        proposals=[(proposal, "")],
        gather=talk,
        visibility="collective",
        options="convener",
        lang=lang,
        is_fixed=True,
    )
    scope = await convene(session, home, viewer, as_chartered(plan, charter), [], keys, now)
    session.add(Removal(scope_id=scope.id, member_id=member.id))
    return scope


async def remove(
    session: AsyncSession, home: Home, viewer: Viewer, member: Member, now: datetime, *, erased: bool
) -> None:
    """A member is removed because the collective decided so. Any other member carries it out: there is nothing to judge any more,
    and it must not depend on who holds which power. To erase them, too, needs `admit`."""
    by = viewer.require_member()
    check_other(viewer, member)
    mandate = viewer.require("admit") if erased else None
    await _lock(session, member)
    asked = await asked_about(session, member, now)
    if asked is None or not asked.is_due(now):
        raise Conflict(
            "removal",
            phrase(
                "No decision to remove this person is final and adopted. One holds for 30 days after the voting."
            ),
        )
    await end_account(session, home, member, now)
    member.removed_by = asked.scope.name
    held = await session.scalars(
        select(MandateRow).where(
            MandateRow.member_id == member.id, MandateRow.ends_at > now, MandateRow.recalled_at.is_(None)
        )
    )
    for row in held:
        row.recalled_at = now
    if erased:
        await erase(session, member, now)
    log(
        session,
        "member removed",
        now,
        scope=asked.scope.name,
        mandate_id=mandate.id if mandate else None,
        member=member.id,
        by=by.id,
    )


async def _lock(session: AsyncSession, member: Member) -> None:
    """Nobody comes or goes meanwhile; `NotFound` if this member has gone since they were looked up."""
    await people.lock_assembly(session)
    await session.refresh(member)
    await member_here(session, member.id)


def check_other(viewer: Viewer, member: Member) -> None:
    """Nobody is asked about themselves."""
    if member.id == viewer.require_member().id:
        raise NotAllowed("removal", SELF)
