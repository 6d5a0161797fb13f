"""Convening a decision, answering one, withdrawing: what a collective says before the voting.

Each function is one act in the caller's transaction. Records are signed here, appended to the ledger and published; what
follows from them (terms, acks, receipts …) is `server.actions.keeping`'s business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger
from models.events import log
from models.ledger import Scope, Signed
from models.people import Actor
from models.rules.charters import PARAMETERS, Charter, Value, raised, says, told, too_little
from models.rules.methods import METHODS
from models.rules.phrases import phrase
from models.rules.records import instant, stamp
from models.rules.refusals import Conflict, Invalid, NotAllowed, TooLate
from server import translate
from server.actions import outbox
from server.actions.charters import charter_at
from server.actions.concerned import check_not_about
from server.actions.founding import KeyPair
from server.actions.languages import language_of
from server.actions.proposing import add_option
from server.actions.seating import seat_everybody
from server.actions.telling import offer_of, publish_quietly, us
from server.actions.texts import DETAILS_LENGTH, TITLE_LENGTH, Texts
from server.home import Home
from server.viewer import Viewer

MOST_INVITED = 49  # the receivers of an Offer look up so many


@dataclass(frozen=True)
class Plan:
    """What a convener chooses. Durations are lengths of phases; `gather` 0 opens at once (a decision of one's own). `is_fixed`: no
    proposal is added or changed in that time, as what is carried out afterwards stands beside it."""

    question: str
    details: str = ""
    method: str = "consent"
    proposals: Sequence[tuple[str, str]] = ()
    gather: timedelta = timedelta()
    window: timedelta = timedelta(hours=48)
    grace: timedelta = timedelta(hours=6)
    challenge: timedelta = timedelta(hours=48)
    max_wait: timedelta = timedelta(days=7)
    ratify: timedelta = timedelta(days=7)
    visibility: str = "public"
    options: str = "answering"
    takes: str = "binding"
    lang: str = "en"
    is_fixed: bool = False
    rule: dict[str, Any] = field(default_factory=dict)


DEFAULT_RULE = {
    "quorum": [1, 2],
    "collectives": [1, 2],
    "threshold": [1, 2],
    "base": "cast",
    "strict": True,
}
TIMES = [name for name, one in PARAMETERS.items() if one.kind == "time"]  # of a charter, and of a plan
MOST_OPTIONS = {name: method.options[1] for name, method in METHODS.items()}


async def convene(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    plan: Plan,
    invited: Sequence[Actor],
    keys: Sequence[KeyPair],
    now: datetime,
) -> Scope:
    """Open a decision: Offer, our own Answer and the first options; the invited are told. Our charter in force binds
    it, now and until its end, whatever the charter says later. Needs `convene`."""
    mandate = viewer.require("convene")
    check_plan(plan, invited, await charter_at(session, now))
    now = now.replace(microsecond=0)
    collective, instance = await us(session)
    texts = Texts(plan.lang)
    offer = _offer(home, collective, instance, plan, invited, texts, now)
    scope = Scope(
        name=offer.record.digest, kind="decision", visibility=plan.visibility, created_at=now, repair_at=now
    )
    session.add(scope)
    await session.flush()
    await ledger.append(session, scope, [offer], texts.carried, now)
    for actor in (collective, *invited):
        await ledger.add_participant(session, scope, actor.ed25519 or "", actor.uri, actor.authority)
    activity = translate.offer(home, collective, offer, texts.carried, [a.uri for a in invited], now)
    await outbox.publish(
        session, home, collective, activity, [a.inbox for a in invited], now, scope=scope.name
    )
    await _give_answer(session, home, scope, plan.takes, None, keys, now)
    for title, details in plan.proposals:
        await add_option(session, home, scope, collective, title, details, now, lang=plan.lang)
    log(session, "decision convened", now, actor=collective.uri, scope=scope.name, mandate_id=mandate.id)
    return scope


def check_plan(plan: Plan, invited: Sequence[Actor], charter: Charter) -> None:
    """Say per field what to mend in a plan, under this charter of ours."""
    wrong: dict[str, str] = {name: says(name, charter) for name in too_little(charter, _numbers(plan))}
    if not 3 <= len(plan.question.strip()) <= TITLE_LENGTH:
        wrong["question"] = phrase("Ask a question of 3 to {n} characters.", n=TITLE_LENGTH)
    if len(plan.details) > DETAILS_LENGTH:
        wrong["details"] = phrase("Keep the background under {n} characters.", n=DETAILS_LENGTH)
    if plan.method not in METHODS:
        wrong["method"] = phrase("Choose one of the methods offered.")
    elif len(plan.proposals) > MOST_OPTIONS[plan.method]:
        wrong["proposals"] = phrase("This method takes at most {n} proposals.", n=MOST_OPTIONS[plan.method])
    elif len(plan.proposals) < METHODS[plan.method].options[0] and not plan.gather:
        wrong["proposals"] = phrase(
            "This method needs at least {n}. Write them now, or leave time for others to add theirs.",
            n=METHODS[plan.method].options[0],
        )
    if any(not 1 <= len(title.strip()) <= TITLE_LENGTH for title, _ in plan.proposals):
        wrong["proposals"] = phrase("Give each proposal a title of at most {n} characters.", n=TITLE_LENGTH)
    if invited and plan.gather < timedelta(minutes=1):
        wrong["gather"] = phrase("Leave the invited collectives some time to answer.")
    if invited and plan.visibility == "collective":
        wrong["visibility"] = phrase(
            "A decision with other collectives is visible to all of them, or public."
        )
    if len(invited) > MOST_INVITED:
        wrong["invited"] = phrase("Invite at most {n} collectives.", n=MOST_INVITED)
    if any(actor.ed25519 is None or not actor.is_kin for actor in invited):
        wrong["invited"] = phrase("Only collectives that run Jura can take part in a joint decision.")
    if wrong:
        raise Invalid(wrong)


def as_chartered(plan: Plan, charter: Charter) -> Plan:
    """The plan, with as much of everything as the charter asks for."""
    said = told(raised(charter, _numbers(plan)))
    times: dict[str, Any] = {name: timedelta(seconds=said.pop(name)) for name in TIMES}
    return replace(plan, **times, rule=plan.rule | said)


def _numbers(plan: Plan) -> dict[str, Value]:
    """What a plan says of all that a charter speaks of."""
    rule = {**DEFAULT_RULE, **plan.rule}
    return {
        **{name: int(getattr(plan, name).total_seconds()) for name in TIMES},
        "quorum": (*rule["quorum"],),
        "threshold": (*rule["threshold"], int(rule["strict"])),
    }


def _offer(
    home: Home,
    collective: Actor,
    instance: Actor,
    plan: Plan,
    invited: Sequence[Actor],
    texts: Texts,
    now: datetime,
) -> Signed:
    opens = now + plan.gather
    ready = now if plan.is_fixed else opens
    fields: dict[str, Any] = {
        "question": texts.add(plan.question.strip()),
        "method": plan.method,
        "rule": {**DEFAULT_RULE, **plan.rule},
        "visibility": plan.visibility,
        "reveal": "open",
        "options": plan.options,
        "maxOptions": MOST_OPTIONS[plan.method],
        "gatherUntil": stamp(ready),
        "respondBy": stamp(ready),
        "opensAt": stamp(opens),
        "closesAt": stamp(opens + plan.window),
        "grace": int(plan.grace.total_seconds()),
        "challenge": int(plan.challenge.total_seconds()),
        "maxWait": int(max(plan.max_wait, plan.grace + plan.challenge).total_seconds()),
        "ratify": int(plan.ratify.total_seconds()),
        "receiptSlack": 600,
        "minCircle": 1,
        "maxKeepers": 15,
        "tie": "status-quo",
        "invited": sorted(a.ed25519 or "" for a in invited),
        "actor": collective.uri,
        "instance": instance.ed25519,
    }
    if plan.details.strip():
        fields["details"] = texts.add(plan.details.strip())
    return home.sign(collective, "Offer", None, now, **fields)


async def answer(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    scope: Scope,
    takes: str,
    ratify_by: datetime | None,
    keys: Sequence[KeyPair],
    now: datetime,
) -> None:
    """Our collective says how it takes part (binding, advisory, ratifies, declines). Once per round. Needs `convene`."""
    mandate = viewer.require("convene")
    now = now.replace(microsecond=0)
    collective, _ = await us(session)
    await ledger.locked_scope(session, scope.name)
    offer, records = await offer_of(session, scope, now)
    if now > instant(offer["respondBy"]):
        raise TooLate(
            "answer", phrase("The time to answer is over. Your collective can still follow this decision.")
        )
    if any(r.type == "Answer" and r.by == collective.ed25519 for r in records):
        raise Conflict("answered", phrase("Your collective has answered already."))
    if takes == "ratifies" and (ratify_by is None or ratify_by <= instant(offer["closesAt"])):
        raise Invalid({"ratify_by": phrase("Choose a day for your assembly after the voting closes.")})
    await _give_answer(session, home, scope, takes, ratify_by, keys, now)
    log(session, "offer answered", now, scope=scope.name, mandate_id=mandate.id, takes=takes)


async def _give_answer(
    session: AsyncSession,
    home: Home,
    scope: Scope,
    takes: str,
    ratify_by: datetime | None,
    keys: Sequence[KeyPair],
    now: datetime,
) -> None:
    collective, instance = await us(session)
    offer, _ = await offer_of(session, scope, now)
    texts = Texts(await language_of(session))  # names of circles, which the instance gave
    circles: list[dict[str, Any]] = []
    if takes != "declines":
        seated = await seat_everybody(session, home, scope, f"{scope.name}{collective.ed25519}", keys, now)
        circles = [
            {
                "key": circle.actor.ed25519,
                "name": texts.add(circle.actor.name),
                "size": len(sitting),
                "signature": home.sits_for(circle.actor, scope.name, collective.ed25519 or ""),
            }
            for circle, sitting in seated
        ]
    fields: dict[str, Any] = {"ratifyBy": stamp(ratify_by)} if takes == "ratifies" and ratify_by else {}
    signed = home.sign(
        collective,
        "Answer",
        scope.name,
        now,
        takes=takes,
        circles=circles,
        keeps=takes != "declines",
        instance=instance.ed25519,
        actor=collective.uri,
        round=1,
        **fields,
    )
    await ledger.append(session, scope, [signed], texts.carried, now)
    to = [p.actor_uri for p in await ledger.participants(session, scope.id)]
    activity = translate.answer(home, collective, offer, signed, texts.carried, to, now)
    inboxes = await outbox.participant_inboxes(session, scope, home.authority)
    await outbox.publish(session, home, collective, activity, inboxes, now, scope=scope.name)


async def withdraw(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, reason: str, now: datetime
) -> None:
    """The convener takes its offer back, before the voting opens. Needs `convene`, and somebody whom it is not about."""
    mandate = viewer.require("convene")
    await check_not_about(session, viewer, scope)
    now = now.replace(microsecond=0)
    collective, _ = await us(session)
    await ledger.locked_scope(session, scope.name)
    offer, _records = await offer_of(session, scope, now)
    if offer.by != collective.ed25519:
        raise NotAllowed("convener", phrase("Only the collective that convened a decision can withdraw it."))
    if now >= instant(offer["opensAt"]):
        raise TooLate("withdraw", phrase("The voting has opened: what is running runs to its end."))
    texts = Texts()
    fields = {"reason": texts.add(reason.strip())} if reason.strip() else {}
    signed = home.sign(collective, "Withdraw", scope.name, now, **fields)
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_quietly(session, home, scope, [signed], texts.carried, now)
    log(session, "offer withdrawn", now, scope=scope.name, mandate_id=mandate.id)
