"""All that we use of bovine, with types; no other module imports it.

What bovine does soundly: draft-cavage signing, Ed25519 Multikeys, AS2 collections, WebFinger answers,
NodeInfo 2.0. Never imported: its verifiers, its client, its JSON-LD and its parsers (they fetch, cache
in files, or believe the stranger). A test holds this module to that list.
"""

from typing import Any, cast

from bovine.activitystreams import OrderedCollection, OrderedCollectionPage
from bovine.activitystreams.controller import Multikey
from bovine.crypto import multibase
from bovine.crypto.http_signature import build_signature
from bovine.crypto.types import CryptographicSecret
from bovine.types.nodeinfo import NodeInfo
from bovine.utils import webfinger_response_json
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Json = dict[str, Any]


def base58(data: bytes) -> str:
    """Multibase base58-btc, with its leading z."""
    return cast(str, multibase.multibase_58btc_encode(data))


def base58_bytes(text: str) -> bytes:
    """What `base58` encoded; ValueError for anything else. The work grows with the square of the length,
    so callers bound it first."""
    try:
        return cast(bytes, multibase.multibase_decode(text))
    except (ValueError, IndexError, UnicodeError) as error:
        raise ValueError("not base58") from error


def multikey(public: Ed25519PublicKey) -> str:
    """z6Mk…, the Multikey form of an Ed25519 public key (FEP-521a)."""
    return cast(str, multibase.encode_public_key_to_multibase(public))


def multikey_object(key_id: str, controller: str, public_multibase: str) -> Json:
    """The key as it stands in an actor's `assertionMethod`, without a context of its own."""
    built = Multikey(id=key_id, controller=controller, multibase=public_multibase)
    return cast(Json, built.build(include_context=False))


def cavage_signature(
    host: str, method: str, target: str, fields: list[tuple[str, str]], key_id: str, key: RSAPrivateKey
) -> str:
    """The value of the Signature header over (request-target), host and `fields`, in this order."""
    built = build_signature(host, method, target)
    for name, value in fields:
        built = built.with_field(name, value)
    return cast(str, built.sign_for_http_draft(CryptographicSecret(key_id, key)))


def ordered_collection(collection_id: str, count: int | None, first: str | None) -> Json:
    """An OrderedCollection without items; bovine's context is for the caller to replace."""
    return cast(Json, OrderedCollection(id=collection_id, count=count, first=first).build())


def ordered_collection_page(page_id: str, items: list[Any], part_of: str, next_page: str | None) -> Json:
    """A page of one; bovine's context is for the caller to replace."""
    built = OrderedCollectionPage(id=page_id, items=items, part_of=part_of, next=next_page)
    return cast(Json, built.build())


def webfinger(subject: str, href: str) -> Json:
    """A JRD with the one self link that every server understands."""
    return cast(Json, webfinger_response_json(subject, href))


def nodeinfo_20(name: str, version: str, *, users: int, posts: int, open_registrations: bool) -> Json:
    """NodeInfo 2.0, checked by bovine's model of the schema; ValueError for what does not fit it."""
    built = NodeInfo(
        software={"name": name, "version": version},
        usage={"users": {"total": users}, "localPosts": posts},
        openRegistrations=open_registrations,
    )
    return cast(Json, built.model_dump(mode="json"))
