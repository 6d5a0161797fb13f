"""One activity posted to one inbox, once. When to try again is decided by the server's delivery worker."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from activitypub import network, posting


@dataclass(frozen=True, slots=True)
class Delivered:
    """The inbox took it. 202 and 200 say no more than that."""

    status: int


async def post(
    session: aiohttp.ClientSession,
    inbox: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = network.SECONDS,
) -> Delivered:
    """Delivered, once the inbox answered with success; `headers` are those of `sign_request` for `body`.

    Raises Gone (404, 410) and Refused (other 4xx but 401, 408 and 429; 501) for a final no, Unreachable
    for everything that may pass, Forbidden or Malformed for an inbox that we do not ask. A redirect is
    not followed, as the signature is for this address only: Unreachable.
    """
    status, said = await posting.post(session, inbox, headers, body, seconds)
    network.check_status(status, said)
    return Delivered(status)
