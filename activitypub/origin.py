"""Who may speak for what: origins and ownership as in FEP-fe34, coded once and used everywhere.

Two ids of one origin are kept by one server; an object belongs to the actor it names, and that actor has
to be of its origin. Nothing is fetched here: the documents are given.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from activitypub.codec import reference
from activitypub.errors import Malformed, NotAuthentic

Json = dict[str, Any]
Origin = tuple[str, str, int]

PORTS: Final = {"https": 443, "http": 80}
MAX_KEYS: Final = 10
# Where an actor lists keys, and how such a key names its owner and itself.
KEY_PROPERTIES: Final = {
    "publicKey": ("owner", "publicKeyPem"),
    "assertionMethod": ("controller", "publicKeyMultibase"),
}


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A public key that an actor's document lists: its id, its owner, and PEM or Multikey text."""

    id: str
    owner: str
    text: str


@lru_cache(maxsize=1_000)
def origin(uri: str) -> Origin:
    """Scheme, host and port of an http(s) URI, lower case and filled in; Malformed for any other."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise Malformed("bad-uri", "This is not an http or https URI.") from error
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc or "\\" in uri:
        raise Malformed("bad-uri", "This is not an http or https URI.")
    return parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port


def same_origin(one: str, other: str) -> bool:
    """Whether both are http(s) URIs of one origin."""
    try:
        return origin(one) == origin(other)
    except Malformed:
        return False


def owner_of(document: Json) -> str | None:
    """The actor that a document says it belongs to, or None if it names none or several.

    An actor owns itself; an activity belongs to its `actor`, an object to its `attributedTo`, a key to
    its `owner` or `controller`.
    """
    if "inbox" in document:
        return reference(document.get("id"))
    for name in ("actor", "attributedTo", "owner", "controller"):
        if name in document:
            return reference(document[name])
    return None


def owns(actor: str, document: Json) -> bool:
    """Whether `actor` may speak for the document: it names this actor and has an id of its origin."""
    name = reference(document.get("id"))
    return name is not None and owner_of(document) == actor and same_origin(name, actor)


def key_owner(actor_document: Json, key_id: str) -> str:
    """The actor's id, if its document lists the key as its own; else NotAuthentic.

    The document is one fetched from its own id. Actor and key have to be of one origin, and the key's
    owner this very actor: a key document alone proves nothing.
    """
    return signing_key(actor_document, key_id).owner


def signing_key(actor_document: Json, key_id: str) -> ListedKey:
    """The request-signing key `key_id` (PEM) as the actor lists it, under the rules of `key_owner`."""
    return _listed(actor_document, "publicKey", key_id)


def assertion_key(actor_document: Json, key_id: str) -> ListedKey:
    """The document-signing key `key_id` (Multikey) as the actor lists it, under the same rules."""
    return _listed(actor_document, "assertionMethod", key_id)


def own_keys(actor_document: Json, property_: str) -> tuple[ListedKey, ...]:
    """All keys under "publicKey" or "assertionMethod" that the actor lists as its own, at most ten."""
    actor = reference(actor_document.get("id"))
    owner, text = KEY_PROPERTIES[property_]
    value = actor_document.get(property_)
    return tuple(
        ListedKey(key["id"], actor, key[text])
        for key in (value if isinstance(value, list) else [value])[:MAX_KEYS]
        if actor is not None
        and isinstance(key, dict)
        and all(isinstance(key.get(name), str) for name in ("id", owner, text))
        and key[owner] == actor
        and same_origin(key["id"], actor)
    )


def _listed(actor_document: Json, property_: str, key_id: str) -> ListedKey:
    for key in own_keys(actor_document, property_):
        if key.id == key_id:
            return key
    raise NotAuthentic("not-their-key", "The actor does not list this key as its own.")
