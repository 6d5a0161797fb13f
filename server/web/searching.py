"""Lists that are read page by page, latest first, and those that are searched by words: what the address asks for, and where the
next page is. Called by the pages that show such lists.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

MOST_WORDS: Final = 8
LONGEST: Final = 200  # characters of a search


@dataclass(frozen=True)
class Search:
    """`q` is what was searched for, `before` the number before which this page begins; None is the first page."""

    q: str
    before: int | None

    @property
    def words(self) -> Sequence[str]:
        return self.q.split()[:MOST_WORDS]


def before_in(request: web.Request) -> int | None:
    """The number before which the page begins; None for the first page, and for what is no number that a row can have."""
    asked = request.query.get("before", "")
    return int(asked) if re.fullmatch("[0-9]{1,9}", asked) else None


def search_in(request: web.Request) -> Search:
    """What the address asks for. What makes no sense in it is as if it were not there."""
    return Search(" ".join(request.query.get("q", "")[:LONGEST].split()), before_in(request))


def list_path(path: str, **said: str | int | None) -> str:
    """The address of a list, with those of the parameters that say something."""
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{path}?{query}" if query else path
