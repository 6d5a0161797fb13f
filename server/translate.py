"""The one place where our rows and records meet the wire: each thing as the AS2 document that carries it.

People on other software read `content`; kin read the record beside it and never `content`. Ids follow from digests: an object of
ours is /o/<digest of its record>, the activity that published it /a/<the same digest>.
"""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from activitypub import vocabulary
from activitypub.addressing import direct, public
from models.ledger import Signed
from models.people import Actor
from models.rules.records import Record, stamp
from server.home import Home
from server.language import ENGLISH, _, speaking

Json = dict[str, Any]
Texts = Mapping[str, Mapping[str, Any]]
KIND_WORDS = {"collective": "Collective", "circle": "Circle", "feed": "Feed"}


def object_uri(home: Home, digest: str) -> str:
    return home.uri(f"o/{digest}")


def activity_uri(home: Home, digest: str) -> str:
    return home.uri(f"a/{digest}")


def scope_uri(home: Home, name: str) -> str:
    return home.uri(f"scopes/{name}")


def thread_uri(home: Home, name: str) -> str:
    """The thread of a public decision, or of the post where it began."""
    return home.uri(f"threads/{name}")


def decision_url(home: Home, name: str) -> str:
    return home.uri(f"decisions/{name}")


def actor_document(
    home: Home,
    actor: Actor,
    members: int | None = None,
    icon: Json | None = None,
    language: str = ENGLISH,
) -> Json:
    """A local actor as it is fetched. `members` is shown for the collective, which may have a picture of its own."""
    common: Json = {
        "id": actor.uri,
        "host": home.authority,
        "public_pem": actor.rsa_pem,
        "multikey": actor.ed25519 or "",
        "username": actor.handle,
        "name": actor.name,
        "summary": paragraphs(actor.summary),
        "url": actor.url or actor.uri,
        "published": stamp(actor.created_at),
        "shared_inbox": actor.shared_inbox or actor.inbox,
    }
    if actor.kind == "instance":
        return vocabulary.application_actor(**common)
    if actor.kind == "member":
        return vocabulary.person_actor(**common)
    scopes = {"scopes": actor.scopes} if actor.scopes else {}
    record: Json = {"v": 1, "type": KIND_WORDS[actor.kind], **scopes}
    site = f'<a href="{html.escape(home.url, quote=True)}" rel="me">{html.escape(home.authority)}</a>'
    with speaking(language):
        fields = [(_("Members"), str(members)), (_("Decisions"), site)] if members is not None else []
        pattern = _("Pattern of {name}", name=actor.name)
    drawn = vocabulary.image(f"{actor.uri}/icon.png", "image/png", pattern)
    return vocabulary.group_actor(**common, record=record, fields=fields, icon=icon or drawn)


def accept_follow(home: Home, followed: Actor, follow: Json, follower: str, digest: str) -> Json:
    """Yes to a Follow, which is repeated inside with plain ids."""
    return vocabulary.accept(activity_uri(home, digest), followed.uri, follow, [follower])


def reject_follow(home: Home, followed: Actor, follow: Json, follower: str, digest: str) -> Json:
    """No to a Follow: the instance itself is not followed."""
    return vocabulary.reject(activity_uri(home, digest), followed.uri, follow, [follower])


def flag(home: Home, instance: Actor, about: Sequence[str], comment: str, digest: str) -> Json:
    """A report to another server, by our instance: who of us reported stays here."""
    return vocabulary.flag(activity_uri(home, digest), instance.uri, about, comment)


def farewell(home: Home, actor: Actor, now: datetime) -> Json:
    """An actor of ours deletes itself: by its id alone, as some servers take a Tombstone for that of a post."""
    uri = f"{actor.uri}/gone/{int(now.timestamp())}"
    return vocabulary.delete(uri, actor.uri, actor.uri, public(actor.followers), stamp(now))


def pin(home: Home, actor: Actor, uri: str, digest: str, now: datetime) -> Json:
    """An open round is pinned: what a new follower is shown first."""
    place = activity_uri(home, f"{digest}-pin")
    return vocabulary.add(place, actor.uri, uri, f"{actor.uri}/featured", public(actor.followers), stamp(now))


def unpin(home: Home, actor: Actor, uri: str, digest: str, now: datetime) -> Json:
    """A round that is over is no longer pinned."""
    place = activity_uri(home, f"{digest}-unpin")
    return vocabulary.remove(
        place, actor.uri, uri, f"{actor.uri}/featured", public(actor.followers), stamp(now)
    )


def changed_actor(home: Home, actor: Actor, document: Json, name: str, now: datetime) -> Json:
    """How an actor of ours describes itself now."""
    return vocabulary.update_actor(activity_uri(home, name), document, public(actor.followers), stamp(now))


def changed(home: Home, body: Json, name: str, now: datetime) -> Json:
    """An object of ours again as it is now; `name` is that of the activity, new each time."""
    return vocabulary.update(activity_uri(home, name), body, stamp(now))


def offer(
    home: Home, collective: Actor, signed: Signed, texts: Texts, invited: Sequence[str], now: datetime
) -> Json:
    """The invitation to a joint decision, to the invited collectives by id."""
    thing = vocabulary.quiet_object(
        [dict(signed.document)], plain(texts), id=object_uri(home, signed.record.digest), by=collective.uri
    )
    uri = activity_uri(home, signed.record.digest)
    return vocabulary.offer(uri, collective.uri, thing, direct(invited), stamp(now))


def answer(
    home: Home,
    collective: Actor,
    offer: Record,
    signed: Signed,
    texts: Texts,
    to: Sequence[str],
    now: datetime,
) -> Json:
    """Accept or Reject of an offer, with the Answer that says how; bound to the offer's digest by its scope."""
    base = offer["actor"].split("/c/")[0]
    say = vocabulary.reject if signed.record["takes"] == "declines" else vocabulary.accept
    return say(
        activity_uri(home, signed.record.digest),
        collective.uri,
        f"{base}/a/{offer.digest}",
        [uri for uri in to if uri != collective.uri],
        published=stamp(now),
        records=[dict(signed.document)],
        texts=plain(texts),
    )


def add(
    home: Home,
    collective: Actor,
    scope: str,
    signed: Sequence[Signed],
    texts: Texts,
    to: Sequence[str],
    now: datetime,
) -> Json:
    """Records with nothing to read, put into the scope's collection here."""
    thing = vocabulary.quiet_object([dict(s.document) for s in signed], plain(texts), by=collective.uri)
    audience = direct([uri for uri in to if uri != collective.uri])
    uri = activity_uri(home, signed[0].record.digest)
    return vocabulary.add(uri, collective.uri, thing, scope_uri(home, scope), audience, stamp(now))


def create(home: Home, body: Json, digest: str) -> Json:
    """The activity that publishes an object."""
    return vocabulary.create(activity_uri(home, digest), body)


def paragraphs(text: str) -> str:
    """Plain text as HTML: blank lines part paragraphs, line breaks stay."""
    parts = [part.strip() for part in text.split("\n\n")]
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in parts if part)


def plain(texts: Texts) -> dict[str, dict[str, str]]:
    """Texts as they travel; what was removed does not."""
    return {
        digest: {k: str(v) for k, v in text.items() if v is not None}
        for digest, text in texts.items()
        if text.get("text") is not None
    }
