"""Proposals through their versions: which are put to the vote, and which would change one (records.md §3, product.md §3.3).

A version is never edited. One that changes another (`amends`) takes its place if the proposal's author
signed it, or takes it in by an `Integrate`; the author of a proposal is whoever signed its first version.
Asked by `terms` and `standing`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.rules.records import ByType, Record, Refused
from models.rules.times import times_of

MOST_VERSIONS = 30
"""Versions that one proposal can have."""

MOST_INTEGRATED = 20
"""Versions by others that a decision takes in, each proposal an equal share: the Terms list each Integrate."""


@dataclass(frozen=True)
class Proposal:
    """A proposal: its versions from the first to the one in force, and the author's Integrates of those that others wrote."""

    versions: tuple[Record, ...]
    integrates: tuple[Record, ...] = ()

    @property
    def option(self) -> Record:
        """The version in force."""
        return self.versions[-1]

    @property
    def since(self) -> datetime:
        """From when on this version is in force: its own date, or that of the author who took it in."""
        taken = (one.at for one in self.integrates if one["option"] == self.option.digest)
        return next(taken, self.option.at)

    @property
    def author(self) -> str:
        """The key that says which version is in force."""
        return self.versions[0].by


@dataclass(frozen=True)
class Amendment:
    """A version that is not in force and never was: of the proposal that begins with `first`; and its author's answer if that
    was no."""

    option: Record
    first: Record
    declined: Record | None


@dataclass(frozen=True)
class Proposed:
    """What was proposed by those entitled, in time: what would be put to the vote, in order, and what would change it."""

    proposals: tuple[Proposal, ...]
    amendments: tuple[Amendment, ...]


def proposed(
    offer: Record, answers: Mapping[str, Record], said: ByType, round_: int = 1
) -> tuple[Proposed, Refused]:
    """The proposals that the Options, Integrates and Declines among these records make; and the records without effect, with a
    code. At most `maxOptions`, of somebody entitled, by `gatherUntil`. The convener's own come first (nobody takes their place by
    an earlier date), then in the order of (date, digest) of their first versions. One that changes another takes no place: else
    nobody could change the only proposal of a vote that takes one."""
    fit, refused = _in_time(offer, answers, said.get("Option", ()), round_)
    begun = [one for one in fit if one.get("amends") is None]
    firsts = begun[: offer["maxOptions"]]
    refused += [(one, "one-too-many") for one in begun[len(firsts) :]]
    changes, more = _changes(firsts, [one for one in fit if one.get("amends") is not None])
    refused += more
    integrates, more = _by_author(offer, said.get("Integrate", ()), changes)
    refused += more
    declines, more = _by_author(offer, said.get("Decline", ()), changes)
    refused += more
    proposals = _lines(firsts, changes, integrates, MOST_INTEGRATED // offer["maxOptions"])
    used = {one for proposal in proposals for one in (*proposal.versions, *proposal.integrates)}
    refused += [(one, "not-current") for one in integrates if one not in used]
    against = {one["option"]: one for one in reversed(declines)}
    amendments = tuple(
        Amendment(one, first, against.get(one.digest)) for one, first in changes.values() if one not in used
    )
    return Proposed(proposals, amendments), refused


def _in_time(
    offer: Record, answers: Mapping[str, Record], options: Iterable[Record], round_: int
) -> tuple[list[Record], Refused]:
    """Options by somebody entitled while proposals were gathered, the convener's own first."""
    times = times_of(offer)
    entitled = _entitled(offer, answers)
    fit: list[Record] = []
    refused: Refused = []
    for option in sorted(options, key=lambda one: (one.by != offer.by, one.at, one.digest)):
        if option.by not in entitled:
            refused.append((option, "not-entitled"))
        elif option.at < offer.at:
            refused.append((option, "before-offer"))
        elif option.at > times.gather_until:
            refused.append((option, "proposed-late"))
        elif option["round"] > round_:
            refused.append((option, "other-round"))
        else:
            fit.append(option)
    return fit, refused


def _entitled(offer: Record, answers: Mapping[str, Record]) -> set[str]:
    """The convener and its circles; if all who answer may add options, the other collectives and theirs as
    well."""
    adding = [offer.by] if offer["options"] == "convener" else [offer.by, *answers]
    circles = {circle["key"] for by in adding if by in answers for circle in answers[by]["circles"]}
    return circles.union(adding)


Changes = dict[str, tuple[Record, Record]]
"""By digest: a version that changes another, and the first version of the proposal that it belongs to."""


def _changes(firsts: Iterable[Record], changing: Sequence[Record]) -> tuple[Changes, Refused]:
    """Each of these versions with the proposal it belongs to, through however many others."""
    belongs: dict[str, Record | None] = {one.digest: one for one in firsts}
    by_digest = {one.digest: one for one in changing}
    for one in changing:
        way, at = [], one.digest
        while at not in belongs and at in by_digest:
            way.append(at)
            at = by_digest[at]["amends"]
        belongs |= dict.fromkeys(way, belongs.get(at))
    found: Changes = {}
    refused: Refused = []
    for one in changing:
        if (first := belongs[one.digest]) is not None:
            found[one.digest] = one, first
        else:
            refused.append((one, "amends-nothing"))
    return found, refused


def _by_author(offer: Record, said: Iterable[Record], changes: Changes) -> tuple[list[Record], Refused]:
    """Integrates or Declines by the author of the proposal, in time, by (date, digest). To take a version in is
    to propose it; to decline one is possible until the voting opens."""
    times = times_of(offer)
    fit: list[Record] = []
    refused: Refused = []
    for one in sorted(said, key=lambda one: (one.at, one.digest)):
        if one["option"] not in changes:
            refused.append((one, "no-option"))
        elif one.by != changes[one["option"]][1].by:
            refused.append((one, "not-entitled"))
        elif one.at < offer.at:
            refused.append((one, "before-offer"))
        elif one.type == "Integrate" and one.at > times.gather_until:
            refused.append((one, "proposed-late"))
        elif one.at >= times.opens:
            refused.append((one, "after-opening"))
        else:
            fit.append(one)
    return fit, refused


def _lines(
    firsts: Iterable[Record], changes: Changes, integrates: Iterable[Record], most: int
) -> tuple[Proposal, ...]:
    """From each first version on: of the versions that change the one reached and that the author signed or took in (`most`
    times), the one with the earliest such record by (date, digest)."""
    steps: dict[str, list[tuple[Record, Record]]] = defaultdict(list)
    for version, first in changes.values():
        if version.by == first.by:
            steps[version["amends"]].append((version, version))
    for one in integrates:
        version, _ = changes[one["option"]]
        steps[version["amends"]].append((one, version))
    lines = []
    for first in firsts:
        versions, taken = [first], list[Record]()
        while len(versions) < MOST_VERSIONS:
            room = len(taken) < most
            open_ = [step for step in steps[versions[-1].digest] if room or step[0].type == "Option"]
            if not open_:
                break
            said, version = min(open_, key=lambda step: (step[0].at, step[0].digest))
            versions.append(version)
            if said.type == "Integrate":
                taken.append(said)
        lines.append(Proposal(tuple(versions), tuple(taken)))
    return tuple(lines)
