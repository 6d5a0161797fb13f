"""What a handler is given, and how it ends."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import Activity
from activitypub.errors import Forbidden
from activitypub.origin import same_origin
from models import people
from models.people import Actor
from server.actions import feed_items
from server.home import Home

Word = Literal["done", "ignored", "refused"]

DONE: Final = "done"  # it had an effect
IGNORED: Final = "ignored"  # nothing to do here, or done before
REFUSED: Final = "refused"  # not theirs to ask, or a rule says no


@dataclass(frozen=True)
class Received:
    """An activity from the inbox: verified to be by `signer`, who is its actor."""

    activity: Activity
    signer: Actor
    received_at: datetime

    def require_owner(self, owner: str | None) -> None:
        """Raises Forbidden unless what is spoken of belongs to the signer."""
        if owner != self.signer.uri:
            raise Forbidden("foreign-owner", "The activity speaks for somebody else.")

    def require_own_server(self, uri: str | None) -> None:
        """Raises Forbidden unless this id lies on the signer's server."""
        if uri is None or not same_origin(uri, self.signer.uri):
            raise Forbidden("foreign-object", "The activity speaks of something on another server.")


Check = Callable[[web.Application, Received], Awaitable[Any]]
"""Compares the signer with the party concerned, may fetch, writes nothing that matters; returns a plain value."""

Checked = Sequence[tuple[Received, Any]]
"""Activities, each with what its check returned."""

On = Callable[[AsyncSession, Home, Checked, datetime], Awaitable[Sequence[Word]]]
"""Acts, in the caller's transaction, on what was checked; fetches nothing. It is given all that are handled at the same time, so
that it writes once what would else be written once for each, and returns their words in the same order."""

OnOne = Callable[[AsyncSession, Home, Received, Any, datetime], Awaitable[Word]]

Handler = tuple[Check, On]


Choose = Callable[[web.Application, Received], Awaitable[Handler]]
"""Says which handler an activity is for, where its type alone does not tell."""


def chosen(choose: Choose) -> Handler:
    """A handler that leaves each activity to the one that `choose` names for it."""

    async def check(app: web.Application, item: Received) -> tuple[On, Any]:
        its_check, act = await choose(app, item)
        return act, await its_check(app, item)

    return check, on_chosen


async def on_chosen(session: AsyncSession, home: Home, items: Checked, now: datetime) -> list[Word]:
    ready = [(act, item, checked) for item, (act, checked) in items]
    return await act_on(session, home, ready, now)


async def act_on(
    session: AsyncSession, home: Home, ready: Sequence[tuple[On, Received, Any]], now: datetime
) -> list[Word]:
    """Act on activities of several kinds, those of one kind at once; their words in the same order. Afterwards feeds note what a
    collective of theirs published, changed or took back."""
    words: dict[int, Word] = {}
    for act, some in _alike(ready):
        said = await act(session, home, [(item, checked) for _, item, checked in some], now)
        words.update(zip((number for number, _, _ in some), said, strict=True))
    for number, (_, item, _) in enumerate(ready):
        may = words[number] != REFUSED and item.signer.is_kin
        if may and await feed_items.noted(session, item.activity, now):
            words[number] = DONE
    return [words[number] for number in range(len(ready))]


def _alike(ready: Sequence[tuple[On, Received, Any]]) -> Iterable[tuple[On, list[tuple[int, Received, Any]]]]:
    """Activities with their numbers, those of one kind together, as far as what one actor says stays in its order: who blocks us
    and then follows, follows."""
    turns: list[dict[On, list[tuple[int, Received, Any]]]] = [{}]
    latest: dict[str, tuple[int, On]] = {}  # the turn in which each signer speaks last, and of what kind
    for number, (act, item, checked) in enumerate(ready):
        if act is on_chosen:
            act, checked = checked
        turn, before = latest.get(item.signer.uri, (0, act))
        if before is not act:
            turn += 1
        if turn == len(turns):
            turns.append({})
        turns[turn].setdefault(act, []).append((number, item, checked))
        latest[item.signer.uri] = turn, act
    return (alike for turn in turns for alike in turn.items())


def one_by_one(act: OnOne) -> On:
    """Acts on each in turn: where little comes at once. What one actor says is taken in one at a time, so that what was deleted
    or undone meanwhile does not stay; of who deleted themselves meanwhile nothing is taken in."""

    async def on_each(session: AsyncSession, home: Home, items: Checked, now: datetime) -> list[Word]:
        gone = await people.take_turns(session, {item.signer.uri for item, _ in items})
        words: list[Word] = []
        for item, checked in items:
            late = item.signer.uri in gone and item.activity.type != "Delete"
            words.append(IGNORED if late else await act(session, home, item, checked, now))
        return words

    return on_each
