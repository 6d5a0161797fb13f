"""What all documents of ours share: contexts, namespace, and how records are carried.

Contexts are written out inline and are always a list: some servers cannot load one, and some compare
it with the one in a proof.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from activitypub.codec import AS2, MAX_RECORDS, RECORD, TEXTS

Json = dict[str, Any]

NAMESPACE: Final = "https://w3id.org/jura/v1#"
IMPLEMENTS: Final = "https://w3id.org/jura/v1"
RFC_9421: Final = "https://datatracker.ietf.org/doc/html/rfc9421"
_OURS: Final = {
    "jura": NAMESPACE,
    RECORD: {"@id": RECORD, "@type": "@json"},
    TEXTS: {"@id": TEXTS, "@type": "@json"},
}
CONTEXT: Final = [
    AS2,
    {
        "Hashtag": "as:Hashtag",
        "sensitive": "as:sensitive",
        "toot": "http://joinmastodon.org/ns#",
        "votersCount": "toot:votersCount",
        "gts": "https://gotosocial.org/ns#",
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
        **_OURS,
    },
]
ACTOR_CONTEXT: Final = [
    AS2,
    "https://w3id.org/security/v1",
    "https://www.w3.org/ns/cid/v1",
    {
        "toot": "http://joinmastodon.org/ns#",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "lemmy": "https://join-lemmy.org/ns#",
        "postingRestrictedToMods": "lemmy:postingRestrictedToMods",
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "webfinger": {"@id": "https://purl.archive.org/socialweb/webfinger#webfinger"},
        "implements": {"@id": "https://w3id.org/fep/844e/implements", "@type": "@id", "@container": "@list"},
        **_OURS,
    },
]


def some(**values: Any) -> Json:
    """The properties that have a value."""
    return {key: value for key, value in values.items() if value is not None}


def carry(records: Sequence[Json], texts: Mapping[str, dict[str, str]] | None) -> Json:
    """The records (one plainly, several as a list) and the texts beside them; ValueError over 100."""
    if len(records) > MAX_RECORDS:
        raise ValueError(f"one object carries at most {MAX_RECORDS} records")
    carried: Json = {}
    if records:
        carried[RECORD] = records[0] if len(records) == 1 else list(records)
    if texts:
        carried[TEXTS] = dict(texts)
    return carried
