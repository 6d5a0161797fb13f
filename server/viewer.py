"""Who is looking, and what they may do now. There is no admin flag: every protected act asks for a mandate in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models.mandates import MandateRow
from models.people import Circle, Member
from models.rules.mandates import Mandate, in_force
from models.rules.phrases import Phrase, phrase
from models.rules.refusals import NotAllowed

POWERS: Final[Mapping[str, Phrase]] = {  # what a mandate allows one to do
    "operate": phrase("run the instance"),
    "moderate": phrase("moderate"),
    "admit": phrase("admit people"),
    "speak": phrase("post as the collective"),
    "steward": phrase("narrate"),
    "convene": phrase("ask questions and answer offers"),
    "represent": phrase("cast in joint decisions"),
    "coordinate": phrase("act in hubs"),
}


@dataclass(frozen=True)
class Viewer:
    """A member with the mandates they hold, or a visitor (`member` is None)."""

    now: datetime
    member: Member | None = None
    mandates: Sequence[MandateRow] = ()
    circle: Circle | None = None

    @property
    def is_member(self) -> bool:
        return self.member is not None and self.member.left_at is None

    def mandate_for(self, power: str) -> MandateRow | None:
        """The mandate in force now that carries this power; the one that lasts longest."""
        fit = [m for m in self.mandates if power in m.powers and in_force(as_rule(m), self.now)]
        return max(fit, key=lambda m: m.ends_at, default=None)

    def may(self, power: str) -> bool:
        return self.mandate_for(power) is not None

    def require(self, power: str) -> MandateRow:
        """The mandate to name with the act; `NotAllowed` if none is in force."""
        mandate = self.mandate_for(power)
        if not self.is_member or mandate is None:
            raise no_mandate(power)
        return mandate

    def require_member(self) -> Member:
        if self.member is None or not self.is_member:
            raise NotAllowed("log-in", phrase("Please log in as a member of this collective."))
        return self.member


def no_mandate(power: str) -> NotAllowed:
    return NotAllowed(
        power, phrase("This needs a mandate to {power} that is in force now.", power=POWERS[power])
    )


def as_rule(row: MandateRow) -> Mandate:
    """The plain values that the rules compute with."""
    return Mandate(
        powers=frozenset(row.powers),
        starts=row.starts_at,
        ends=row.ends_at,
        accepted=row.accepted_at,
        recalled=row.recalled_at,
        resigned=row.resigned_at,
    )
