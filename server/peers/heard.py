"""What was read at the door, kept for a moment for the worker behind it, who need not read it again.

The row is the truth: what is kept counts for the same bytes only, once, and is bounded. What is not here any more is read from
the row, as after a restart.
"""

from collections import OrderedDict
from typing import Final

from aiohttp import web

from activitypub import codec
from activitypub.codec import Activity

MOST: Final = 256
LONGEST: Final = 20_000  # bytes; 5 MB in all


class Heard:
    """Activities that were accepted and wait for their handlers, each with its bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[bytes, Activity]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, activity: Activity, body: bytes) -> None:
        if len(body) <= LONGEST:
            self._kept[activity.id] = (body, activity)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)

    def take(self, id_: str, body: bytes) -> Activity:
        """What these accepted bytes say."""
        bytes_then, activity = self._kept.pop(id_, (b"", None))
        if activity is None or bytes_then != body:
            return codec.tidy(codec.decode_again(body))
        return activity


HEARD: web.AppKey[Heard] = web.AppKey("heard", Heard)
