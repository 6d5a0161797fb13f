"""Quotes (FEP-044f): the request for one, our answer to it, and the stamp that shows that we agreed."""

from typing import Any, Final

from activitypub.codec import AS2
from activitypub.shapes import CONTEXT

Json = dict[str, Any]

FEP: Final = "https://w3id.org/fep/044f#"
GTS: Final = "https://gotosocial.org/ns#"
TERMS: Final = {
    "QuoteRequest": f"{FEP}QuoteRequest",
    "QuoteAuthorization": f"{FEP}QuoteAuthorization",
    "gts": GTS,
    "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
    "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
}
QUOTES: Final = ("quote", "quoteUri", "quoteUrl", "_misskey_quote")  # how a post names what it quotes


def request(id: str, by: str, of: str, quoting: str) -> Json:
    """A request as it is repeated inside its answer, with plain ids."""
    return {"id": id, "type": "QuoteRequest", "actor": by, "object": of, "instrument": quoting}


def stamp(id: str, by: str, quoting: str, of: str) -> Json:
    """`by` agrees that the post `quoting` quotes its post `of`."""
    return {
        "@context": [AS2, TERMS],
        "id": id,
        "type": "QuoteAuthorization",
        "attributedTo": by,
        "interactingObject": quoting,
        "interactionTarget": of,
    }


def with_terms(activity: Json) -> Json:
    """An activity about a quote, with the words for it in its context."""
    return {**activity, "@context": [*CONTEXT, TERMS]}
