"""The door: an activity is verified, written down and answered with 202. What it asks for is done later by the inbox worker.

Nothing here grows with what the sender wishes: sizes, time and the number of activities at the door are bounded.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from aiohttp import web

from activitypub import codec
from activitypub.codec import Activity
from activitypub.errors import Forbidden, Unreachable
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
from server.networks import sender_of
from server.peers import pace
from server.peers.actors import is_served
from server.peers.arriving import Arriving
from server.peers.callers import signer_of
from server.peers.handlers import HANDLERS
from server.peers.heard import HEARD
from server.peers.speakers import says_goodbye, speaker_of
from server.together import Together

AT_ONCE: Final = 32
MOMENT: Final = 0.005  # seconds that who is not alone at the door waits for others, to be served with them
TYPE_LENGTH: Final = 64
SAID_ANEW: Final = frozenset({"Follow", "Undo"})


@dataclass(frozen=True)
class Arrived:
    """A verified activity that is to be written down: `signer` is its actor, `carrier` signed the request, most often the same.
    `offset`: seconds by which the carrier's clock is ahead of ours."""

    activity: Activity
    signer: Actor
    body: bytes
    carrier: Actor
    offset: float | None


class Door:
    """How many activities are being looked at, and how many are on their way: whoever sends slowly takes no place from those who
    are here. Who comes at the same time is looked up, and written down, in one go."""

    def __init__(self, app: web.Application) -> None:
        self.inside = 0
        self.arriving = Arriving()
        self.known = Together(partial(remote.known_by_keys, app), AT_ONCE, self._moment)
        self.stored = Together(partial(_store, app), AT_ONCE, self._moment)

    def _moment(self) -> float:
        return MOMENT if self.inside > 1 else 0.0


DOOR: web.AppKey[Door] = web.AppKey("inbox door", Door)


async def receive(request: web.Request) -> web.Response:
    """POST of an activity to the shared inbox, or to that of an actor of ours."""
    handle = request.match_info.get("handle")
    if handle is not None and not await is_served(request.app, handle):
        raise web.HTTPNotFound
    door = request.app[DOOR]
    _check_place(door)
    claim = read_signature(request.headers)
    _check_type(request)
    network = sender_of(request)
    body = await door.arriving.body(request, network)
    with _place(door):
        try:
            await _take(request, claim, body, network)
        except Unreachable as error:
            raise pace.later(error.sentence) from error
    return web.Response(status=202)


async def _take(request: web.Request, claim: Claim, body: bytes, network: str) -> None:
    app, door = request.app, request.app[DOOR]
    known, refused = await door.known.ask(claim.key_id)
    if refused is not None:
        raise dealing.forbidden(refused)
    if known is None:
        pace.check_unknown(app, claim.key_id, network)
    if known is None and says_goodbye(codec.tidy(codec.decode(body))):
        return
    signer = await signer_of(request, claim, body, known)
    await pace.check_server(app, signer.authority)
    app[remote.MEMORY].answered(signer.authority)
    door.arriving.proved(network)
    activity = codec.tidy(codec.decode(body))
    speaker = await speaker_of(app, activity, signer)
    if speaker is None:
        return
    if not same_origin(activity.id, speaker.uri):
        raise Forbidden("foreign-id", "The activity has an id of another server.")
    await pace.check_room(app)
    offset = _clock_offset(request, claim)
    await door.stored.ask(Arrived(activity, speaker, body, signer, offset))


async def _store(app: web.Application, arrived: Sequence[Arrived]) -> Sequence[None]:
    """One transaction: the activities, each with its event, and that their servers were seen."""
    now, memory = app[CLOCK].now(), app[remote.MEMORY]
    handled = [
        (one.activity.id, one.signer.uri, one.body) for one in arrived if one.activity.type in HANDLERS
    ]
    async with app[DATABASE].ACT.begin() as session:
        for one in sorted(arrived, key=lambda each: each.carrier.authority):
            if memory.is_news(one.carrier.authority, now):
                await note_seen(session, one.carrier.authority, one.offset, now)
        new = await queues.accept_all(session, handled, now, _said_anew(arrived, now))
        for one in arrived:
            word = "repeated" if one.activity.type in HANDLERS else "ignored"
            if one.activity.id in new:
                new.discard(one.activity.id)  # another one with the same id repeats it
                app[HEARD].keep(one.activity, one.body)
                word = "received"
            detail: dict[str, Any] = {"type": one.activity.type[:TYPE_LENGTH]}
            if one.carrier.uri != one.signer.uri:
                detail["carrier"] = one.carrier.uri
            log(session, f"activity {word}", now, actor=one.signer.uri, **detail)
    return [None] * len(arrived)


def _said_anew(arrived: Sequence[Arrived], now: datetime) -> dict[tuple[str, str], datetime]:
    """What may come again by the same id, and when it was signed. Misskey gives each Follow of the same two the same id, and each
    Undo of it. Only who says it itself says it anew; the same request once more says nothing new."""
    return {
        (one.activity.id, one.signer.uri): now + timedelta(seconds=one.offset)
        for one in arrived
        if one.activity.type in SAID_ANEW and one.carrier.uri == one.signer.uri and one.offset is not None
    }


def _clock_offset(request: web.Request, claim: Claim) -> float | None:
    """Seconds by which the sender's clock is ahead of ours, by the Date that it signed, or when it says it signed."""
    now: datetime = request.app[CLOCK].now()
    if "date" in claim.covered:
        return (parse_http_date(request.headers["Date"].strip()) - now).total_seconds()
    return None if claim.created is None else claim.created - now.timestamp()


def _check_type(request: web.Request) -> None:
    """Raises 415 for what we do not read."""
    if not is_activity_type(request.headers.get("Content-Type", "")):
        raise web.HTTPUnsupportedMediaType(text="Send ActivityPub documents: application/activity+json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="Send the document as it is, not compressed.")


def _check_place(door: Door) -> None:
    if door.inside >= AT_ONCE:
        raise pace.later("Too much arrives at once. Please try again a little later.")


@contextmanager
def _place(door: Door) -> Iterator[None]:
    _check_place(door)
    door.inside += 1
    try:
        yield
    finally:
        door.inside -= 1
