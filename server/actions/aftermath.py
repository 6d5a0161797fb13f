"""What is said after the voting: ratifying, leaving, a late objection; and removing a text.

Like all acts: signed, appended, published in the caller's transaction; what they mean is computed by the rules.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger
from models.events import log
from models.ledger import Scope
from models.rules.methods import REASON_AT_LEAST
from models.rules.phrases import phrase
from models.rules.records import Record
from models.rules.refusals import Conflict, Invalid, NotFound, TooEarly, TooLate
from models.rules.standing import Standing, standing
from server.actions import redaction
from server.actions.balloting import REASON_AT_MOST, seat
from server.actions.concerned import check_not_about
from server.actions.telling import publish_quietly, us
from server.actions.texts import Texts
from server.home import Home
from server.viewer import Viewer

CODES = ("personal", "unlawful", "mistake", "other")


async def _view(session: AsyncSession, scope: Scope, now: datetime) -> tuple[Standing, Record]:
    """The standing and its terms; NotFound if no round has begun."""
    view = standing(await ledger.records(session, scope.id, now), now)
    if view.terms is None:
        raise NotFound("no-terms", phrase("This decision has no round yet."))
    return view, view.terms


async def ratify(session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, now: datetime) -> None:
    """Our collective's assembly said yes: from now on the outcome binds us. Needs `convene`."""
    mandate = viewer.require("convene")
    await ledger.locked_scope(session, scope.name)
    collective, _ = await us(session)
    view, terms = await _view(session, scope, now)
    ours = next((row for row in view.collectives if row.collective == collective.ed25519), None)
    if ours is None or ours.status not in ("ratifying", "not-bound", "open"):
        raise Conflict("nothing-to-ratify", phrase("There is nothing here for your collective to ratify."))
    if ours.status == "open":
        raise TooEarly("ratify", phrase("Wait until the result is final; then your assembly can ratify it."))
    if ours.status == "not-bound":
        raise TooLate(
            "ratify", phrase("The time to ratify is over. To join in after all, convene a new decision.")
        )
    at = now.replace(microsecond=0)
    signed = home.sign(collective, "Ratify", scope.name, at, terms=terms.digest)
    await ledger.append(session, scope, [signed], {}, now)
    await publish_quietly(session, home, scope, [signed], {}, at)
    log(session, "outcome ratified", now, scope=scope.name, mandate_id=mandate.id)


async def leave(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, reason: str, now: datetime
) -> None:
    """Our collective leaves the running round: later ballots of its circles are not counted. Needs `convene`."""
    mandate = viewer.require("convene")
    await ledger.locked_scope(session, scope.name)
    collective, _ = await us(session)
    view, _terms = await _view(session, scope, now)
    if view.state not in ("deliberating", "voting"):
        raise TooLate(
            "leave", phrase("The voting is over: what was said stands. Nobody can leave it afterwards.")
        )
    if collective.ed25519 not in view.answers or any(
        row.left for row in view.collectives if row.collective == collective.ed25519
    ):
        raise Conflict("not-in", phrase("Your collective takes no part in this decision."))
    _check_length(reason)
    at, texts = now.replace(microsecond=0), Texts()
    fields = {"reason": texts.add(reason.strip())} if reason.strip() else {}
    signed = home.sign(collective, "Leave", scope.name, at, **fields)
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_quietly(session, home, scope, [signed], texts.carried, at)
    log(session, "round left", now, scope=scope.name, mandate_id=mandate.id)


async def object_afterwards(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, reason: str, now: datetime
) -> None:
    """A circle that was not heard objects to what those heard adopted. Any of its members may say so, in its name."""
    _member, circle = await seat(session, viewer, scope)
    await ledger.locked_scope(session, scope.name)
    view, terms = await _view(session, scope, now)
    entry = view.entry(circle.actor.ed25519 or "")
    if entry is None or entry.status != "unheard" or view.state not in ("heard", "provisional"):
        raise Conflict("heard", phrase("Only a circle that was not heard can object now."))
    if len(reason.strip()) < REASON_AT_LEAST:
        raise Invalid(
            {
                "reason": phrase(
                    "Give your reason, in at least {n} characters.",
                    n=REASON_AT_LEAST,
                )
            }
        )
    _check_length(reason)
    at, texts = now.replace(microsecond=0), Texts()
    signed = home.sign(
        circle.actor, "Objection", scope.name, at, terms=terms.digest, reason=texts.add(reason.strip())
    )
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_quietly(session, home, scope, [signed], texts.carried, at)
    log(session, "objection raised", now, scope=scope.name)


def _check_length(reason: str) -> None:
    if len(reason) > REASON_AT_MOST:
        raise Invalid({"reason": phrase("Keep it under {n} characters.", n=REASON_AT_MOST)})


async def redact(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, text: str, code: str, now: datetime
) -> None:
    """Remove a text that our collective or its circles wrote: here, and by a signed Redact everywhere. Needs `moderate`,
    and somebody whom the decision is not about.

    Proofs and counts stay valid. What others copied elsewhere cannot be called back.
    """
    mandate = viewer.require("moderate")
    await check_not_about(session, viewer, scope)
    if code not in CODES:
        raise Invalid({"cause": phrase("Choose why the text is removed.")})
    await ledger.locked_scope(session, scope.name)
    collective, _ = await us(session)
    found = (await ledger.texts(session, scope.id, [text])).get(text)
    if found is None or found.text is None:
        raise NotFound("text", phrase("There is no such text here, or it was removed already."))
    at = now.replace(microsecond=0)
    signed = home.sign(collective, "Redact", scope.name, at, text=text, code=code)
    if not await ledger.may_redact(session, scope, signed.record):
        raise Conflict(
            "not-ours", phrase("Only the collective whose circle wrote a text can remove it. Ask them.")
        )
    words = found.text
    await ledger.append(session, scope, [signed], {}, now)
    await redaction.scrub(session, scope, {text: words}, now)
    await publish_quietly(session, home, scope, [signed], {}, at)
    log(session, "text removed", now, scope=scope.name, mandate_id=mandate.id, code=code)
