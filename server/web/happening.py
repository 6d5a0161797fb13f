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
        "Integrate": "Took a change into its proposal:",
        "Decline": "Declined a change of its proposal:",
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
STANCES: Final = Words(
    {
        "support": "Supports a proposal:",
        "concern": "Has a concern about a proposal:",
        "none": "Took back what it had said of a proposal:",
    }
)
ORDER: Final = (
    *(
        "Offer",
        "Answer",
        "Option",
        "Integrate",
        "Decline",
        "Support",
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
    told = Told(records := list(records), names)
    ignored = {one.record.digest: IGNORED.get(one.code, one.code) for one in view.ignored}
    shown = sorted((record for record in records if record.type in ORDER), key=_place)
    return [told.happening(one, ignored.get(one.digest, "")) for one in shown]


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


class Told:
    """Records of one scope in words, by what they name."""

    def __init__(self, records: Sequence[Record], names: Names) -> None:
        self.names, self.homes = names, _circles(records)
        self.options = {record.digest: record for record in records if record.type == "Option"}

    def happening(self, record: Record, without: str) -> Happening:
        names, (collective, circle) = self.names, self.homes.get(record.by, (record.by, None))
        is_instance = record.type in BY_INSTANCES and circle is None
        option = record if record.type == "Option" else self.options.get(record.get("option", ""))
        return Happening(
            at=record.at,
            who=names.instance(record.by) if is_instance else names.collective(collective),
            circle=names.title(circle) if circle else None,
            is_instance=is_instance,
            words=self._proposed(record) if record.type == "Option" else _words(record),
            title=names.title(option["title"]) if option else None,
            anchor=record.digest[:12],
            without=without,
        )

    def _proposed(self, option: Record) -> str:
        changed = self.options.get(option.get("amends", ""))
        if changed is None:
            return _("Made a proposal:")
        return _("Changed its proposal:") if changed.by == option.by else _("Proposed a change:")


def _words(record: Record) -> str:
    if record.type == "Answer":
        return _("Answered. {takes}.", takes=TAKEN[record["takes"]])
    if record.type == "Support":
        return STANCES[record["says"]]
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
