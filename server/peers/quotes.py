"""Others ask to quote a post of ours (QuoteRequest), and look at the stamps by which we agreed."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import Json, Thing, reference, references, tidy_thing
from activitypub.errors import Forbidden, Malformed
from activitypub.quotes import QUOTES
from models.people import Actor
from models.posts import Post
from models.talk import Quote
from server import fetching, remote, translate_quotes
from server.actions import quoting
from server.home import Home
from server.keys import DATABASE, HOME
from server.peers.actors import VARY, answer
from server.peers.received import DONE, IGNORED, REFUSED, Received, Word


@dataclass(frozen=True)
class Wish:
    """Which post of ours is to be quoted, and by which post."""

    post: str
    quoting: str


async def check_request(app: web.Application, item: Received) -> Wish | None:
    """The signer's own post that would quote one of ours: as it is in the request, else fetched. None if ours is not meant.

    Nobody asks for a post of somebody else: knowing of a quote early would be enough to spoil it.
    """
    post, instrument = item.activity.object_id, item.activity.raw.get("instrument")
    name = reference(instrument)
    if post is None or not post.startswith(app[HOME].uri("")):
        return None
    if name is None:
        raise Malformed("no-instrument", "The request does not say which post would quote.")
    item.require_own_server(name)
    whole = instrument if isinstance(instrument, dict) and len(instrument) > 1 else None
    thing = tidy_thing(whole or await _fetched(app, name))
    item.require_owner(thing.owner)
    if thing.id != name:
        raise Forbidden("another-post", "At that address is another post.")
    if not _quotes(thing, post):
        raise Forbidden("no-quote", "That post does not quote the one that it asks for.")
    return Wish(post, name)


async def _fetched(app: web.Application, name: str) -> Json:
    with app[fetching.WORKER].place(name):
        return await remote.document(app, name)


def _quotes(thing: Thing, post: str) -> bool:
    """Does a post say that it quotes ours? Where it says nothing of quotes at all, its request speaks for it."""
    said = [one for name in QUOTES for one in references(thing.raw.get(name))]
    return not said or post in said


async def on_request(
    session: AsyncSession, home: Home, item: Received, checked: Wish | None, now: datetime
) -> Word:
    """Whoever asks gets an answer: yes for a public post of ours."""
    if checked is None:
        return IGNORED
    said = await quoting.answer(
        session, home, item.signer, item.activity.id, checked.post, checked.quoting, now
    )
    return DONE if said else REFUSED


async def stamp(request: web.Request) -> web.Response:
    """GET of a stamp that stands, for a post that is still there. For all others there is nothing."""
    uri = request.app[HOME].uri(f"stamps/{request.match_info['digest']}")
    query = (
        select(Quote, Post.uri, Actor)
        .join(Post, Post.id == Quote.post_id)
        .join(Actor, Actor.id == Post.actor_id)
        .where(Quote.uri == uri, Quote.revoked_at.is_(None), Post.is_public, Post.deleted_at.is_(None))
    )
    async with request.app[DATABASE].READ() as session:
        found = (await session.execute(query)).one_or_none()
    if found is None:
        raise web.HTTPNotFound(headers=VARY)
    quote, post, speaker = found
    return answer(translate_quotes.stamp_document(quote, speaker, post), public=True)
