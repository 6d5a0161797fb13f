"""What somebody writes as the collective, as HTML and as a Note: links, #words and @names; nothing else in it has a meaning."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from activitypub import vocabulary
from activitypub.addressing import public
from models.people import Actor
from models.posts import Post
from models.rules.records import stamp
from models.uploads import Upload
from server.home import Home
from server.translate import activity_uri, object_uri, thread_uri

Json = dict[str, Any]

TAG_LENGTH: Final = 100
MARKED: Final = re.compile(
    r"""(?P<url>https?://[^\s<>"']*[^\s<>"'.,;:!?)\]}…])
    |(?<![\w@/.])(?P<handle>@[A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*@[A-Za-z0-9.-]*[A-Za-z0-9]\.[A-Za-z]{2,}(?::[0-9]{1,5})?)
    |(?<![\w&/\#])\#(?P<tag>\w*[^\W\d_]\w*)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Mentioned:
    """Somebody whom a post names: as it was written, and where they are."""

    handle: str
    uri: str
    url: str


@dataclass(frozen=True)
class Words:
    """A post in the making. `to` are actors that it is for although its text does not name them."""

    text: str
    language: str
    mentioned: Sequence[Mentioned] = ()
    to: Sequence[Mentioned] = ()


def handles_in(text: str) -> list[str]:
    """The @names@servers in a text, each once, in small letters."""
    return list(dict.fromkeys(m["handle"].lower() for m in MARKED.finditer(text) if m["handle"]))


def tags_in(text: str) -> list[str]:
    """The #words in a text, each once, as first written; those that differ only in case are one."""
    found: dict[str, str] = {}
    for match in MARKED.finditer(text):
        if match["tag"] and len(match["tag"]) <= TAG_LENGTH:
            found.setdefault(match["tag"].casefold(), match["tag"])
    return list(found.values())


def tag_url(home: Home, word: str) -> str:
    return home.uri(f"tags/{quote(word.casefold(), safe='')}")


def post_url(home: Home, token: str) -> str:
    return home.uri(f"posts/{token}")


def content_of(home: Home, words: Words) -> str:
    """The text as HTML: paragraphs and line breaks stay, links, tags and names lead somewhere."""
    known = {one.handle: one for one in words.mentioned}
    parts = [part.strip() for part in re.split(r"\n\s*\n", words.text)]
    return "".join(f"<p>{_marked(home, part, known)}</p>" for part in parts if part)


def _marked(home: Home, text: str, known: Mapping[str, Mentioned]) -> str:
    said, done = [], 0
    for match in MARKED.finditer(text):
        said += [_plain(text[done : match.start()]), _link(home, match, known)]
        done = match.end()
    return "".join([*said, _plain(text[done:])])


def _plain(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _link(home: Home, match: re.Match[str], known: Mapping[str, Mentioned]) -> str:
    shown = html.escape(match[0])
    if match["url"]:
        return f'<a href="{shown}" rel="nofollow noopener">{shown}</a>'
    if match["tag"] and len(match["tag"]) <= TAG_LENGTH:
        url = html.escape(tag_url(home, match["tag"]), quote=True)
        return f'<a href="{url}" class="mention hashtag" rel="tag">{shown}</a>'
    found = known.get(match[0].lower())
    if found is None:
        return shown
    return f'<a href="{html.escape(found.url, quote=True)}" class="u-url mention">{shown}</a>'


def note(
    home: Home,
    actor: Actor,
    token: str,
    words: Words,
    pictures: Iterable[Upload],
    thread: str,
    in_reply_to: str | None,
    now: datetime,
) -> Json:
    """A public post of an actor of ours."""
    return vocabulary.note(
        id=object_uri(home, token),
        by=actor.uri,
        published=stamp(now),
        in_reply_to=in_reply_to,
        url=post_url(home, token),
        thread=thread_uri(home, thread),
        replies=f"{object_uri(home, token)}/replies",
        attachments=[
            vocabulary.picture(home.uri(f"media/{one.name}"), one.media_type, one.alt, one.width, one.height)
            for one in pictures
        ],
        **_worded(home, actor, words),
    )


def edited(home: Home, actor: Actor, before: Json, words: Words, updated: datetime) -> Json:
    """The post with other words; where it stands, its pictures and whom it replied to stay."""
    return vocabulary.note(
        id=before["id"],
        by=before["attributedTo"],
        published=before["published"],
        in_reply_to=before.get("inReplyTo"),
        url=before["url"],
        thread=before["context"],
        replies=before["replies"],
        attachments=before.get("attachment", ()),
        updated=stamp(updated),
        **_worded(home, actor, words),
    )


def _worded(home: Home, actor: Actor, words: Words) -> Json:
    """What follows from the words: content, language, tags, and who is told."""
    people = {one.uri: one for one in (*words.mentioned, *words.to)}
    mentions = [vocabulary.mention(one.uri, one.handle) for one in people.values()]
    tags = [vocabulary.hashtag(tag_url(home, word), word) for word in tags_in(words.text)]
    return {
        "content": content_of(home, words),
        "language": words.language,
        "audience": public(actor.followers, people),
        "tags": [*mentions, *tags],
    }


def emptied(post: Post, body: Json) -> Json:
    """What is kept of an object that was deleted: that it was there."""
    return {"id": post.uri, "type": body["type"]}


def gone(home: Home, actor: Actor, token: str, body: Json, now: datetime) -> Json:
    """Takes a post back."""
    mentioned = [tag["href"] for tag in body.get("tag", ()) if tag["type"] == "Mention"]
    tombstone = vocabulary.tombstone(body["id"], body["type"], stamp(now))
    place = activity_uri(home, f"{token}-deleted")
    return vocabulary.delete(place, actor.uri, tombstone, public(actor.followers, mentioned), stamp(now))


def without_words(activity: Json, object_id: str) -> Json:
    """An activity of a post that was deleted, as it is kept: its object is named and no longer there."""
    kept: Json = {
        key: activity[key] for key in ("@context", "id", "type", "actor", "published") if key in activity
    }
    return {**kept, "object": object_id}
