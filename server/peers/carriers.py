"""Activities that carry records: offers, answers, what circles and collectives publish, quiet additions to a scope.

Whatever carries them, each record is verified by its own proof; the carrier only has to take part in the scope.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.errors import Forbidden, WireError
from models import ledger, people
from models.ledger import Signed
from models.people import Actor
from models.rules.records import Record
from server import remote
from server.actions import hearing
from server.home import Home
from server.keys import DATABASE
from server.peers.received import DONE, IGNORED, Received, Word

MOST_INVITED: Final = 50
ASKED_AT_ONCE: Final = 8
ASKING_SECONDS: Final = 60.0
SALT: Final = re.compile(r"[0-9a-f]{32}")
LANG: Final = re.compile(r"[A-Za-z0-9-]{1,35}")
TEXT_LENGTH: Final = 40_000  # longer texts are not kept; their digest stays in the record


@dataclass(frozen=True)
class Carried:
    """Verified records, the texts that they name, and of an Offer the actors it invites."""

    signed: list[Signed]
    texts: dict[str, dict[str, Any]]
    invited: tuple[Actor, ...] = ()


def carried(item: Received) -> Carried:
    """The records that an activity brings; NotAuthentic or BadRecord for the first that is not one."""
    signed = hearing.verified(item.activity.records)
    return Carried(signed, texts_named([s.record for s in signed], item.activity.texts))


def texts_named(
    records: Iterable[Record], texts: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Of these texts, those that the records name, if they have the form that texts have and no absurd length."""
    named = {digest for record in records for digest in record.texts()}
    return {digest: dict(text) for digest, text in texts.items() if digest in named and _has_form(text)}


def _has_form(text: Mapping[str, Any]) -> bool:
    salt, words, lang = text.get("salt"), text.get("text"), text.get("lang")
    return (
        isinstance(salt, str)
        and SALT.fullmatch(salt) is not None
        and isinstance(words, str)
        and len(words) <= TEXT_LENGTH
        and (lang is None or (isinstance(lang, str) and LANG.fullmatch(lang) is not None))
    )


async def check_create(_app: web.Application, item: Received) -> Carried:
    """A Note or Question of the signer's own. Without records (replies, votes) it means nothing here yet."""
    for thing in item.activity.things:
        item.require_owner(thing.owner)
        if thing.id is not None:
            item.require_own_server(thing.id)
    return carried(item)


async def check_add(_app: web.Application, item: Received) -> Carried:
    """Records for a scope, put into its collection at the signer's server."""
    item.require_own_server(item.activity.target)
    for thing in item.activity.things:
        if thing.owner is not None:
            item.require_owner(thing.owner)
    return carried(item)


async def check_answer(_app: web.Application, item: Received) -> Carried:
    """An answer to an offer, which only the collective that gives it can sign. (We follow nobody yet.)"""
    found = carried(item)
    if any(s.record.type != "Answer" or s.record.by != item.signer.ed25519 for s in found.signed):
        raise Forbidden("foreign-answer", "The answer is not by the collective that sends it.")
    return found


async def check_offer(app: web.Application, item: Received) -> Carried:
    """An invitation by the convening collective. If it is for us and new, the other invited actors are looked up."""
    found = carried(item)
    offers = [s.record for s in found.signed if s.record.type == "Offer"]
    for offer in offers:
        if offer.by != item.signer.ed25519 or offer["actor"] != item.signer.uri:
            raise Forbidden("foreign-offer", "The offer is not by the collective that sends it.")
    for thing in item.activity.things:
        item.require_owner(thing.owner)
    if len(offers) != 1 or not await _is_news(app, offers[0]):
        return found
    invited = await _looked_up(app, item.activity.to[:MOST_INVITED])
    return Carried(found.signed, found.texts, tuple(a for a in invited if a.ed25519 in offers[0]["invited"]))


async def on_carried(
    session: AsyncSession, home: Home, item: Received, checked: Carried, now: datetime
) -> Word:
    """Take the records in; `ignored` if there are none, or none that we did not hold, or for no scope of ours."""
    fresh = await hearing.take_in(
        session, home, checked.signed, checked.texts, item.signer.authority, now, checked.invited
    )
    return DONE if fresh else IGNORED


async def _is_news(app: web.Application, offer: Record) -> bool:
    """Does this offer invite us, for the first time?"""
    async with app[DATABASE].READ() as session:
        collective = await people.local_actor(session, "collective")
        known = await ledger.scope_named(session, offer.digest)
    return known is None and collective is not None and collective.ed25519 in offer["invited"]


async def _looked_up(app: web.Application, uris: tuple[str, ...]) -> list[Actor]:
    """Those of the actors that can be had now. The others become known by their answers."""
    places = asyncio.Semaphore(ASKED_AT_ONCE)

    async def one(uri: str) -> Actor | None:
        try:
            async with places, asyncio.timeout(ASKING_SECONDS):
                return await remote.remote_actor(app, uri)
        except (WireError, TimeoutError):
            return None

    return [actor for actor in await asyncio.gather(*map(one, uris)) if actor is not None]
