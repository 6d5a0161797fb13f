"""With which servers this one deals. Values only; the rows are in `models.peers`, the acts in `server.actions.peers`.

A block or a limit of a host holds for every port and every host below it, else it would be evaded by a new name. An entry of
the allow-list holds for exactly what it names.
"""

import re
from typing import Final

from models.rules.phrases import phrase
from models.rules.refusals import Invalid

OPEN: Final = "open"
ALLOW_LIST: Final = "allow-list"
FEDERATION: Final = "federation"  # the name of the choice between the two
AUTHORIZED_FETCH: Final = "authorized-fetch"  # the choice to show what we publish to signed requests only

LONGEST: Final = 255
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})+(:[1-9][0-9]{{0,4}})?")


def refusal(*, blocked: bool, allowed: bool, only_allowed: bool) -> str | None:
    """Why we do not deal with a server, as a code; None if we do."""
    if blocked:
        return "blocked"
    return "not-listed" if only_allowed and not allowed else None


def names_covering(authority: str) -> tuple[str, ...]:
    """The names under which a block of this host[:port] could stand: its own, without the port, and each parent of two
    labels or more."""
    host = authority.partition(":")[0]
    labels = host.split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels) - 1)]
    return tuple(dict.fromkeys([authority, host, *parents]))


def read_host(text: str) -> str:
    """The host[:port] that somebody means who types a name, an address, or somebody's @name@host. Invalid for anything else."""
    host = text.strip().lower().rpartition("://")[2].partition("/")[0].rpartition("@")[2].rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = ""
    if len(host) > LONGEST or not _HOST.fullmatch(host):
        raise Invalid({"host": phrase("Say the name of a server, such as social.example.")})
    return host
