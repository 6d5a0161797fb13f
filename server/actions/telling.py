"""Telling the others: a record that can be read goes out as a Note or Question, one with nothing to read as part of an `Add`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models import follows, ledger, people
from models.ledger import Scope, Signed
from models.people import Actor
from models.rules.phrases import phrase
from models.rules.records import Record
from models.rules.refusals import NotFound
from models.rules.standing import Standing, standing
from server import translate, translate_records
from server.actions import outbox
from server.actions.languages import language_of
from server.home import Home


async def publish_note(
    session: AsyncSession,
    home: Home,
    scope: Scope,
    carrier: Actor,
    signed: Signed,
    texts: dict[str, dict[str, Any]],
    kind: str,
    now: datetime,
    *,
    featured_until: datetime | None = None,
) -> None:
    """A record that people can read goes out as a Note or Question: to participants, and to followers if public."""
    collective, _ = await us(session)
    known = ledger.as_carried(await ledger.texts(session, scope.id)) | texts
    to = [p.actor_uri for p in await ledger.participants(session, scope.id)]
    is_public = scope.visibility == "public"
    content = translate_records.Content(
        kind=kind,
        known=known,
        records=await ledger.records(session, scope.id, now),
        public=is_public,
        to=to,
        speaker=collective.name,
        language=await language_of(session),
    )
    body = translate_records.readable(home, carrier, collective, signed, texts, content, now)
    await outbox.keep_post(
        session,
        carrier,
        body,
        kind,
        now,
        is_public=is_public,
        scope=scope.name,
        digest=signed.record.digest,
        featured_until=featured_until,
        thread=scope.name,
    )
    inboxes = await outbox.audience_inboxes(session, scope, (collective, carrier), home.authority)
    activity = translate.create(home, body, signed.record.digest)
    await outbox.publish(
        session, home, carrier, activity, inboxes, now, is_public=is_public, scope=scope.name
    )
    if featured_until is not None and is_public:
        followers = await follows.follower_inboxes(session, carrier.id)
        pin = translate.pin(home, carrier, body["id"], signed.record.digest, now)
        await outbox.publish(session, home, carrier, pin, followers, now, is_public=True, scope=scope.name)


async def publish_quietly(
    session: AsyncSession,
    home: Home,
    scope: Scope,
    signed: Sequence[Signed],
    texts: dict[str, dict[str, Any]],
    now: datetime,
) -> None:
    """Records with nothing to read go out as one `Add` to the scope, to the participants."""
    collective, _ = await us(session)
    to = [p.actor_uri for p in await ledger.participants(session, scope.id)]
    activity = translate.add(home, collective, scope.name, signed, texts, to, now)
    inboxes = await outbox.participant_inboxes(session, scope, home.authority)
    await outbox.publish(session, home, collective, activity, inboxes, now, scope=scope.name)


async def us(session: AsyncSession) -> tuple[Actor, Actor]:
    """Our collective and our instance actor."""
    found = await people.ourselves(session)
    collective, instance = found.get("collective"), found.get("instance")
    if collective is None or instance is None:
        raise NotFound("founded", phrase("This instance has no collective yet: run `jura init`."))
    return collective, instance


async def offer_of(session: AsyncSession, scope: Scope, now: datetime) -> tuple[Record, list[Record]]:
    """The Offer of a decision and all its records; NotFound while the Offer is held back."""
    records = await ledger.records(session, scope.id, now)
    offer = next((r for r in records if r.digest == scope.name), None)
    if offer is None:
        raise NotFound("no-offer", phrase("This decision has not begun yet."))
    return offer, records


async def standing_of(session: AsyncSession, scope: Scope, now: datetime) -> Standing | None:
    """Where a decision stands; None while its Offer is held back, as it is where our own clock was put back since."""
    try:
        return standing(await ledger.records(session, scope.id, now), now)
    except NotFound:
        return None
