"""The form for convening: what can be chosen, and what a filled-in form means as a `Plan`.

Nothing typed is lost on the way back: the form is shown again as it came in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from models.rules.charters import SOFTWARE, Charter, Value, changed, is_enough, says, weight
from server.actions.convening import Plan
from server.actions.texts import DETAILS_LENGTH
from server.language import LANGUAGE, _, said_in
from server.web.forms import Form, Problems
from server.web.words import LANGUAGES, METHODS, TAKES, VISIBILITY, Choice, table

SMALL: Final = "small"  # the name of the example in the address
MOST_PROPOSALS: Final = 5
LONGEST: Final = timedelta(days=90)
UNITS: Final = table(
    (Choice("minutes", "minutes"), Choice("hours", "hours"), Choice("days", "days")),
)
CUSTOM: Final = Choice("custom", "Another time")
GATHER: Final = table(
    (
        Choice(
            "0h",
            "No time",
            "The voting opens at once, on the proposals you write here. Not if you invite others.",
        ),
        Choice("24h", "24 hours"),
        Choice("48h", "48 hours"),
        Choice("7d", "7 days"),
        CUSTOM,
    )
)
TALK: Final = ("24h", "48h", "7d")
WINDOW: Final = table(
    (
        Choice("48h", "48 hours", "The usual time."),
        Choice("24h", "24 hours"),
        Choice("3d", "3 days"),
        Choice("7d", "7 days"),
        CUSTOM,
    )
)
GRACE: Final = table(
    (
        Choice("1m", "1 minute"),
        Choice("10m", "10 minutes"),
        Choice("1h", "1 hour"),
        Choice("6h", "6 hours"),
        Choice("24h", "24 hours"),
    )
)
CHALLENGE: Final = table(
    (
        Choice("0h", "none"),
        Choice("1h", "1 hour"),
        Choice("24h", "24 hours"),
        Choice("48h", "48 hours"),
        Choice("7d", "7 days"),
    )
)
MAX_WAIT: Final = table(
    (
        Choice("1h", "1 hour"),
        Choice("24h", "24 hours"),
        Choice("3d", "3 days"),
        Choice("7d", "7 days"),
        Choice("14d", "14 days"),
    )
)
RATIFY: Final = table(
    (Choice("24h", "24 hours"), Choice("7d", "7 days"), Choice("14d", "14 days"), Choice("30d", "30 days"))
)
QUORUM: Final = table(
    (
        Choice("0/1", "one circle is enough"),
        Choice("1/2", "half of the circles"),
        Choice("2/3", "two thirds of the circles"),
        Choice("3/4", "three quarters of the circles"),
        Choice("1/1", "all circles"),
    )
)
THRESHOLD: Final = table(
    (
        Choice(">1/2", "more than half"),
        Choice("2/3", "at least two thirds"),
        Choice("3/4", "at least three quarters"),
    )
)
BASE: Final = table(
    (Choice("cast", "of the circles that say yes or no"), Choice("eligible", "of all circles on the roll"))
)
COLLECTIVES: Final = table(
    (
        Choice("1/2", "more than half of the collectives"),
        Choice("2/3", "more than two thirds of the collectives"),
    )
)
OPTIONS: Final = table(
    (
        Choice("answering", "Every circle that takes part"),
        Choice("convener", "Only this collective"),
    )
)
OWN_TAKES: Final = table(TAKES[value] for value in ("binding", "advisory"))

SELECTS: Final[Mapping[str, tuple[Mapping[str, Choice], str]]] = {  # and what is chosen at first
    "method": (METHODS, "consent"),
    "gather": (GATHER, "0h"),
    "window": (WINDOW, "48h"),
    "visibility": (VISIBILITY, "public"),
    "takes": (OWN_TAKES, "binding"),
    "options": (OPTIONS, "answering"),
    "lang": (LANGUAGES, ""),  # that in which the form is read
    "quorum": (QUORUM, "1/2"),
    "threshold": (THRESHOLD, ">1/2"),
    "base": (BASE, "cast"),
    "collectives": (COLLECTIVES, "1/2"),
    "grace": (GRACE, "6h"),
    "challenge": (CHALLENGE, "48h"),
    "max_wait": (MAX_WAIT, "7d"),
    "ratify": (RATIFY, "7d"),
}
ADVANCED: Final = (
    "quorum",
    "threshold",
    "base",
    "collectives",
    "grace",
    "challenge",
    "max_wait",
    "ratify",
    "options",
    "lang",
)


@dataclass(frozen=True)
class Filled:
    """The form as somebody filled it in, ready to be shown again."""

    question: str = ""
    details: str = ""
    proposals: Sequence[tuple[str, str]] = (("", ""),) * MOST_PROPOSALS
    invited: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    custom: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_advanced(self) -> bool:
        """Was anything chosen that stands under “More choices”?"""
        return any(self.chosen[name] != at_first(name) for name in ADVANCED)


def at_first(name: str) -> str:
    """What is chosen before anybody chooses."""
    return SELECTS[name][1] or LANGUAGE.get()


def filled(form: Form) -> Filled:
    """What the form holds; what was not offered falls back to the default."""
    chosen = {
        name: form.one(name) if form.one(name) in choices else at_first(name)
        for name, (choices, _default) in SELECTS.items()
    }
    return Filled(
        question=form.one("question"),
        details=form.one("details"),
        proposals=[(form.one(f"title-{n}"), form.one(f"about-{n}")) for n in range(1, MOST_PROPOSALS + 1)],
        invited=form.one("invited"),
        chosen=chosen,
        custom={
            name: (form.one(f"{name}-many"), form.one(f"{name}-unit", "hours"))
            for name in ("gather", "window")
        },
    )


def small_question() -> Filled:
    """An example that one person can take to its end in minutes, among members only, in the language of whoever asks for it.
    Everything in it can be changed."""
    example = {
        "question": _("Shall we meet on Thursdays?"),
        "details": _("This is a first try, to see how a decision goes."),
        "title-1": _("We meet on Thursdays at seven in the evening"),
        "window": CUSTOM.value,
        "window-many": "10",
        "window-unit": "minutes",
        "visibility": "collective",
        "grace": "1m",
        "challenge": "0h",
    }
    return filled(Form(tuple(example.items())))


def fitting(form: Filled, charter: Charter) -> Filled:
    """A form that nobody has changed yet: where it would ask for less than our charter, the least choice that is enough."""
    raised = {}
    for name, least in charter.items():
        asked = length_of(form, name) if name in form.custom else None
        value = int(asked.total_seconds()) if asked is not None else _value(form.chosen[name])
        if not is_enough(least, value):
            enough = [
                one for one in SELECTS[name][0] if one != CUSTOM.value and is_enough(least, _value(one))
            ]
            raised[name] = min(enough, key=lambda one: weight(_value(one)))
    return replace(form, chosen={**form.chosen, **raised})


def offered(form: Filled, charter: Charter) -> dict[str, list[Choice]]:
    """What can be chosen under our charter, and what was chosen, by field."""
    return {
        name: [
            one
            for one in choices.values()
            if one in (CUSTOM, choices[form.chosen[name]])
            or name not in charter
            or is_enough(charter[name], _value(one.value))
        ]
        for name, (choices, _default) in SELECTS.items()
    }


def talks(charter: Charter) -> Mapping[str, Choice]:
    """How long a question about a member or about our charter can be talked over before the voting."""
    return {value: GATHER[value] for value in TALK if is_enough(charter["gather"], _value(value))}


def usual_talk(charter: Charter) -> str:
    return next(value for value in ("48h", "7d") if value in talks(charter))


def leasts(charter: Charter) -> dict[str, str]:
    """What our charter asks for beyond what comes with the software, by field."""
    return {name: said_in(says(name, charter)) for name in changed(SOFTWARE, charter)}


def _value(choice: str) -> Value:
    """What a choice such as “48h”, “2/3” or “>1/2” means in a charter. A time of one's own is read elsewhere."""
    if choice == CUSTOM.value:
        return 0
    if "/" in choice:
        return (*_share(choice), int(choice.startswith(">")))
    return int(span_of(choice).total_seconds())


def plan_of(filled: Filled) -> tuple[Plan, Problems]:
    """The plan that the form asks for, and what is wrong with the lengths of time in it."""
    chosen = filled.chosen
    gather, window = length_of(filled, "gather"), length_of(filled, "window")
    asked = _("Say how long: a whole number, of at most 90 days in all.")
    wrong = {name: asked for name, length in (("gather", gather), ("window", window)) if length is None}
    if any(about and not title for title, about in filled.proposals):
        wrong["proposals"] = _("Give every proposal a title.")
    if any(len(about) > DETAILS_LENGTH for _title, about in filled.proposals):
        wrong["proposals"] = _("Keep what each proposal means under {most} characters.", most=DETAILS_LENGTH)
    plan = Plan(
        question=filled.question,
        details=filled.details,
        method=chosen["method"],
        proposals=[(title, about) for title, about in filled.proposals if title],
        gather=gather or timedelta(),
        window=window or timedelta(hours=48),
        grace=span_of(chosen["grace"]),
        challenge=span_of(chosen["challenge"]),
        max_wait=span_of(chosen["max_wait"]),
        ratify=span_of(chosen["ratify"]),
        visibility=chosen["visibility"],
        options=chosen["options"],
        takes=chosen["takes"],
        lang=chosen["lang"],
        rule=_rule(chosen),
    )
    return plan, Problems(fields=wrong)


def _rule(chosen: Mapping[str, str]) -> dict[str, Any]:
    return {
        "quorum": _share(chosen["quorum"]),
        "collectives": _share(chosen["collectives"]),
        "threshold": _share(chosen["threshold"]),
        "base": chosen["base"],
        "strict": chosen["threshold"].startswith(">"),
    }


def _share(text: str) -> list[int]:
    return [int(part) for part in text.lstrip(">").split("/")]


def span_of(text: str) -> timedelta:
    """The length that a choice such as “48h” means."""
    return timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[text[-1]]: int(text[:-1])})


def length_of(filled: Filled, name: str) -> timedelta | None:
    """A chosen or custom length; None if the custom one cannot be read or is too long."""
    if filled.chosen[name] != CUSTOM.value:
        return span_of(filled.chosen[name])
    many, unit = filled.custom[name]
    if not re.fullmatch(r"[0-9]{1,6}", many) or unit not in UNITS:
        return None
    length = timedelta(**{unit: int(many)})
    return length if length <= LONGEST else None


def addresses(text: str) -> list[str]:
    """What stands on the lines of a field, each once, without the empty ones."""
    return list(dict.fromkeys(line.strip() for line in text.split("\n") if line.strip()))
