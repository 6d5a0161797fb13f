"""What others change or take back: their profile, their objects, themselves."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from models.peers import bury
from server import fetching, remote
from server.actions import parting, quoting, threads
from server.home import Home
from server.peers import carriers
from server.peers.carriers import Carried
from server.peers.received import DONE, IGNORED, Received, Word


async def check_update(app: web.Application, item: Received) -> Carried | None:
    """None for the signer's own profile, which is fetched anew from where it lives; else the records of its object."""
    what = item.activity.object_id
    if what == item.signer.uri:
        fetched = item.signer.fetched_at
        if fetched is None or fetched <= item.received_at:
            signer = item.signer
            with app[fetching.WORKER].place(signer.uri):
                await remote.remote_actor(app, signer.uri, refresh=True, named_by=signer.authority)
        return None
    item.require_own_server(what)
    return await carriers.check_create(app, item)


async def on_update(
    session: AsyncSession, home: Home, item: Received, checked: Carried | None, now: datetime
) -> Word:
    """A profile has been fetched; a changed object brings its records (its text we do not keep)."""
    if checked is None:
        return DONE
    [word] = await carriers.on_carried(session, home, [(item, checked)], now)
    return word


@dataclass(frozen=True)
class Deleted:
    """What is gone: an object, or the signer itself."""

    uri: str
    is_signer: bool


async def check_delete(_app: web.Application, item: Received) -> Deleted:
    """Something of the signer's own server, or the signer; somebody else there can only delete themselves."""
    what = item.activity.object_id
    item.require_own_server(what)
    if item.activity.inner is not None and item.activity.inner.owner is not None:
        item.require_owner(item.activity.inner.owner)
    return Deleted(what or "", what == item.signer.uri)


async def on_delete(
    session: AsyncSession, _home: Home, item: Received, checked: Deleted, now: datetime
) -> Word:
    """An actor that left is gone with all it said here. A post is remembered as deleted; records stay what they are."""
    if not checked.is_signer:
        await bury(session, checked.uri, item.signer.uri, now)
        await threads.withdraw(session, checked.uri, item.signer.uri, now)
        await quoting.quote_gone(session, checked.uri, item.signer.uri, now)
        return DONE
    actor = await people.actor_by_uri(session, item.signer.uri)
    if actor is None or actor.is_local:
        return IGNORED
    await parting.forget(session, actor, now)
    return DONE
