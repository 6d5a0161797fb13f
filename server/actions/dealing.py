"""With which servers we deal. Asked at the door, before a delivery, of who fetches from us, and before we fetch.

The rule is `models.rules.peering`, what was decided about each server is in `models.peers`; whoever decides so acts in
`server.actions.peers`. Our own server is always dealt with.
"""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.errors import Forbidden
from models.peers import shut_out
from models.rules.phrases import phrase
from server.home import Home


async def refused(session: AsyncSession, home: Home, authorities: Iterable[str]) -> dict[str, str]:
    """Those of the servers with which we do not deal, each with the reason as a code: blocked, not-listed."""
    return await shut_out(session, {authority for authority in authorities if authority != home.authority})


async def check(session: AsyncSession, home: Home, authority: str) -> None:
    """Raises Forbidden for a server with which we do not deal."""
    found = await refused(session, home, [authority])
    if found:
        raise forbidden(found[authority])


def forbidden(code: str) -> Forbidden:
    """What such a server is told, and what we note where we asked for something there."""
    if code == "blocked":
        return Forbidden("blocked", phrase("This server is blocked here."))
    return Forbidden("not-listed", phrase("This instance deals only with servers that it has listed."))
