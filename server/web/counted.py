"""“How was this counted”: the count of a decision step by step, with every number that it took, so that anybody can follow it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from models.rules.ballots import Entry
from models.rules.counting import Count
from models.rules.merkle import set_root
from models.rules.records import Record, instant
from models.rules.view import Standing
from server.language import Words, _, joined, ngettext
from server.web.decisions import known_decision
from server.web.names import Names, Said, Who
from server.web.render import frame_of, page
from server.web.results import Keeper, Line, Result, keepers_of, lines_of, numbers_of, result_of
from server.web.rolls import TAKEN, option_titles
from server.web.rulebook import rules_of
from server.web.sessions import reading
from server.web.words import METHODS, OUTCOMES, POSITIONS, STATES, STATUSES, Choice, Label

GROUPS: Final = ("cast", "late", "set-aside", "unheard", "silent", "left", "waiting")
WHY_LATE: Final = Words(
    {
        "after-close": "It is dated after the close.",
        "no-receipt": "No other instance says that it held it in time.",
    }
)


@dataclass(frozen=True)
class RollRow:
    """A collective on the roll, and how many circles it has there."""

    who: Who
    takes: str
    circles: int
    people: int
    is_counted: bool


@dataclass(frozen=True)
class Held:
    """An instance that says when it first had a ballot."""

    who: Who
    at: datetime


@dataclass(frozen=True)
class BallotRow:
    """A circle and what became of its vote."""

    name: Said
    who: Who
    label: Label
    position: Label | None
    choices: Sequence[Said]
    has_ballot: bool
    at: datetime | None
    digest: str
    held: Sequence[Held]
    why: str
    is_counted: bool


@dataclass(frozen=True)
class Part:
    """What the circles of one collective came to by themselves."""

    who: Who
    words: str
    present: int
    winning: int
    of: int
    agrees: bool


@dataclass(frozen=True)
class CountPage:
    path: str
    question: Said
    state: Label
    is_over: bool
    terms: str
    terms_at: datetime | None
    closes: datetime
    method: Choice
    rules: Sequence[str]
    roll: Sequence[RollRow]
    circles: int
    statuses: Sequence[tuple[Label, int]]
    ballots: Sequence[BallotRow]
    lines: Sequence[Line]
    parts: Sequence[Part]
    sides: Sequence[str]
    result: Result | None
    keepers: Sequence[Keeper]
    keepers_agree: int
    count_root: str
    late_root: str
    set_root: str
    set_size: int


async def count_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        known = await known_decision(visit)
        context = _page(known.path, known.question, known.view, known.names, known.records)
        return page(request, frame_of(visit), "decisions/count.html", context)


def _page(path: str, question: Said, view: Standing, names: Names, records: Sequence[Record]) -> CountPage:
    count = view.heard_count if view.state == "heard" and view.heard_count else view.count
    titles, keepers = option_titles(view, names), keepers_of(view, names)
    is_over = view.now >= view.times.grace_ends
    return CountPage(
        path=path,
        question=question,
        state=STATES[view.state],
        is_over=is_over,
        terms=view.terms.digest if view.terms else "",
        terms_at=view.terms.at if view.terms else None,
        closes=view.closes,
        method=METHODS[view.method.name],
        rules=rules_of(view),
        roll=_roll(view, names),
        circles=len(view.roll),
        statuses=_statuses(view.entries),
        ballots=_ballots(view, names, titles, records),
        lines=lines_of(view, numbers_of(count), titles, so_far=not is_over) if count else (),
        parts=_parts(view, count, names, titles) if count and is_over else (),
        sides=_sides(count) if count and is_over else (),
        result=result_of(view, names),
        keepers=keepers,
        keepers_agree=sum(one.agrees for one in keepers),
        count_root=view.count_root or "",
        late_root=(view.late_root or "") if view.late else "",
        set_root=set_root(record.digest for record in records),
        set_size=len(records),
    )


def _roll(view: Standing, names: Names) -> Sequence[RollRow]:
    places = list(view.roll.values())
    rows = []
    for key in view.invited:
        own = [place for place in places if place.collective == key]
        if own:
            takes, people = own[0].takes, sum(place.size for place in own)
            counted = takes != "advisory"
            rows.append(RollRow(names.collective(key), TAKEN[takes], len(own), people, counted))
    return rows


def _statuses(entries: Iterable[Entry]) -> Sequence[tuple[Label, int]]:
    """How many of the circles that are counted have which status."""
    mine = [one.status for one in entries if one.takes != "advisory"]
    return [(STATUSES[status], mine.count(status)) for status in GROUPS if status in mine]


def _ballots(
    view: Standing, names: Names, titles: Mapping[str, Said], records: Iterable[Record]
) -> Sequence[BallotRow]:
    held = _held(view, names, records)
    rows = [_ballot(one, names, titles, held) for one in view.entries]
    return sorted(rows, key=lambda row: (row.who.name, row.name.plain))


def _ballot(
    entry: Entry, names: Names, titles: Mapping[str, Said], held: Mapping[str, Sequence[Held]]
) -> BallotRow:
    shown = entry.ballot or (entry.ballots[-1] if entry.ballots else None)
    unknown = Said(None, None, _("an option that is not on the ballot"))
    return BallotRow(
        name=names.circle(entry.place),
        who=names.collective(entry.collective),
        label=STATUSES[entry.status],
        position=POSITIONS[shown["position"]] if shown and shown.get("position") else None,
        choices=[titles.get(one, unknown) for one in shown.get("choices", ())] if shown else (),
        has_ballot=shown is not None,
        at=shown.at if shown else None,
        digest=shown.digest if shown else "",
        held=held.get(shown.digest, ()) if shown else (),
        why=WHY_LATE.get(entry.why_late or "", "") if entry.status == "late" else "",
        is_counted=entry.ballot is not None and entry.takes != "advisory",
    )


def _held(view: Standing, names: Names, records: Iterable[Record]) -> Mapping[str, Sequence[Held]]:
    """By ballot, which keepers say since when they hold it, the first first."""
    keepers = view.frozen.keepers if view.frozen else frozenset()
    first: dict[str, dict[str, datetime]] = {}
    for receipt in records:
        if receipt.type == "Receipt" and receipt.by in keepers:
            for one in receipt["held"]:
                seen, at = first.setdefault(one["record"], {}), instant(one["received"])
                seen[receipt.by] = min(at, seen.get(receipt.by, at))
    return {
        digest: [Held(names.instance(key), at) for key, at in sorted(seen.items(), key=lambda item: item[1])]
        for digest, seen in first.items()
    }


def _parts(view: Standing, count: Count, names: Names, titles: Mapping[str, Said]) -> Sequence[Part]:
    rows = []
    for part in count.parts:
        words, winner = OUTCOMES[part.verdict.outcome].words, part.verdict.winner or ""
        if view.method.name == "approval" and part.verdict.outcome == "adopted" and winner in titles:
            words = _("{outcome}: {title}", outcome=words, title=titles[winner].plain)
        verdict = part.verdict
        who = names.collective(part.collective)
        rows.append(Part(who, words, verdict.present, verdict.winning, verdict.of, part.agrees))
    return rows


def _sides(count: Count) -> Sequence[str]:
    """Both majorities as sentences."""
    c, k = count.circles, count.collectives
    said = joined(
        (
            _took_part(c.present, c.of, c.quorum),
            ngettext(
                "{winning} of {of} stand behind what came out or came closest, and {n} was needed.",
                "{winning} of {of} stand behind what came out or came closest, and {n} were needed.",
                c.needed,
                winning=c.winning,
                of=c.of,
            ),
        )
    )
    if not k.asked:
        return [said, _("One collective decides, so there is one majority.")]
    return [
        said,
        joined((_collectives_took_part(k.present, k.of, k.quorum), _agreed(k.winning, k.of, k.needed))),
    ]


def _took_part(present: int, of: int, needed: int) -> str:
    return ngettext(
        "All circles: {present} of {of} took part, and {n} was needed;",
        "All circles: {present} of {of} took part, and {n} were needed;",
        needed,
        present=present,
        of=of,
    )


def _collectives_took_part(present: int, of: int, needed: int) -> str:
    return ngettext(
        "Collectives: circles of {present} of {of} took part, and {n} was needed.",
        "Collectives: circles of {present} of {of} took part, and {n} were needed.",
        needed,
        present=present,
        of=of,
    )


def _agreed(winning: int, of: int, needed: int) -> str:
    if needed == 1:
        return ngettext(
            "In {winning} of {n} collective the own circles came to the same answer; 1 was needed.",
            "In {winning} of {n} collectives the own circles came to the same answer; 1 was needed.",
            of,
            winning=winning,
        )
    return ngettext(
        "In {winning} of {n} collective the own circles came to the same answer; {needed} were needed.",
        "In {winning} of {n} collectives the own circles came to the same answer; {needed} were needed.",
        of,
        winning=winning,
        needed=needed,
    )
