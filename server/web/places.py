"""Where a request comes from, for counting: a keyed digest that names nobody."""

import hashlib
import hmac
import ipaddress

from aiohttp import web

from server.keys import HOME
from server.web.sessions import address_of


def place_of(request: web.Request) -> str:
    """A keyed digest of where somebody asks from: an IPv4 address, or the network of an IPv6 address."""
    address = address_of(request)
    try:
        parsed = ipaddress.ip_address(address)
        if parsed.version == 6:
            address = str(ipaddress.ip_network((parsed, 64), strict=False))
    except ValueError:
        pass
    key = request.app[HOME].csrf_key
    return hmac.new(key, b"place\0" + address.encode(), hashlib.sha256).hexdigest()
