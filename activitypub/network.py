"""The one HTTP session, and the one place that decides which addresses we ever connect to.

The check stands on the socket itself: aiohttp asks our factory for every connection it opens, after
resolution, for names and for literals, on every redirect. So a name that changes its address between two
look-ups gains nothing. With an outgoing proxy this check would have to move into the proxy.
"""

import asyncio
import ipaddress
import re
import socket
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from activitypub.errors import Forbidden, Gone, Malformed, Refused, TooLarge, Unreachable, WireError
from activitypub.lookups import Lookups

Names = Callable[[str, int], tuple[str, int] | None]

URL_LIMIT: Final = 2048
DEVELOPMENT_NAMES: Final = (".localhost", ".test")
SECONDS: Final = 30.0
CHUNK: Final = 65_536
CONNECTIONS: Final = 160  # more than ask at the same time at the door, behind it and for deliveries: none of them waits for another
CONNECTIONS_PER_HOST: Final = 4
LINES: Final = 256  # servers of which it is remembered how they are asked
TRY_AGAIN: Final = frozenset({401, 408, 429})

_PARTS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<target>(?:[/?][!-~]*)?)",
    re.IGNORECASE | re.ASCII,
)
_NAME: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)

# IANA special-purpose registries. Written out, as what ipaddress calls global changes between versions.
_CLOSED_4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_OPEN_6: Final = ipaddress.IPv6Network("2000::/3")
# Teredo, ORCHID and their like; documentation; 6to4, which may lead to any IPv4 address.
_CLOSED_6: Final = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


class AddressRefused(OSError):
    """The socket factory was asked for an address where we do not go."""

    def __init__(self) -> None:
        super().__init__("this address is not for us to connect to")


def is_public_address(text: str) -> bool:
    """Whether the address (without brackets or scope) is one of the public internet.

    IPv6 forms that hide an IPv4 address are refused as such, whatever they hide.
    """
    if "%" in text:
        return False
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


def check_url(url: str, development: bool) -> URL:
    """`url` without its fragment, if it is one we may ask; Malformed or Forbidden if not.

    Only https to a name with a dot, on port 443, without user information. In development, names under
    .localhost and .test may also be asked by http and on any port, and only then.
    """
    text = url.partition("#")[0]
    found = _PARTS.fullmatch(text) if len(text) <= URL_LIMIT else None
    if found is None or "\\" in text:
        raise Malformed("bad-url", "This is not a plain http or https URL.")
    host = found["host"].lower()
    if _NAME.fullmatch(host) is None:
        raise Forbidden("refused-address", "Servers are asked by their name only, never by a number.")
    ours = host.endswith(DEVELOPMENT_NAMES)
    if ours and not development:
        raise Forbidden("refused-address", "Names under .localhost and .test are for development only.")
    if not ours and (found["scheme"].lower() != "https" or found["port"] not in (None, "443")):
        raise Forbidden("refused-address", "Other servers are asked by https on port 443 only.")
    if found["port"] is not None and not 0 < int(found["port"]) < 65_536:
        raise Malformed("bad-url", "The URL has no such port.")
    port = f":{found['port']}" if found["port"] else ""
    # As it stands, not normalised: what is asked has to be what was signed.
    return URL(f"{found['scheme'].lower()}://{host}{port}{found['target']}", encoded=True)


class Guard(aiohttp.TCPConnector):
    """A connector that opens sockets to public addresses only, and in development to our own names."""

    def __init__(self, development: bool, names: Names | None) -> None:
        self.development = development
        resolver = _Resolver(names) if development else Lookups(CONNECTIONS)
        super().__init__(
            resolver=resolver,
            socket_factory=self.open_socket,
            limit=CONNECTIONS,
            limit_per_host=CONNECTIONS_PER_HOST,
        )
        self._local = resolver.local if isinstance(resolver, _Resolver) else set()
        self._lines = OrderedDict[tuple[str, str], aiohttp.ClientRequest]()

    def line_to(self, target: URL) -> aiohttp.ClientRequest:
        """What `connect` wants to know of the server of `target`: the same for all that goes there, and made once."""
        where = target.scheme, target.raw_authority
        found = self._lines.pop(where, None) or aiohttp.ClientRequest("POST", target, loop=self._loop)
        self._lines[where] = found
        if len(self._lines) > LINES:
            self._lines.popitem(last=False)
        return found

    def open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for one resolved address, or AddressRefused."""
        family, kind, protocol, _, where = address
        public = is_public_address(where[0]) and where[1] == 443
        if not public and tuple(where[:2]) not in self._local:
            raise AddressRefused
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Development only: our invented names lead to loopback, and where to may be told by `names`.

    With `names` nothing is ever looked up outside: a name that it does not know is a server that is down.
    """

    def __init__(self, names: Names | None) -> None:
        self._names = names
        self._outside = Lookups(CONNECTIONS)
        self.local: set[tuple[str, int]] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        invented = host.endswith(DEVELOPMENT_NAMES)
        if self._names is None and not invented:
            return await self._outside.resolve(host, port, family)
        found = self._names(host, port) if self._names else ("127.0.0.1", port)
        if found is None or not invented:
            raise OSError(f"nobody told where {host} is")
        where, at = found
        if not ipaddress.ip_address(where).is_loopback:
            raise AddressRefused
        self.local.add((where, at))
        kind = socket.AF_INET6 if ":" in where else socket.AF_INET
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [ResolveResult(hostname=host, host=where, port=at, family=kind, proto=0, flags=flags)]

    async def close(self) -> None:
        await self._outside.close()


def open_session(
    development: bool, names: Names | None = None, user_agent: str = "Jura"
) -> aiohttp.ClientSession:
    """The session for everything we ask of others; close it when the server stops.

    `names` maps an invented host and port to a loopback address, or to None while that server is down
    (development only, ValueError otherwise); then no other name is looked up. No cookies, no proxies
    from the environment, no redirects followed by itself.
    """
    if names is not None and not development:
        raise ValueError("names can be invented in development only")
    return aiohttp.ClientSession(
        connector=Guard(development, names),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=SECONDS),
        trust_env=False,
    )


@asynccontextmanager
async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    seconds: float = SECONDS,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to one request, whatever its status, redirects not followed; inside, its body may be read.

    Raises Malformed or Forbidden for a URL we do not ask, and Unreachable when no whole answer comes
    within `seconds`. A session without our connector is refused with ValueError.
    """
    _, target = checked(session, url)
    try:
        async with (
            asyncio.timeout(seconds),
            session.request(method, target, headers=headers, allow_redirects=False) as response,
        ):
            yield response
    except (aiohttp.ClientError, OSError) as error:
        raise failure(error) from error


def checked(session: aiohttp.ClientSession, url: str) -> tuple[Guard, URL]:
    """The connector by which we may ask, and what: Malformed or Forbidden for a URL we do not ask, ValueError for another
    session than that of `open_session`."""
    if not isinstance(session.connector, Guard):
        raise ValueError("requests need a session of open_session")  # noqa: TRY004 - any session has the type
    return session.connector, check_url(url, session.connector.development)


def failure(error: aiohttp.ClientError | OSError) -> WireError:
    """What it means that there was no whole answer."""
    if isinstance(error, TimeoutError):
        return Unreachable("timeout", "The other server did not answer in time.")
    if isinstance(error, aiohttp.InvalidURL):
        return Malformed("bad-url", "This is not a plain http or https URL.")
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressRefused):
        return Forbidden("refused-address", "That name leads to an address where we do not go.")
    return Unreachable("no-connection", "The other server could not be reached.")


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The unpacked body, at most `limit` bytes; TooLarge as soon as there is one more."""
    found = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        found += chunk
        if len(found) > limit:
            raise TooLarge("too-many-bytes", f"The answer has more than {limit} bytes.")
    return bytes(found)


def check_status(status: int, headers: Mapping[str, str]) -> None:
    """Returns if the answer is a success; else Gone, Refused (final) or Unreachable (try again)."""
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise Gone("gone", f"The other server has nothing there ({status}).", status)
    if (400 <= status < 500 and status not in TRY_AGAIN) or status == 501:
        raise Refused("refused", f"The other server refuses this ({status}).", status)
    raise Unreachable(
        "not-now",
        f"The other server cannot do this now ({status}).",
        status=status,
        retry_after=headers.get("Retry-After"),
    )
