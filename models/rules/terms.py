"""Terms: what is frozen when a round opens, as a pure function of what they list; and which terms are in
effect.

The convener proposes, every instance recomputes and acknowledges, and the acknowledgements decide. Asked by
`standing`, and by the action that drafts terms.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.rules.merkle import tree_root
from models.rules.methods import METHODS
from models.rules.phrases import phrase
from models.rules.proposals import MOST_VERSIONS, Proposal, proposed
from models.rules.records import ByType, Record, Refused, key_bytes
from models.rules.refusals import Conflict
from models.rules.times import Times, times_of

BOUND = ("binding", "ratifies")
"""Ways of taking part that are in the count; advisory circles are counted apart."""

LISTED = ("Answer", "Option", "Integrate")
"""Types of records that Terms are made of."""

LARGEST_ROLL = 250
"""Circles whose keys fit into one Terms record with everything else it lists."""

KEY_ROOM, DIGEST_ROOM, LISTS_ROOM = 51, 67, 15_000
"""Bytes that a key and a digest take in a list of the Terms, and that all of them may take: the record holds 16 kB."""

MOST_TERMS = 8
"""How many Terms of one signer are looked at; two that are good make the round void already."""


class NoTerms(Conflict):
    """No terms can be frozen from these records: nobody-bound, roll-too-large, no-keepers or
    too-few-options."""


@dataclass(frozen=True)
class Place:
    """A circle on the roll. `instance` is its home; `name` the digest of a text; `takes` how its collective
    takes part."""

    circle: str
    collective: str
    instance: str
    takes: str
    size: int
    name: str


@dataclass(frozen=True)
class Frozen:
    """Terms with what they list at hand. `answers` by collective, `circles` (the roll) by circle key; `proposals`
    with their versions, of which the last is voted on."""

    terms: Record
    answers: Mapping[str, Record]
    proposals: tuple[Proposal, ...]
    circles: Mapping[str, Place]
    keepers: frozenset[str]

    @property
    def options(self) -> tuple[Record, ...]:
        """What is voted on: the version in force of each proposal."""
        return tuple(one.option for one in self.proposals)

    @property
    def instances(self) -> frozenset[str]:
        """Every answering instance, keeper or not."""
        return frozenset(answer["instance"] for answer in self.answers.values())

    def foreign_keepers(self, home: str) -> frozenset[str]:
        """The keepers whose receipts make a record of this home instance timely. None: no receipts are
        asked."""
        return self.keepers - {home}

    def electorate(self, *takes: str) -> dict[str, tuple[str, ...]]:
        """Collective -> its circles on the roll, of the collectives that take part in one of these ways."""
        own: dict[str, list[str]] = {c: [] for c, a in self.answers.items() if a["takes"] in takes}
        for place in self.circles.values():
            if place.collective in own:
                own[place.collective].append(place.circle)
        return {collective: tuple(sorted(own[collective])) for collective in sorted(own)}


@dataclass(frozen=True)
class InEffect:
    """Which terms hold. `frozen` is None as long as no terms have an acknowledgement; `acks` are the first
    ones by instance for those in effect. `double` are two or more Terms by one signer that make the round
    void."""

    frozen: Frozen | None
    acks: Mapping[str, Record]
    double: tuple[Record, ...]
    candidates: tuple[Record, ...]


def standing_answers(
    offer: Record, answers: Iterable[Record], round_: int = 1
) -> tuple[dict[str, Record], Refused]:
    """By collective, the answer that stands: of this round or an earlier one, dated by `respondBy`, the
    latest (then the lowest digest). A latest answer that declines stands too. Answers nobody asked for come
    back with a code."""
    times, parties = times_of(offer), {offer.by, *offer["invited"]}
    latest: dict[str, Record] = {}
    refused: Refused = []
    for answer in sorted(answers, key=lambda one: one.digest):
        if answer.by not in parties:
            refused.append((answer, "not-invited"))
        elif not offer.at <= answer.at <= times.respond_by:
            refused.append((answer, "answered-late" if answer.at > offer.at else "before-offer"))
        elif answer["round"] > round_:
            refused.append((answer, "other-round"))
        elif answer.by not in latest or _rank(latest[answer.by]) < _rank(answer):
            latest[answer.by] = answer
    return latest, refused


def _rank(answer: Record) -> tuple[int, datetime]:
    return answer["round"], answer.at


def roll(offer: Record, answers: Mapping[str, Record]) -> dict[str, Place]:
    """The circles that vote. A key listed by two collectives is on neither's roll; one smaller than
    `minCircle` is on it only as its collective's only circle (the assembly)."""
    claimed = Counter(circle["key"] for answer in answers.values() for circle in answer["circles"])
    places = {}
    for by, answer in answers.items():
        for circle in answer["circles"]:
            large_enough = circle["size"] >= offer["minCircle"] or len(answer["circles"]) == 1
            if claimed[circle["key"]] == 1 and large_enough:
                places[circle["key"]] = Place(
                    circle["key"], by, answer["instance"], answer["takes"], circle["size"], circle["name"]
                )
    return places


def roll_root(keys: Iterable[str]) -> str:
    """The Merkle root (hex) over the 32 bytes of each key, in the order of their written forms."""
    return tree_root([key_bytes(key) for key in sorted(keys)]).hex()


def keepers(offer: Record, answers: Mapping[str, Record]) -> list[str]:
    """The keepers, sorted: instances of those that offered, at most `maxKeepers`, by lowest SHA-256 of "offer
    digest, key"."""
    offered = {answer["instance"] for answer in answers.values() if answer["keeps"]}
    by_lot = sorted(offered, key=lambda key: hashlib.sha256(f"{offer.digest}{key}".encode()).digest())
    return sorted(by_lot[: offer["maxKeepers"]])


def compute(offer: Record, said: ByType, round_: int = 1) -> dict[str, Any]:
    """The fields of the Terms that these Answers, Options and Integrates make. Raises NoTerms if they make
    none."""
    return _computed(offer, said, round_)[0]


def _computed(offer: Record, said: ByType, round_: int) -> tuple[dict[str, Any], tuple[Proposal, ...]]:
    latest, _ = standing_answers(offer, said.get("Answer", ()), round_)
    taking = {by: answer for by, answer in latest.items() if answer["takes"] != "declines"}
    made, _ = proposed(offer, taking, said, round_)
    places = roll(offer, taking)
    held_by = keepers(offer, taking)
    if not any(place.takes in BOUND for place in places.values()):
        raise NoTerms("nobody-bound", phrase("No collective with a circle takes part with its own vote."))
    if len(places) > LARGEST_ROLL:
        raise NoTerms(
            "roll-too-large",
            phrase("More than {n} circles cannot vote in one decision.", n=LARGEST_ROLL),
        )
    integrates = sorted(one.digest for proposal in made.proposals for one in proposal.integrates)
    digests = len(taking) + len(made.proposals) + len(integrates)
    if KEY_ROOM * (len(places) + len(held_by)) + DIGEST_ROOM * digests > LISTS_ROOM:
        raise NoTerms(
            "roll-too-large",
            phrase("So many circles of so many collectives do not fit into the terms of one decision."),
        )
    if not held_by:
        raise NoTerms("no-keepers", phrase("No instance offered to keep the records."))
    if len(made.proposals) < METHODS[offer["method"]].options[0]:
        raise NoTerms("too-few-options", phrase("There are too few proposals for this method."))
    fields = {
        "round": round_,
        "answers": sorted(answer.digest for answer in taking.values()),
        "options": [one.option.digest for one in made.proposals],
        "roll": sorted(places),
        "rollRoot": roll_root(places),
        "keepers": held_by,
    }
    return fields | ({"integrates": integrates} if integrates else {}), made.proposals


def recompute(
    offer: Record, terms: Record, held: Mapping[str, Record]
) -> tuple[Frozen | None, tuple[str, ...]]:
    """(the frozen round, nothing missing) if these Terms are what they list makes; (None, what is missing
    from `held`, by digest) if it cannot be said yet; (None, nothing missing) if they are wrong. Who signed
    them is not judged."""
    listed = {
        "Answer": terms["answers"],
        "Option": terms["options"],
        "Integrate": terms.get("integrates", ()),
    }
    versions, missing = _versions(terms["options"], held)
    missing += [digest for digest in (*listed["Answer"], *listed["Integrate"]) if digest not in held]
    if missing:
        return None, tuple(missing)
    said = {kind: [held[digest] for digest in listed[kind]] for kind in ("Answer", "Integrate")}
    said["Option"] = versions
    if any(one.type != kind for kind, found in said.items() for one in found):
        return None, ()
    try:
        fields, proposals = _computed(offer, said, terms["round"])
    except NoTerms:
        return None, ()
    if any(terms.get(name) != fields.get(name) for name in (*fields, "integrates")):
        return None, ()
    by_collective = {answer.by: answer for answer in said["Answer"]}
    circles = roll(offer, by_collective)
    return Frozen(terms, by_collective, proposals, circles, frozenset(terms["keepers"])), ()


def _versions(options: Iterable[str], held: Mapping[str, Record]) -> tuple[list[Record], list[str]]:
    """The listed options and the versions that they change, back to the first ones; and what of them is not held."""
    found: dict[str, Record] = {}
    missing = []
    for digest in options:
        at: str | None = digest
        for _ in range(MOST_VERSIONS):
            if at is None or at in found:
                break
            if at not in held:
                missing.append(at)
                break
            found[at] = held[at]
            at = held[at].get("amends")
    return list(found.values()), missing


def effective(
    offer: Record, terms: Iterable[Record], acks: Iterable[Record], held: Mapping[str, Record]
) -> tuple[InEffect, Refused]:
    """Which Terms are in effect: those with most first acknowledgements (of terms that could be) by distinct
    answering instances; then the convener's, then the lower signer's key, then the lower digest. Only acknowledgements dated by the
    close count, and none means no effect.

    Two by one signer make the round void if that is the convener, or if one of the two would be in effect.
    """
    in_time = [ack for ack in acks if ack.at <= times_of(offer).closes]
    acked = Counter(terms for _, terms in {(ack.by, ack["terms"]) for ack in in_time})
    frozen, refused = _candidates(offer, terms, acked, held)
    firsts = _first_acks(ack for ack in in_time if ack["terms"] in frozen)
    support: dict[str, dict[str, Record]] = {digest: {} for digest in frozen}
    for instance, ack in firsts.items():
        one = frozen.get(ack["terms"])
        if one is not None and instance in one.instances:
            support[ack["terms"]][instance] = ack

    def order(digest: str) -> tuple[int, bool, str, str]:
        by = frozen[digest].terms.by
        return -len(support[digest]), by != offer.by, by, digest

    best = min((digest for digest in frozen if support[digest]), key=order, default=None)
    double = _double(offer, [one.terms for one in frozen.values()], frozen[best].terms.by if best else None)
    chosen = frozen[best] if best else None
    candidates = tuple(frozen[digest].terms for digest in sorted(frozen))
    return InEffect(chosen, _acks_of(chosen, in_time), double, candidates), refused


def _candidates(
    offer: Record, terms: Iterable[Record], acked: Mapping[str, int], held: Mapping[str, Record]
) -> tuple[dict[str, Frozen], Refused]:
    """Terms that could be in effect. Recomputing is dear, so of one signer's only the first few are read, the
    most acked first."""
    times, parties = times_of(offer), {offer.by, *offer["invited"]}
    fit: dict[str, Frozen] = {}
    refused: Refused = []
    read: Counter[str] = Counter()
    for one in sorted(terms, key=lambda one: (-acked.get(one.digest, 0), one.digest)):
        code = _out_of_place(offer, one, times, parties)
        if code is None and read[one.by] == MOST_TERMS:
            code = "one-too-many"
        if code is None:
            read[one.by] += 1
            frozen, missing = recompute(offer, one, held)
            if frozen is None:
                code = "terms-not-held" if missing else "terms-wrong"
            elif one.by != offer.by and one.by not in frozen.answers:
                code = "not-entitled"
            else:
                fit[one.digest] = frozen
        if code is not None:
            refused.append((one, code))
    return fit, refused


def _out_of_place(offer: Record, terms: Record, times: Times, parties: set[str]) -> str | None:
    if terms.by not in parties:
        return "not-entitled"
    if terms["round"] != 1:
        return "other-round"
    if terms.at < times.ready or (terms.by != offer.by and terms.at < times.opens):
        return "terms-early"
    return "terms-late" if terms.at > times.closes else None


def _first_acks(acks: Iterable[Record]) -> dict[str, Record]:
    first: dict[str, Record] = {}
    for ack in sorted(acks, key=lambda one: (one.at, one.digest)):
        first.setdefault(ack.by, ack)
    return first


def _acks_of(chosen: Frozen | None, acks: Iterable[Record]) -> dict[str, Record]:
    """By answering instance, its first acknowledgement of these terms, whether or not it acknowledged others before."""
    if chosen is None:
        return {}
    mine = (ack for ack in acks if ack["terms"] == chosen.terms.digest and ack.by in chosen.instances)
    return _first_acks(mine)


def _double(offer: Record, candidates: Sequence[Record], effective_signer: str | None) -> tuple[Record, ...]:
    for signer in (offer.by, effective_signer):
        twice = sorted((one for one in candidates if one.by == signer), key=lambda one: one.digest)
        if len(twice) > 1:
            return tuple(twice)
    return ()


def left_out(offer: Record, terms: Record, held: Mapping[str, Record]) -> tuple[str, ...]:
    """Digests that these Terms should list as far as we know, and do not: what a TermsObjection names. None:
    acknowledge."""
    said = {kind: [one for one in held.values() if one.type == kind] for kind in LISTED}
    try:
        fields = compute(offer, said, terms["round"])
    except NoTerms:
        return ()
    listed = {*terms["answers"], *terms["options"], *terms.get("integrates", ())}
    due = (*fields["answers"], *fields["options"], *fields.get("integrates", ()))
    return tuple(digest for digest in due if digest not in listed)
