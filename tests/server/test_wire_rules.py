"""Every rule of the wire for what is sent, as one row: the section it comes from, the rule in a sentence, and a check of the
documents that went out in a real story (`tests.server.wire_story`). Sections are those of the notes on how others read documents:
1 actors and WebFinger, 2.0 what holds for all, 2.1 addressing, 2.2 follows, 2.3 notes, 2.4 polls, 2.5 votes, 2.6 counts, 2.7 pins,
2.8 and 2.9 types; P is the pulse, V visibility.
"""

import asyncio
import io
import itertools
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.federation.feeding import FEED
from tests.server.wire_story import OAK, SECRET, SECRET_PROPOSAL, Story, told

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
AS2 = "https://www.w3.org/ns/activitystreams"
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
KNOWN_CONTEXTS = {AS2, "https://w3id.org/security/v1", "https://www.w3.org/ns/cid/v1"}
KNOWN_CONTEXTS |= {
    "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/data-integrity/v1",
}
HTML = {"p", "br", "span", "a", "strong", "ul", "ol", "li", "em", "code", "pre", "blockquote"}
WORDS = "One used cargo bike"
SENT = {"Create", "Update", "Delete", "Announce", "Accept", "Reject", "Undo", "Add", "Remove"}

Check = Callable[[Story], Any]
RULES: list[tuple[str, str, Check]] = []


def rule(section: str, sentence: str) -> Callable[[Check], Check]:
    def add(check: Check) -> Check:
        RULES.append((section, sentence, check))
        return check

    return add


def host(uri: str) -> str:
    return urlsplit(uri).netloc


def documents(story: Story) -> list[dict[str, Any]]:
    """Every document of ours, sent or served."""
    served = [f.document for f in story.fetched.values() if f.status == 200 and isinstance(f.document, dict)]
    return [*(one.activity for one in story.arrived), *(d for d in served if "links" not in d)]


def objects(story: Story) -> list[dict[str, Any]]:
    assert len(story.objects) > 8
    return story.objects


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def afterwards(story: Story, type_: str) -> list[dict[str, Any]]:
    """What ana got at the end: answers, and what a feed passed on."""
    return [one for one in story.afterwards if one["type"] == type_]


def removed(story: Story) -> list[dict[str, Any]]:
    """What followers were told once a text was removed."""
    told = [one for one in story.removal if one["type"] == "Update"]
    assert told
    return told


# 1 Actors


def actor(story: Story) -> dict[str, Any]:
    found: dict[str, Any] = story.document("actor")
    return found


@rule("1.1", "@context is a list that begins with the AS2 context")
def _(s: Story) -> bool:
    return all(isinstance(d["@context"], list) and d["@context"][0] == AS2 for d in documents(s))


@rule("1.1", "an actor's id is the address it is fetched from")
def _(s: Story) -> bool:
    return all(s.document(name)["id"] == s.fetched[name].url for name in ("actor", "instance"))


@rule("1.1", "inbox, outbox, followers, featured and the shared inbox lie on the actor's host")
def _(s: Story) -> bool:
    a = actor(s)
    places = [a[name] for name in ("inbox", "outbox", "followers", "following", "featured", "url")]
    return {host(place) for place in [*places, a["endpoints"]["sharedInbox"]]} == {host(a["id"])}


@rule("1.1", "preferredUsername is plain and at most 30 characters long")
def _(s: Story) -> Any:
    return re.fullmatch("[a-z0-9_]{1,30}", actor(s)["preferredUsername"])


@rule("1.1", "the request key is inline, its owner is the actor, its id the actor's with a fragment")
def _(s: Story) -> bool:
    key = actor(s)["publicKey"]
    return (
        key["owner"] == OAK and key["id"].startswith(f"{OAK}#") and "BEGIN PUBLIC KEY" in key["publicKeyPem"]
    )


@rule("1.1", "the assertion key is an inline Multikey of the actor")
def _(s: Story) -> bool:
    (key,) = actor(s)["assertionMethod"]
    return (key["type"], key["controller"]) == ("Multikey", OAK) and key["publicKeyMultibase"].startswith(
        "z6Mk"
    )


@rule("1.1", "followers says how many, and never who")
def _(s: Story) -> bool:
    found = s.document("followers")
    return found["totalItems"] == 2 and not {"first", "items", "orderedItems"} & set(found)


@rule("1.1", "manuallyApprovesFollowers, discoverable and indexable are said")
def _(s: Story) -> bool:
    a = actor(s)
    return (a["manuallyApprovesFollowers"], a["discoverable"], a["indexable"]) == (False, True, False)


@rule("1.1", "the icon is an Image with a description, and a PNG can be fetched there")
def _(s: Story) -> bool:
    icon, picture = actor(s)["icon"], s.fetched["icon"]
    decoded = Image.open(io.BytesIO(picture.document))
    decoded.load()
    described = icon["summary"] == icon["name"] != ""
    return (
        described
        and picture.headers["Content-Type"] == icon["mediaType"] == "image/png"
        and decoded.format == "PNG"
    )


@rule("1.1", "profile fields are PropertyValues, at most fifty")
def _(s: Story) -> bool:
    fields = actor(s)["attachment"]
    return 0 < len(fields) <= 50 and all(set(f) == {"type", "name", "value"} for f in fields)


@rule("1.2", "WebFinger answers with the actor's id byte for byte, and the actor says the same name")
def _(s: Story) -> bool:
    found = s.document("webfinger")
    (self,) = [link for link in found["links"] if link["rel"] == "self"]
    assert self["type"] == "application/activity+json"
    return (found["subject"], self["href"]) == (f"acct:{actor(s)['webfinger']}", actor(s)["id"])


@rule("1.3", "context entries are inline, apart from those that everybody knows")
def _(s: Story) -> bool:
    entries = [entry for d in documents(s) for entry in d["@context"]]
    return {entry for entry in entries if isinstance(entry, str)} <= KNOWN_CONTEXTS


@rule("1.3", "the collective is a Group, the instance an Application")
def _(s: Story) -> bool:
    return (actor(s)["type"], s.document("instance")["type"]) == ("Group", "Application")


@rule("1.3", "generator.implements names us and RFC 9421")
def _(s: Story) -> bool:
    named = {link["href"] for link in actor(s)["generator"]["implements"]}
    return named == {"https://w3id.org/jura/v1", "https://datatracker.ietf.org/doc/html/rfc9421"}


@rule("1.3", "strangers do not post into the group, and attributedTo leads to a collection of moderators")
def _(s: Story) -> bool:
    moderators = s.fetched["moderators"]
    assert actor(s)["attributedTo"] == moderators.url
    return actor(s)["postingRestrictedToMods"] and moderators.document["type"] == "OrderedCollection"


@rule(
    "1.3",
    "a feed is an actor like any other: a key of its own, an inbox, and followers that are only counted",
)
def _(s: Story) -> bool:
    a, followers = s.document("feed"), s.document("followers of the feed")
    own = a["publicKey"]["owner"] == a["id"] == FEED and a["publicKey"] != actor(s)["publicKey"]
    counted = followers["totalItems"] == 1 and not {"first", "items", "orderedItems"} & set(followers)
    return own and counted and a["type"] == "Group" and host(a["inbox"]) == host(FEED)


@rule("1.4", "documents are served unsigned, as activity+json, and vary by Accept and Signature")
def _(s: Story) -> bool:
    served = [f for f in s.fetched.values() if isinstance(f.document, dict) and "@context" in f.document]
    kinds = {(f.headers["Content-Type"], f.headers["Vary"]) for f in served}
    return kinds == {("application/activity+json", "Accept, Signature")}


@rule("1.4", "pages name the document they are about")
def _(s: Story) -> bool:
    link = b'<link rel="alternate" type="application/activity+json" href="'
    about = {"profile": OAK, "page of the post": s.post["id"]}
    return all(link + uri.encode() in s.document(page) for page, uri in about.items())


# 2.0 What holds for all


@rule("2.0.1", "actor and attributedTo are one identical string")
def _(s: Story) -> bool:
    owned = [one for one in s.of("Create", "Update") if isinstance(one.object, dict)]
    return all(
        one.object["attributedTo"] == one.activity["actor"] and isinstance(one.activity["actor"], str)
        for one in owned
    )


@rule("2.0.2", "every activity has an id on its actor's host, and no id comes twice to one server")
def _(s: Story) -> bool:
    ids = [(one.server, one.activity["id"]) for one in s.arrived]
    return len(set(ids)) == len(ids) and {host(uri) for _, uri in ids} == {"oak.test"}


@rule("2.0.3", "the type of an activity is a plain string")
def _(s: Story) -> bool:
    return all(isinstance(one.activity["type"], str) for one in s.arrived)


@rule("2.0.4", "the type of an object is a plain string")
def _(s: Story) -> bool:
    return all(isinstance(one["type"], str) for one in objects(s))


@rule("2.0.5", "published always, updated never earlier, both in UTC with Z")
def _(s: Story) -> bool:
    times = [(one["published"], one.get("updated", one["published"])) for one in objects(s)]
    return all(UTC.fullmatch(a) and UTC.fullmatch(b) and a <= b for a, b in times)


@rule("2.0.6", "no summary and no name on a Note or Question")
def _(s: Story) -> bool:
    return not any({"summary", "name"} & set(one) for one in objects(s))


@rule("2.0.7", "the object's host is the actor's host, and so is its page's")
def _(s: Story) -> bool:
    return all(host(one["id"]) == host(one["url"]) == host(one["attributedTo"]) for one in objects(s))


@rule("2.0.8", "the public is written in full")
def _(s: Story) -> bool:
    text = json.dumps([one.activity for one in s.arrived])
    return '"as:Public"' not in text and '"Public"' not in text and PUBLIC in text


# 2.1 Addressing


@rule("2.1", "what is public is to the public, with followers in cc")
def _(s: Story) -> bool:
    return all(one["to"] == [PUBLIC] and f"{OAK}/followers" in one["cc"] for one in objects(s))


@rule("2.1", "to and cc are the same on an activity and its object")
def _(s: Story) -> bool:
    owned = [one for one in s.of("Create", "Update") if isinstance(one.object, dict)]
    return all(one.activity[n] == one.object[n] for one in owned for n in ("to", "cc"))


@rule("2.1", "whoever is to be notified stands in cc and as a Mention")
def _(s: Story) -> bool:
    (mention,) = [tag for tag in s.post["tag"] if tag["type"] == "Mention"]
    return s.ana in s.post["cc"] and mention == {"type": "Mention", "href": s.ana, "name": "@ana@masto.test"}


@rule("2.1", "a post goes once to a server with a shared inbox, and to the own inbox where there is none")
def _(s: Story) -> bool:
    posts = s.of("Create", "Update", "Delete", "Add", "Remove")
    return {(one.server, one.target) for one in posts} == {("masto", "/inbox"), ("plain", "/users/bob/inbox")}


# 2.2 Follows


@rule("2.2", "an Accept embeds the whole Follow")
def _(s: Story) -> bool:
    accepted = s.of("Accept")[0].object
    return all(accepted[name] == s.follow[name] for name in ("id", "type", "actor", "object"))


@rule("2.2", "a Reject embeds the whole Follow, and is by whom was asked")
def _(s: Story) -> bool:
    (said,) = afterwards(s, "Reject")
    instance = "http://oak.test/c/instance"
    told = (said["object"]["type"], said["object"]["actor"], said["object"]["object"])
    return said["actor"] == instance and said["to"] == [s.ana] and told == ("Follow", s.ana, instance)


@rule("2.2", "a Follow that is repeated is answered again, by its new id")
def _(s: Story) -> bool:
    [said] = [one for one in afterwards(s, "Accept") if one["object"]["id"] == s.follow_again["id"]]
    first = s.of("Accept")[0].activity
    return said["id"] != first["id"] and s.follow_again["id"] != s.follow["id"] and said["to"] == [s.ana]


# 2.3 Notes


@rule("2.3", "contentMap has one language, and its value is the content")
def _(s: Story) -> bool:
    return all(list(one["contentMap"].values()) == [one["content"]] for one in objects(s))


@rule("2.3", "content uses elements that Mastodon shows, and text in it is escaped")
def _(s: Story) -> bool:
    used = {tag for one in objects(s) for tag in re.findall(r"</?([a-z0-9]+)", one["content"])}
    return used <= HTML and "&lt;ours&gt;" in s.post["content"] and "&lt;all&gt;" in s.objects[0]["content"]


def edits(s: Story) -> list[dict[str, Any]]:
    found = [one.object for one in s.of("Update", inner="Note")]
    assert len(found) == 2
    return found


@rule("2.3", "an edit is the same object with a newer updated, in an activity of its own")
def _(s: Story) -> bool:
    first, second = edits(s)
    same = first["id"] == second["id"] == s.post["id"] and first["published"] == s.post["published"]
    ids = {one.activity["id"] for one in s.of("Update", inner="Note")}
    return same and s.post["published"] < first["updated"] < second["updated"] and len(ids) == 2


@rule("2.3", "whoever was named at first gets the edits too; pictures stay")
def _(s: Story) -> bool:
    return all(s.ana in one["cc"] and one["attachment"] == s.post["attachment"] for one in edits(s))


@rule("2.3", "a Delete carries a Tombstone that says what was there, and 410 is answered from then on")
def _(s: Story) -> bool:
    (gone,) = s.of("Delete")
    answered = s.fetched["deleted"]
    known = (gone.object["type"], gone.object["formerType"]) == ("Tombstone", "Note")
    return (
        known
        and (answered.status, answered.document["type"]) == (410, "Tombstone")
        and "mistake" not in str(answered.document)
    )


@rule("2.3", "what is live is never answered with 404")
def _(s: Story) -> bool:
    found = [(f.status, f.url) for name, f in s.fetched.items() if name.startswith("object ")]
    deleted = s.fetched["deleted"].url
    return {(status, url == deleted) for status, url in found} == {(200, False), (410, True)}


@rule("2.3", "what was deleted is in no collection and comes never again")
def _(s: Story) -> bool:
    uri, *_ = [one.object["id"] for one in s.of("Delete")]
    after = [one.activity for one in s.arrived][
        [one.object for one in s.arrived].index(s.of("Delete")[0].object) + 1 :
    ]
    listed = [s.document(name) for name in ("outbox page", "outbox in the end")]
    return uri not in json.dumps([*after, *s.afterwards, *s.removal, *listed])


@rule(
    "2.3",
    "words that were removed are told as an edit: the same object without them, and with a newer updated",
)
def _(s: Story) -> bool:
    before, told = s.objects[0], {one["object"]["id"]: one["object"] for one in removed(s)}
    now = told[before["id"]]
    kept = ("id", "type", "attributedTo", "published", "to", "cc", "url", "context")
    same = all(now[name] == before[name] for name in kept)
    return same and moment(now["updated"]) > moment(before["published"]) and WORDS in before["content"]


@rule("2.3", "words that were removed stand in nothing that is sent or can be fetched")
def _(s: Story) -> bool:
    note, page = s.document("note without words"), s.document("page without words").decode()
    found = json.dumps(
        [*removed(s), note, s.document("thread without words"), s.document("outbox in the end")]
    )
    served = [s.fetched[name].status for name in ("note without words", "page without words")]
    return WORDS not in found and WORDS not in page and served == [200, 200]


@rule("2.3", "an actor that is over deletes itself by its id, to the public, and answers 410 from then on")
def _(s: Story) -> bool:
    [said] = [one for one in s.goodbye if one["type"] == "Delete"]
    told = (said["actor"], said["object"], said["to"]) == (FEED, FEED, [PUBLIC])
    return told and s.fetched["feed afterwards"].status == 410


@rule("2.3", "a reply names its parent by id, and goes to the parent's author")
def _(s: Story) -> bool:
    (found,) = [one for one in objects(s) if "Thank you" in one["content"]]
    return (
        found["inReplyTo"] == f"{s.ana}/notes/1"
        and s.ana in found["cc"]
        and found["context"] == s.questions[0]["context"]
    )


@rule("2.3", "a #word is a Hashtag with a page that lists the post, linked in the content")
def _(s: Story) -> bool:
    (tag,) = [tag for tag in s.post["tag"] if tag["type"] == "Hashtag"]
    assert tag == {"type": "Hashtag", "href": "http://oak.test/tags/orchard", "name": "#Orchard"}
    return f'<a href="{tag["href"]}" class="mention hashtag" rel="tag">#Orchard</a>' in s.post["content"]


@rule("2.3", "pictures say their type and size and what can be seen, and are served as exactly that")
def _(s: Story) -> bool:
    (one,) = s.post["attachment"]
    assert (one["type"], one["name"], one["width"], one["height"]) == (
        "Document",
        "The orchard in May",
        40,
        30,
    )
    headers = s.fetched["picture"].headers
    return (
        headers["Content-Type"] == one["mediaType"] == "image/png"
        and "sandbox" in headers["Content-Security-Policy"]
    )


@rule("2.3", "context is served: our posts and the replies that are kept, in their order")
def _(s: Story) -> bool:
    found = s.document("thread")
    return (
        found["type"] == "OrderedCollection"
        and found["totalItems"] == 6
        and found["id"] == s.questions[0]["context"]
    )


@rule("2.3", "replies is served: ids, ours and theirs")
def _(s: Story) -> bool:
    items = s.document("replies")["orderedItems"]
    return f"{s.ana}/notes/1" in items and all(isinstance(item, str) for item in items) and len(items) >= 2


@rule("2.3", "everybody may quote; nothing else is promised")
def _(s: Story) -> bool:
    return all(
        one["interactionPolicy"] == {"canQuote": {"automaticApproval": [PUBLIC]}} for one in objects(s)
    )


# 2.4 Polls


def options(question: dict[str, Any]) -> list[str]:
    return [option["name"] for option in question["oneOf"]]


@rule("2.4", "a poll is wrapped in a Create and is an object of its own")
def _(s: Story) -> bool:
    created = [one.object["id"] for one in s.of("Create", inner="Question")]
    notes = {one["id"] for one in objects(s) if one["type"] == "Note"}
    return len(created) == 1 and created[0] not in notes


@rule("2.4", "single choice, two to four short options that differ, without white space around them")
def _(s: Story) -> bool:
    named = [options(q) for q in s.questions]
    fit = all(
        2 <= len(n) == len(set(n)) <= 4 and all(o == o.strip() and 0 < len(o) <= 100 for o in n)
        for n in named
    )
    return fit and not any("anyOf" in q for q in s.questions)


@rule("2.4", "options, endTime and text never change under one id")
def _(s: Story) -> bool:
    kept = {(q["id"], tuple(options(q)), q["endTime"], q["content"], q["published"]) for q in s.questions}
    return len(kept) == 1 and len(s.questions) > 4


@rule("2.4", "endTime and votersCount always; each option has its count")
def _(s: Story) -> bool:
    counted = [option["replies"] for q in s.questions for option in q["oneOf"]]
    said = all(UTC.fullmatch(q["endTime"]) and isinstance(q["votersCount"], int) for q in s.questions)
    return said and all(set(one) == {"type", "totalItems"} for one in counted)


@rule("2.4", "closed only once it is over")
def _(s: Story) -> bool:
    told_at = [(one.at >= moment(one.object["endTime"]), "closed" in one.object) for one in polls(s)]
    return {(False, False), (True, True)} == set(told_at)


def polls(s: Story) -> list[Any]:
    return s.of("Create", "Update", inner="Question")


# 2.5 Votes


@rule("2.5", "a vote is passed on to nobody: neither who voted nor what its id was is in any document")
def _(s: Story) -> bool:
    text = json.dumps([one.activity for one in s.arrived]) + json.dumps(documents(s))
    return "#votes/" not in text and s.bob not in text


# 2.6 Counts


def refreshes(s: Story) -> list[Any]:
    return [one for one in s.of("Update", inner="Question") if one.server == "masto"]


@rule("2.6", "a refresh is the full object: only counts and closed differ")
def _(s: Story) -> bool:
    def rest(question: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in question.items() if k not in ("oneOf", "votersCount", "closed")}

    return all(rest(one.object) == rest(s.questions[0]) for one in refreshes(s))


@rule("2.6", "counts come at most every three minutes, each in an activity of its own")
def _(s: Story) -> bool:
    times = [one.at for one in refreshes(s)]
    apart = all(b - a >= timedelta(minutes=3) for a, b in itertools.pairwise(times))
    return len(times) == 3 and apart and len({one.activity["id"] for one in refreshes(s)}) == 3


@rule("2.6", "no updated while only counts change")
def _(s: Story) -> bool:
    return not any("updated" in question for question in s.questions)


@rule("2.6", "followers get the counts, and who answered without following")
def _(s: Story) -> bool:
    return {one.server for one in s.of("Update", inner="Question")} == {"masto", "plain"}


@rule("2.6", "the first answer of each voter counts, and the counts say so")
def _(s: Story) -> bool:
    last = refreshes(s)[-1].object
    return [o["replies"]["totalItems"] for o in last["oneOf"]] == [2, 1, 0] and last["votersCount"] == 3


@rule("2.6", "the last one comes within five minutes of endTime, with closed at endTime")
def _(s: Story) -> bool:
    last = refreshes(s)[-1]
    late = last.at - moment(last.object["endTime"])
    return timedelta() <= late <= timedelta(minutes=5) and last.object["closed"] == last.object["endTime"]


@rule("2.6", "whoever fetches the poll gets fresh counts, for a moment")
def _(s: Story) -> bool:
    fresh, closed = s.fetched["question"], s.document("question afterwards")
    assert fresh.headers["Cache-Control"] == "max-age=10"
    return fresh.document["votersCount"] == 3 and "closed" not in fresh.document and "closed" in closed


# 2.7 Pins


@rule("2.7", "featured holds the open round as an id that can be fetched, and nothing once it is over")
def _(s: Story) -> bool:
    return (
        s.document("featured while open")["orderedItems"] == [s.questions[0]["id"]]
        and s.document("question")["type"] == "Question"
        and s.document("featured afterwards")["orderedItems"] == []
    )


@rule("2.7", "an Add and a Remove tell followers, with featured as their target")
def _(s: Story) -> bool:
    pins = s.of("Add", "Remove")
    said = [(p.activity["type"], p.object, p.activity["target"]) for p in pins]
    where = (s.questions[0]["id"], actor(s)["featured"])
    return said == [("Add", *where), ("Remove", *where)]


@rule("2.7", "the outbox lists what was published, not every count")
def _(s: Story) -> bool:
    listed = {item["type"] for item in s.document("outbox page")["orderedItems"]}
    return listed == {"Create"}


@rule(
    "2.7",
    "an Announce is the plain id of a post, to the public, with followers and the author in cc, and is served",
)
def _(s: Story) -> bool:
    (said,) = afterwards(s, "Announce")
    told = (said["actor"], said["to"], said["cc"])
    feed = "http://oak.test/c/valley"
    whole = isinstance(said["object"], str) and UTC.fullmatch(said["published"])
    same = s.document("announce")["id"] == said["id"]
    return bool(whole) and same and told == (feed, [PUBLIC], [f"{feed}/followers", OAK])


@rule("2.7", "an Undo embeds what it undoes")
def _(s: Story) -> bool:
    (said,), (announce,) = afterwards(s, "Undo"), afterwards(s, "Announce")
    inner = said["object"]
    same = all(inner[name] == announce[name] for name in ("id", "type", "actor", "object"))
    return same and said["actor"] == announce["actor"]


@rule("2.7", "a request to quote is accepted whole, with a stamp on our host that names both posts")
def _(s: Story) -> bool:
    (said,) = (one for one in afterwards(s, "Accept") if "result" in one)
    asked, stamp = said["object"], s.document("stamp")
    names = (stamp["interactionTarget"], stamp["interactingObject"])
    is_ours = host(said["result"]) == host(OAK) and stamp["type"] == "QuoteAuthorization"
    return is_ours and asked["type"] == "QuoteRequest" and names == (asked["object"], asked["instrument"])


@rule("2.7", "the stamp of a post that was deleted cannot be had any more")
def _(s: Story) -> bool:
    return s.fetched["stamp"].status == 200 and s.fetched["stamp of the deleted"].status == 404


# 2.8 and 2.9 Types


@rule("2.8", "strangers get Notes and Questions, in activities that everybody knows")
def _(s: Story) -> bool:
    inner = {one.object["type"] for one in s.arrived if isinstance(one.object, dict)}
    return {one.activity["type"] for one in s.arrived} <= SENT and inner == {
        "Note",
        "Question",
        "Tombstone",
        "Follow",
    }


@rule("2.9", "all meaning of ours stands in namespaced members")
def _(s: Story) -> bool:
    known = {name for entry in s.questions[0:1] for name in entry} | {
        "updated",
        "tag",
        "attachment",
        "closed",
        "inReplyTo",
    }
    ours = {name for one in objects(s) for name in one} - known
    return ours <= {"jura:record", "jura:texts"} and "jura:record" in s.questions[0]


# P The pulse, V visibility


@rule("P", "its text says who decides, that a vote from Mastodon stays, and that our server sees it")
def _(s: Story) -> bool:
    said = s.questions[0]["content"]
    return all(w in said for w in ("circles", "decide", "from Mastodon cannot be changed", "our server sees"))


@rule("P", "one proposal: agree, unsure, disagree; in reply to the proposal where that is ours")
def _(s: Story) -> bool:
    return (
        options(s.questions[0]) == ["Agree", "Unsure", "Disagree"]
        and s.questions[0]["inReplyTo"] == s.objects[0]["id"]
    )


@rule("V", "nothing of a decision that is not public reaches a stranger or can be fetched by one")
def _(s: Story) -> bool:
    text = json.dumps([one.activity for one in s.arrived]) + json.dumps(documents(s))
    secret = {f.status for name, f in s.fetched.items() if name.startswith("secret")}
    return SECRET not in text and SECRET_PROPOSAL not in text and secret == {404}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Played once for all rules."""
    return asyncio.run(told(tmp_path_factory.mktemp("wire")))


@pytest.mark.parametrize(("section", "sentence", "check"), RULES, ids=[f"{one[0]} {one[1]}" for one in RULES])
def test_rules_of_the_wire_for_what_is_sent(story: Story, section: str, sentence: str, check: Check) -> None:
    assert check(story), f"{section}: {sentence}"
