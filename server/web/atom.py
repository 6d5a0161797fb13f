"""Atom documents (RFC 4287): plain values in, bytes out. Everything is escaped, and times are in UTC."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree import ElementTree

from server.web.moments import machine

NAMESPACE: Final = "http://www.w3.org/2005/Atom"
NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2


@dataclass(frozen=True)
class Entry:
    """`content` is plain text, or HTML of ours where `is_html`."""

    uri: str
    link: str
    title: str
    content: str
    published: datetime
    updated: datetime
    is_html: bool = False


@dataclass(frozen=True)
class Feed:
    uri: str
    link: str
    title: str
    author: str
    began: datetime
    entries: Sequence[Entry]


def document(feed: Feed) -> bytes:
    """The feed as it is served. Its date is that of its latest entry."""
    root = ElementTree.Element("feed", xmlns=NAMESPACE)
    _text(root, "id", feed.uri)
    _text(root, "title", feed.title)
    _text(root, "updated", machine(max([feed.began, *(entry.updated for entry in feed.entries)])))
    _text(ElementTree.SubElement(root, "author"), "name", feed.author)
    ElementTree.SubElement(root, "link", rel="self", type="application/atom+xml", href=feed.uri)
    ElementTree.SubElement(root, "link", rel="alternate", type="text/html", href=feed.link)
    for entry in feed.entries:
        _entry(root, entry)
    found: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def _entry(root: ElementTree.Element, entry: Entry) -> None:
    element = ElementTree.SubElement(root, "entry")
    _text(element, "id", entry.uri)
    _text(element, "title", entry.title)
    _text(element, "published", machine(entry.published))
    _text(element, "updated", machine(entry.updated))
    ElementTree.SubElement(element, "link", rel="alternate", type="text/html", href=entry.link)
    _text(element, "content", entry.content).set("type", "html" if entry.is_html else "text")


def _text(parent: ElementTree.Element, name: str, words: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = NO_XML.sub("", words)
    return element
