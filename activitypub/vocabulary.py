"""The AS2 documents that we send, built from plain values: actors, objects, activities, collections.

One plain `type` each, `actor` and `attributedTo` one and the same string, `to` and `cc` equal on an
activity and its object, all meaning of ours in `jura:record` with its `jura:texts` beside it: what other
servers need so that nothing is silently dropped. No clock, no ids made up: the caller gives both.
Instants are strings like "2026-11-22T10:00:00Z".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict, Unpack

from activitypub import adapter
from activitypub.actors import Profile as Profile
from activitypub.actors import application_actor as application_actor
from activitypub.actors import assertion_key_id as assertion_key_id
from activitypub.actors import group_actor as group_actor
from activitypub.actors import person_actor as person_actor
from activitypub.actors import request_key_id as request_key_id
from activitypub.addressing import PUBLIC, Audience, direct, is_public
from activitypub.codec import Texts
from activitypub.shapes import ACTOR_CONTEXT as ACTOR_CONTEXT
from activitypub.shapes import CONTEXT as CONTEXT
from activitypub.shapes import carry, some

Json = dict[str, Any]

MAX_OPTIONS: Final = 4
QUOTABLE: Final = {"canQuote": {"automaticApproval": [PUBLIC]}}


class Text(TypedDict):
    """What every readable object has; the keywords of `note`."""

    id: str
    by: str
    content: str
    published: str
    audience: Audience
    records: NotRequired[Sequence[Json]]
    texts: NotRequired[Texts | None]
    in_reply_to: NotRequired[str | None]
    url: NotRequired[str | None]
    thread: NotRequired[str | None]
    replies: NotRequired[str | None]
    language: NotRequired[str | None]
    updated: NotRequired[str | None]
    tags: NotRequired[Sequence[Json]]
    attachments: NotRequired[Sequence[Json]]


def image(url: str, media_type: str, description: str) -> Json:
    """A picture as an actor's icon, with its text for those who do not see it."""
    return {"type": "Image", "mediaType": media_type, "url": url, "summary": description, "name": description}


def picture(url: str, media_type: str, description: str, width: int, height: int) -> Json:
    """A picture attached to a post. `name` is what those read who do not see it."""
    return {
        "type": "Document",
        "mediaType": media_type,
        "url": url,
        "name": description,
        "width": width,
        "height": height,
    }


# Objects: without @context, as they stand inside an activity; `alone` serves them by themselves


def alone(document: Json) -> Json:
    """The object as answered at its own address."""
    return {"@context": CONTEXT, **document}


def note(
    *,
    id: str,
    by: str,
    content: str,
    published: str,
    audience: Audience,
    records: Sequence[Json] = (),
    texts: Texts | None = None,
    in_reply_to: str | None = None,
    url: str | None = None,
    thread: str | None = None,
    replies: str | None = None,
    language: str | None = None,
    updated: str | None = None,
    tags: Sequence[Json] = (),
    attachments: Sequence[Json] = (),
) -> Json:
    """A readable text (HTML) with what it means for kin. Never a `name` (it would be read as a vote or
    a warning) and never a `summary` (it would hide the text). Everybody may quote what is public."""
    return {
        "id": id,
        "type": "Note",
        "attributedTo": by,
        "published": published,
        **_addressed(audience),
        "content": content,
        **({"contentMap": {language: content}} if language else {}),
        "sensitive": False,
        **some(inReplyTo=in_reply_to, url=url, context=thread, replies=replies, updated=updated),
        **({"tag": list(tags)} if tags else {}),
        **({"attachment": list(attachments)} if attachments else {}),
        **({"interactionPolicy": QUOTABLE} if is_public(audience) else {}),
        **carry(records, texts),
    }


def question(
    *,
    options: Sequence[tuple[str, int]],
    end_time: str,
    voters: int = 0,
    closed: str | None = None,
    multiple: bool = False,
    **text: Unpack[Text],
) -> Json:
    """A poll with two to four distinct options (name, votes so far); `text` as for `note`.

    Options and `end_time` never change under one id: servers would drop all votes. ValueError for
    options that some servers would not show.
    """
    names = [name.strip() for name, _ in options]
    if not 2 <= len(names) <= MAX_OPTIONS or len(set(names)) != len(names) or not all(names):
        raise ValueError("a poll has two to four distinct options")
    counted = [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
        for name, (_, votes) in zip(names, options, strict=True)
    ]
    return {
        **note(**text),
        "type": "Question",
        "anyOf" if multiple else "oneOf": counted,
        "endTime": end_time,
        "votersCount": voters,
        **some(closed=closed),
    }


def recounted(question: Json, votes: Mapping[str, int], voters: int, closed: str | None = None) -> Json:
    """A poll with new counts, by the names of its options; everything else as it was. `closed` ends it."""
    kind = "anyOf" if "anyOf" in question else "oneOf"
    counted = [
        {**option, "replies": {**option["replies"], "totalItems": votes.get(option["name"], 0)}}
        for option in question[kind]
    ]
    return {**question, kind: counted, "votersCount": voters, **some(closed=closed)}


def quiet_object(
    records: Sequence[Json],
    texts: Texts | None = None,
    *,
    id: str | None = None,
    by: str | None = None,
) -> Json:
    """Records with nothing to read: a plain AS2 Object around them."""
    return {"type": "Object", **some(id=id, attributedTo=by), **carry(records, texts)}


def tombstone(id: str, former_type: str, deleted: str | None = None) -> Json:
    """What stands where something was."""
    return {"id": id, "type": "Tombstone", "formerType": former_type, **some(deleted=deleted)}


def mention(actor: str, handle: str) -> Json:
    """The tag that notifies somebody; they also have to be addressed. `handle` is @name@host."""
    return {"type": "Mention", "href": actor, "name": handle}


def hashtag(href: str, name: str) -> Json:
    """The tag #name with its page."""
    return {"type": "Hashtag", "href": href, "name": f"#{name.removeprefix('#')}"}


# Activities


def create(id: str, document: Json) -> Json:
    """Publishes an object, in its owner's name and to its audience."""
    return _about(id, "Create", document, document["published"])


def update(id: str, document: Json, published: str) -> Json:
    """The whole object again as it is now; `id` is new each time."""
    return _about(id, "Update", document, published)


def update_actor(id: str, actor: Json, audience: Audience, published: str) -> Json:
    """An actor's own document again as it is now."""
    return _activity(
        id,
        "Update",
        actor["id"],
        audience,
        object={key: value for key, value in actor.items() if key != "@context"},
        published=published,
    ) | {"@context": ACTOR_CONTEXT}


def delete(id: str, by: str, gone: Json | str, audience: Audience, published: str) -> Json:
    """Takes an object back; `gone` is its tombstone, or the actor's own id."""
    return _activity(id, "Delete", by, audience, object=gone, published=published)


def add(id: str, by: str, document: Json | str, target: str, audience: Audience, published: str) -> Json:
    """Puts something into a collection of the actor's own: records into a scope, a pin into featured."""
    return _activity(id, "Add", by, audience, object=document, target=target, published=published)


def remove(id: str, by: str, document: Json | str, target: str, audience: Audience, published: str) -> Json:
    """Takes something out of a collection of the actor's own."""
    return _activity(id, "Remove", by, audience, object=document, target=target, published=published)


def announce(id: str, by: str, object_id: str, audience: Audience, published: str) -> Json:
    """Shows what somebody else published."""
    return _activity(id, "Announce", by, audience, object=object_id, published=published)


def follow(id: str, by: str, whom: str) -> Json:
    """Asks for what `whom` publishes."""
    return _activity(id, "Follow", by, direct([whom]), object=whom)


def flag(id: str, by: str, about: Sequence[str], comment: str) -> Json:
    """A report about an actor and posts of theirs. It is addressed to nobody: it goes to their server alone."""
    return {
        "@context": CONTEXT,
        "id": id,
        "type": "Flag",
        "actor": by,
        "object": list(about),
        "content": comment,
    }


def undo(id: str, activity: Json, audience: Audience, published: str) -> Json:
    """Takes back an activity of the same actor, repeated inside, as some servers kept no ids."""
    return _activity(id, "Undo", activity["actor"], audience, object=_inside(activity), published=published)


def offer(
    id: str,
    by: str,
    document: Json,
    audience: Audience,
    published: str,
    *,
    records: Sequence[Json] = (),
    texts: Texts | None = None,
) -> Json:
    """Invites to something: a joint decision, a mandate. Records may stand here or on the object."""
    built = _activity(id, "Offer", by, audience, object=document, published=published)
    return {**built, **carry(records, texts)}


def accept(
    id: str,
    by: str,
    answered: Json | str,
    to: Iterable[str],
    *,
    published: str | None = None,
    result: str | None = None,
    records: Sequence[Json] = (),
    texts: Texts | None = None,
) -> Json:
    """Yes to a Follow or an Offer, which is repeated inside: some servers match it by its content."""
    return _answer("Accept", id, by, answered, to, published, result, records, texts)


def reject(
    id: str,
    by: str,
    answered: Json | str,
    to: Iterable[str],
    *,
    published: str | None = None,
    records: Sequence[Json] = (),
    texts: Texts | None = None,
) -> Json:
    """No to a Follow or an Offer; after an Accept it takes that back."""
    return _answer("Reject", id, by, answered, to, published, None, records, texts)


# Collections


def ordered_collection(
    id: str,
    *,
    total: int | None = None,
    first: str | None = None,
    items: Sequence[Json | str] | None = None,
    by: str | None = None,
    record: Json | None = None,
) -> Json:
    """A collection: of followers only its size, of pins all items, of a scope its head as `record`."""
    built = adapter.ordered_collection(id, len(items) if items is not None else total, first)
    listed = {} if items is None else {"orderedItems": list(items)}
    return {
        **built,
        "@context": CONTEXT,
        **some(attributedTo=by),
        **listed,
        **carry([record] if record else [], None),
    }


def ordered_collection_page(
    id: str, part_of: str, items: Sequence[Json | str], next_page: str | None = None
) -> Json:
    """One page of a collection."""
    built = adapter.ordered_collection_page(id, list(items), part_of, next_page)
    return {**built, "@context": CONTEXT}


# Shared by all of them


def _activity(id: str, kind: str, by: str, audience: Audience, **rest: Any) -> Json:
    return {"@context": CONTEXT, "id": id, "type": kind, "actor": by, **_addressed(audience), **rest}


def _about(id: str, kind: str, document: Json, published: str) -> Json:
    audience = Audience(tuple(document["to"]), tuple(document.get("cc", ())))
    return _activity(
        id, kind, document["attributedTo"], audience, published=published, object=_inside(document)
    )


def _answer(
    kind: str,
    id: str,
    by: str,
    answered: Json | str,
    to: Iterable[str],
    published: str | None,
    result: str | None,
    records: Sequence[Json],
    texts: Texts | None,
) -> Json:
    inside = answered if isinstance(answered, str) else _inside(answered)
    built = _activity(id, kind, by, direct(to), object=inside)
    return {**built, **some(published=published, result=result), **carry(records, texts)}


def _inside(document: Json) -> Json:
    return {key: value for key, value in document.items() if key != "@context"}


def _addressed(audience: Audience) -> Json:
    return {"to": list(audience.to), **({"cc": list(audience.cc)} if audience.cc else {})}
