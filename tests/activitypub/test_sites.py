"""Which servers are of one hand, as far as names say it."""

import pytest

from activitypub.sites import site_of

SITES = {
    "social.example": "social.example",
    "a.social.example": "social.example",
    "x.y.z.social.example:8443": "social.example",
    "masto.test": "masto.test",
    "a.abc.de": "abc.de",
    "a.b.co.uk": "b.co.uk",
    "somebody.github.io": "somebody.github.io",
    "co.uk": "co.uk",
    "localhost:8001": "localhost",
    "127.0.0.1:8001": "127.0.0.1",
    "[2001:db8::1]:8001": "[2001:db8::1]:8001",
    "xn--r8jz45g.xn--zckzah": "xn--r8jz45g.xn--zckzah",
    "": "",
}


@pytest.mark.parametrize("authority", SITES)
def test_a_server_belongs_to_the_name_that_was_registered(authority: str) -> None:
    assert site_of(authority) == SITES[authority]
