"""Changing the keys that sign requests. The key before signs what announces the new one, until everybody was told.

Ed25519 keys never change: in records the key is the identity.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import keypairs
from models import follows, people
from models.events import log
from models.ledger import Participant
from models.people import Actor
from server import translate
from server.actions import outbox
from server.actions.images import icon_of
from server.actions.languages import language_of
from server.home import Home


@dataclass(frozen=True)
class RequestKey:
    """A fresh RSA key. Made outside a transaction: it takes its time."""

    private: bytes
    pem: str


def make_request_key() -> RequestKey:
    key = keypairs.generate_rsa()
    return RequestKey(keypairs.private_bytes(key), keypairs.pem(key.public_key()))


async def actors_with_keys(session: AsyncSession) -> Sequence[Actor]:
    """Our own actors that are not gone."""
    query = select(Actor).where(
        Actor.kind != "remote", Actor.gone_at.is_(None), Actor.private_rsa.is_not(None)
    )
    return (await session.scalars(query.order_by(Actor.id))).all()


async def rotate_keys(
    session: AsyncSession, home: Home, keys: Mapping[int, RequestKey], now: datetime
) -> int:
    """Each of our actors for whom there is a key signs requests with it from now on; followers and participants are told.
    Returns how many changed."""
    actors = [actor for actor in await actors_with_keys(session) if actor.id in keys]
    participants = await _participants(session, home)
    for actor in actors:
        actor.previous_rsa, actor.private_rsa = actor.private_rsa, home.seal(keys[actor.id].private)
        actor.rsa_pem, actor.rotated_at = keys[actor.id].pem, now
    await session.flush()
    for actor in actors:
        inboxes = {*await follows.follower_inboxes(session, actor.id)}
        inboxes |= set() if actor.kind == "member" else participants
        if inboxes:
            await _announce(session, home, actor, sorted(inboxes), now)
        else:
            actor.previous_rsa = None
    log(session, "request keys changed", now, actors=len(actors))
    return len(actors)


async def _announce(
    session: AsyncSession, home: Home, actor: Actor, inboxes: Sequence[str], now: datetime
) -> None:
    is_collective = actor.kind == "collective"
    members = await people.member_count(session) if is_collective else None
    icon = await icon_of(session, home) if is_collective else None
    document = translate.actor_document(home, actor, members, icon, await language_of(session))
    changed = translate.changed_actor(home, actor, document, secrets.token_hex(8), now)
    await outbox.publish(session, home, actor, changed, inboxes, now)


async def _participants(session: AsyncSession, home: Home) -> set[str]:
    """Where the collectives live with which we decided, or decide."""
    uris = select(Participant.actor_uri).where(Participant.authority != home.authority).distinct()
    rows = (await session.scalars(select(Actor).where(Actor.uri.in_(uris), Actor.gone_at.is_(None)))).all()
    return {actor.shared_inbox or actor.inbox for actor in rows}
