"""Refusals: what a rule says when it says no, with a stable code for us and a sentence for people.

    Refusal
    ├── Invalid       a form was filled in wrongly: field -> sentence
    ├── NotFound      there is no such thing, or none that you may see: strangers cannot tell which
    ├── NotAllowed    you may see it, but this needs a power that you do not hold now
    ├── Conflict      it contradicts what already stands
    └── OutOfTime
        ├── TooEarly  it is not open yet
        └── TooLate   it is closed

Nothing here knows HTTP: status codes are given in one place, `server/errors.py`. Everybody may raise these.
"""

from collections.abc import Mapping


class Refusal(Exception):
    """A rule says no. `code` is stable and documented, `sentence` is what a person reads."""

    code = "refused"

    def __init__(self, sentence: str, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or type(self).code


class Invalid(Refusal):
    """What was entered cannot be accepted. `fields` says what is wrong, field by field."""

    code = "invalid"

    def __init__(self, fields: Mapping[str, str], sentence: str = "", code: str | None = None) -> None:
        super().__init__(sentence or " ".join(fields.values()), code)
        self.fields = dict(fields)


class NotFound(Refusal):
    """There is no such thing, or this viewer may not know that there is."""

    code = "not-found"


class NotAllowed(Refusal):
    """The thing is visible, doing this is not allowed. `power` names the mandate that it would take, if one would do."""

    code = "not-allowed"

    def __init__(self, sentence: str, power: str | None = None, code: str | None = None) -> None:
        super().__init__(sentence, code)
        self.power = power


class Conflict(Refusal):
    """It contradicts what already stands."""

    code = "conflict"


class OutOfTime(Refusal):
    """It could be done at another time."""

    code = "out-of-time"


class TooEarly(OutOfTime):
    """Not open yet."""

    code = "too-early"


class TooLate(OutOfTime):
    """Already closed."""

    code = "too-late"
