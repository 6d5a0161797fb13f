"""WebFinger: our answers, and what we believe of other servers' answers.

A handle is believed when the answer is about the very handle that was asked for, has one self link, and
the actor there comes back to it. Documents are fetched through the `Fetcher` that the caller gives.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self
from urllib.parse import quote, urlsplit

from activitypub import adapter
from activitypub.codec import AS2, reference
from activitypub.errors import Malformed, NotAuthentic
from activitypub.fetch import is_activity_type
from activitypub.origin import origin

Json = dict[str, Any]

PATH: Final = "/.well-known/webfinger"
CONTENT_TYPE: Final = "application/jrd+json"
PROFILE_PAGE: Final = "http://webfinger.net/rel/profile-page"
SUBSCRIBE: Final = "http://ostatus.org/schema/1.0/subscribe"
SERVICE: Final = f"{AS2}#Service"
_HANDLE: Final = re.compile(
    r"(?:acct:|@)?(?P<name>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?)",
    re.IGNORECASE | re.ASCII,
)


class Fetches(Protocol):
    """What is asked of a `fetch.Fetcher` here."""

    async def jrd(self, url: str) -> Json: ...


@dataclass(frozen=True, slots=True)
class Handle:
    """name@host, both in lower case; the host with its port where that is unusual (development)."""

    name: str
    host: str

    @classmethod
    def read(cls, text: str) -> Self:
        """From @name@host, name@host or acct:name@host; Malformed for anything else."""
        found = _HANDLE.fullmatch(text) if len(text) <= 320 else None
        if found is None:
            raise Malformed("bad-handle", "This is not a handle like @name@server.")
        return cls(found["name"].lower(), found["host"].lower())

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a WebFinger answer says: its subject and the id of the actor."""

    handle: Handle
    actor: str


def answer(
    handle: str,
    actor: str,
    *,
    page: str | None = None,
    subscribe: str | None = None,
    aliases: Iterable[str] = (),
) -> Json:
    """Our answer for name@host. `subscribe` is a URL template with {uri}."""
    built = adapter.webfinger(f"acct:{handle}", actor)
    links = list(built["links"])
    if page:
        links.insert(0, {"rel": PROFILE_PAGE, "type": "text/html", "href": page})
    if subscribe:
        links.append({"rel": SUBSCRIBE, "template": subscribe})
    return {**built, "aliases": list(dict.fromkeys((actor, *aliases))), "links": links}


def service_answer(base: str, actor: str) -> Json:
    """Our answer for the server itself, asked by its address (FEP-d556)."""
    link = {"rel": SERVICE, "type": "application/activity+json", "href": actor}
    return {"subject": base, "links": [link]}


def query_url(handle: Handle, scheme: str = "https") -> str:
    """Where to ask for the handle."""
    return f"{scheme}://{handle.host}{PATH}?resource={quote(f'acct:{handle}', safe=':@')}"


def read_answer(document: Json) -> Answer:
    """The subject and the one actor that an answer names; NotAuthentic if there is no or another one."""
    subject, links = document.get("subject"), document.get("links")
    if not isinstance(subject, str) or not subject.startswith("acct:") or not isinstance(links, list):
        raise NotAuthentic("bad-answer", "The answer does not say whom it is about.")
    found = {
        str(link.get("href"))
        for link in links
        if isinstance(link, dict) and link.get("rel") == "self" and is_activity_type(str(link.get("type")))
    }
    if len(found) != 1:
        raise NotAuthentic("no-self", "The answer does not name exactly one actor.")
    actor = found.pop()
    origin(actor)
    return Answer(Handle.read(subject), actor)


async def look_up(fetcher: Fetches, handle: Handle, scheme: str = "https") -> Answer:
    """The actor of a handle. A server may answer once about another handle (its own name for the same
    actor), which then has to stand by it; NotAuthentic otherwise."""
    found = read_answer(await fetcher.jrd(query_url(handle, scheme)))
    if found.handle == handle:
        return found
    again = read_answer(await fetcher.jrd(query_url(found.handle, scheme)))
    if again != found:
        raise NotAuthentic("foreign-subject", "The answer is about somebody else.")
    return again


def claimed_handle(actor_document: Json) -> Handle:
    """The handle that an actor gives itself: `webfinger` (FEP-2c59), or else its name at its own host."""
    actor = reference(actor_document.get("id")) or ""
    claimed, name = actor_document.get("webfinger"), actor_document.get("preferredUsername")
    if isinstance(claimed, str):
        return Handle.read(claimed)
    origin(actor)
    if not isinstance(name, str):
        raise Malformed("bad-handle", "The actor has no name.")
    return Handle.read(f"{name}@{urlsplit(actor).netloc}")


async def confirmed_handle(fetcher: Fetches, actor_document: Json, scheme: str = "https") -> Handle:
    """The actor's handle, after WebFinger led back to exactly this actor; NotAuthentic if it does not."""
    found = await look_up(fetcher, claimed_handle(actor_document), scheme)
    if found.actor != actor_document.get("id"):
        raise NotAuthentic("no-loop", "The handle belongs to another actor.")
    return found.handle
