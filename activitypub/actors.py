"""Actors: our own described for others, and another server's document read.

What is read is a document fetched from its own id (`fetch.Fetcher.document`); of it we keep keys and
addresses that are its own. Nothing is fetched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict, Unpack

from activitypub.codec import RECORD, reference
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import ListedKey, own_keys, same_origin
from activitypub.shapes import ACTOR_CONTEXT, IMPLEMENTS, RFC_9421, carry, some

Json = dict[str, Any]

TYPES: Final = frozenset({"Person", "Service", "Group", "Organization", "Application"})
NAME_LIMIT: Final = 256
SUMMARY_LIMIT: Final = 20_000


class Profile(TypedDict):
    """What every actor tells of itself. `summary` and the values of `fields` (name, value) are HTML."""

    username: str
    name: str
    summary: str
    url: str
    published: str
    shared_inbox: str
    fields: NotRequired[Sequence[tuple[str, str]]]
    icon: NotRequired[Json]
    record: NotRequired[Json]
    discoverable: NotRequired[bool]
    inbox: NotRequired[str]


def request_key_id(actor: str) -> str:
    """The id of the RSA key by which an actor of ours signs requests."""
    return f"{actor}#main-key"


def assertion_key_id(actor: str) -> str:
    """The id of the Ed25519 key by which an actor of ours signs documents."""
    return f"{actor}#ed25519-key"


def group_actor(*, id: str, host: str, public_pem: str, multikey: str, **profile: Unpack[Profile]) -> Json:
    """A collective, a circle or a federation's feed, known as username@host.

    Discoverable unless `profile` says no. Servers of groups in Lemmy's sense are told that strangers do
    not post into it, and where they find who moderates it.
    """
    told: Profile = {"discoverable": True, **profile}
    return {
        **_actor("Group", id, host, public_pem, multikey, told),
        "followers": f"{id}/followers",
        "following": f"{id}/following",
        "featured": f"{id}/featured",
        "manuallyApprovesFollowers": False,
        "attributedTo": f"{id}/moderators",
        "postingRestrictedToMods": True,
    }


def person_actor(*, id: str, host: str, public_pem: str, multikey: str, **profile: Unpack[Profile]) -> Json:
    """A member who asked for an actor: not listed anywhere unless `profile` says so."""
    built = _actor("Person", id, host, public_pem, multikey, profile)
    return {**built, "followers": f"{id}/followers", "following": f"{id}/following"}


def application_actor(
    *, id: str, host: str, public_pem: str, multikey: str, **profile: Unpack[Profile]
) -> Json:
    """The instance itself, in whose name we fetch; nobody follows it."""
    return {
        **_actor("Application", id, host, public_pem, multikey, profile),
        "manuallyApprovesFollowers": True,
    }


def _actor(kind: str, id: str, host: str, public_pem: str, multikey: str, profile: Profile) -> Json:
    built: Json = {
        "@context": ACTOR_CONTEXT,
        "id": id,
        "type": kind,
        "preferredUsername": profile["username"],
        "webfinger": f"{profile['username']}@{host}",
        "name": profile["name"],
        "summary": profile["summary"],
        "url": profile["url"],
        "published": profile["published"],
        "inbox": profile.get("inbox", f"{id}/inbox"),
        "outbox": f"{id}/outbox",
        "endpoints": {"sharedInbox": profile["shared_inbox"]},
        "discoverable": profile.get("discoverable", False),
        "indexable": False,
        "attachment": [
            {"type": "PropertyValue", "name": name, "value": value}
            for name, value in profile.get("fields", ())
        ],
        "generator": {
            "type": "Application",
            "name": "jura",
            "implements": [
                {"type": "Link", "href": IMPLEMENTS, "name": "Jura decisions v1"},
                {"type": "Link", "href": RFC_9421, "name": "RFC 9421"},
            ],
        },
        "publicKey": {"id": request_key_id(id), "owner": id, "publicKeyPem": public_pem},
        "assertionMethod": [
            {
                "id": assertion_key_id(id),
                "type": "Multikey",
                "controller": id,
                "publicKeyMultibase": multikey,
            }
        ],
    }
    record = [profile["record"]] if "record" in profile else []
    return {**built, **some(icon=profile.get("icon")), **carry(record, None)}


@dataclass(frozen=True, slots=True)
class RemoteActor:
    """An actor as its own server describes it. `name` is plain text, `summary` a stranger's HTML.

    `kin` says that its server speaks our records; only a record's proof says that a record is true.
    """

    id: str
    type: str
    username: str
    name: str
    summary: str
    url: str | None
    inbox: str
    shared_inbox: str | None
    followers: str | None
    outbox: str | None
    signing_keys: tuple[ListedKey, ...]
    assertion_keys: tuple[ListedKey, ...]
    kin: bool
    raw: Json


def read_actor(document: Json) -> RemoteActor:
    """The actor in a decoded document; Malformed without id, known type, name or inbox, Forbidden if its
    inbox lies on another server. Other foreign addresses are left out, not believed."""
    name = reference(document.get("id"))
    kinds = document.get("type")
    kind = next((each for each in (kinds if isinstance(kinds, list) else [kinds]) if _known(each)), None)
    inbox, username = reference(document.get("inbox")), document.get("preferredUsername")
    if name is None or kind is None or inbox is None or not isinstance(username, str) or not username:
        raise Malformed("not-an-actor", "The document is not an actor with a name and an inbox.")
    if not same_origin(name, inbox):
        raise Forbidden("foreign-inbox", "The actor's inbox lies on another server.")
    endpoints = document.get("endpoints")
    shared = reference(endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else None
    return RemoteActor(
        id=name,
        type=kind,
        username=username[:NAME_LIMIT],
        name=_text(document.get("name"), NAME_LIMIT) or username[:NAME_LIMIT],
        summary=_text(document.get("summary"), SUMMARY_LIMIT),
        url=_own(name, _page(document.get("url"))),
        inbox=inbox,
        shared_inbox=_own(name, shared),
        followers=_own(name, reference(document.get("followers"))),
        outbox=_own(name, reference(document.get("outbox"))),
        signing_keys=own_keys(document, "publicKey"),
        assertion_keys=own_keys(document, "assertionMethod"),
        kin=_is_kin(document),
        raw=document,
    )


def _known(kind: Any) -> bool:
    return isinstance(kind, str) and kind in TYPES


def _text(value: Any, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""


def _page(value: Any) -> str | None:
    """The first address in `url`, which may be a string, a Link, or a list of these."""
    first = value[0] if isinstance(value, list) and value else value
    found = first.get("href") if isinstance(first, dict) else first
    return found if isinstance(found, str) else None


def _own(actor: str, uri: str | None) -> str | None:
    return uri if uri is not None and same_origin(actor, uri) else None


def _is_kin(document: Json) -> bool:
    generator = document.get("generator")
    said = generator.get("implements") if isinstance(generator, dict) else None
    listed = said if isinstance(said, list) else [said]
    names = (each.get("href") or each.get("id") if isinstance(each, dict) else each for each in listed)
    return RECORD in document or IMPLEMENTS in names
