"""Asking in the scheme that a server takes: draft-cavage first, and once more in the other one where it says no.

Some servers know only one of the two, and some drop what is signed by RFC 9421 without a word: so it is never tried first
where nothing is known. What a server took is remembered by the caller, per host.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from activitypub.claims import Scheme
from activitypub.errors import Refused, Unreachable, WireError

Answer = TypeVar("Answer")

FIRST: Final[Scheme] = "cavage"
KNOCK_AGAIN: Final = frozenset({400, 401, 403})


@dataclass
class Knocks:
    """What a host took last: None if that is not known, or if it was refused since."""

    scheme: Scheme | None = None


def remembered(scheme: str | None) -> Knocks:
    """What was written down of a host, read again; nothing if it is no scheme that we know."""
    return Knocks("cavage" if scheme == "cavage" else "rfc9421" if scheme == "rfc9421" else None)


async def knock(ask: Callable[[Scheme], Awaitable[Answer]], knocks: Knocks) -> Answer:
    """What `ask` gives in the scheme that the host took last. After 400, 401 or 403 it is asked in the other one, once; if that
    is in vain too, its first no stands."""
    first = knocks.scheme or FIRST
    try:
        answer = await ask(first)
    except (Refused, Unreachable) as error:
        if error.status not in KNOCK_AGAIN:
            raise
        knocks.scheme = None
        second: Scheme = "rfc9421" if first == "cavage" else "cavage"
        try:
            answer = await ask(second)
        except WireError:
            raise error from None
        knocks.scheme = second
        return answer
    knocks.scheme = first
    return answer
