"""Which handler an activity is for where that depends on what it is about."""

from typing import Final

from aiohttp import web

from models import posts
from server.keys import DATABASE
from server.peers import carriers, feeding, following, leaving, reactions, replies
from server.peers.received import Handler, Received, one_by_one

CARRIED_CREATE: Final[Handler] = (carriers.check_create, carriers.on_carried)
CARRIED_UPDATE: Final[Handler] = (leaving.check_update, one_by_one(leaving.on_update))
POSTED: Final[Handler] = (replies.check_posts, one_by_one(replies.on_posts))
CHANGED: Final[Handler] = (replies.check_posts, one_by_one(replies.on_changed))
UNDONE: Final[Handler] = (following.check_undo, one_by_one(following.on_undo))
UNDONE_BY_ID: Final[Handler] = (following.check_undo, one_by_one(reactions.on_undo_of_something))
REACTION_UNDONE: Final[Handler] = (reactions.check_undo, one_by_one(reactions.on_undo))
ANSWER: Final[Handler] = (carriers.check_answer, carriers.on_carried)


async def created(_app: web.Application, item: Received) -> Handler:
    """Records go into their scope; what people say goes into a thread."""
    return CARRIED_CREATE if item.activity.records else POSTED


async def updated(_app: web.Application, item: Received) -> Handler:
    """The signer's own profile, records, or a post."""
    about_itself = item.activity.object_id == item.signer.uri
    return CARRIED_UPDATE if about_itself or item.activity.records else CHANGED


async def undone(_app: web.Application, item: Received) -> Handler:
    inner = item.activity.inner
    if inner is None or not inner.type:
        return UNDONE_BY_ID
    if inner.type in reactions.KINDS:
        return REACTION_UNDONE
    return UNDONE


FOLLOW_ANSWER: Final[Handler] = (feeding.check_answer, one_by_one(feeding.on_answer))


async def answered(app: web.Application, item: Received) -> Handler:
    """What an Accept or Reject answers: a Follow of ours (repeated inside, or named by its id), or else an Offer."""
    inner, what = item.activity.inner, item.activity.object_id
    if item.activity.records:
        return ANSWER
    if inner is not None and inner.type:
        return FOLLOW_ANSWER if inner.type == "Follow" else ANSWER
    async with app[DATABASE].READ() as session:
        sent = None if what is None else await posts.activity_by_uri(session, what)
    return FOLLOW_ANSWER if sent is not None and sent.type == "Follow" else ANSWER
