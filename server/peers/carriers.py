"""Activities that carry records: offers, answers, what circles and collectives publish, quiet additions to a scope.

Whatever carries them, each record is verified by its own proof; the carrier only has to take part in the scope.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from activitypub.errors import Forbidden, WireError
from activitypub.sites import site_of
from models import ledger, people
from models.ledger import Signed
from models.people import Actor
from models.rules import records
from models.rules.records import BadRecord, Record
from server import fetching, remote
from server.actions import hearing
from server.actions.hearing import Brought
from server.home import Home
from server.keys import CLOCK, DATABASE
from server.peers.received import DONE, IGNORED, Received, Word
from server.together import Together

MOST_INVITED: Final = 50
ASKED_AT_ONCE: Final = 8
ASKED_TOGETHER: Final = 32
FEW: Final = 4
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


async def carried(app: web.Application, item: Received) -> Carried:
    """The records that an activity brings for scopes that we know; NotAuthentic or BadRecord for the first that is not a proved
    one. Of who takes no part in such a scope only the Answer that says where it lives is looked at; Forbidden without one."""
    named = [(scope_named(document), document) for document in item.activity.records]
    names = {name for name, _ in named if name is not None}
    known = await app[SCOPES].ask(names) if names else {}
    strange = {name for name, authorities in known.items() if item.signer.authority not in authorities}
    answered = {name for name, document in named if name in strange and _is_own_answer(item, document)}
    if strange != answered:
        raise Forbidden("participant", "Only participants put records into a scope.")
    heard = known.keys() - strange
    return await _verified(
        item, [d for name, d in named if name in heard or (name in answered and _is_own_answer(item, d))]
    )


def _is_own_answer(item: Received, document: codec.Json) -> bool:
    return document.get("type") == "Answer" and document.get("actor") == item.signer.uri


Known = Together[set[str], dict[str, set[str]]]
SCOPES: web.AppKey[Known] = web.AppKey("known scopes", Together)


def know_scopes(app: web.Application) -> Known:
    """What answers which of some scopes are known here, and who takes part in them."""

    async def look_up(asked: Sequence[set[str]]) -> list[dict[str, set[str]]]:
        async with app[DATABASE].READ() as session:
            known = await ledger.known_scopes(session, set().union(*asked))
        return [{name: known[name] for name in names if name in known} for names in asked]

    return Together(look_up, ASKED_TOGETHER)


def scope_named(document: codec.Json) -> str | None:
    """The scope that a record says it belongs to; an Offer names its own."""
    if document.get("type") == "Offer":
        try:
            return records.digest(document)
        except BadRecord:
            return None
    scope = document.get("scope")
    return scope if isinstance(scope, str) else None


async def _verified(item: Received, documents: list[codec.Json]) -> Carried:
    few = len(documents) <= FEW  # these are verified here sooner than on the way to a thread
    signed = hearing.verified(documents) if few else await asyncio.to_thread(hearing.verified, documents)
    return Carried(signed, texts_named([s.record for s in signed], item.activity.texts))


def texts_named(
    signed: Iterable[Record], texts: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Of these texts, those that the records name, if they have the form that texts have and no absurd length."""
    named = {digest for record in signed for digest in record.texts()}
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


async def check_create(app: web.Application, item: Received) -> Carried:
    """A Note or Question of the signer's own. Without records (replies, votes) it means nothing here yet."""
    for thing in item.activity.things:
        item.require_owner(thing.owner)
        if thing.id is not None:
            item.require_own_server(thing.id)
    return await carried(app, item)


async def check_add(app: web.Application, item: Received) -> Carried:
    """Records for a scope, put into its collection at the signer's server."""
    item.require_own_server(item.activity.target)
    for thing in item.activity.things:
        if thing.owner is not None:
            item.require_owner(thing.owner)
    return await carried(app, item)


async def check_answer(app: web.Application, item: Received) -> Carried:
    """An answer to an offer, which only the collective that gives it can sign. (We follow nobody yet.)"""
    found = await carried(app, item)
    if any(s.record.type != "Answer" or s.record.by != item.signer.ed25519 for s in found.signed):
        raise Forbidden("foreign-answer", "The answer is not by the collective that sends it.")
    return found


async def check_offer(app: web.Application, item: Received) -> Carried:
    """An invitation by the convening collective. If it is for us and new, the other invited actors are looked up."""
    for thing in item.activity.things:
        item.require_owner(thing.owner)
    offers = [document for document in item.activity.records if document.get("type") == "Offer"]
    found = await _verified(item, offers[:1])
    if not found.signed:
        return found
    offer = found.signed[0].record
    if len(offers) > 1 or offer.by != item.signer.ed25519 or offer["actor"] != item.signer.uri:
        raise Forbidden("foreign-offer", "The offer is not one by the collective that sends it.")
    if not await _is_news(app, offer):
        return found
    async with app[DATABASE].READ() as session:
        await hearing.check_offers(session, item.signer.authority, app[CLOCK].now())
    with app[fetching.WORKER].place(item.signer.uri):
        invited = await _looked_up(app, item.activity.to[:MOST_INVITED], site_of(item.signer.authority))
    return Carried(found.signed, found.texts, tuple(a for a in invited if a.ed25519 in offer["invited"]))


async def on_carried(
    session: AsyncSession, _home: Home, items: Sequence[tuple[Received, Carried]], now: datetime
) -> list[Word]:
    """Take the records in; `ignored` if there are none, or none that we did not hold, or for no scope of ours."""
    brought = [
        Brought(checked.signed, checked.texts, item.signer.authority, checked.invited)
        for item, checked in items
    ]
    return [DONE if fresh else IGNORED for fresh in await hearing.take_in_all(session, brought, now)]


async def _is_news(app: web.Application, offer: Record) -> bool:
    """Does this offer invite us, for the first time?"""
    async with app[DATABASE].READ() as session:
        collective = await people.local_actor(session, "collective")
        known = await ledger.scope_named(session, offer.digest)
    return known is None and collective is not None and collective.ed25519 in offer["invited"]


async def _looked_up(app: web.Application, uris: tuple[str, ...], named_by: str) -> list[Actor]:
    """Those of the actors that can be had now. The others become known by their answers."""
    places = asyncio.Semaphore(ASKED_AT_ONCE)

    async def one(uri: str) -> Actor | None:
        try:
            async with places, asyncio.timeout(ASKING_SECONDS):
                return await remote.remote_actor(app, uri, named_by=named_by)
        except (WireError, TimeoutError):
            return None

    return [actor for actor in await asyncio.gather(*map(one, uris)) if actor is not None]
