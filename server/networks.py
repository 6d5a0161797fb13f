"""Where a request comes from, as limits see it."""

import ipaddress
from functools import lru_cache
from typing import Final

from aiohttp import web

from server.keys import SETTINGS

HOUSEHOLD: Final = (32, 64)  # bits of an IPv4 and of an IPv6 address: about what one household has
PROVIDER: Final = (24, 48)  # what somebody who rents machines gets with little effort
EVERYBODY: Final = ""  # a network that cannot be told from others


def address_of(request: web.Request) -> str:
    """The client's address: what the last proxy of ours saw, where there are proxies."""
    proxies = request.app[SETTINGS].proxies
    if not proxies:
        return request.remote or ""
    seen = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    return (_without_port(seen[-proxies].strip()) if proxies <= len(seen) else "") or request.remote or ""


def _without_port(seen: str) -> str:
    """Some proxies name the port too: 192.0.2.1:5678, [2001:db8::1]:5678. With it, each connection were a place of its own."""
    if seen.startswith("["):
        return seen[1:].partition("]")[0]
    return seen.partition(":")[0] if seen.count(":") == 1 else seen


@lru_cache(maxsize=4_096)
def network_of(address: str, bits: tuple[int, int] = HOUSEHOLD) -> str:
    """The network around an address, so wide; what is no address stands for itself."""
    try:
        found = _plain(address)
    except ValueError:
        return address
    wide = bits[found.version == 6]
    return (
        str(found) if wide == found.max_prefixlen else str(ipaddress.ip_network((found, wide), strict=False))
    )


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Who listens for both kinds at once writes ::ffff:192.0.2.1 for 192.0.2.1. Taken for IPv6, all of IPv4 were one network."""
    found = ipaddress.ip_address(address)
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def sender_of(request: web.Request) -> str:
    """The provider's network from which another server sends, or EVERYBODY."""
    return _told_apart(address_of(request))


@lru_cache(maxsize=4_096)
def _told_apart(address: str) -> str:
    """What is no address of the Internet may be that of a proxy of which we were not told, with everybody behind it."""
    try:
        is_global = _plain(address).is_global
    except ValueError:
        return EVERYBODY
    return network_of(address, PROVIDER) if is_global else EVERYBODY
