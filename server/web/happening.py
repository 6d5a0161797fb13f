"""What happened in a decision, in order: who said what and when, from its records alone. Times are those that were signed.

Receipts are left out: there is one for every ballot and instance; the page of the count has them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models.rules.records import Record
from models.rules.view import Standing
from server.language import Words, _, ngettext
from server.web.names import Names, Said, Who
from server.web.rolls import TAKEN
from server.web.words import IGNORED, OUTCOMES, STATES

SENTENCES: Final = Words(
    {
        "Offer": "Asked the question.",
        "Withdraw": "Took the question back.",
        "TermsAck": "Acknowledged the terms.",
        "TermsObjection": "Says that the terms leave something out.",
        "CloseStatement": "Said which ballots it holds.",
        "Challenge": "Says that the published count is wrong.",
        "Leave": "Left the decision.",
        "Ratify": "Ratified the outcome.",
        "Objection": "Objects, after it had not been heard.",
        "Redact": "Removed a text.",
    }
)
ORDER: Final = (
    *(
        "Offer",
        "Answer",
        "Option",
        "Withdraw",
        "Terms",
        "TermsObjection",
        "TermsAck",
        "Ballot",
        "CloseStatement",
    ),
    *("Result", "Challenge", "Leave", "Ratify", "Objection", "Redact"),
)
LATELY: Final = 6
BY_INSTANCES: Final = ("Terms", "TermsAck", "TermsObjection", "CloseStatement", "Result", "Challenge")


@dataclass(frozen=True)
class Happening:
    """One record in words. `circle`: the circle of `who` that spoke. `without`: why it changes nothing, if it does not."""

    at: datetime
    who: Who
    circle: Said | None
    is_instance: bool
    words: str
    title: Said | None
    anchor: str
    without: str


@dataclass(frozen=True)
class Lately:
    rows: Sequence[Happening]
    total: int


def happenings(records: Iterable[Record], view: Standing, names: Names) -> Sequence[Happening]:
    """All that happened until now, the first first."""
    homes = _circles(records := list(records))
    ignored = {one.record.digest: IGNORED.get(one.code, one.code) for one in view.ignored}
    told = sorted((record for record in records if record.type in ORDER), key=_place)
    return [_happening(one, names, homes, ignored.get(one.digest, "")) for one in told]


def latest(records: Iterable[Record], view: Standing, names: Names) -> Lately:
    """The last things that happened, the latest first, and how many there are in all."""
    told = happenings(records, view, names)
    return Lately(told[: -LATELY - 1 : -1], len(told))


def _place(record: Record) -> tuple[datetime, int, int, str]:
    """What was signed within one second stands in the order in which one follows from the other."""
    return record.at, ORDER.index(record.type), record.get("seq", 0), record.digest


def _circles(records: Iterable[Record]) -> Mapping[str, tuple[str, str]]:
    """The collective and the name of each circle that some answer lists."""
    answers = [record for record in records if record.type == "Answer"]
    return {one["key"]: (answer.by, one["name"]) for answer in answers for one in answer["circles"]}


def _happening(record: Record, names: Names, homes: Mapping[str, tuple[str, str]], without: str) -> Happening:
    collective, circle = homes.get(record.by, (record.by, None))
    is_instance = record.type in BY_INSTANCES and circle is None
    return Happening(
        at=record.at,
        who=names.instance(record.by) if is_instance else names.collective(collective),
        circle=names.title(circle) if circle else None,
        is_instance=is_instance,
        words=_words(record),
        title=names.title(record["title"]) if record.type == "Option" else None,
        anchor=record.digest[:12],
        without=without,
    )


def _words(record: Record) -> str:
    if record.type == "Answer":
        return _("Answered. {takes}.", takes=TAKEN[record["takes"]])
    if record.type == "Option":
        return _("Made a proposal:")
    if record.type == "Terms":
        circles = ngettext("{n} circle", "{n} circles", len(record["roll"]))
        proposals = ngettext("{n} proposal", "{n} proposals", len(record["options"]))
        return _(
            "Froze the terms, with {circles} on the roll and {proposals}.",
            circles=circles,
            proposals=proposals,
        )
    if record.type == "Ballot":
        seq = record["seq"]
        return _("Published its ballot.") if seq == 1 else _("Replaced its ballot by version {seq}.", seq=seq)
    if record.type == "Result":
        state, outcome = record.get("state"), OUTCOMES[record["outcome"]].words
        if state is None:
            return _("Counted: {outcome}.", outcome=outcome)
        said = STATES[state].words.lower()
        return _("Counted: {outcome} ({state}).", outcome=outcome, state=said)
    return SENTENCES[record.type]
