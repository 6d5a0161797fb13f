"""Documents of other servers, fetched by our signed GET and believed only at their own address.

What comes back is a decoded document whose `id` is the address it was served from. Who may be asked is
decided in `network`, how often by the server.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from activitypub import codec, network
from activitypub.claims import Scheme
from activitypub.errors import Malformed, NotAuthentic, Refused, Unreachable
from activitypub.knocking import Knocks, knock
from activitypub.origin import same_origin

Json = dict[str, Any]
Signer = Callable[[str, str, Scheme], Mapping[str, str]]
Admit = Callable[[str], Awaitable[None]]

HOPS: Final = 3
JRD_BYTES: Final = 64_000
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
ACCEPT: Final = f'application/activity+json, application/ld+json; profile="{codec.AS2}"'
JRD_TYPES: Final = frozenset({"application/jrd+json", "application/json"})
_PROFILE: Final = re.compile(r';\s*profile\s*=\s*(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)


async def everywhere(_url: str) -> None:
    """Whatever `network` lets us ask may be asked."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer: a body with its type, or where it leads on."""

    status: int
    body: bytes = b""
    content_type: str = ""
    leads_to: str | None = None


class Fetcher:
    """Fetches through one session; `sign(method, url, scheme)` gives the headers that make a request ours, and `knocks`
    what is remembered of a host. `admit` raises for an address that is not to be asked, be it one that others lead us to."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        sign: Signer,
        *,
        seconds: float = network.SECONDS,
        limit: int = codec.MAX_BYTES,
        knocks: Callable[[str], Knocks] = lambda _: Knocks(),
        admit: Admit = everywhere,
    ) -> None:
        self._session = session
        self._sign = sign
        self._seconds = seconds
        self._limit = limit
        self._knocks = knocks
        self._admit = admit

    async def document(self, url: str) -> Json:
        """The ActivityPub document named `url`, its id being its address.

        A document that gives another id is fetched once more from that id, and then has to be there.
        Raises Gone, Refused, Unreachable, Forbidden (address), Malformed, TooLarge, or NotAuthentic for
        one that is not where it says.
        """
        try:
            async with asyncio.timeout(self._seconds):
                found, where = await self._get(url)
                name = found.get("id")
                if isinstance(name, str) and not _is_at(name, url, where):
                    url = name
                    found, where = await self._get(url)
        except TimeoutError as error:
            raise Unreachable("timeout", "The other server did not answer in time.") from error
        name = found.get("id")
        if not isinstance(name, str) or not _is_at(name, url, where):
            raise NotAuthentic("not-at-its-id", "The document is not served from its own address.")
        return found

    async def jrd(self, url: str) -> Json:
        """The WebFinger answer (or NodeInfo document) at `url`, at most 64 kB, fetched unsigned."""
        try:
            async with asyncio.timeout(self._seconds):
                data, content_type, _ = await self._follow(url, self._plainly, JRD_BYTES)
        except TimeoutError as error:
            raise Unreachable("timeout", "The other server did not answer in time.") from error
        if _mime(content_type) not in JRD_TYPES:
            raise Malformed("wrong-type", "The answer is not JSON.")
        return codec.decode(data, JRD_BYTES)

    async def _get(self, url: str) -> tuple[Json, str]:
        data, content_type, where = await self._follow(url, self._signed, self._limit)
        if not is_activity_type(content_type):
            raise Malformed("wrong-type", "The answer is not an ActivityPub document.")
        return codec.decode(data, self._limit), where

    async def _signed(self, url: str, limit: int) -> Hop:
        async def ask(scheme: Scheme) -> Hop:
            return await self._hop(url, {"Accept": ACCEPT, **self._sign("GET", url, scheme)}, limit)

        return await knock(ask, self._knocks(urlsplit(url).netloc))

    async def _plainly(self, url: str, limit: int) -> Hop:
        return await self._hop(url, {"Accept": "application/jrd+json, application/json"}, limit)

    async def _follow(
        self, url: str, ask: Callable[[str, int], Awaitable[Hop]], limit: int
    ) -> tuple[bytes, str, str]:
        """Body, content type and final URL, after at most three redirects, each checked and signed anew."""
        where, status = url.partition("#")[0], 0
        for _ in range(HOPS + 1):
            await self._admit(where)
            hop = await ask(where, limit)
            if hop.leads_to is None:
                return hop.body, hop.content_type, where
            where, status = urljoin(where, hop.leads_to).partition("#")[0], hop.status
        raise Refused("too-many-redirects", f"The address leads on more than {HOPS} times.", status)

    async def _hop(self, where: str, headers: Mapping[str, str], limit: int) -> Hop:
        async with network.ask(self._session, "GET", where, headers, seconds=self._seconds) as response:
            if response.status in REDIRECTS:
                return Hop(response.status, leads_to=response.headers.get("Location", ""))
            network.check_status(response.status, response.headers)
            body = await network.read_body(response, limit)
            return Hop(response.status, body, response.headers.get("Content-Type", ""))


def is_activity_type(content_type: str) -> bool:
    """Whether a Content-Type header says ActivityPub: activity+json, or ld+json with the AS2 profile."""
    mime = _mime(content_type)
    found = _PROFILE.search(content_type)
    profiles = (found[1] or found[2] or "").split() if found else []
    return mime == "application/activity+json" or (mime == "application/ld+json" and codec.AS2 in profiles)


def _mime(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_at(name: str, asked: str, where: str) -> bool:
    """Whether a document named `name` was asked for by that name and came from its own origin."""
    return name in (asked, asked.partition("#")[0]) and same_origin(name, where)
