"""The one place where our rows and records meet the wire: each thing as the AS2 document that carries it.

People on other software read `content`; kin read the record beside it and never `content`. Ids follow from digests: an object of
ours is /o/<digest of its record>, the activity that published it /a/<the same digest>.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activitypub import vocabulary
from activitypub.addressing import Audience, direct, public
from models.ledger import Signed
from models.people import Actor
from models.rules.records import Record, instant, stamp
from server.home import Home
from server.language import ENGLISH, Words, _, instant_words, ngettext, speaking

Json = dict[str, Any]
Texts = Mapping[str, Mapping[str, Any]]
OPTION_LENGTH = 100

POSITIONS = Words(
    {
        "consent": "{who} consents",
        "concern": "{who} consents, with a concern",
        "stand-aside": "{who} stands aside",
        "object": "{who} objects",
        "not-ready": "{who} is not ready",
        "no-agreement": "{who} has found no agreement inside",
        "yes": "{who} says yes",
        "no": "{who} says no",
        "abstain": "{who} abstains",
    }
)
OUTCOMES = Words({"adopted": "Adopted", "rejected": "Not adopted", "no-quorum": "No quorum", "tied": "A tie"})
KIND_WORDS = {"collective": "Collective", "circle": "Circle", "feed": "Feed"}


@dataclass(frozen=True)
class Content:
    """What a readable carrier needs to know beside its record: the scope's records and texts, and who may read it."""

    kind: str
    known: Texts
    records: Sequence[Record]
    public: bool
    to: Sequence[str]
    speaker: str  # the collective's name
    language: str = ENGLISH  # of what is not said by anybody

    def text(self, digest: str | None) -> str:
        """A text of the scope, or a mark where it was removed."""
        found = self.known.get(digest or "", {})
        return str(found.get("text") or _("(text removed)"))

    @property
    def offer(self) -> Record:
        return next(r for r in self.records if r.type == "Offer")


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
    """An actor of ours deletes itself."""
    gone = vocabulary.tombstone(actor.uri, actor.type, stamp(now))
    uri = f"{actor.uri}/gone/{int(now.timestamp())}"
    return vocabulary.delete(uri, actor.uri, gone, public(actor.followers), stamp(now))


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
        [dict(signed.document)], _plain(texts), id=object_uri(home, signed.record.digest), by=collective.uri
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
        texts=_plain(texts),
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
    thing = vocabulary.quiet_object([dict(s.document) for s in signed], _plain(texts), by=collective.uri)
    audience = direct([uri for uri in to if uri != collective.uri])
    uri = activity_uri(home, signed[0].record.digest)
    return vocabulary.add(uri, collective.uri, thing, scope_uri(home, scope), audience, stamp(now))


def create(home: Home, body: Json, digest: str) -> Json:
    """The activity that publishes an object."""
    return vocabulary.create(activity_uri(home, digest), body)


def readable(
    home: Home, carrier: Actor, collective: Actor, signed: Signed, texts: Texts, about: Content, now: datetime
) -> Json:
    """A record that people can read, as the Note (or, for a round, the Question) of the actor that carries it."""
    record, scope = signed.record, signed.record.scope
    others = [uri for uri in about.to if uri not in (carrier.uri, collective.uri)]
    audience: Audience = public(collective.followers, others) if about.public else direct(others)
    with speaking(about.language):
        content, options = CONTENT[about.kind](home, record, about), _pulse(record, about)
    common: Json = {
        "id": object_uri(home, record.digest),
        "by": carrier.uri,
        "content": content,
        "published": stamp(now),
        "audience": audience,
        "records": [dict(signed.document)],
        "texts": _plain(texts),
        "url": f"{decision_url(home, scope)}#{record.digest[:12]}",
        "in_reply_to": _parent(home, carrier, record, about),
        "thread": thread_uri(home, scope) if about.public else scope_uri(home, scope),
        "replies": f"{object_uri(home, record.digest)}/replies" if about.public else None,
        "language": _language(record, about),
    }
    if options:
        return vocabulary.question(
            options=[(name, 0) for name in options], end_time=about.offer["closesAt"], **common
        )
    return vocabulary.note(**common)


def _pulse(record: Record, about: Content) -> Sequence[str]:
    """The options of a round's poll: agree, unsure, disagree for one proposal; two to four titles; else none."""
    if about.kind != "round":
        return ()
    if len(record["options"]) == 1:
        return (_("Agree"), _("Unsure"), _("Disagree"))
    titles = [shortened(about.text(o["title"])) for o in about.records if o.digest in record["options"]]
    return titles if 2 <= len(set(titles)) == len(titles) <= vocabulary.MAX_OPTIONS else ()


def shortened(title: str) -> str:
    """A title as the option of a poll: longer ones are cut by some servers, anywhere."""
    words = " ".join(title.split())
    return words if len(words) <= OPTION_LENGTH else f"{words[: OPTION_LENGTH - 1].rstrip()}…"


def _language(record: Record, about: Content) -> str | None:
    """The language in which the text of a record was written; that of the question where it has none of its own."""
    named = [record.get(name) for name in ("title", "reason")] + [about.offer["question"]]
    said = (about.known.get(digest or "", {}).get("lang") for digest in named)
    return next((str(lang) for lang in said if lang), None)


def _parent(home: Home, carrier: Actor, record: Record, about: Content) -> str | None:
    """What a post replies to: ballots and results to the round, at the collective that published it; a round to its only
    proposal, if that is a post by the same actor (followers would not be shown a reply to somebody whom they do not follow)."""
    if about.kind == "round" and len(record["options"]) == 1:
        (proposal,) = record["options"]
        ours = _own_keys(carrier, about)
        by = next((r.by for r in about.records if r.digest == proposal), None)
        return object_uri(home, proposal) if by in ours else None
    terms = next((r for r in about.records if r.digest == record.get("terms")), None)
    if about.kind not in ("ballot", "result") or terms is None:
        return None
    published = [about.offer, *(r for r in about.records if r.type == "Answer")]
    actor = next((r["actor"] for r in published if r.by == terms.by), None)
    return f"{actor.split('/c/')[0]}/o/{terms.digest}" if actor else None


def _own_keys(carrier: Actor, about: Content) -> set[str]:
    """The keys of a collective and of its circles in this decision."""
    answers = [r for r in about.records if r.type == "Answer" and r.by == carrier.ed25519]
    return {carrier.ed25519 or "", *(circle["key"] for answer in answers for circle in answer["circles"])}


def _option(home: Home, record: Record, about: Content) -> str:
    title, details = about.text(record["title"]), record.get("details")
    return (
        f"<p><strong>{html.escape(_('Proposal: {title}', title=title))}</strong></p>"
        + (paragraphs(about.text(details)) if details else "")
        + f"<p>{_('To the question: {link}', link=_link(home, about))}</p>"
    )


def _round(home: Home, record: Record, about: Content) -> str:
    listed = "".join(
        f"<li>{html.escape(about.text(o['title']))}</li>"
        for o in about.records
        if o.digest in record["options"]
    )
    answers = len(record["answers"])
    decide = ngettext(
        "{n} circle of {collectives} decides, until {closes}.",
        "{n} circles of {collectives} decide, until {closes}.",
        len(record["roll"]),
        collectives=ngettext("{n} collective", "{n} collectives", answers),
        closes=instant_words(instant(about.offer["closesAt"])),
    )
    return (
        f"<p><strong>{_('Voting: {link}', link=_link(home, about))}</strong></p><ul>{listed}</ul>"
        f"<p>{decide} {_advisory(record, about)}</p>"
    )


def _advisory(record: Record, about: Content) -> str:
    """What answers from outside mean; where there is no poll, where to look."""
    if not _pulse(record, about):
        return _("There are too many proposals for a poll: read them by the link above.")
    return _(
        "You can answer from outside, as a sign: answers are shown apart from what the circles decide, our server sees who "
        "answers what, and votes from Mastodon cannot be changed."
    )


def _ballot(home: Home, record: Record, about: Content) -> str:
    who = f"{about.speaker} ({_circle_name(record.by, about)})"
    said = POSITIONS[record["position"]].format(who=who) if record.get("position") in POSITIONS else ""
    if not said:
        chosen = [about.text(o["title"]) for o in about.records if o.digest in record["choices"]]
        chosen += [_("the status quo")] if "status-quo" in record["choices"] else []
        said = POSITIONS["abstain"].format(who=who)
        if chosen:
            said = _("{who} approves: {options}", who=who, options="; ".join(chosen))
    reason = record.get("reason")
    resolve = record.get("resolve")
    return (
        f"<p><strong>{html.escape(said)}</strong> – {_link(home, about)}</p>"
        + (paragraphs(about.text(reason)) if reason else "")
        + (f"<p>{_('What would resolve it:')}</p>{paragraphs(about.text(resolve))}" if resolve else "")
    )


def _result(home: Home, record: Record, about: Content) -> str:
    winner = next((o for o in about.records if o.digest == record.get("winner")), None)
    named = f": {html.escape(about.text(winner['title']))}" if winner else ""
    meaning = _(
        "This is what our instance counted; the others count for themselves. It is provisional until they agree."
    )
    return (
        f"<p><strong>{OUTCOMES[record['outcome']]}{named}</strong> – {_link(home, about)}</p><p>{meaning}</p>"
    )


CONTENT = {"option": _option, "round": _round, "ballot": _ballot, "result": _result}


def _circle_name(key: str, about: Content) -> str:
    for record in about.records:
        for circle in record["circles"] if record.type == "Answer" else ():
            if circle["key"] == key:
                return about.text(circle["name"])
    return _("a circle")


def _link(home: Home, about: Content) -> str:
    url = html.escape(decision_url(home, about.offer.digest), quote=True)
    return f'<a href="{url}">{html.escape(about.text(about.offer["question"]))}</a>'


def paragraphs(text: str) -> str:
    """Plain text as HTML: blank lines part paragraphs, line breaks stay."""
    parts = [part.strip() for part in text.split("\n\n")]
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in parts if part)


def _plain(texts: Texts) -> dict[str, dict[str, str]]:
    """Texts as they travel; what was removed does not."""
    return {
        digest: {k: str(v) for k, v in text.items() if v is not None}
        for digest, text in texts.items()
        if text.get("text") is not None
    }
