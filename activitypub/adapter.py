"""All that we use of bovine, with types; no other module imports it.

What bovine does soundly: draft-cavage signing, AS2 collections, WebFinger answers, NodeInfo 2.0. Never
imported: its verifiers, its client, its JSON-LD and its parsers (they fetch, cache in files, or believe
the stranger). A test holds this module to that list.

Whatever we take of bovine, Python loads all of it, with readers of HTML and JSON-LD and a second
HTTP client: 22 MB and a fifth of a second. So it is loaded when the first of these functions is called, and
its base 58, which every record and every actor needs, is called here without it.
"""

from typing import TYPE_CHECKING, Any, cast

import based58
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub.later import later

if TYPE_CHECKING:
    from bovine import activitystreams, utils
    from bovine.crypto import http_signature, types
    from bovine.types import nodeinfo
else:
    activitystreams, utils = later("bovine.activitystreams"), later("bovine.utils")
    http_signature, types = later("bovine.crypto.http_signature"), later("bovine.crypto.types")
    nodeinfo = later("bovine.types.nodeinfo")

Json = dict[str, Any]


def base58(data: bytes) -> str:
    """Multibase base58-btc, with its leading z."""
    return f"z{based58.b58encode(data).decode('ascii')}"


def base58_bytes(text: str) -> bytes:
    """What `base58` encoded; ValueError for anything else. The work grows with the square of the length,
    so callers bound it first."""
    if not text.startswith("z"):
        raise ValueError("not base58")
    try:
        return based58.b58decode(text[1:].encode("ascii"))
    except ValueError as error:
        raise ValueError("not base58") from error


def cavage_signature(
    host: str, method: str, target: str, fields: list[tuple[str, str]], key_id: str, key: RSAPrivateKey
) -> str:
    """The value of the Signature header over (request-target), host and `fields`, in this order."""
    built = http_signature.build_signature(host, method, target)
    for name, value in fields:
        built = built.with_field(name, value)
    return cast(str, built.sign_for_http_draft(types.CryptographicSecret(key_id, key)))


def ordered_collection(collection_id: str, count: int | None, first: str | None) -> Json:
    """An OrderedCollection without items; bovine's context is for the caller to replace."""
    return cast(Json, activitystreams.OrderedCollection(id=collection_id, count=count, first=first).build())


def ordered_collection_page(page_id: str, items: list[Any], part_of: str, next_page: str | None) -> Json:
    """A page of one; bovine's context is for the caller to replace."""
    built = activitystreams.OrderedCollectionPage(id=page_id, items=items, part_of=part_of, next=next_page)
    return cast(Json, built.build())


def webfinger(subject: str, href: str) -> Json:
    """A JRD with the one self link that every server understands."""
    return cast(Json, utils.webfinger_response_json(subject, href))


def nodeinfo_20(name: str, version: str, *, users: int, posts: int, open_registrations: bool) -> Json:
    """NodeInfo 2.0, checked by bovine's model of the schema; ValueError for what does not fit it."""
    built = nodeinfo.NodeInfo(
        software={"name": name, "version": version},
        usage={"users": {"total": users}, "localPosts": posts},
        openRegistrations=open_registrations,
    )
    return cast(Json, built.model_dump(mode="json"))
