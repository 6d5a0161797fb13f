"""Somebody elsewhere says that they moved. Both accounts have to say so, and only those whom we follow concern us."""

from datetime import datetime

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import Json, reference, references
from activitypub.errors import Forbidden
from activitypub.sites import site_of
from models.feeds import Following
from models.people import Actor
from server import fetching, remote
from server.actions import moving
from server.home import Home
from server.keys import CLOCK, DATABASE
from server.peers.received import DONE, IGNORED, REFUSED, Received, Word


async def check_move(app: web.Application, item: Received) -> Actor | None:
    """The account that the signer moved to; None if we follow nobody there, or it moved within the last week.

    Both are fetched anew: the old one names the new one as `movedTo`, the new one names the old one in `alsoKnownAs`, and did
    not move on itself. Forbidden if not.
    """
    item.require_owner(item.activity.object_id)
    target, signer = item.activity.target, item.signer
    if target is None or target == signer.uri:
        raise Forbidden("no-target", "The move does not say where to.")
    lately = signer.moved_at is not None and signer.moved_at > app[CLOCK].now() - moving.COOLDOWN
    if lately or not await _concerns_us(app, signer):
        return None
    with app[fetching.WORKER].place(signer.uri):
        old, new = await remote.document(app, signer.uri), await remote.document(app, target)
        _agree(old, signer.uri, new, target)
        return await remote.remote_actor(app, target, refresh=True, named_by=site_of(signer.authority))


def _agree(old: Json, old_uri: str, new: Json, new_uri: str) -> None:
    """Raises Forbidden unless both documents say that the one became the other."""
    both = reference(old.get("movedTo")) == new_uri and old_uri in references(new.get("alsoKnownAs"))
    if not both:
        raise Forbidden("not-agreed", "Both accounts have to say that the one moved to the other.")
    if new.get("movedTo") is not None:
        raise Forbidden("moved-on", "The account that is moved to has moved on itself.")


async def on_move(
    session: AsyncSession, home: Home, item: Received, checked: Actor | None, now: datetime
) -> Word:
    """Our actors that followed the old account follow the new one. Followers of ours that move follow us anew by themselves."""
    if checked is None:
        return IGNORED
    return DONE if await moving.follow_to(session, home, item.signer, checked, now) else REFUSED


async def _concerns_us(app: web.Application, signer: Actor) -> bool:
    async with app[DATABASE].READ() as session:
        follows = select(Following.id).where(Following.followed == signer.uri).limit(1)
        return await session.scalar(follows) is not None
