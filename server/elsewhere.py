"""What goes wrong with other servers, in words that people read: the sentences of the wire that a page may show.

The wire (`activitypub`) knows no catalogue. What is not listed here is said as it is.
"""

from typing import Final

from activitypub.errors import Refused, Unreachable, WireError
from models.rules.phrases import phrase
from models.rules.refusals import Refusal

SENTENCES: Final = (
    phrase("The other server did not answer in time."),
    phrase("The other server could not be reached."),
    phrase("The other server did not answer a moment ago."),
    phrase("Too many were asked for in vain at the other server lately."),
    phrase("Too many new actors of this server within an hour."),
    phrase("This is not a plain http or https URL."),
    phrase("This is not an http or https URI."),
    phrase("This is not a handle like @name@server."),
    phrase("The URL has no such port."),
    phrase("Servers are asked by their name only, never by a number."),
    phrase("Names under .localhost and .test are for development only."),
    phrase("Other servers are asked by https on port 443 only."),
    phrase("That name leads to an address where we do not go."),
    phrase("The answer is not JSON."),
    phrase("The answer is not an ActivityPub document."),
    phrase("The answer is about somebody else."),
    phrase("The answer does not say whom it is about."),
    phrase("The answer does not name exactly one actor."),
    phrase("The handle belongs to another actor."),
    phrase("The actor has no name."),
    phrase("The document is not an actor with a name and an inbox."),
    phrase("The document is not served from its own address."),
    phrase("There is no such actor on this server."),
    phrase("This instance has no actor yet in whose name it could ask."),
)
BY_ENGLISH: Final = {str(one): one for one in SENTENCES}


def sentence_of(error: Refusal | WireError) -> str:
    """Why it did not work, to be said in the reader's language."""
    if isinstance(error, Refused | Unreachable) and error.status is not None:
        for said in _with_status(error.status):
            if said == error.sentence:
                return said
    return BY_ENGLISH.get(error.sentence, error.sentence)


def _with_status(status: int) -> tuple[str, ...]:
    return (
        phrase("The other server has nothing there ({status}).", status=status),
        phrase("The other server refuses this ({status}).", status=status),
        phrase("The other server cannot do this now ({status}).", status=status),
    )
