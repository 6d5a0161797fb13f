"""Proposals as a page shows them: the version in force with what changed in it, which circles support it, and what others would
change. Support decides nothing; who sees these numbers is told so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models.people import Circle
from models.rules.phrases import phrase
from models.rules.proposals import Amendment, Proposal
from models.rules.records import Record
from models.rules.support import Backing
from models.rules.view import Standing
from server.language import _, ngettext
from server.web.diffs import Piece, word_diff
from server.web.names import Names, Said, Who
from server.web.sessions import Visit
from server.web.words import OUTCOMES, STATES, Label

FEW: Final = 3  # changes by others that the page of the decision shows; the page of the proposal has them all
MOST: Final = 50

# How the winner is marked among the proposals.
MARKS: Final[Mapping[str, Label]] = {
    "final": OUTCOMES["adopted"],
    "heard": STATES["heard"],
    "provisional": Label("Adopted, provisionally", "warn", "clock"),
}


@dataclass(frozen=True)
class Author:
    """A circle of a collective, or (without `circle`) the collective itself."""

    who: Who
    circle: Said | None

    @property
    def plain(self) -> str:
        return self.who.name if self.circle is None else self.circle.plain


@dataclass(frozen=True)
class Diff:
    """What a version says, with what it adds to another and takes from it."""

    title: Sequence[Piece]
    details: Sequence[Piece]
    lang: str | None


@dataclass(frozen=True)
class Version:
    """A version of a proposal. `diff` is None for a first one, and where a text is not here to be compared."""

    anchor: str
    number: int
    title: Said
    details: Said | None
    author: Author
    at: datetime
    taken_in: datetime | None
    diff: Diff | None


@dataclass(frozen=True)
class Stance:
    """What a circle says of a version."""

    anchor: str
    author: Author
    reason: Said | None
    at: datetime


@dataclass(frozen=True)
class Support:
    """What the circles say of a version, of so many on the roll. `says` and `mine`: the circle of whoever looks."""

    support: Sequence[Stance]
    concern: Sequence[Stance]
    set_aside: Sequence[Author]
    of: int
    words: str
    says: str
    mine: Stance | None

    @property
    def is_said(self) -> bool:
        return bool(self.support or self.concern or self.set_aside)


@dataclass(frozen=True)
class Change:
    """What somebody would change. `answerable`: who looks may take it in or decline it; `reviving`: propose it by itself."""

    digest: str
    version: Version
    fate: Label
    declined: Stance | None
    support: Support
    answerable: bool
    reviving: bool


@dataclass(frozen=True)
class ProposalRow:
    """A proposal. `number` is that of its version in force; `waiting`: changes that its author has not answered."""

    anchor: str
    digest: str
    title: Said
    details: Said | None
    author: Author
    at: datetime
    mark: Label | None
    number: int
    diff: Diff | None
    support: Support
    changes: Sequence[Change]
    more: int
    waiting: int
    may_support: bool
    may_change: bool


@dataclass(frozen=True)
class Looking:
    """Who looks: the key of their circle in this decision, and all keys in whose names they can propose here."""

    circle: str = ""
    keys: frozenset[str] = frozenset()


def looking_of(visit: Visit, offer: Record, circle: Circle | None) -> Looking:
    """What whoever looks can do here, with the circle in which they sit. A visitor can do nothing."""
    if not visit.viewer.is_member:
        return Looking()
    us, key = visit.collective.ed25519 or "", (circle.actor.ed25519 or "") if circle else ""
    if offer["options"] == "convener" and offer.by != us:
        return Looking(key)
    keys = {key} if key else set()
    return Looking(key, frozenset(keys | {us} if visit.viewer.may("convene") else keys))


def proposals_of(view: Standing, names: Names, looking: Looking) -> Sequence[ProposalRow]:
    """Rows of what is voted on, or would be if the voting opened now."""
    teller = Teller(view, names, looking)
    return [teller.row(one) for one in view.proposals]


class Teller:
    """Turns what the records say of proposals into rows, for one decision and one viewer."""

    def __init__(self, view: Standing, names: Names, looking: Looking) -> None:
        self.view, self.names, self.looking = view, names, looking
        self.circles = {
            one["key"]: (answer.by, one["name"])
            for answer in view.answers.values()
            for one in answer["circles"]
        }
        self.records = {one.digest: one for each in view.proposals for one in each.versions}
        self.records |= {one.option.digest: one.option for one in view.amendments}
        self.in_force = {one.digest for one in view.options}
        self.is_before = view.withdrawn is None and view.now < view.opens
        self.is_gathering = self.is_before and view.now <= view.times.gather_until

    def author(self, key: str) -> Author:
        collective, circle = self.circles.get(key, (key, None))
        return Author(self.names.collective(collective), self.names.title(circle) if circle else None)

    def row(self, proposal: Proposal, most: int = FEW) -> ProposalRow:
        """A proposal with the first few of the changes that are not taken in, those that wait at the top."""
        view, option = self.view, proposal.option
        mark = MARKS.get(view.state) if option.digest == view.winner else None
        mark = Label("Level at the top", "warn", "half") if option.digest in view.tied else mark
        mine = [one for one in view.amendments if one.first == proposal.versions[0]]
        waiting = [one for one in mine if self._waits(one)]
        shown = sorted(mine, key=lambda one: (not self._waits(one), one.option.at, one.option.digest))
        return ProposalRow(
            anchor=option.digest[:12],
            digest=option.digest,
            title=self.names.title(option["title"]),
            details=self.names.maybe(option.get("details")),
            author=self.author(proposal.author),
            at=option.at,
            mark=mark,
            number=len(proposal.versions),
            diff=self.diff(option),
            support=self.support(option),
            changes=[self.change(one) for one in shown[:most]],
            more=max(len(mine) - most, 0),
            waiting=len(waiting),
            may_support=self.is_before and bool(self.looking.circle),
            may_change=self.is_gathering and bool(self.looking.keys),
        )

    def versions(self, proposal: Proposal) -> Sequence[Version]:
        """All versions that were in force, the latest first."""
        taken = {one["option"]: one.at for one in proposal.integrates}
        return [
            self.version(one, number, taken.get(one.digest))
            for number, one in reversed(list(enumerate(proposal.versions, start=1)))
        ]

    def version(self, option: Record, number: int = 0, taken_in: datetime | None = None) -> Version:
        return Version(
            anchor=option.digest[:12],
            number=number,
            title=self.names.title(option["title"]),
            details=self.names.maybe(option.get("details")),
            author=self.author(option.by),
            at=option.at,
            taken_in=taken_in,
            diff=self.diff(option),
        )

    def diff(self, option: Record) -> Diff | None:
        """What this version changes of the one before it; None where there is none, or not all texts are here."""
        before = self.records.get(option.get("amends", ""))
        if before is None:
            return None
        title = self._pieces(before["title"], option["title"])
        details = self._pieces(before.get("details"), option.get("details"))
        if title is None or details is None:
            return None
        return Diff(title, details, self.names.said(option["title"]).lang)

    def _pieces(self, old: str | None, new: str | None) -> Sequence[Piece] | None:
        was = "" if old is None else self.names.said(old).text
        now = "" if new is None else self.names.said(new).text
        return None if was is None or now is None else word_diff(was, now)

    def support(self, option: Record) -> Support:
        backing = self.view.support.get(option.digest, Backing({}, {}, {}, 0))
        said = {**backing.support, **backing.concern}.get(self.looking.circle)
        return Support(
            support=[self._stance(one) for one in backing.support.values()],
            concern=[self._stance(one) for one in backing.concern.values()],
            set_aside=[self.author(key) for key in backing.set_aside],
            of=backing.of,
            words=support_words(backing, is_before=self.is_before),
            says=said["says"] if said else "",
            mine=self._stance(said) if said else None,
        )

    def _stance(self, record: Record) -> Stance:
        reason = self.names.maybe(record.get("reason"))
        return Stance(record.digest[:12], self.author(record.by), reason, record.at)

    def change(self, amendment: Amendment) -> Change:
        option, keys = amendment.option, self.looking.keys
        declined = self._stance(amendment.declined) if amendment.declined else None
        return Change(
            digest=option.digest,
            version=self.version(option),
            fate=self._fate(amendment),
            declined=declined,
            support=self.support(option),
            answerable=self.is_gathering and self._waits(amendment) and amendment.first.by in keys,
            reviving=self.is_gathering
            and not self._waits(amendment)
            and option.by in keys
            and len(self.view.proposals) < self.view.offer["maxOptions"],
        )

    def _waits(self, amendment: Amendment) -> bool:
        """Can its author still take it in, and has not said no?"""
        return (
            self.is_gathering and amendment.declined is None and amendment.option["amends"] in self.in_force
        )

    def _fate(self, amendment: Amendment) -> Label:
        who = self.author(amendment.first.by).plain
        if amendment.declined is not None:
            return Label(phrase("Declined by {name}", name=who), "", "no")
        if self._waits(amendment):
            return Label(phrase("Waits for {name}", name=who), "warn", "clock")
        if amendment.option["amends"] not in self.in_force:
            return Label("Of an earlier version", "", "half")
        return Label("Was not taken in", "", "half")


def support_words(backing: Backing, *, is_before: bool) -> str:
    """How many circles support a version, of how many, and how many have a concern; nothing after the opening if nobody spoke."""
    yes = len(backing.support)
    if not (backing.support or backing.concern or backing.set_aside):
        return _("No circle has said yet whether it supports this.") if is_before else ""
    if is_before:
        words = ngettext(
            "{yes} of {n} circle supports this.",
            "{yes} of {n} circles support this.",
            backing.of,
            yes=yes,
        )
    else:
        words = ngettext(
            "Before the voting, {yes} of {n} circle supported this.",
            "Before the voting, {yes} of {n} circles supported this.",
            backing.of,
            yes=yes,
        )
    if backing.concern:
        words += " " + ngettext("{n} has a concern.", "{n} have a concern.", len(backing.concern))
    if backing.set_aside:
        words += " " + ngettext(
            "{n} said two things at once and is set aside.",
            "{n} said two things at once and are set aside.",
            len(backing.set_aside),
        )
    return words
