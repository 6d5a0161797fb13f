"""Whom a text names by @name@server: asked of their servers, before anything is written."""

import asyncio
from typing import Final

from aiohttp import web

from activitypub.errors import WireError
from models.rules.phrases import phrase
from models.rules.refusals import Invalid
from server import remote
from server.actions.speaking import MOST_MENTIONED
from server.translate_posts import Mentioned, handles_in

SECONDS: Final = 20  # to find all of them


async def mentioned_in(app: web.Application, text: str) -> list[Mentioned]:
    """Everybody whom the text names; Invalid says who cannot be found."""
    handles = handles_in(text)[:MOST_MENTIONED]
    found = await asyncio.gather(*(_found(app, handle) for handle in handles))
    missing = [handle for handle, one in zip(handles, found, strict=True) if one is None]
    if missing:
        names = ", ".join(missing)
        raise Invalid(
            {
                "text": phrase(
                    "Nobody could be found as {names}. Check the spelling, or leave out the first @.",
                    names=names,
                )
            }
        )
    return [one for one in found if one is not None]


async def _found(app: web.Application, handle: str) -> Mentioned | None:
    try:
        async with asyncio.timeout(SECONDS):
            actor = await remote.find(app, handle)
    except (WireError, TimeoutError):
        return None
    return Mentioned(handle, actor.uri, actor.url or actor.uri)
