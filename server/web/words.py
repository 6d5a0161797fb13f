"""What pages call things: one table per kind of word, so that every page and every test says the same.

Tones (`now`, `ok`, `warn`, `bad`, none) colour a word that already says it; icons decorate. Neither is ever alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Label:
    words: str
    tone: str
    icon: str


@dataclass(frozen=True)
class Choice:
    """One of several in a form."""

    value: str
    words: str
    hint: str = ""


def table(rows: Iterable[Choice]) -> Mapping[str, Choice]:
    return {row.value: row for row in rows}


STATES: Final[Mapping[str, Label]] = {
    "gathering": Label("Gathering proposals", "now", "dots"),
    "deliberating": Label("Before the voting", "now", "dots"),
    "voting": Label("Voting is open", "now", "open"),
    "closing": Label("Closing", "warn", "clock"),
    "provisional": Label("Provisional", "warn", "clock"),
    "final": Label("Final", "ok", "yes"),
    "heard": Label("Adopted by those heard", "warn", "half"),
    "contested": Label("Contested", "bad", "alert"),
    "undecided": Label("Undecided", "warn", "half"),
    "void": Label("Void", "bad", "no"),
    "withdrawn": Label("Withdrawn", "", "no"),
    "lapsed": Label("Lapsed", "", "no"),
}

OUTCOMES: Final[Mapping[str, Label]] = {
    "adopted": Label("Adopted", "ok", "yes"),
    "rejected": Label("Not adopted", "bad", "no"),
    "no-quorum": Label("Too few took part", "warn", "half"),
    "tied": Label("Tied", "warn", "half"),
}

STATUSES: Final[Mapping[str, Label]] = {
    "cast": Label("in time", "ok", "yes"),
    "late": Label("late: shown, not counted", "warn", "clock"),
    "set-aside": Label("set aside: two ballots with one number", "bad", "alert"),
    "silent": Label("cast no ballot", "", "half"),
    "unheard": Label("not heard", "warn", "alert"),
    "left": Label("left the decision", "", "no"),
    "waiting": Label("no ballot yet", "", "dots"),
}

POSITIONS: Final[Mapping[str, Label]] = {
    "consent": Label("Consent", "ok", "yes"),
    "concern": Label("Consent with a concern", "ok", "yes"),
    "stand-aside": Label("Stand aside", "", "half"),
    "object": Label("Object", "bad", "hand"),
    "not-ready": Label("Not ready", "warn", "clock"),
    "no-agreement": Label("No agreement inside", "warn", "half"),
    "yes": Label("Yes", "ok", "yes"),
    "no": Label("No", "bad", "no"),
    "abstain": Label("Abstain", "", "half"),
}

POSITION_HINTS: Final[Mapping[str, str]] = {
    "consent": "We can live with it and try it.",
    "concern": "We go along; our concern is on record.",
    "stand-aside": "We do not take part in this, and do not stop it.",
    "object": "It would do harm. We say which harm, and what would resolve it.",
    "not-ready": "We need more time or more information.",
    "no-agreement": "We talked, and did not come to one mind.",
    "yes": "",
    "no": "",
    "abstain": "We take part, for neither side.",
}

METHODS: Final = table(
    (
        Choice(
            "consent",
            "Consent",
            "One proposal. Adopted if enough circles take part, at least one consents, and none objects. An objection says what "
            "harm it sees and what would resolve it.",
        ),
        Choice(
            "majority",
            "Majority",
            "One proposal. Adopted if enough circles take part and the share that says yes reaches the threshold.",
        ),
        Choice(
            "approval",
            "Approval",
            "Two to five proposals. Each circle approves of as many as it likes. The one that most approve of is adopted, if "
            "more circles approve of it than of leaving things as they are.",
        ),
    )
)

TAKES: Final = table(
    (
        Choice("binding", "Binding on us", "If it is adopted, we carry it out."),
        Choice(
            "ratifies",
            "We will ratify it at our assembly",
            "It binds us once our assembly has said yes, by a date you give.",
        ),
        Choice(
            "advisory",
            "Advisory to us",
            "Our circles give their view. It is shown apart, and binds nobody here.",
        ),
        Choice("declines", "We do not take part", "The others go on without us."),
    )
)

VISIBILITY: Final = table(
    (
        Choice("public", "Everybody", "On this site, in feeds, and to followers."),
        Choice("federation", "The collectives that take part", "Their members, and nobody else."),
        Choice("collective", "Only this collective", "Your own members. Not for decisions with others."),
    )
)

REDACTIONS: Final[Mapping[str, str]] = {
    "personal": "it held personal data",
    "unlawful": "it was unlawful",
    "mistake": "it was a mistake",
    "other": "no reason was given",
}
