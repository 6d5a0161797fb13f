"""The pulse: answers of anybody outside to a Question of ours. A sign, counted apart; never a ballot.

Called by the inbox (a vote came in), by the page of the decision and by whatever tells others how it stands.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.sites import SERVERS, site_of
from models.base import insert_once, wake
from models.events import log
from models.peers import covers, kept_apart
from models.posts import Post
from models.rules.records import instant
from models.talk import PulseVote

MOST_PER_SERVER: Final = 100  # answers to one pulse: nobody fills it, or our disk, with invented actors
MOST_PER_SITE: Final = SERVERS * MOST_PER_SERVER  # of all servers below one registered name
REFRESH_AFTER: Final = timedelta(minutes=3)  # a new count goes out at most this often

Counted = Literal["counted", "again", "unknown-option", "closed", "too-many"]


@dataclass(frozen=True)
class Vote:
    """An answer from outside: its id, whose it is, the server it came from, the option's exact name, when we got it."""

    uri: str
    voter: str
    authority: str
    option: str
    received_at: datetime


@dataclass(frozen=True)
class Counts:
    """How many chose each option, in the Question's order, and how many voters there are of which servers, most first."""

    options: Sequence[tuple[str, int]]
    voters: int
    servers: Sequence[tuple[str, int]]

    @property
    def capped(self) -> Sequence[str]:
        """Servers of which no more answers are counted."""
        return [authority for authority, many in self.servers if many >= MOST_PER_SERVER]


def is_pulse(post: Post) -> bool:
    """Is this post of ours a Question that can be answered from outside?"""
    return b'"Question"' in post.body and orjson.loads(post.body).get("type") == "Question"


def options_of(question: dict[str, Any]) -> Sequence[str]:
    """The names of a Question's options, in order."""
    options = question.get("oneOf") or question.get("anyOf") or ()
    return [option["name"] for option in options]


def is_open(post: Post, at: datetime) -> bool:
    """Could this Question be answered at that moment, by our clock?"""
    question = orjson.loads(post.body)
    ends = question.get("endTime")
    closed = post.deleted_at is not None or "closed" in question
    return not closed and post.published_at <= at and (ends is None or at < instant(ends))


async def vote(session: AsyncSession, post: Post, given: Vote, now: datetime) -> Counted:
    """Count an answer to a pulse if it was open when we got the answer, has that very option, and the voter gave none before.

    Of one server no more than `MOST_PER_SERVER` are counted, of one site `MOST_PER_SITE`. A new answer makes the new count due.
    """
    if not is_open(post, given.received_at):
        return "closed"
    if given.option not in options_of(orjson.loads(post.body)):
        return "unknown-option"
    await session.execute(select(Post.id).where(Post.id == post.id).with_for_update(key_share=True))
    mine = (PulseVote.post_id == post.id, PulseVote.authority == given.authority)
    if await session.scalar(select(PulseVote.id).where(*mine, PulseVote.voter == given.voter)) is not None:
        return "again"
    theirs = (PulseVote.post_id == post.id, covers(PulseVote.authority, site_of(given.authority)))
    for where, most in ((mine, MOST_PER_SERVER), (theirs, MOST_PER_SITE)):
        if (await session.scalar(select(func.count()).where(*where)) or 0) >= most:
            return "too-many"
    row = {
        "uri": given.uri,
        "voter": given.voter,
        "authority": given.authority,
        "post_id": post.id,
        "option": given.option,
        "at": given.received_at,
    }
    await session.execute(insert_once(session, PulseVote), row)
    due = now + REFRESH_AFTER
    sooner = (Post.id == post.id, (Post.refresh_at.is_(None)) | (Post.refresh_at > due))
    await session.execute(update(Post).where(*sooner).values(refresh_at=due))
    log(session, "pulse answered", now, scope=post.scope)
    return "counted"


async def counts(session: AsyncSession, post: Post) -> Counts:
    """How the answers to a pulse stand now. Those of servers that are limited or shut out are kept, and do not count meanwhile."""
    query = select(PulseVote.authority, PulseVote.option, func.count().label("many"))
    query = query.where(PulseVote.post_id == post.id).group_by(PulseVote.authority, PulseVote.option)
    rows = (await session.execute(query)).all()
    apart = await kept_apart(session, (row.authority for row in rows))
    by_option, by_server = Counter[str](), Counter[str]()
    for row in rows:
        if row.authority not in apart:
            by_option[row.option] += row.many
            by_server[row.authority] += row.many
    return Counts(
        options=[(name, by_option[name]) for name in options_of(orjson.loads(post.body))],
        voters=by_option.total(),
        servers=sorted(by_server.items(), key=lambda one: (-one[1], one[0])),
    )


async def recount(session: AsyncSession, now: datetime) -> None:
    """With whom we deal was changed: of each round that runs and was answered, how the answers stand is told anew."""
    answered = select(PulseVote.post_id)
    runs = (Post.kind == "round", Post.is_public, Post.deleted_at.is_(None), Post.featured_until > now)
    await session.execute(update(Post).where(*runs, Post.id.in_(answered)).values(refresh_at=now))
    await wake(session, "pulses")
