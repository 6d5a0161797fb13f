"""What changed since a member's last visit: a line for each decision with something new in it, linked to where it is."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models import ledger, news, remarks
from models.ledger import TextRow
from server.actions.remarks import is_worth_noting, known_before
from server.language import _, ngettext
from server.web.names import Names, Said
from server.web.needs import decision_path
from server.web.sessions import Visit
from server.web.talking import Glance

PLACE: Final = "home"
MOST_LINES: Final = 20
MOST_READ: Final = 5_000  # of each kind: who was away for long is told of the latest

# What is told of each kind of news, in this order.
WORDS: Final[Mapping[str, Callable[[int], str]]] = {
    "Offer": lambda _many: _("a new question"),
    "Answer": lambda many: ngettext("{n} answer", "{n} answers", many),
    "Option": lambda many: ngettext("{n} proposal or change", "{n} proposals and changes", many),
    "Integrate": lambda many: ngettext("{n} change taken in", "{n} changes taken in", many),
    "Support": lambda many: ngettext("{n} word on a proposal", "{n} words on proposals", many),
    "Ballot": lambda many: ngettext("{n} ballot", "{n} ballots", many),
    "Result": lambda many: ngettext("{n} published count", "{n} published counts", many),
    "Ratify": lambda many: ngettext("{n} ratification", "{n} ratifications", many),
    "reply": lambda many: ngettext("{n} reply from outside", "{n} replies from outside", many),
    "remark": lambda many: ngettext("{n} remark by members", "{n} remarks by members", many),
}
RECORDS: Final = tuple(kind for kind in WORDS if kind[0].isupper())


@dataclass(frozen=True)
class Change:
    """A decision and what is new in it. `room`: how many remarks in the member's own circle."""

    path: str
    question: Said
    what: Sequence[str]
    room: int


@dataclass(frozen=True)
class Changes:
    """Since when, what, and in how many more decisions."""

    since: datetime
    lines: Sequence[Change]
    more: int


async def changes_of(visit: Visit) -> tuple[Changes | None, Glance]:
    """What is new for the member who looks (None on their first visit), and what is to be kept of this look."""
    member = visit.viewer.require_member()
    seen = await remarks.look(visit.session, member.id, PLACE)
    here = await news.upto(visit.session)
    glance = Glance(PLACE, here, is_worth_noting(seen, visit.now))
    before, since = known_before(seen, visit.now)
    if since is None:
        return None, glance
    after = {kind: max(before.get(kind, 0), many - MOST_READ) for kind, many in here.items()}
    found = await _found(visit, member.id, after)
    shown = await news.decisions_of(visit.session, sorted(found, reverse=True)[:MOST_LINES])
    texts = await ledger.texts_named(visit.session, [row.question for row, _ in shown.values()])
    lines = [
        _line(scope.name, row.question, texts.get(scope.name, {}), found[number])
        for number, (row, scope) in sorted(shown.items(), reverse=True)
    ]
    return Changes(since, lines, max(len(found) - MOST_LINES, 0)), glance


async def _found(visit: Visit, member_id: int, after: Mapping[str, int]) -> Mapping[int, Mapping[str, int]]:
    """How much of each kind is new, by scope."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    session = visit.session
    for scope, kind, many in await news.records_since(session, after["records"], RECORDS, visit.now):
        found[scope][kind] = many
    for scope, many in await news.replies_since(session, after["replies"]):
        found[scope]["reply"] = many
    for scope, is_private, many in await news.remarks_since(session, member_id, after["remarks"]):
        found[scope]["room" if is_private else "remark"] = many
    return found


def _line(name: str, question: str, texts: Mapping[str, TextRow], found: Mapping[str, int]) -> Change:
    return Change(
        path=decision_path(name),
        question=Names(texts, {}, {}, {}).title(question),
        what=[words(found[kind]) for kind, words in WORDS.items() if kind in found],
        room=found.get("room", 0),
    )
