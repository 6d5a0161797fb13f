"""Likes, boosts and emojis for posts of ours; what is taken back of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import Json
from activitypub.content import one_line
from models.peers import bury
from server.actions import reacting
from server.actions.reacting import Kind, Sign
from server.home import Home
from server.keys import HOME
from server.peers import following
from server.peers.following import Undone
from server.peers.received import DONE, IGNORED, Received, Word

KINDS: Final[dict[str, Kind]] = {"Like": "like", "EmojiReact": "emoji", "Announce": "announce"}
EMOJI_LENGTH: Final = 100


async def check_reaction(app: web.Application, item: Received) -> Sign | None:
    """What is liked or boosted, if it may be ours. (What others boost of others concerns feeds, not this.)"""
    return _sign(app, item.activity.type, item.activity.id, item.activity.object_id, item.activity.raw)


async def on_reaction(
    session: AsyncSession, _home: Home, item: Received, checked: Sign | None, now: datetime
) -> Word:
    """It is noted, once for each actor, post and kind."""
    return (
        DONE if checked is not None and await reacting.react(session, checked, item.signer, now) else IGNORED
    )


def _sign(app: web.Application, kind: str, uri: str | None, what: str | None, raw: Json) -> Sign | None:
    if what is None or not what.startswith(app[HOME].uri("")):
        return None
    said = raw.get("content") or raw.get("_misskey_reaction")
    emoji = one_line(said, EMOJI_LENGTH) if isinstance(said, str) and kind != "Announce" else ""
    return Sign(uri, what, "emoji" if emoji else KINDS[kind], emoji)


@dataclass(frozen=True)
class TakenBack:
    """The id of the reaction that is undone, and what it said, if that is repeated."""

    uri: str | None
    sign: Sign | None


async def check_undo(app: web.Application, item: Received) -> TakenBack:
    """A reaction of the signer's own."""
    inner = item.activity.inner
    if inner is None:
        item.require_own_server(item.activity.object_id)
        return TakenBack(item.activity.object_id, None)
    item.require_owner(inner.owner)
    if inner.id is not None:
        item.require_own_server(inner.id)
    return TakenBack(inner.id, _sign(app, inner.type, inner.id, inner.object_id, inner.raw))


async def on_undo(
    session: AsyncSession, _home: Home, item: Received, checked: TakenBack, now: datetime
) -> Word:
    """It is no more; if it is yet to arrive, it will find that it was taken back."""
    if checked.uri is not None:
        await bury(session, checked.uri, item.signer.uri, now)
    found = await reacting.take_back(session, checked.sign, checked.uri, item.signer.uri, now)
    return DONE if found else IGNORED


async def on_undo_of_something(
    session: AsyncSession, home: Home, item: Received, checked: Undone, now: datetime
) -> Word:
    """Only an id says what is undone: a Follow, or else a reaction."""
    word = await following.on_undo(session, home, item, checked, now)
    found = await reacting.take_back(session, None, checked.activity_id, item.signer.uri, now)
    return DONE if found else word
