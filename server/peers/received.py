"""What a handler is given, and how it ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.codec import Activity
from activitypub.errors import Forbidden
from activitypub.origin import same_origin
from models.people import Actor
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

On = Callable[[AsyncSession, Home, Received, Any, datetime], Awaitable[Word]]
"""Acts, in the caller's transaction, on what was checked; fetches nothing."""

Handler = tuple[Check, On]


Choose = Callable[[web.Application, Received], Awaitable[Handler]]
"""Says which handler an activity is for, where its type alone does not tell."""


def chosen(choose: Choose) -> Handler:
    """A handler that leaves each activity to the one that `choose` names for it."""

    async def check(app: web.Application, item: Received) -> tuple[On, Any]:
        its_check, act = await choose(app, item)
        return act, await its_check(app, item)

    async def on(
        session: AsyncSession, home: Home, item: Received, checked: tuple[On, Any], now: datetime
    ) -> Word:
        act, value = checked
        return await act(session, home, item, value, now)

    return check, on
