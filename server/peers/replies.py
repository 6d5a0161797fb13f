"""Posts of others that concern ours: replies, mentions, answers to a pulse; new or changed, alone or several at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import tidy_thing
from activitypub.foreign import ForeignPost, read_post
from models.posts import post_by_uri
from server.actions import pulse, threads
from server.actions.pulse import Counted, Vote
from server.home import Home
from server.peers.received import DONE, IGNORED, REFUSED, Received, Word

MOST_AT_ONCE: Final = 20  # GoToSocial sends all answers to a multiple choice together
WORDS: Final[Mapping[Counted, Word]] = {
    "counted": DONE,
    "again": IGNORED,
    "closed": REFUSED,
    "unknown-option": REFUSED,
    "too-many": REFUSED,
}


async def check_posts(_app: web.Application, item: Received) -> Sequence[ForeignPost]:
    """The posts that an activity brings: the signer's own, with ids of its own server."""
    bare = item.activity.type == "Question"
    things = (tidy_thing(item.activity.raw),) if bare else item.activity.things[:MOST_AT_ONCE]
    for thing in things:
        item.require_owner(thing.owner)
        if thing.id is not None:
            item.require_own_server(thing.id)
    return [post for thing in things if (post := read_post(thing)) is not None]


async def on_posts(
    session: AsyncSession, home: Home, item: Received, checked: Sequence[ForeignPost], now: datetime
) -> Word:
    """Each is counted as an answer to a pulse, kept in its thread, or passed over."""
    words = {await _take(session, home, item, said, now) for said in checked}
    return DONE if DONE in words else REFUSED if REFUSED in words else IGNORED


async def on_changed(
    session: AsyncSession, home: Home, item: Received, checked: Sequence[ForeignPost], now: datetime
) -> Word:
    """Each says something else from now on. What was answered to a pulse stays answered."""
    words = {
        _word(await threads.revise(session, home, said, item.signer, now))
        for said in checked
        if not said.vote
    }
    return DONE if DONE in words else REFUSED if REFUSED in words else IGNORED


async def _take(session: AsyncSession, home: Home, item: Received, said: ForeignPost, now: datetime) -> Word:
    if said.vote is not None and said.in_reply_to is not None:
        post = await post_by_uri(session, said.in_reply_to)
        if post is not None and post.is_public and pulse.is_pulse(post):
            signer = item.signer
            given = Vote(said.id, signer.uri, signer.authority, said.vote, item.received_at)
            return WORDS[await pulse.vote(session, post, given, now)]
    return _word(await threads.take_post(session, home, said, item.signer, now))


def _word(taken: bool | None) -> Word:
    """None: their server said too much already."""
    return REFUSED if taken is None else DONE if taken else IGNORED
