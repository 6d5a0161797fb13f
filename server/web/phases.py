"""Where a decision stands in time: one sentence for now, and every instant that its offer fixed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from models.rules.view import Standing
from server.language import Words, _, joined, ngettext
from server.web.moments import countdown, moment


@dataclass(frozen=True)
class Phase:
    """A step of the decision. `place`: past, here or ahead."""

    words: str
    note: str
    starts: datetime
    place: str


NO_TERMS: Final = Words(
    {
        "nobody-bound": "no collective took part with its own vote",
        "roll-too-large": "more circles wanted to vote than one decision can hold",
        "no-keepers": "no instance offered to keep the records",
        "too-few-options": "there were too few proposals for this way of deciding",
    }
)


def phases_of(view: Standing) -> Sequence[Phase]:
    """The steps with their instants; those without length, and those that will not come, are left out."""
    kept = [step for step in _steps(view) if step[2] != step[3]]
    here = max((n for n, step in enumerate(kept) if step[2] <= view.now), default=0)
    return [
        Phase(words, note, starts, "here" if n == here else "past" if n < here else "ahead")
        for n, (words, note, starts, _until) in enumerate(kept)
    ]


def _steps(view: Standing) -> list[tuple[str, str, datetime, datetime]]:
    """(what, a note, from, until)."""
    t, offered, never = view.times, view.offer.at, datetime.max.replace(tzinfo=UTC)
    if view.withdrawn is not None and view.state == "withdrawn":
        return [(_("Asked"), "", offered, never), (_("Taken back"), "", view.withdrawn.at, never)]
    if view.state in ("lapsed", "void"):
        return [
            (_("Asked"), "", offered, never),
            (_("Ended without a vote"), "", max(t.ready, t.opens), never),
        ]
    counted = [
        (_("Asked"), _("time for proposals and answers"), offered, t.ready),
        (_("Talk in circles"), _("no new proposals"), t.ready, t.opens),
        (_("Voting opens"), "", t.opens, t.closes),
        (_("Voting closes"), _("what was cast in time is collected"), t.closes, t.grace_ends),
        (_("Provisional result"), _("anybody can show that it is wrong"), t.grace_ends, t.challenge_ends),
    ]
    if view.state == "final":
        end = [(_("Final"), "", view.final_at or t.challenge_ends, never)]
    elif view.state in ("heard", "contested", "undecided"):
        end = [(_("End of all waiting"), "", t.wait_ends, never)]
    else:
        end = [
            (_("Final at the earliest"), _("if the instances agree"), t.challenge_ends, t.wait_ends),
            (_("End of all waiting"), _("for circles that could not be heard"), t.wait_ends, never),
        ]
    return [*counted, *end]


def now_words(view: Standing) -> str:
    """What is happening now and until when, in a sentence or two."""
    return SENTENCES[view.state](view)


def _at(then: datetime, view: Standing) -> str:
    return countdown(then, view.now)


def _gathering(view: Standing) -> str:
    t, most = view.times, view.offer["maxOptions"]
    said = [_("Voting opens {when}.", when=_at(t.opens, view))]
    if len(view.options) < most:
        said.append(
            _(
                "Proposals can be added until {until}: {made} of {most} so far.",
                until=moment(t.gather_until),
                made=len(view.options),
                most=most,
            )
        )
    if len(view.invited) > 1:
        said.append(
            ngettext(
                "{part} of {n} collective have answered.",
                "{part} of {n} collectives have answered.",
                len(view.invited),
                part=len(view.answers),
            )
        )
    return joined(said)


def _deliberating(view: Standing) -> str:
    if view.now < view.times.opens:
        when = _at(view.times.opens, view)
        return _("Proposals are closed, and circles talk. Voting opens {when}.", when=when)
    return _("The voting opens as soon as the instances have acknowledged the terms.")


def _voting(view: Standing) -> str:
    c = view.coverage
    closes = _("Voting closes {when}.", when=_at(view.times.closes, view))
    if c.circles_heard == 1:
        cast = ngettext(
            "1 of {n} circle has cast a ballot so far.",
            "1 of {n} circles has cast a ballot so far.",
            c.circles,
        )
        return joined((closes, cast))
    cast = ngettext(
        "{heard} of {n} circle has cast a ballot so far.",
        "{heard} of {n} circles have cast a ballot so far.",
        c.circles,
        heard=c.circles_heard,
    )
    return joined((closes, cast))


def _closing(view: Standing) -> str:
    when = _at(view.times.grace_ends, view)
    return _("Voting is over. The instances collect what was cast in time. That ends {when}.", when=when)


def _provisional(view: Standing) -> str:
    first = view.times.challenge_ends
    if view.now < first:
        when = _at(first, view)
        return _("The votes are counted. The result becomes final {when} at the earliest.", when=when)
    when = _at(view.times.wait_ends, view)
    return _("The votes are counted, and the result is not final yet. All waiting ends {when}.", when=when)


def _final(view: Standing) -> str:
    since = view.final_at or view.times.challenge_ends
    return _("Final since {since}. Nothing that turns up later changes it.", since=moment(since))


def _heard(view: Standing) -> str:
    ended = moment(view.times.wait_ends)
    return _("The waiting for circles that could not be heard ended on {ended}.", ended=ended)


def _contested(view: Standing) -> str:
    by = moment(view.times.wait_ends)
    return _("The instances did not agree on one count by {by}. Nothing is final.", by=by)


def _undecided(view: Standing) -> str:
    if view.objections:
        return _(
            "A circle that had not been heard objected in time. Nothing is decided; the question can be put again."
        )
    by = moment(view.times.wait_ends)
    return _("Too few circles could be heard by {by}. Nothing is decided.", by=by)


def _void(view: Standing) -> str:
    return _(
        "One collective signed two different terms. That is evidence for all to see, and the round is void."
    )


def _withdrawn(view: Standing) -> str:
    at = view.withdrawn.at if view.withdrawn else view.now
    return _("The collective that asked took the question back on {at}.", at=moment(at))


def _lapsed(view: Standing) -> str:
    why = view.terms_problem or ""
    if why not in NO_TERMS:
        return _("It did not come to a vote: no terms were acknowledged in time.")
    return _("It did not come to a vote: {why}.", why=NO_TERMS[why])


SENTENCES: Final[Mapping[str, Callable[[Standing], str]]] = {
    "gathering": _gathering,
    "deliberating": _deliberating,
    "voting": _voting,
    "closing": _closing,
    "provisional": _provisional,
    "final": _final,
    "heard": _heard,
    "contested": _contested,
    "undecided": _undecided,
    "void": _void,
    "withdrawn": _withdrawn,
    "lapsed": _lapsed,
}
