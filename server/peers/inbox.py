"""The door: an activity is verified, written down and answered with 202. What it asks for is done later by the inbox worker.

Nothing here grows with what the sender wishes: sizes, time and the number of activities at the door are bounded.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from aiohttp import web

from activitypub import codec
from activitypub.codec import Activity
from activitypub.errors import Forbidden, NotAuthentic, TooLarge, Unreachable
from activitypub.fetch import is_activity_type
from activitypub.origin import same_origin
from activitypub.signatures import Claim, parse_http_date, read_signature
from models import queues
from models.events import log
from models.peers import note_seen
from models.people import Actor
from server import remote
from server.actions import dealing
from server.keys import CLOCK, DATABASE
from server.peers import pace
from server.peers.actors import is_served
from server.peers.callers import signer_of
from server.peers.handlers import HANDLERS
from server.together import Together

AT_ONCE: Final = 32
BODY_SECONDS: Final = 30.0
TYPE_LENGTH: Final = 64


@dataclass(frozen=True)
class Arrived:
    """A verified activity that is to be written down. `offset`: seconds by which its server's clock is ahead of ours."""

    activity: Activity
    signer: Actor
    body: bytes
    offset: float | None


class Door:
    """How many activities are being looked at. Who comes at the same time is looked up, and written down, in one go."""

    def __init__(self, app: web.Application) -> None:
        self.inside = 0
        self.known = Together(partial(remote.known_by_keys, app), AT_ONCE)
        self.stored = Together(partial(_store, app), AT_ONCE)


DOOR: web.AppKey[Door] = web.AppKey("inbox door", Door)


async def receive(request: web.Request) -> web.Response:
    """POST of an activity to the shared inbox, or to that of an actor of ours."""
    handle = request.match_info.get("handle")
    if handle is not None and not await is_served(request.app, handle):
        raise web.HTTPNotFound
    async with _place(request.app[DOOR]):
        claim = read_signature(request.headers)
        body = await _body(request)
        try:
            await _take(request, claim, body)
        except Unreachable as error:
            raise pace.later(error.sentence) from error
    return web.Response(status=202)


async def _take(request: web.Request, claim: Claim, body: bytes) -> None:
    app, door = request.app, request.app[DOOR]
    known, refused = await door.known.ask(claim.key_id)
    if refused is not None:
        raise dealing.forbidden(refused)
    if known is None:
        pace.check_unknown(app, claim.key_id)
    if known is None and _says_goodbye(codec.tidy(codec.decode(body))):
        return
    signer = await signer_of(request, claim, body, known)
    await pace.check_server(app, signer.authority)
    app[remote.MEMORY].answered(signer.authority)
    activity = codec.tidy(codec.decode(body))
    _check_speaker(activity, signer)
    await pace.check_room(app)
    await door.stored.ask(Arrived(activity, signer, body, _clock_offset(request, claim)))


async def _store(app: web.Application, arrived: Sequence[Arrived]) -> Sequence[None]:
    """One transaction: the activities, each with its event, and that their servers were seen."""
    now, memory = app[CLOCK].now(), app[remote.MEMORY]
    handled = [
        (one.activity.id, one.signer.uri, one.body) for one in arrived if one.activity.type in HANDLERS
    ]
    async with app[DATABASE].ACT.begin() as session:
        for one in sorted(arrived, key=lambda each: each.signer.authority):
            if memory.is_news(one.signer.authority, now):
                await note_seen(session, one.signer.authority, one.offset, now)
        new = await queues.accept_all(session, handled, now)
        for one in arrived:
            word = "repeated" if one.activity.type in HANDLERS else "ignored"
            if one.activity.id in new:
                new.discard(one.activity.id)  # another one with the same id repeats it
                word = "received"
            kind = one.activity.type[:TYPE_LENGTH]
            log(session, f"activity {word}", now, actor=one.signer.uri, type=kind)
    return [None] * len(arrived)


def _check_speaker(activity: Activity, signer: Actor) -> None:
    """Whoever signed the request speaks, under an id of its own server."""
    if activity.actor != signer.uri:
        raise NotAuthentic("foreign-actor", "The request is signed by another actor than the activity names.")
    if not same_origin(activity.id, signer.uri):
        raise Forbidden("foreign-id", "The activity has an id of another server.")


def _says_goodbye(activity: Activity) -> bool:
    """Does an actor delete or change itself (or delete anything)? From one that we never met, this means nothing to us."""
    about_itself = activity.object_id == activity.actor
    return activity.type == "Delete" or (activity.type == "Update" and about_itself)


def _clock_offset(request: web.Request, claim: Claim) -> float | None:
    """Seconds by which the sender's clock is ahead of ours, by the Date that it signed."""
    if "date" not in claim.covered:
        return None
    said: datetime = parse_http_date(request.headers["Date"].strip())
    return (said - request.app[CLOCK].now()).total_seconds()


async def _body(request: web.Request) -> bytes:
    """The raw bytes, of a type that we read, within size and time."""
    if not is_activity_type(request.headers.get("Content-Type", "")):
        raise web.HTTPUnsupportedMediaType(text="Send ActivityPub documents: application/activity+json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="Send the document as it is, not compressed.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("too-many-bytes", f"The document has more than {codec.MAX_BYTES} bytes.") from error
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="The document did not arrive in time.") from error


@asynccontextmanager
async def _place(door: Door) -> AsyncIterator[None]:
    if door.inside >= AT_ONCE:
        raise pace.later("Too much arrives at once. Please try again a little later.")
    door.inside += 1
    try:
        yield
    finally:
        door.inside -= 1
