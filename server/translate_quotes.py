"""Answers to those who would quote a post of ours, and the stamps, as AS2 documents."""

import hashlib
from datetime import datetime
from typing import Any

from activitypub import quotes, vocabulary
from activitypub.addressing import direct
from models.people import Actor
from models.rules.records import stamp
from models.talk import Quote
from server.home import Home
from server.translate import activity_uri

Json = dict[str, Any]


def stamp_uri(home: Home, quoting: str, author: str, post: str) -> str:
    """The address of a stamp: one for each quoting post, its author and what it quotes."""
    return home.uri(f"stamps/{_digest(quoting, author, post)}")


def stamp_document(quote: Quote, speaker: Actor, post: str) -> Json:
    return quotes.stamp(quote.uri, speaker.uri, quote.quoting, post)


def answer_quote(home: Home, speaker: Actor, request: Json, stamp_at: str | None) -> Json:
    """Yes with the address of the stamp, or no; the request is repeated inside with plain ids."""
    to, uri = [request["actor"]], activity_uri(home, _digest("quote", request["id"]))
    if stamp_at is None:
        return quotes.with_terms(vocabulary.reject(uri, speaker.uri, request, to))
    return quotes.with_terms(vocabulary.accept(uri, speaker.uri, request, to, result=stamp_at))


def revoke_quote(home: Home, speaker: Actor, quote: Quote, now: datetime) -> Json:
    """The stamp is deleted."""
    uri = activity_uri(home, _digest("revoke", quote.uri, stamp(now)))
    gone = vocabulary.tombstone(quote.uri, "QuoteAuthorization", stamp(now))
    return quotes.with_terms(vocabulary.delete(uri, speaker.uri, gone, direct([quote.author]), stamp(now)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
