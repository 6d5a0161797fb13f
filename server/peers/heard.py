"""What was read at the door, kept for a moment for the worker behind it, who need not read it again.

The row is the truth: what is kept counts for the same bytes only, once, and is bounded. What is not here any more is read from
the row, as after a restart.
"""

from collections import OrderedDict
from typing import Final

from aiohttp import web

from activitypub import codec
from activitypub.codec import Activity

MOST_BYTES: Final = 256_000  # of all; what is read takes up to eighty times as much, if somebody means it to


class Heard:
    """Activities that were accepted and wait for their handlers, each with its bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[bytes, Activity]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, activity: Activity, body: bytes) -> None:
        self._drop(activity.id)
        if len(body) > MOST_BYTES:
            return
        self._kept[activity.id] = (body, activity)
        self._bytes += len(body)
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def take(self, id_: str, body: bytes) -> Activity:
        """What these accepted bytes say."""
        bytes_then, activity = self._drop(id_)
        if activity is None or bytes_then != body:
            return codec.tidy(codec.decode_again(body))
        return activity

    def _drop(self, id_: str) -> tuple[bytes, Activity | None]:
        body, activity = self._kept.pop(id_, (b"", None))
        self._bytes -= len(body)
        return body, activity


HEARD: web.AppKey[Heard] = web.AppKey("heard", Heard)
