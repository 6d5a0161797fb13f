"""Who a document is for: the public, followers, or named actors; and which inboxes that makes.

`to` and `cc` are the same on an activity and its object, as servers differ in which they read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from activitypub.codec import PUBLIC as PUBLIC
from activitypub.codec import Activity, Thing


@dataclass(frozen=True, slots=True)
class Audience:
    """The two address lines of a document."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()


def public(followers: str, mentioned: Iterable[str] = ()) -> Audience:
    """Everybody, listed publicly; delivered to the followers and those mentioned."""
    return Audience((PUBLIC,), _once((followers, *mentioned)))


def unlisted(followers: str, mentioned: Iterable[str] = ()) -> Audience:
    """Everybody who has the link; delivered to the followers and those mentioned."""
    return Audience((followers,), _once((PUBLIC, *mentioned)))


def for_followers(followers: str, mentioned: Iterable[str] = ()) -> Audience:
    """The followers and those mentioned. Never a boundary: anybody may follow."""
    return Audience((followers,), _once(mentioned))


def direct(actors: Iterable[str]) -> Audience:
    """These actors and nobody else."""
    return Audience(_once(actors))


def is_public(what: Activity | Thing | Audience) -> bool:
    """Whether everybody may see it, by any name of the public (read them with `codec.references`)."""
    return PUBLIC in what.to or PUBLIC in what.cc


def recipients(what: Activity | Thing | Audience) -> tuple[str, ...]:
    """All it is addressed to, each once, without the public; a followers collection stays one id."""
    return tuple(each for each in _once((*what.to, *what.cc)) if each != PUBLIC)


def group_by_shared_inbox(inboxes: Iterable[tuple[str, str | None]]) -> dict[str, int]:
    """Where to post once each, from (inbox, shared inbox or None) per recipient; and for how many.

    A server's shared inbox stands for its actors as soon as two of them are meant; for a single one the
    personal inbox is the surer address.
    """
    counted: dict[str, int] = {}
    pairs = list(dict.fromkeys(inboxes))
    for _, shared in pairs:
        if shared:
            counted[shared] = counted.get(shared, 0) + 1
    found: dict[str, int] = {}
    for inbox, shared in pairs:
        where = shared if shared and counted[shared] > 1 else inbox
        found[where] = found.get(where, 0) + 1
    return found


def _once(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
