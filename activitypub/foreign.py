"""What somebody elsewhere posted, read: plain values and sanitised HTML, whatever dialect it came in.

Nothing is fetched and nothing trusted: who owns a post is compared by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final

from activitypub.codec import PUBLIC, Thing, reference, references
from activitypub.content import is_blank, one_line, plain, sanitise
from activitypub.errors import Malformed
from activitypub.origin import origin
from activitypub.times import instant_of

Json = dict[str, Any]

READ: Final = frozenset(
    {"Article", "Audio", "Document", "Event", "Image", "Note", "Page", "Question", "Video"}
)
NAME_LENGTH: Final = 500
SUMMARY_LENGTH: Final = 500
URL_LENGTH: Final = 2048
LANGUAGE_LENGTH: Final = 35
ALT_LENGTH: Final = 1_500
MOST_ATTACHMENTS: Final = 16
MOST_OPTIONS: Final = 20
MOST_NAMED: Final = 100
WITH_TITLE: Final = READ - {"Note", "Question"}
PLAIN: Final = frozenset({"text/plain", "text/markdown"})


@dataclass(frozen=True, slots=True)
class ForeignPost:
    """A post as we keep it. `vote` is its name if it says nothing else, as answers to a poll do."""

    id: str
    author: str
    in_reply_to: str | None
    content: str
    summary: str | None
    language: str | None
    url: str | None
    attachments: Sequence[dict[str, str]]
    addressed: frozenset[str]
    is_public: bool
    vote: str | None
    published: datetime | None
    updated: datetime | None

    @property
    def is_empty(self) -> bool:
        return is_blank(self.content) and not self.attachments


def read_post(thing: Thing) -> ForeignPost | None:
    """The post in an embedded object; None if it has no id or no single author, or is of a type that is no post."""
    raw = thing.raw
    if thing.id is None or thing.owner is None or thing.type not in READ:
        return None
    content, language = _content(raw)
    wordless = is_blank(content)
    named = thing.name if thing.type == "Note" and thing.name else None
    addressed = frozenset((thing.to + thing.cc)[:MOST_NAMED]) | _mentioned(raw)
    return ForeignPost(
        id=thing.id,
        author=thing.owner,
        in_reply_to=thing.in_reply_to,
        content=_titled(thing, content) + _options(raw),
        summary=_warning(raw) if thing.type not in WITH_TITLE else None,
        language=language,
        url=_link(raw.get("url")),
        attachments=_attachments(raw),
        addressed=addressed,
        is_public=PUBLIC in addressed,
        vote=named if wordless else None,
        published=instant_of(raw.get("published")),
        updated=instant_of(raw.get("updated")),
    )


def _content(raw: Json) -> tuple[str, str | None]:
    """The sanitised content and its language: that of the map's entry which is the content, or the map's first."""
    languages = raw.get("contentMap")
    by_language = (
        {k: v for k, v in languages.items() if isinstance(v, str)} if isinstance(languages, dict) else {}
    )
    text = raw.get("content")
    if not isinstance(text, str):
        text = next(iter(by_language.values()), "")
    language = next((k for k, v in by_language.items() if v == text), None)
    if raw.get("mediaType") in PLAIN:
        text = escape(text).replace("\n", "<br>")
    return sanitise(text), _language(language or raw.get("language"))


def _language(value: Any) -> str | None:
    """A language tag, if it looks like one."""
    ok = isinstance(value, str) and 0 < len(value) <= LANGUAGE_LENGTH and value.isascii()
    return value if ok and value.replace("-", "").isalnum() and value != "und" else None


def _titled(thing: Thing, content: str) -> str:
    """Articles, pictures and events have a title; elsewhere a name is a vote or nothing to be shown."""
    title = one_line(thing.name or "", NAME_LENGTH) if thing.type in WITH_TITLE else ""
    summary = _text(thing.raw, "summary") if thing.type in WITH_TITLE and is_blank(content) else ""
    return (f"<p><strong>{escape(title)}</strong></p>" if title else "") + content + sanitise(summary)


def _options(raw: Json) -> str:
    """The options of a poll elsewhere, to be read; nobody can answer it here."""
    options = raw.get("oneOf") or raw.get("anyOf")
    if raw.get("type") != "Question" or not isinstance(options, list):
        return ""
    names = [one_line(_text(o, "name"), NAME_LENGTH) for o in options[:MOST_OPTIONS] if isinstance(o, dict)]
    return (
        "<ul>" + "".join(f"<li>{escape(name)}</li>" for name in names if name) + "</ul>" if any(names) else ""
    )


def _warning(raw: Json) -> str | None:
    """What stands before the text: a content warning, or the mark that it is sensitive."""
    said = one_line(_text(raw, "summary"), SUMMARY_LENGTH)
    return said or ("Sensitive" if raw.get("sensitive") is True else None)


def _text(raw: Json, key: str) -> str:
    value = raw.get(key)
    if value is None and isinstance(languages := raw.get(f"{key}Map"), dict):
        value = next(iter(languages.values()), None)
    return value if isinstance(value, str) else ""


def _mentioned(raw: Json) -> frozenset[str]:
    tags = raw.get("tag")
    listed = [tags] if isinstance(tags, dict) else tags if isinstance(tags, list) else []
    named = [t.get("href") for t in listed[:MOST_NAMED] if isinstance(t, dict) and t.get("type") == "Mention"]
    return frozenset(one for href in named for one in references(href))


def _link(value: Any) -> str | None:
    """The address of a page, of a list the first that is one for people."""
    listed = value if isinstance(value, list) else [value]
    links = [one for one in listed[:MOST_ATTACHMENTS] if _is_page(one)] or listed[:1]
    for one in links:
        found = one.get("href") if isinstance(one, dict) else one
        if isinstance(found, str) and len(found) <= URL_LENGTH and is_web(found):
            return found
    return None


def _is_page(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, dict) and value.get("mediaType", "text/html") == "text/html"
    )


def is_web(uri: str) -> bool:
    """Is this an address that a page may link?"""
    try:
        origin(uri)
    except Malformed:
        return False
    return uri.isprintable() and " " not in uri


def _attachments(raw: Json) -> list[dict[str, str]]:
    """Where attached files are, what they are and their text: to be linked, never loaded."""
    listed = raw.get("attachment")
    listed = listed if isinstance(listed, list) else [listed] if isinstance(listed, dict) else []
    found = []
    for one in listed[:MOST_ATTACHMENTS]:
        if not isinstance(one, dict) or one.get("type") == "PropertyValue":
            continue
        url = _file(one.get("url", one.get("href"))) or _file(reference(one))
        if url is None:
            continue
        alt = next((text for key in ("name", "summary", "content") if (text := _text(one, key))), "")
        kind = one.get("mediaType") or one.get("type")
        kind = kind if isinstance(kind, str) else ""
        found.append({"url": url, "kind": one_line(kind, 60), "text": plain(alt, ALT_LENGTH)})
    return found


def _file(value: Any) -> str | None:
    """The address of a file: of several the first."""
    first = value[0] if isinstance(value, list) and value else value
    found = first.get("href") if isinstance(first, dict) else first
    return found if isinstance(found, str) and len(found) <= URL_LENGTH and is_web(found) else None
