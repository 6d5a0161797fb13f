"""Where a request comes from, for counting: a keyed digest that names nobody."""

import hashlib
import hmac

from aiohttp import web

from server.keys import HOME
from server.networks import address_of, network_of


def place_of(request: web.Request) -> str:
    """A keyed digest of where somebody asks from: an IPv4 address, or the network of an IPv6 address."""
    address = network_of(address_of(request))
    key = request.app[HOME].csrf_key
    return hmac.new(key, b"place\0" + address.encode(), hashlib.sha256).hexdigest()
