"""What an instance must say by itself for a decision to go on: terms, acks, receipts, close statements, results.

What is due is computed by `models.rules.duties` from the records and the instant; here it is signed, appended and published, in
one transaction, until nothing is due. Called by the decisions pass whenever a record arrived or time has come.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions, ledger
from models.events import log
from models.ledger import RecordRow, Scope, Signed
from models.rules.duties import Duty, Us, duties, next_duty
from models.rules.records import Record, instant
from server.actions.hearing import refresh
from server.actions.refreshing import end_early
from server.actions.telling import publish_note, publish_quietly, us
from server.home import Home

READABLE: Final = {"Terms": "round", "Result": "result"}
MOST_ROUNDS: Final = 6  # one duty can make the next one due: terms, ack, …


async def advance(session: AsyncSession, home: Home, name: str, now: datetime) -> None:
    """Do all that is due in a scope now, bring its cached row up to date, and note when to look again."""
    scope = await ledger.locked_scope(session, name)
    if scope is None:
        return
    held_back = await ledger.held_back_until(session, scope.id, now)
    if all(r.digest != name for r in await ledger.records(session, scope.id, now)):  # the Offer is held back
        scope.due_at, scope.due_lease = held_back, None
        return
    for _ in range(MOST_ROUNDS):
        if not await _do_what_is_due(session, home, scope, now):
            break
    decision = await refresh(session, scope, now)
    if decision.is_over:
        await end_early(session, name, now)
        await decisions.forget_drafts(session, scope.id)  # nobody confirms them any more
    collective, instance = await us(session)
    here = Us(collective=collective.ed25519 or "", instance=instance.ed25519 or "")
    by_time = next_duty(await ledger.records(session, scope.id, now), now, here)
    scope.due_at = min((at for at in (by_time, held_back) if at is not None), default=None)
    scope.due_lease = None


async def _do_what_is_due(session: AsyncSession, home: Home, scope: Scope, now: datetime) -> int:
    collective, instance = await us(session)
    records = await ledger.records(session, scope.id, now)
    here = Us(collective=collective.ed25519 or "", instance=instance.ed25519 or "")
    due = duties(records, now, here, await _received(session, scope))
    quiet: list[Signed] = []
    for duty in due:
        signer = collective if duty.signer == "collective" else instance
        signed = home.sign(signer, duty.type, scope.name, now.replace(microsecond=0), **duty.fields)
        await ledger.append(session, scope, [signed], {}, now)
        if duty.type in READABLE:
            ends = _end(records, duty)
            await publish_note(
                session, home, scope, collective, signed, {}, READABLE[duty.type], now, featured_until=ends
            )
        else:
            quiet.append(signed)
        log(session, f"{duty.type} signed", now, scope=scope.name)
    if quiet:
        await publish_quietly(session, home, scope, quiet, {}, now)
    return len(due)


def _end(records: list[Record], duty: Duty) -> datetime | None:
    """A round is featured until its voting closes."""
    offer = next(r for r in records if r.type == "Offer")
    return instant(offer["closesAt"]) if duty.type == "Terms" else None


async def _received(session: AsyncSession, scope: Scope) -> dict[str, datetime]:
    """When each record that a keeper gives receipts for came to be held here."""
    query = select(RecordRow.digest, RecordRow.received_at).where(
        RecordRow.scope_id == scope.id, RecordRow.type.in_(("Ballot", "Leave", "Challenge"))
    )
    return {row.digest: row.received_at for row in (await session.execute(query)).all()}
