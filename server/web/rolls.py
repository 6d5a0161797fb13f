"""Who takes part in a decision: collectives, how each does, their circles, and what every circle said, word for word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.rules.ballots import Entry
from models.rules.phrases import phrase
from models.rules.records import Record, instant
from models.rules.shapes import STATUS_QUO
from models.rules.view import Binding, Standing
from server.language import LANGUAGE, Words, _
from server.web.moments import moment
from server.web.names import Names, Said, Who
from server.web.words import POSITIONS, STATUSES, Label

TAKEN = Words(
    {
        "binding": "Binding on them",
        "ratifies": "Will be ratified by their assembly",
        "advisory": "Advisory to them",
        "declines": "Do not take part",
    }
)
RECEIPT_AWAITED = Label("cast; another instance has yet to say that it holds it", "", "clock")


@dataclass(frozen=True)
class Ballot:
    """What a circle published."""

    anchor: str
    position: Label | None
    choices: Sequence[Said]
    reason: Said | None
    resolve: Said | None
    seq: int
    confirmed: int
    at: datetime
    digest: str


@dataclass(frozen=True)
class CircleRow:
    anchor: str
    name: Said
    size: int
    status: Label | None
    ballot: Ballot | None
    not_counted: Sequence[Ballot]
    gap: bool


@dataclass(frozen=True)
class CollectiveRow:
    """A collective that was asked. `standing` says what the outcome means for it."""

    who: Who
    anchor: str
    convenes: bool
    takes: str
    means: str
    standing: Label | None
    circles: Sequence[CircleRow]


def collectives_of(view: Standing, names: Names) -> Sequence[CollectiveRow]:
    """Every collective that may answer, the convener first."""
    titles = option_titles(view, names)
    bindings = {row.collective: row for row in view.collectives}
    return [_collective(view, names, titles, key, bindings.get(key)) for key in view.invited]


def option_titles(view: Standing, names: Names) -> Mapping[str, Said]:
    """Titles of what can be chosen, by digest; and leaving things as they are."""
    titles = {one.digest: names.title(one["title"]) for one in view.options}
    return titles | {STATUS_QUO: Said(_("Leave things as they are"), LANGUAGE.get())}


def _collective(
    view: Standing, names: Names, titles: Mapping[str, Said], key: str, binding: Binding | None
) -> CollectiveRow:
    answer = binding.answer if binding else view.answers.get(key)
    return CollectiveRow(
        who=names.collective(key),
        anchor=answer.digest[:12] if answer else "",
        convenes=key == view.offer.by,
        takes=TAKEN[answer["takes"]] if answer else _no_answer(view),
        means=_means(answer) if answer else "",
        standing=_standing(binding) if binding else None,
        circles=_circles(view, names, titles, key, answer),
    )


def _means(answer: Record) -> str:
    """What the answer says of the outcome."""
    until = moment(instant(answer["ratifyBy"])) if answer.get("ratifyBy") else ""
    return {
        "binding": _("if it is adopted, they carry it out."),
        "ratifies": _("it binds them once their assembly has said yes, by {until}.", until=until),
        "advisory": _("their circles give their view; it is counted apart and binds nobody there."),
        "declines": _("the others go on without them."),
    }[answer["takes"]]


def _no_answer(view: Standing) -> str:
    return _("Has not answered yet") if view.now <= view.times.respond_by else _("Did not answer")


def _standing(row: Binding) -> Label | None:
    until = moment(row.until) if row.until else ""
    if row.status == "bound" and row.ratified is not None:
        return Label(phrase("Bound: ratified {at}", at=moment(row.ratified.at)), "ok", "yes")
    return {
        "open": None,
        "bound": Label("Bound by it", "ok", "yes"),
        "ratifying": Label(phrase("To be ratified by {until}", until=until), "warn", "clock"),
        "not-bound": Label(phrase("Not bound: did not ratify by {until}", until=until), "", "no"),
        "advisory": Label("Not bound: takes it as advice", "", "half"),
        "left": Label("Left the decision: not bound", "", "no"),
        "nothing": Label("Nothing to carry out", "", "half"),
    }[row.status]


def _circles(
    view: Standing, names: Names, titles: Mapping[str, Said], key: str, answer: Record | None
) -> Sequence[CircleRow]:
    if view.round is not None:
        rows = [circle_row(one, names, titles) for one in view.entries if one.collective == key]
        return sorted(rows, key=lambda row: (row.name.plain, row.anchor))
    listed = answer["circles"] if answer else ()
    return [
        CircleRow(one["key"][-12:], names.title(one["name"]), one["size"], None, None, (), gap=False)
        for one in listed
    ]


def circle_row(entry: Entry, names: Names, titles: Mapping[str, Said]) -> CircleRow:
    """A circle on the roll: the ballot that counts (or, before receipts are here, the latest), and those that do not."""
    shown = entry.ballot
    status = STATUSES[entry.status]
    if entry.status == "waiting" and entry.ballots:
        shown, status = entry.ballots[-1], RECEIPT_AWAITED
    apart = [one for one in (*entry.late, *entry.evidence) if one != shown]
    return CircleRow(
        anchor=entry.circle[-12:],
        name=names.circle(entry.place),
        size=entry.place.size,
        status=status,
        ballot=ballot_of(shown, names, titles) if shown else None,
        not_counted=[ballot_of(one, names, titles) for one in apart],
        gap=entry.gap,
    )


def ballot_of(record: Record, names: Names, titles: Mapping[str, Said]) -> Ballot:
    """A Ballot record as it is shown."""
    unknown = Said(None, None, _("an option that is not on the ballot"))
    return Ballot(
        anchor=record.digest[:12],
        position=POSITIONS[record["position"]] if record.get("position") else None,
        choices=[titles.get(one, unknown) for one in record.get("choices", ())],
        reason=names.maybe(record.get("reason")),
        resolve=names.maybe(record.get("resolve")),
        seq=record["seq"],
        confirmed=record["confirmed"],
        at=record.at,
        digest=record.digest,
    )
