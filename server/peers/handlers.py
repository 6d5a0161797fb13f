"""What each type of activity does here: the one table. Types that are not in it are answered with 202 and counted."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from server.peers import carriers, following, leaving
from server.peers.received import Handler


def table(entries: Iterable[tuple[str, Handler]]) -> Mapping[str, Handler]:
    """The handlers by type; ValueError if a type is there twice."""
    found: dict[str, Handler] = {}
    for kind, handler in entries:
        if kind in found:
            raise ValueError(f"{kind} has two handlers")
        found[kind] = handler
    return MappingProxyType(found)


HANDLERS: Final = table(
    (
        ("Follow", (following.check_follow, following.on_follow)),
        ("Undo", (following.check_undo, following.on_undo)),
        ("Offer", (carriers.check_offer, carriers.on_carried)),
        ("Accept", (carriers.check_answer, carriers.on_carried)),
        ("Reject", (carriers.check_answer, carriers.on_carried)),
        ("Create", (carriers.check_create, carriers.on_carried)),
        ("Add", (carriers.check_add, carriers.on_carried)),
        ("Update", (leaving.check_update, leaving.on_update)),
        ("Delete", (leaving.check_delete, leaving.on_delete)),
    )
)
