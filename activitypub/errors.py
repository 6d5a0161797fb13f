"""What can go wrong on the wire, each with a stable code and a sentence for people.

    WireError
    ├── Malformed        what arrived is not a document we read
    │   └── TooLarge     … because it is bigger than we read
    ├── NotAuthentic     nobody is shown to have said this
    ├── Forbidden        shown, but not theirs to say; or an address we may not ask
    ├── Refused          the other server said no, and will say so again
    │   └── Gone         … because what we asked for is not there (404, 410)
    └── Unreachable      no answer worth the name: try again later

All but `Unreachable` are final: the same bytes or request will fail again. Status codes for our own
answers are chosen by the server, never here.
"""

from typing import ClassVar


class WireError(Exception):
    """A document, signature or request failed; `code` never changes, `sentence` may be shown to people."""

    final: ClassVar[bool] = True

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class Malformed(WireError):
    """Not JSON we read, not the shape it should have."""


class TooLarge(Malformed):
    """More bytes, depth or items than we read."""


class NotAuthentic(WireError):
    """A signature, proof or claim of ownership is missing, stale or wrong."""


class Forbidden(WireError):
    """Somebody speaks for what is not theirs, or an address lies where we do not go."""


class Refused(WireError):
    """The other server's final no. `status` is its HTTP status."""

    def __init__(self, code: str, sentence: str, status: int) -> None:
        super().__init__(code, sentence)
        self.status = status


class Gone(Refused):
    """There is nothing at that address (404 or 410)."""


class Unreachable(WireError):
    """No usable answer this time.

    `status` is the HTTP status, if there was one; `retry_after` the text of its Retry-After header, which
    is the peer's wish and may be absurd: whoever plans the next attempt caps it.
    """

    final = False

    def __init__(
        self, code: str, sentence: str, *, status: int | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(code, sentence)
        self.status = status
        self.retry_after = retry_after
