"""Refusals: what a rule says when it says no, with a stable code for us and a sentence for people.

    Refusal
    ├── Invalid       a form was filled in wrongly: field -> sentence
    ├── NotFound      there is no such thing, or none that you may see: strangers cannot tell which
    ├── NotAllowed    you may see it, but this needs a power that you do not hold now
    ├── Conflict      it contradicts what already stands
    ├── TooMany       too often, or too much at once
    └── OutOfTime
        ├── TooEarly  it is not open yet
        └── TooLate   it is closed

Nothing here knows HTTP: status codes are given in one place, `server/errors.py`. Everybody may raise these.
"""

from collections.abc import Mapping

from models.rules.phrases import in_a_row, phrase


class Refusal(Exception):
    """A rule says no. `code` is stable and documented, `sentence` is what a person reads."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class Invalid(Refusal):
    """What was entered cannot be accepted. `fields` says what is wrong, field by field."""

    def __init__(self, fields: Mapping[str, str], sentence: str = "", code: str = "invalid") -> None:
        super().__init__(code, sentence or in_a_row([*fields.values()]))
        self.fields = dict(fields)


class NotFound(Refusal):
    """There is no such thing, or this viewer may not know that there is."""


class NotAllowed(Refusal):
    """The thing is visible, doing this is not allowed. `power` (also the code) is what it would take."""

    def __init__(self, power: str, sentence: str = phrase("You do not hold what this takes.")) -> None:
        super().__init__(power, sentence)
        self.power = power


class Conflict(Refusal):
    """It contradicts what already stands."""


class TooMany(Refusal):
    """Too often, or too much at once."""


class OutOfTime(Refusal):
    """It could be done at another time."""


class TooEarly(OutOfTime):
    """Not open yet."""


class TooLate(OutOfTime):
    """Already closed."""
