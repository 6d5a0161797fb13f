"""Whose a server is: below a name that somebody registered they make as many servers as they like, at no cost.

Bounds per server therefore have a second one beside them, for all servers below one registered name together.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

from activitypub.later import later

if TYPE_CHECKING:
    import publicsuffixlist
else:
    publicsuffixlist = later("publicsuffixlist")

SERVERS: Final = (
    5  # all servers of one site may do as much as so many others: some are homes to many collectives
)


@cache
def _suffixes() -> "publicsuffixlist.PublicSuffixList":
    return publicsuffixlist.PublicSuffixList()


def site_of(authority: str) -> str:
    """The registered name above a host[:port], by the Public Suffix List; an address, or a name that nobody can register, stays."""
    if authority.startswith("["):
        return authority
    host = authority.partition(":")[0]
    if host.rpartition(".")[2].isdigit():
        return host
    return _suffixes().privatesuffix(host) or host
