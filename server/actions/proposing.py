"""Proposals before the voting: making one, changing one, taking a change in or declining it, and saying where a circle stands.

A circle's word here, as any proposal of it, is given by whoever sits in it; only ballots are confirmed by two thirds. What follows
from the records (which version is voted on) is `models.rules.proposals`; nothing is counted by support.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger
from models.events import log
from models.ledger import Scope
from models.people import Actor
from models.rules.methods import REASON_AT_LEAST
from models.rules.phrases import phrase, phrases
from models.rules.proposals import Amendment, Proposal
from models.rules.records import Record
from models.rules.refusals import Conflict, Invalid, NotAllowed, NotFound, TooLate
from models.rules.standing import standing
from models.rules.view import Standing
from server.actions.seating import circle_on_roll
from server.actions.telling import offer_of, publish_note, publish_quietly, us
from server.actions.texts import DETAILS_LENGTH, TITLE_LENGTH, Texts
from server.home import Home
from server.viewer import Viewer

MOST_AMENDMENTS: Final = 20  # by one circle, or one collective, in one decision
REASON_AT_MOST: Final = 5_000
CLOSED: Final = phrase("Proposals are closed. You can still vote on those that were made.")


@dataclass(frozen=True)
class Speaker:
    """In whose name a member speaks of proposals: their circle's, or the collective's under a mandate."""

    actor: Actor
    mandate: int | None = None


async def speakers(session: AsyncSession, viewer: Viewer, scope: Scope) -> Sequence[Speaker]:
    """In whose names this member can speak here: their circle, if they sit in one; the collective, if they hold `convene`."""
    circle = await circle_on_roll(session, scope, viewer.require_member())
    found = [Speaker(circle.actor)] if circle is not None else []
    if viewer.may("convene"):
        collective, _ = await us(session)
        found.append(Speaker(collective, viewer.require("convene").id))
    return found


async def propose(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, title: str, details: str, now: datetime
) -> None:
    """Add a proposal, in the name of the member's circle (or of the collective, by who holds `convene`)."""
    view, offer, now = await _gathering(session, viewer, scope, now)
    check_words(title, details)
    if len(view.proposals) >= offer["maxOptions"]:
        raise Conflict(
            "options",
            phrases(
                "There is {n} proposal already; more is not possible here.",
                "There are {n} proposals already; more is not possible here.",
                offer["maxOptions"],
            ),
        )
    speaker = _first(viewer, await speakers(session, viewer, scope))
    await add_option(session, home, scope, speaker.actor, title.strip(), details.strip(), now)
    log(session, "option added", now, scope=scope.name, mandate_id=speaker.mandate)


async def amend(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    scope: Scope,
    option: str,
    title: str,
    details: str,
    now: datetime,
) -> None:
    """Write another version of the proposal whose version in force is `option`. Its author's stands at once; anybody else's waits
    for the author."""
    view, _, now = await _gathering(session, viewer, scope, now)
    proposal = current(view, option)
    check_words(title, details)
    speaker = amending(viewer, await speakers(session, viewer, scope), proposal)
    texts = await ledger.texts(session, scope.id)
    before = proposal.option
    was = [texts[before[name]].text if before.get(name) in texts else None for name in ("title", "details")]
    if [title.strip(), details.strip() or None] == was:
        raise Invalid({"details": phrase("Change something: this is what the proposal says now.")})
    key = speaker.actor.ed25519
    records = await ledger.of_types(session, scope.id, ("Option",))
    if sum(one.by == key and one.get("amends") is not None for one in records) >= MOST_AMENDMENTS:
        raise Conflict(
            "amendments",
            phrase(
                "{name} has proposed {n} changes here; more is not possible.",
                name=speaker.actor.name,
                n=MOST_AMENDMENTS,
            ),
        )
    await add_option(
        session, home, scope, speaker.actor, title.strip(), details.strip(), now, amends=before.digest
    )
    log(session, "amendment made", now, scope=scope.name, mandate_id=speaker.mandate)


async def integrate(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, option: str, now: datetime
) -> None:
    """The author of a proposal takes this change in: from now on it is what is voted on. A second time changes nothing."""
    view, _, now = await _gathering(session, viewer, scope, now)
    if option in {version.digest for one in view.proposals for version in one.versions}:
        return
    amendment = waiting(view, option)
    if amendment.option["amends"] not in {one.digest for one in view.options}:
        raise Conflict(
            "not-current",
            phrase("The proposal has changed since this was written. Whoever wrote it can propose it anew."),
        )
    speaker = _author(await speakers(session, viewer, scope), amendment)
    signed = home.sign(speaker.actor, "Integrate", scope.name, now, option=option)
    await ledger.append(session, scope, [signed], {}, now)
    await publish_quietly(session, home, scope, [signed], {}, now)
    log(session, "amendment taken in", now, scope=scope.name, mandate_id=speaker.mandate)


async def decline(
    session: AsyncSession, home: Home, viewer: Viewer, scope: Scope, option: str, reason: str, now: datetime
) -> None:
    """The author of a proposal says why this change is not taken in. A second time changes nothing."""
    view, _, now = await _before_opening(session, viewer, scope, now)
    amendment = waiting(view, option)
    speaker = _author(await speakers(session, viewer, scope), amendment)
    if amendment.declined is not None:
        return
    _check_reason(reason)
    texts = Texts()
    signed = home.sign(
        speaker.actor, "Decline", scope.name, now, option=option, reason=texts.add(reason.strip())
    )
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_quietly(session, home, scope, [signed], texts.carried, now)
    log(session, "amendment declined", now, scope=scope.name, mandate_id=speaker.mandate)


async def support(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    scope: Scope,
    option: str,
    says: str,
    reason: str,
    now: datetime,
) -> None:
    """The member's circle says where it stands on this version of a proposal (support, concern, or none to take it back). What it
    says already is not said twice."""
    view, _, now = await _before_opening(session, viewer, scope, now)
    if option not in view.support:
        raise NotFound("option", phrase("There is no such proposal here."))
    circle = await circle_on_roll(session, scope, viewer.require_member())
    if circle is None:
        raise NotAllowed("seat", phrase("You sit in no circle of this decision."))
    key, said = circle.actor.ed25519 or "", reason.strip() if says != "none" else ""
    if says not in ("support", "concern", "none"):
        raise Invalid({"says": phrase("Choose one of these.")})
    if says == "concern" or said:
        _check_reason(said, least=REASON_AT_LEAST if says == "concern" else 1)
    if await _says_so_already(session, scope, view, option, key, (says, said)):
        return
    mine = [
        one["seq"]
        for one in await ledger.of_types(session, scope.id, ("Support",))
        if (one.by, one["option"]) == (key, option)
    ]
    texts = Texts()
    fields = {"reason": texts.add(said)} if said else {}
    seq = max(mine, default=0) + 1
    signed = home.sign(circle.actor, "Support", scope.name, now, option=option, says=says, seq=seq, **fields)
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_quietly(session, home, scope, [signed], texts.carried, now)
    log(session, "support given", now, scope=scope.name)


async def _says_so_already(
    session: AsyncSession, scope: Scope, view: Standing, option: str, circle: str, said: tuple[str, str]
) -> bool:
    backing = view.support[option]
    if circle in backing.set_aside:
        return False
    record = backing.support.get(circle) or backing.concern.get(circle)
    if record is None:
        return said[0] == "none"
    reason = (await ledger.texts(session, scope.id)).get(record.get("reason", ""))
    return (record["says"], (reason.text if reason else None) or "") == said


async def add_option(
    session: AsyncSession,
    home: Home,
    scope: Scope,
    author: Actor,
    title: str,
    details: str,
    now: datetime,
    *,
    lang: str = "",
    amends: str | None = None,
) -> None:
    """Sign an Option of ours, and tell of it."""
    collective, _ = await us(session)
    texts = Texts(lang)
    fields = {"title": texts.add(title)} | ({"details": texts.add(details)} if details else {})
    signed = home.sign(author, "Option", scope.name, now, round=1, amends=amends, **fields)
    await ledger.append(session, scope, [signed], texts.carried, now)
    await publish_note(session, home, scope, collective, signed, texts.carried, "option", now)


def check_words(title: str, details: str) -> None:
    """Say per field what to mend in a proposal."""
    wrong = {}
    if not 1 <= len(title.strip()) <= TITLE_LENGTH:
        wrong["title"] = phrase("Give the proposal a title of at most {n} characters.", n=TITLE_LENGTH)
    if len(details) > DETAILS_LENGTH:
        wrong["details"] = phrase(
            "Keep this under {most} characters; it has {has}.", most=DETAILS_LENGTH, has=len(details)
        )
    if wrong:
        raise Invalid(wrong)


def _check_reason(reason: str, least: int = REASON_AT_LEAST) -> None:
    if not least <= len(reason.strip()) <= REASON_AT_MOST:
        raise Invalid(
            {"reason": phrase("Say why, in {least} to {most} characters.", least=least, most=REASON_AT_MOST)}
        )


def current(view: Standing, option: str) -> Proposal:
    """The proposal whose version in force this is."""
    found = next((one for one in view.proposals if one.option.digest == option), None)
    if found is not None:
        return found
    if any(option == version.digest for one in view.proposals for version in one.versions):
        raise Conflict(
            "not-current", phrase("This proposal has changed meanwhile. Look at what it says now.")
        )
    raise NotFound("option", phrase("There is no such proposal here."))


def waiting(view: Standing, option: str) -> Amendment:
    """The change of this digest that is not taken in."""
    found = next((one for one in view.amendments if one.option.digest == option), None)
    if found is None:
        raise NotFound("option", phrase("There is no such change here."))
    return found


def amending(viewer: Viewer, possible: Sequence[Speaker], proposal: Proposal) -> Speaker:
    """In whose name a member changes this proposal: its author's if they can, so that it stands at once."""
    own = [one for one in possible if one.actor.ed25519 == proposal.author]
    return _first(viewer, own or possible)


def _first(viewer: Viewer, possible: Sequence[Speaker]) -> Speaker:
    if not possible:
        viewer.require("convene")
    return possible[0]


def _author(possible: Sequence[Speaker], amendment: Amendment) -> Speaker:
    for one in possible:
        if one.actor.ed25519 == amendment.first.by:
            return one
    raise NotAllowed("author", phrase("Only who made the proposal takes in a change of it, or declines it."))


async def _before_opening(
    session: AsyncSession, viewer: Viewer, scope: Scope, now: datetime
) -> tuple[Standing, Record, datetime]:
    """The decision as it stands, its Offer, and now to the second; TooLate once the voting has opened."""
    now = now.replace(microsecond=0)
    viewer.require_member()
    await ledger.locked_scope(session, scope.name)
    offer, records = await offer_of(session, scope, now)
    view = standing(records, now)
    if now >= view.opens or view.withdrawn is not None:
        raise TooLate("option", CLOSED)
    return view, offer, now


async def _gathering(
    session: AsyncSession, viewer: Viewer, scope: Scope, now: datetime
) -> tuple[Standing, Record, datetime]:
    """The same while proposals can be made and changed by our collective."""
    view, offer, now = await _before_opening(session, viewer, scope, now)
    if now >= view.times.gather_until:
        raise TooLate("option", CLOSED)
    collective, _ = await us(session)
    if offer["options"] == "convener" and offer.by != collective.ed25519:
        raise NotAllowed("options", phrase("In this decision only the convening collective adds proposals."))
    return view, offer, now
