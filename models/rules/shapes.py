"""What each type of record holds, as one table (spec: records.md §3). `records.read` and `records.draft`
check against it.

`signer` says whose key may sign such a record; that this very key is entitled to is judged by `terms` and
`standing`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.rules.forms import (
    DIGEST,
    FLAG,
    FRACTION,
    KEY,
    SIGNATURE,
    TEXT,
    TIME,
    URI,
    BadRecord,
    Field,
    ListOf,
    Named,
    ObjectOf,
    digest_or,
    instant,
    one_of,
    whole,
)

DAY = 86_400
SHORTEST_WINDOW = timedelta(minutes=5)
STATUS_QUO = "status-quo"
CONSENT_POSITIONS = ("consent", "concern", "stand-aside", "object", "not-ready", "no-agreement")
MAJORITY_POSITIONS = ("yes", "no", "abstain")
WITHOUT_REASON = ("consent", "abstain")
"""Positions that need no reason; neither does choosing nothing at all."""


@dataclass(frozen=True)
class Shape:
    """Fields of a type beside the common ones, who signs it, and what must hold between its fields."""

    signer: str
    fields: ObjectOf
    agrees: Callable[[Mapping[str, Any]], None] = lambda body: None


def require(condition: bool, sentence: str) -> None:
    if not condition:
        raise BadRecord("bad-record", sentence)


def needs_reason(answer: Mapping[str, Any]) -> bool:
    """Whether {"position": …} or {"choices": […]} must come with a reason: all but plain consent, abstaining,
    choosing nothing."""
    position = answer.get("position")
    return bool(answer.get("choices")) if position is None else position not in WITHOUT_REASON


def _offer(body: Mapping[str, Any]) -> None:
    at, gather, respond, opens, closes = (
        instant(body[name]) for name in ("at", "gatherUntil", "respondBy", "opensAt", "closesAt")
    )
    require(at <= gather <= opens, "Proposals are gathered between the offer and the opening.")
    require(at <= respond <= opens, "Answers are due between the offer and the opening.")
    require(closes - opens >= SHORTEST_WINDOW, "Voting takes at least five minutes.")
    require(
        body["maxWait"] >= body["grace"] + body["challenge"],
        "The longest wait holds at least the grace and the challenge window.",
    )
    _rule(body["rule"])
    many = body["method"] == "approval"
    require(
        body["maxOptions"] > 1 if many else body["maxOptions"] == 1,
        "The number of options does not fit the method.",
    )
    require(body["by"] not in body["invited"], "The convener does not invite itself.")


def _rule(rule: Mapping[str, Any]) -> None:
    for name in ("quorum", "collectives", "threshold"):
        part, whole_ = rule[name]
        require(whole_ > 0 and part <= whole_, f"“{name}” must be a fraction between 0 and 1.")
    require(rule["collectives"][0] < rule["collectives"][1], "More than all collectives cannot be asked for.")
    require(
        not rule["strict"] or rule["threshold"][0] < rule["threshold"][1],
        "More than all circles cannot be asked for.",
    )


def _answer(body: Mapping[str, Any]) -> None:
    require(
        (body["takes"] == "ratifies") == (body.get("ratifyBy") is not None),
        "A date belongs to “ratifies”, and only to it.",
    )
    keys = [circle["key"] for circle in body["circles"]]
    require((body["takes"] == "declines") == (not keys), "Who takes part has circles; who declines has none.")
    require(len(set(keys)) == len(keys), "A circle is listed once.")


def _terms(body: Mapping[str, Any]) -> None:
    require(len(set(body["options"])) == len(body["options"]), "An option is listed once.")


def _support(body: Mapping[str, Any]) -> None:
    require(body.get("reason") is not None or body["says"] != "concern", "A concern says what it is about.")
    require(body.get("reason") is None or body["says"] != "none", "What is taken back needs no reason.")


def _ballot(body: Mapping[str, Any]) -> None:
    position, choices = body.get("position"), body.get("choices")
    require((position is None) != (choices is None), "A ballot holds one position, or choices.")
    require(
        (body.get("resolve") is not None) == (position == "object"),
        "An objection, and only it, says what would resolve it.",
    )
    require(body.get("reason") is not None or not needs_reason(body), "This position needs a reason.")
    require(body.get("prev") is None or body["seq"] > 1, "A first ballot follows none.")


def _receipt(body: Mapping[str, Any]) -> None:
    held = [one["record"] for one in body["held"]]
    require(len(set(held)) == len(held), "A record is receipted once.")
    at = instant(body["at"])
    require(
        all(instant(one["received"]) <= at for one in body["held"]),
        "Nothing is receipted before it was received.",
    )


def _close(body: Mapping[str, Any]) -> None:
    keys = [one["circle"] for one in body["circles"]]
    require(len(set(keys)) == len(keys), "A circle is listed once.")


def _fields(required: Mapping[str, Any], **optional: Any) -> ObjectOf:
    fields = {name: Field(kind) for name, kind in required.items()}
    return ObjectOf(fields | {name: Field(kind, optional=True) for name, kind in optional.items()})


_RULE = {
    "quorum": FRACTION,
    "collectives": FRACTION,
    "threshold": FRACTION,
    "base": one_of("cast", "eligible"),
    "strict": FLAG,
}
_OFFER = {
    "question": TEXT,
    "method": one_of("consent", "majority", "approval"),
    "rule": _fields(_RULE),
    "visibility": one_of("public", "federation", "collective"),
    "reveal": one_of("open"),
    "options": one_of("convener", "answering"),
    "maxOptions": whole(1, 5),
    "gatherUntil": TIME,
    "respondBy": TIME,
    "opensAt": TIME,
    "closesAt": TIME,
    "grace": whole(60, 30 * DAY),
    "challenge": whole(0, 30 * DAY),
    "maxWait": whole(1, 30 * DAY),
    "ratify": whole(0, 90 * DAY),
    "receiptSlack": whole(0, 3600),
    "minCircle": whole(1, 100),
    "maxKeepers": whole(1, 15),
    "tie": one_of(STATUS_QUO),
    "invited": ListOf(KEY, most=60, order="unique"),
    "actor": URI,
    "instance": KEY,
}
_ANSWER = {
    "takes": one_of("binding", "advisory", "ratifies", "declines"),
    "circles": ListOf(
        _fields({"key": KEY, "name": TEXT, "size": whole(1, 100_000), "signature": SIGNATURE}), most=60
    ),
    "keeps": FLAG,
    "instance": KEY,
    "actor": URI,
    "round": whole(1, 1000),
}
_TERMS = {
    "round": whole(1, 1000),
    "answers": ListOf(DIGEST, most=61, order="rising"),
    "options": ListOf(DIGEST, most=5),
    "roll": ListOf(KEY, most=300, order="rising"),
    "rollRoot": DIGEST,
    "keepers": ListOf(KEY, most=15, order="rising"),
}
_SUPPORT = {
    "option": DIGEST,
    "says": one_of("support", "concern", "none"),
    "seq": whole(1, 1_000_000),
}
_BALLOT = {
    "terms": DIGEST,
    "seq": whole(1, 1_000_000),
    "confirmed": whole(1, 100_000),
    "entered": one_of("circle", "paper"),
}
_RESULT = {
    "terms": DIGEST,
    "seq": whole(1, 1_000_000),
    "outcome": one_of("adopted", "rejected", "no-quorum", "tied"),
    "numbers": Named(most=60),
    "countRoot": DIGEST,
    "lateRoot": DIGEST,
}
_CHALLENGE = {
    "result": DIGEST,
    "claim": one_of("missing-ballot", "wrong-count", "equivocation"),
    "evidence": ListOf(DIGEST, most=20, least=1, order="unique"),
}


def _table(*rows: tuple[str, Shape]) -> Mapping[str, Shape]:
    table: dict[str, Shape] = {}
    for name, shape in rows:
        if name in table:
            raise ValueError(f"{name} has two shapes")
        table[name] = shape
    return table


SHAPES = _table(
    ("Offer", Shape("collective", _fields(_OFFER, details=TEXT), _offer)),
    ("Answer", Shape("collective", _fields(_ANSWER, ratifyBy=TIME), _answer)),
    (
        "Option",
        Shape(
            "circle or collective",
            _fields({"title": TEXT, "round": whole(1, 1000)}, details=TEXT, amends=DIGEST),
        ),
    ),
    ("Support", Shape("circle", _fields(_SUPPORT, reason=TEXT), _support)),
    ("Integrate", Shape("circle or collective", _fields({"option": DIGEST}))),
    ("Decline", Shape("circle or collective", _fields({"option": DIGEST, "reason": TEXT}))),
    ("Withdraw", Shape("collective", _fields({}, reason=TEXT))),
    (
        "Terms",
        Shape(
            "collective", _fields(_TERMS, integrates=ListOf(DIGEST, most=20, least=1, order="rising")), _terms
        ),
    ),
    ("TermsAck", Shape("instance", _fields({"terms": DIGEST}))),
    ("TermsObjection", Shape("instance", _fields({"terms": DIGEST, "missing": DIGEST}))),
    (
        "Ballot",
        Shape(
            "circle",
            _fields(
                _BALLOT,
                prev=DIGEST,
                position=one_of(*CONSENT_POSITIONS, *MAJORITY_POSITIONS),
                choices=ListOf(digest_or(STATUS_QUO), most=6, order="rising"),
                reason=TEXT,
                resolve=TEXT,
                cures=ListOf(DIGEST, most=2, least=2, order="rising"),
            ),
            _ballot,
        ),
    ),
    (
        "Receipt",
        Shape(
            "instance",
            _fields({"held": ListOf(_fields({"record": DIGEST, "received": TIME}), most=100, least=1)}),
            _receipt,
        ),
    ),
    (
        "CloseStatement",
        Shape(
            "instance",
            _fields({"terms": DIGEST, "circles": ListOf(_fields({"circle": KEY}, ballot=DIGEST), most=100)}),
            _close,
        ),
    ),
    (
        "Result",
        Shape(
            "instance",
            _fields(
                _RESULT,
                winner=digest_or(STATUS_QUO),
                state=one_of("provisional", "final", "heard", "contested", "undecided"),
            ),
        ),
    ),
    ("Challenge", Shape("circle or instance", _fields(_CHALLENGE))),
    ("Leave", Shape("collective", _fields({}, reason=TEXT))),
    ("Ratify", Shape("collective", _fields({"terms": DIGEST}))),
    ("Objection", Shape("circle", _fields({"terms": DIGEST, "reason": TEXT}))),
    (
        "Redact",
        Shape(
            "circle or collective",
            _fields({"text": DIGEST, "code": one_of("personal", "unlawful", "mistake", "other")}),
        ),
    ),
)
"""Every type of record there is. An unknown type is refused, not kept: a newer version of us would know what
to do with it."""
