"""The charter of a collective: the least that it asks of every decision it convenes. One table; who convenes can ask for more.

Each parameter has a few steps, from what comes with the software (the least) to the most that a charter may ask for. The most is
bounded (`STRICTEST`), so that no charter keeps a collective from changing it again. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from models.rules.phrases import Phrase, phrase, phrases

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

Value = int | tuple[int, ...]
"""Seconds; or a share as (part, whole); or a majority as (part, whole, 1 if it takes more than this share, else 0)."""

Charter = Mapping[str, Value]
"""The least of each parameter, by its name."""


@dataclass(frozen=True)
class Parameter:
    """A row of the table. `kind` is time, share or majority; `steps` go up. What comes with the software is the first."""

    name: str
    kind: str
    label: Phrase
    steps: tuple[Value, ...]

    @property
    def lowest(self) -> Value:
        return self.steps[0]

    @property
    def highest(self) -> Value:
        return self.steps[-1]

    def words(self, value: Value) -> Phrase:
        """A least value, as it ends the sentence that the label begins."""
        if isinstance(value, int):
            return phrase("at least {time}", time=_time(value)) if value else phrase("no least time")
        part, whole = value[:2]
        said = SHARES if self.kind == "share" else MAJORITIES
        return said.get(value) or phrase("at least {part} of {whole}", part=part, whole=whole)


SHARES: Final[Mapping[Value, Phrase]] = {
    (0, 1): phrase("at least one circle"),
    (1, 2): phrase("at least half of the circles"),
    (2, 3): phrase("at least two thirds of the circles"),
}
MAJORITIES: Final[Mapping[Value, Phrase]] = {
    (1, 2, 1): phrase("more than half"),
    (2, 3, 0): phrase("at least two thirds"),
    (3, 4, 0): phrase("at least three quarters"),
}


def _time(seconds: int) -> Phrase:
    """The largest unit that says it without a fraction; days from three on."""
    if seconds >= 3 * DAY and seconds % DAY == 0:
        return phrases("{n} day", "{n} days", seconds // DAY)
    if seconds >= HOUR and seconds % HOUR == 0:
        return phrases("{n} hour", "{n} hours", seconds // HOUR)
    return phrases("{n} minute", "{n} minutes", seconds // MINUTE)


def weight(value: Value) -> tuple[Fraction, int]:
    """What values of one kind are compared by. More than a half is more than half, and less than anything above it: for every
    number of circles, a greater weight never needs fewer of them."""
    if isinstance(value, int):
        return Fraction(value), 0
    return Fraction(value[0], value[1]), value[2] if len(value) > 2 else 0


def _table(*rows: Parameter) -> Mapping[str, Parameter]:
    for row in rows:
        if any(weight(below) >= weight(above) for below, above in pairwise(row.steps)):
            raise ValueError(f"the steps of {row.name} do not go up")
    table = {row.name: row for row in rows}
    if len(table) < len(rows):
        raise ValueError("a parameter is in the table twice")
    return table


PARAMETERS: Final = _table(
    Parameter("gather", "time", phrase("Time before the voting"), (0, HOUR, DAY, 2 * DAY, 7 * DAY)),
    Parameter(
        "window", "time", phrase("Time for the voting"), (5 * MINUTE, HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY)
    ),
    Parameter(
        "grace",
        "time",
        phrase("Time for the instances to collect what was cast in time"),
        (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY),
    ),
    Parameter(
        "challenge",
        "time",
        phrase("Time to show that the count is wrong"),
        (0, HOUR, DAY, 2 * DAY, 7 * DAY),
    ),
    Parameter("quorum", "share", phrase("How many circles must take part"), ((0, 1), (1, 2), (2, 3))),
    Parameter(
        "threshold",
        "majority",
        phrase("How many must say yes for a majority"),
        ((1, 2, 1), (2, 3, 0), (3, 4, 0)),
    ),
)
"""Every parameter there is, by its name, in the order in which people read them."""

SOFTWARE: Final[Charter] = {name: one.lowest for name, one in PARAMETERS.items()}
"""What holds as long as a collective has decided nothing else: the first version of every charter."""


def charter_of(said: Mapping[str, Any]) -> Charter:
    """A charter from what is stored. A parameter that it does not name yet asks for what comes with the software."""
    return {name: _read(said[name]) if name in said else one.lowest for name, one in PARAMETERS.items()}


def _read(value: Any) -> Value:
    return value if isinstance(value, int) else tuple(value)


def stored(charter: Charter) -> dict[str, Any]:
    """A charter as it is stored: whole numbers and lists of them."""
    return {name: value if isinstance(value, int) else list(value) for name, value in charter.items()}


def told(charter: Charter) -> dict[str, Any]:
    """A charter as machines are told it: seconds, and shares as the rule of an Offer says them."""
    said: dict[str, Any] = {}
    for name, value in charter.items():
        if isinstance(value, int):
            said[name] = value
            continue
        said[name] = [*value[:2]]
        if value[2:]:
            said["strict"] = bool(value[2])
    return said


def changed(before: Charter, after: Charter) -> list[str]:
    """The names of the parameters that differ."""
    return [name for name in PARAMETERS if before[name] != after[name]]


def not_offered(asked: Mapping[str, Value]) -> list[str]:
    """The names of the parameters for which no step, or another value than one of its steps, is asked for."""
    return [name for name, one in PARAMETERS.items() if asked.get(name) not in one.steps]


def is_enough(least: Value, asked: Value) -> bool:
    return weight(asked) >= weight(least)


def too_little(charter: Charter, asked: Mapping[str, Value]) -> list[str]:
    """The names of the parameters of which less is asked than the charter does."""
    return [name for name, least in charter.items() if not is_enough(least, asked[name])]


def raised(charter: Charter, asked: Mapping[str, Value]) -> dict[str, Value]:
    """What is asked, and where that is too little what the charter asks for."""
    short = too_little(charter, asked)
    return {name: charter[name] if name in short else value for name, value in asked.items()}


def says(name: str, charter: Charter) -> Phrase:
    """What the charter asks for here, for whoever asks for less."""
    return phrase("Our charter says: {least}.", least=PARAMETERS[name].words(charter[name]))


STRICTEST: Final[Charter] = {name: one.highest for name, one in PARAMETERS.items()}


def seconds(charter: Charter) -> int:
    """How long a decision takes that leaves as little time as the charter allows, from the question to the final result."""
    return sum(value for value in charter.values() if isinstance(value, int))
