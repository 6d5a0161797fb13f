"""What each type of activity does here: the one table. Types that are not in it are answered with 202 and counted."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from server.peers import (
    blocking,
    carriers,
    dispatch,
    flags,
    following,
    leaving,
    moves,
    pins,
    quotes,
    reactions,
)
from server.peers.received import Handler, chosen, one_by_one


def table(entries: Iterable[tuple[str, Handler]]) -> Mapping[str, Handler]:
    """The handlers by type; ValueError if a type is there twice."""
    found: dict[str, Handler] = {}
    for kind, handler in entries:
        if kind in found:
            raise ValueError(f"{kind} has two handlers")
        found[kind] = handler
    return MappingProxyType(found)


ANSWER: Final = chosen(dispatch.answered)
REACTION: Final = (reactions.check_reaction, one_by_one(reactions.on_reaction))

HANDLERS: Final = table(
    (
        ("Follow", (following.check_follow, following.on_follow)),
        ("Undo", chosen(dispatch.undone)),
        ("Block", (blocking.check_block, one_by_one(blocking.on_block))),
        ("Offer", (carriers.check_offer, carriers.on_carried)),
        ("Accept", ANSWER),
        ("Reject", ANSWER),
        ("Create", chosen(dispatch.created)),
        ("Question", dispatch.POSTED),
        ("Add", (carriers.check_add, carriers.on_carried)),
        ("Remove", (pins.check_remove, one_by_one(pins.on_remove))),
        ("Update", chosen(dispatch.updated)),
        ("Delete", (leaving.check_delete, one_by_one(leaving.on_delete))),
        ("Like", REACTION),
        ("EmojiReact", REACTION),
        ("Announce", REACTION),
        ("Flag", (flags.check_flag, one_by_one(flags.on_flag))),
        ("Move", (moves.check_move, one_by_one(moves.on_move))),
        ("QuoteRequest", (quotes.check_request, one_by_one(quotes.on_request))),
    )
)
