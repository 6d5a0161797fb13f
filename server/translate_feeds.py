"""What a feed says on the wire: it follows collectives, shows what they publish by its id alone, and lists in a digest what found
no room. Nothing that others wrote is repeated but plain titles."""

import hashlib
import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from activitypub import vocabulary
from activitypub.addressing import Audience, direct, public
from models.feeds import FeedItem
from models.people import Actor
from models.rules.passing import MOST_LISTED
from models.rules.records import stamp
from server.home import Home
from server.language import ENGLISH, _, speaking
from server.translate import activity_uri, object_uri

Json = dict[str, Any]


def follow(home: Home, feed: Actor, whom: str, mark: str) -> Json:
    """The feed asks for what a collective publishes; `mark` makes each asking one of its own."""
    return vocabulary.follow(activity_uri(home, _digest("follow", mark)), feed.uri, whom)


def unfollow(home: Home, feed: Actor, asked: Json, now: datetime) -> Json:
    """It asks no longer; what it had asked is repeated."""
    uri = activity_uri(home, _digest("unfollow", asked["id"]))
    return vocabulary.undo(uri, _unproved(asked), direct([asked["object"]]), stamp(now))


def announce(home: Home, feed: Actor, item: FeedItem, now: datetime) -> Json:
    """Shows a post to the followers, by its id."""
    uri = activity_uri(home, _digest("announce", feed.uri, item.object_uri))
    return vocabulary.announce(
        uri, feed.uri, item.object_uri, public(feed.followers, [item.author]), stamp(now)
    )


def unannounce(home: Home, announced: Json, now: datetime) -> Json:
    """Shows it no longer."""
    audience = Audience(tuple(announced["to"]), tuple(announced["cc"]))
    uri = activity_uri(home, _digest("unannounce", announced["id"]))
    return vocabulary.undo(uri, _unproved(announced), audience, stamp(now))


def _unproved(activity: Json) -> Json:
    """Without its proof, which would not hold inside of another activity."""
    return {name: value for name, value in activity.items() if name != "proof"}


def digest(
    home: Home,
    feed: Actor,
    mark: str,
    items: Sequence[FeedItem],
    authors: Mapping[str, str],
    now: datetime,
    language: str = ENGLISH,
) -> Json:
    """A Note that lists posts by their plain titles, with links; `authors` are names by uri."""
    return vocabulary.note(
        id=object_uri(home, _digest("digest", feed.uri, mark)),
        by=feed.uri,
        content=_listing(items, authors, language),
        published=stamp(now),
        audience=public(feed.followers),
        url=home.uri(f"feeds/{feed.handle}"),
        language=None if language == ENGLISH else language,
    )


def shorter_digest(
    told: Json, left: Sequence[FeedItem], authors: Mapping[str, str], now: datetime, language: str = ENGLISH
) -> Json:
    """The same Note with what is left of its list."""
    content = _listing(left, authors, language)
    said = {"contentMap": {language: content}} if language != ENGLISH else {}
    before = {name: value for name, value in told.items() if name != "contentMap"}
    return {**before, "content": content, **said, "updated": stamp(now)}


def tell_digest(home: Home, body: Json) -> Json:
    return vocabulary.create(activity_uri(home, _digest("create", body["id"])), body)


def retell_digest(home: Home, body: Json, now: datetime) -> Json:
    """The digest without what was taken back since."""
    return vocabulary.update(
        activity_uri(home, _digest("update", body["id"], body["content"])), body, stamp(now)
    )


def _listing(items: Sequence[FeedItem], authors: Mapping[str, str], language: str) -> str:
    with speaking(language):
        if not items:
            return f"<p>{_('What stood here was taken back by those who wrote it.')}</p>"
        heading, more = _heading(len(items)), len(items) - MOST_LISTED
        rest = f"<p>{_('And {n} more.', n=str(more))}</p>" if more > 0 else ""
    lines = "".join(
        f"<li>{html.escape(authors.get(item.author, ''))}: "
        f'<a href="{html.escape(item.link, quote=True)}">{html.escape(item.title)}</a></li>'
        for item in items[:MOST_LISTED]
    )
    return f"<p><strong>{heading}</strong></p><ul>{lines}</ul>{rest}"


def _heading(many: int) -> str:
    if many == 1:
        return _("One post that found no room in the last hour")
    return _("{n} posts that found no room in the last hour", n=str(many))


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()
