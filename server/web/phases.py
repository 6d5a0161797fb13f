"""Where a decision stands in time: one sentence for now, and every instant that its offer fixed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from models.rules.view import Standing
from server.web.moments import distance, plural, short_date


@dataclass(frozen=True)
class Phase:
    """A step of the decision. `place`: past, here or ahead."""

    words: str
    note: str
    starts: datetime
    place: str


NO_TERMS: Final[Mapping[str, str]] = {
    "nobody-bound": "no collective took part with its own vote",
    "roll-too-large": "more circles wanted to vote than one decision can hold",
    "no-keepers": "no instance offered to keep the records",
    "too-few-options": "there were too few proposals for this way of deciding",
}


def phases_of(view: Standing) -> Sequence[Phase]:
    """The steps with their instants; those without length, and those that will not come, are left out."""
    kept = [step for step in _steps(view) if step[2] != step[3]]
    here = max((n for n, step in enumerate(kept) if step[2] <= view.now), default=0)
    return [
        Phase(words, note, starts, "here" if n == here else "past" if n < here else "ahead")
        for n, (words, note, starts, _) in enumerate(kept)
    ]


def _steps(view: Standing) -> list[tuple[str, str, datetime, datetime]]:
    """(what, a note, from, until)."""
    t, offered, never = view.times, view.offer.at, datetime.max.replace(tzinfo=UTC)
    if view.withdrawn is not None and view.state == "withdrawn":
        return [("Asked", "", offered, never), ("Taken back", "", view.withdrawn.at, never)]
    if view.state in ("lapsed", "void"):
        return [("Asked", "", offered, never), ("Ended without a vote", "", max(t.ready, t.opens), never)]
    counted = [
        ("Asked", "time for proposals and answers", offered, t.ready),
        ("Talk in circles", "no new proposals", t.ready, t.opens),
        ("Voting opens", "", t.opens, t.closes),
        ("Voting closes", "what was cast in time is collected", t.closes, t.grace_ends),
        ("Provisional result", "anybody can show that it is wrong", t.grace_ends, t.challenge_ends),
    ]
    if view.state == "final":
        end = [("Final", "", view.final_at or t.challenge_ends, never)]
    elif view.state in ("heard", "contested", "undecided"):
        end = [("End of all waiting", "", t.wait_ends, never)]
    else:
        end = [
            ("Final at the earliest", "if the instances agree", t.challenge_ends, t.wait_ends),
            ("End of all waiting", "for circles that could not be heard", t.wait_ends, never),
        ]
    return [*counted, *end]


def now_words(view: Standing) -> str:
    """What is happening now and until when, in a sentence or two."""
    return SENTENCES[view.state](view)


def _at(then: datetime, view: Standing) -> str:
    return f"{distance(then, view.now)} ({short_date(then)})"


def _gathering(view: Standing) -> str:
    t, most = view.times, view.offer["maxOptions"]
    said = [f"Voting opens {_at(t.opens, view)}."]
    if len(view.options) < most:
        said.append(
            f"Proposals can be added until {short_date(t.gather_until)}: {len(view.options)} of {most} so far."
        )
    if len(view.invited) > 1:
        said.append(f"{len(view.answers)} of {plural(len(view.invited), 'collective')} have answered.")
    return " ".join(said)


def _deliberating(view: Standing) -> str:
    if view.now < view.times.opens:
        return f"Proposals are closed, and circles talk. Voting opens {_at(view.times.opens, view)}."
    return "The voting opens as soon as the instances have acknowledged the terms."


def _voting(view: Standing) -> str:
    c = view.coverage
    return (
        f"Voting closes {_at(view.times.closes, view)}. {c.circles_heard} of {plural(c.circles, 'circle')} "
        f"{'has' if c.circles_heard == 1 else 'have'} cast a ballot so far."
    )


def _closing(view: Standing) -> str:
    return f"Voting is over. The instances collect what was cast in time, until {_at(view.times.grace_ends, view)}."


def _provisional(view: Standing) -> str:
    first = view.times.challenge_ends
    if view.now < first:
        return f"The votes are counted. The result becomes final {_at(first, view)} at the earliest."
    return f"The votes are counted, and the result is not final yet. All waiting ends {_at(view.times.wait_ends, view)}."


def _final(view: Standing) -> str:
    since = view.final_at or view.times.challenge_ends
    return f"Final since {short_date(since)}. Nothing that turns up later changes it."


def _heard(view: Standing) -> str:
    return f"The waiting for circles that could not be heard ended on {short_date(view.times.wait_ends)}."


def _contested(view: Standing) -> str:
    return (
        f"The instances did not agree on one count by {short_date(view.times.wait_ends)}. Nothing is final."
    )


def _undecided(view: Standing) -> str:
    if view.objections:
        return "A circle that had not been heard objected in time. Nothing is decided; the question can be put again."
    return f"Too few circles could be heard by {short_date(view.times.wait_ends)}. Nothing is decided."


def _void(view: Standing) -> str:
    return (
        "One collective signed two different terms. That is evidence for all to see, and the round is void."
    )


def _withdrawn(view: Standing) -> str:
    at = view.withdrawn.at if view.withdrawn else view.now
    return f"The collective that asked took the question back on {short_date(at)}."


def _lapsed(view: Standing) -> str:
    why = NO_TERMS.get(view.terms_problem or "", "no terms were acknowledged in time")
    return f"It did not come to a vote: {why}."


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
