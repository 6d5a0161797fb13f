"""Standing: where a decision stands, as a pure function of (the records of its scope, an instant). The one
function that pages, workers, the command line and an offline verifier ask.

It never raises on well-formed records, whoever signed them: what has no business in the scope is listed in
`ignored`. It reads no clock, verifies no proofs (that was done before a record was taken in), and remembers
nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from models.rules.ending import bindings, coverage, result_shown, state_of, wakes_at
from models.rules.methods import METHODS, rule_of
from models.rules.phrases import phrase
from models.rules.proposals import Proposal, Proposed, proposed
from models.rules.records import ByType, Record, Refused
from models.rules.refusals import NotFound
from models.rules.rounds import Round, run_round
from models.rules.support import backing
from models.rules.terms import (
    InEffect,
    NoTerms,
    compute,
    effective,
    roll,
    standing_answers,
)
from models.rules.times import AHEAD, Times, times_of
from models.rules.view import ENDED, STATES, Ignored, Standing

__all__ = ["ENDED", "STATES", "Standing", "standing"]

NEEDS_TERMS = (
    "Ballot",
    "Receipt",
    "CloseStatement",
    "Result",
    "Challenge",
    "Leave",
    "Ratify",
    "Objection",
)


def standing(records: Iterable[Record], now: datetime) -> Standing:
    """Where the decision of these records stands at `now` (aware UTC). Order and repeats mean nothing.

    Raises NotFound ("no-offer") only if there is no Offer among them: then there is no decision. If there are
    several, the one that most of the others name as their scope is meant.
    """
    seen = {record.digest: record for record in records if record.at <= now + AHEAD}
    offer = _offer(seen)
    refused: Refused = [(one, "other-scope") for one in seen.values() if one.scope != offer.digest]
    held = {digest: record for digest, record in seen.items() if record.scope == offer.digest}
    by_type = _by_type(held)
    times = times_of(offer)
    effect, more = effective(offer, by_type["Terms"], by_type["TermsAck"], held)
    refused += more
    round_: Round | None = None
    if effect.frozen is not None:
        round_, more = run_round(offer, effect, effect.frozen, by_type, held, times, now)
    else:
        more = [(record, "no-terms") for type_ in NEEDS_TERMS for record in by_type[type_]]
    refused += more
    return _view(offer, by_type, times, effect, round_, refused, now)


def _offer(seen: Mapping[str, Record]) -> Record:
    offers = {digest for digest, record in seen.items() if record.type == "Offer"}
    if not offers:
        raise NotFound("no-offer", phrase("There is no such decision."))
    named = Counter(record.scope for record in seen.values() if record.scope in offers)
    return seen[min(offers, key=lambda digest: (-named[digest], digest))]


def _by_type(held: Mapping[str, Record]) -> ByType:
    by_type: defaultdict[str, list[Record]] = defaultdict(list)
    for digest in sorted(held):
        by_type[held[digest].type].append(held[digest])
    return by_type


def _view(
    offer: Record,
    by_type: ByType,
    times: Times,
    effect: InEffect,
    round_: Round | None,
    refused: Refused,
    now: datetime,
) -> Standing:
    answers, more = standing_answers(offer, by_type["Answer"])
    refused += more
    taking = {by: answer for by, answer in answers.items() if answer["takes"] != "declines"}
    made = _proposed(offer, taking, by_type, round_, refused)
    circles = round_.frozen.circles if round_ else roll(offer, taking)
    support, more = backing(offer, times, circles, _versions(made), by_type["Support"])
    refused += more
    problem = None if round_ else _problem(offer, by_type)
    withdrawn = _withdrawn(offer, by_type["Withdraw"], times, round_, refused)
    objections = _objections(by_type["Objection"], times, round_, refused)
    state = state_of(times, now, round_, effect.double, withdrawn, problem, objections)
    shown = result_shown(state, round_)
    bound = bindings(state, shown, round_, times, now, by_type["Ratify"], refused)
    held_by = tuple(round_.held_by) if round_ and state in ("provisional", "contested") else ()
    return Standing(
        offer=offer,
        now=now,
        state=state,
        held_by=held_by,
        next_at=wakes_at(state, times, now, bound),
        times=times,
        method=METHODS[offer["method"]],
        rule=rule_of(offer),
        answers=answers,
        proposals=made.proposals,
        amendments=made.amendments,
        support=support,
        effect=effect,
        terms_problem=problem,
        terms_objections=_terms_objections(by_type["TermsObjection"], answers, refused),
        round=round_,
        shown=shown,
        coverage=coverage(round_, times, now),
        collectives=bound,
        withdrawn=withdrawn,
        objections=objections,
        ignored=tuple(
            sorted({Ignored(one, code) for one, code in refused}, key=lambda i: (i.record.digest, i.code))
        ),
    )


def _proposed(
    offer: Record, answers: Mapping[str, Record], by_type: ByType, round_: Round | None, refused: Refused
) -> Proposed:
    """What is proposed; once there are terms, what they froze, with the amendments that came to nothing."""
    made, more = proposed(offer, answers, by_type)
    refused += more
    if round_ is None:
        return made
    refused += _not_frozen(round_, answers, made.proposals)
    return Proposed(round_.frozen.proposals, made.amendments)


def _versions(made: Proposed) -> list[Record]:
    """All that circles can speak of before the voting."""
    in_lines = (version for one in made.proposals for version in one.versions)
    return [*in_lines, *(one.option for one in made.amendments)]


def _problem(offer: Record, by_type: ByType) -> str | None:
    try:
        compute(offer, by_type)
    except NoTerms as no:
        return no.code
    return None


def _not_frozen(round_: Round, answers: Mapping[str, Record], proposals: Iterable[Proposal]) -> Refused:
    """Answers and versions of proposals that are good and came too late for the Terms in effect."""
    frozen = round_.frozen
    listed = {*frozen.answers.values(), *(version for one in frozen.proposals for version in one.versions)}
    good = (*answers.values(), *(version for one in proposals for version in one.versions))
    return [(one, "not-in-terms") for one in good if one not in listed]


def _withdrawn(
    offer: Record, withdraws: Iterable[Record], times: Times, round_: Round | None, refused: Refused
) -> Record | None:
    """The convener's withdrawal, if it is dated before the opening and no other collective's circle has voted
    since: what others have begun cannot be called off with a date of one's own choice."""
    voted = round_ is not None and any(e.ballot and e.collective != offer.by for e in round_.ours.entries)
    found = None
    for one in sorted(withdraws, key=lambda one: (one.at, one.digest)):
        if one.by != offer.by:
            refused.append((one, "not-entitled"))
        elif one.at >= times.opens:
            refused.append((one, "withdrawn-late"))
        elif voted:
            refused.append((one, "others-voted"))
        else:
            found = found or one
    return found


def _objections(
    objections: Iterable[Record], times: Times, round_: Round | None, refused: Refused
) -> tuple[Record, ...]:
    """Objections of circles that were not heard, in time."""
    if round_ is None:
        return ()
    fit = []
    for one in objections:
        if one["terms"] != round_.frozen.terms.digest:
            refused.append((one, "other-terms"))
        elif one.by not in round_.unheard:
            refused.append((one, "not-unheard"))
        elif one.at > times.ratify_ends:
            refused.append((one, "objected-late"))
        else:
            fit.append(one)
    return tuple(fit)


def _terms_objections(
    objections: Iterable[Record], answers: Mapping[str, Record], refused: Refused
) -> tuple[Record, ...]:
    instances = {answer["instance"] for answer in answers.values()}
    refused += [(one, "not-answering") for one in objections if one.by not in instances]
    return tuple(one for one in objections if one.by in instances)
