"""Records that people on other software can read: an Option, a round, a Ballot or a Result as a Note or Question, in words."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from activitypub import vocabulary
from activitypub.addressing import Audience, direct, public
from models.ledger import Signed
from models.people import Actor
from models.rules.records import Record, instant, stamp
from server.home import Home
from server.language import ENGLISH, Words, _, instant_words, ngettext, speaking
from server.translate import Json, Texts, decision_url, object_uri, paragraphs, plain, scope_uri, thread_uri

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
        "texts": plain(texts),
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
    """What a post replies to: a change to what it changes, ballots and results to the round, each at the collective that published
    it; a round to its only proposal, if that is a post by the same actor (followers would not be shown a reply to somebody whom
    they do not follow)."""
    if about.kind == "round" and len(record["options"]) == 1:
        (proposal,) = record["options"]
        ours = _own_keys(carrier, about)
        by = next((r.by for r in about.records if r.digest == proposal), None)
        return object_uri(home, proposal) if by in ours else None
    named = record.get("amends") if about.kind == "option" else record.get("terms")
    above = next((r for r in about.records if r.digest == named), None)
    if about.kind not in ("option", "ballot", "result") or above is None:
        return None
    published = [about.offer, *(r for r in about.records if r.type == "Answer")]
    keys = {above.by} | {r.by for r in published if r.type == "Answer" and above.by in _circles_of(r)}
    actor = next((r["actor"] for r in published if r.by in keys), None)
    return f"{actor.split('/c/')[0]}/o/{above.digest}" if actor else None


def _circles_of(answer: Record) -> set[str]:
    return {circle["key"] for circle in answer["circles"]}


def _own_keys(carrier: Actor, about: Content) -> set[str]:
    """The keys of a collective and of its circles in this decision."""
    answers = [r for r in about.records if r.type == "Answer" and r.by == carrier.ed25519]
    return {carrier.ed25519 or ""}.union(*map(_circles_of, answers))


def _option(home: Home, record: Record, about: Content) -> str:
    title, details = about.text(record["title"]), record.get("details")
    lead, before = _("Proposal: {title}", title=title), ""
    changed = next((one for one in about.records if one.digest == record.get("amends")), None)
    if changed is not None:
        was = about.text(changed["title"])
        lead = _("Proposed change: {title}", title=title)
        before = _("It would change the proposal “{before}”.", before=was)
        if changed.by == record.by:
            lead = _("Changed proposal: {title}", title=title)
            before = _("Before, it was called “{before}”.", before=was)
    return (
        f"<p><strong>{html.escape(lead)}</strong></p>"
        + (paragraphs(about.text(details)) if details else "")
        + (paragraphs(before) if before else "")
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
