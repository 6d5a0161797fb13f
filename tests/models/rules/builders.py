"""A pure builder: the unsigned records of a joint decision with as many instances as a test likes. No keys,
no clock, no network.

Collectives are called "oak", "elm", …; their instances "oak!", their circles "oak/1", "oak/2", …. Every
method makes a record, puts it into the scope and returns it, so that a test can leave it out again.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from models.rules.records import Record, draft, key_text, read, text_digest
from models.rules.standing import Standing, standing
from models.rules.terms import LISTED, compute

NAMES = ("oak", "elm", "ash", "fir", "yew", "bay", "box")
START = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
WORDS = text_digest(b"salt" * 4, "A reason that is long enough to be one.")
RULE = {"quorum": [1, 2], "collectives": [1, 2], "threshold": [1, 2], "base": "cast", "strict": True}


def key(name: str) -> str:
    """A well-formed public key that nobody holds."""
    return key_text(hashlib.sha256(name.encode()).digest())


def listed(circle: str, size: int = 3, name: str = WORDS) -> dict[str, Any]:
    """A circle as an Answer lists it. Whether the signature is the circle's is not the rules' business."""
    return {"key": key(circle), "name": name, "size": size, "signature": "z" + "2" * 88}


def record(type_: str, by: str, scope: str | None, at: datetime, **fields: Any) -> Record:
    """An unsigned record, as it would be read."""
    return read(draft(type_, key(by), scope, at, **fields))


def offer(names: Sequence[str] = NAMES[:3], method: str = "consent", **changed: Any) -> Record:
    """The offer of the first of these collectives to the others: ready after 1 h, open from 2 h, closed at 50
    h."""
    fields: dict[str, Any] = {
        "question": WORDS,
        "method": method,
        "rule": {**RULE, **changed.pop("rule", {})},
        "visibility": "federation",
        "reveal": "open",
        "options": "answering",
        "maxOptions": 5 if method == "approval" else 1,
        "gatherUntil": START + HOUR,
        "respondBy": START + HOUR,
        "opensAt": START + 2 * HOUR,
        "closesAt": START + 50 * HOUR,
        "grace": 6 * 3600,
        "challenge": 48 * 3600,
        "maxWait": 7 * 86400,
        "ratify": 7 * 86400,
        "receiptSlack": 600,
        "minCircle": 1,
        "maxKeepers": 15,
        "tie": "status-quo",
        "invited": sorted(key(name) for name in names[1:]),
        "actor": f"https://{names[0]}.example/collective",
        "instance": key(f"{names[0]}!"),
    }
    return record("Offer", names[0], None, START, **{**fields, **changed})


@dataclass
class Joint:
    """A joint decision in the making. `names` are its collectives, `circles` how many each has (one number,
    or one per name)."""

    names: Sequence[str] = NAMES[:3]
    circles: int | dict[str, int] = 2
    method: str = "consent"
    takes: dict[str, str] = field(default_factory=dict)
    keep: Iterable[str] | None = None
    options: int | None = None
    changed: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.offer = self.put(offer(self.names, self.method, **self.changed))
        times = standing([self.offer], START).times
        self.opens, self.closes = times.opens, times.closes
        self.grace, self.challenge = times.grace_ends, times.challenge_ends
        self.wait, self.ratify = times.wait_ends, times.ratify_ends
        self.terms = self.offer  # until there are some

    def put(self, one: Record) -> Record:
        self.records.append(one)
        return one

    def say(self, type_: str, by: str, at: datetime, **fields: Any) -> Record:
        return self.put(record(type_, by, self.offer.digest, at, **fields))

    # before the voting

    def circles_of(self, name: str) -> list[str]:
        many = self.circles if isinstance(self.circles, int) else self.circles[name]
        return [f"{name}/{number}" for number in range(1, many + 1)]

    @property
    def roll(self) -> list[str]:
        return [circle for name in self.names for circle in self.circles_of(name)]

    def answer(self, name: str, **changed: Any) -> Record:
        takes = self.takes.get(name, "binding")
        taking = takes != "declines"
        circles = [listed(one) for one in self.circles_of(name)]
        fields: dict[str, Any] = {
            "takes": takes,
            "circles": circles if taking else [],
            "keeps": taking and (self.keep is None or name in self.keep),
            "instance": key(f"{name}!"),
            "actor": f"https://{name}.example/collective",
            "round": 1,
            "ratifyBy": self.closes + 20 * DAY if takes == "ratifies" else None,
        }
        return self.say("Answer", name, changed.pop("at", START + 10 * MINUTE), **{**fields, **changed})

    def option(self, by: str | None = None, at: datetime = START + 20 * MINUTE) -> Record:
        return self.say("Option", by or self.names[0], at, title=WORDS, round=1)

    def freeze(self, by: str | None = None, at: datetime | None = None, **changed: Any) -> Record:
        fields = compute(self.offer, {kind: [r for r in self.records if r.type == kind] for kind in LISTED})
        return self.say("Terms", by or self.names[0], at or START + HOUR, **{**fields, **changed})

    def ack(self, name: str, terms: Record | None = None, at: datetime | None = None) -> Record:
        return self.say("TermsAck", f"{name}!", at or START + 90 * MINUTE, terms=(terms or self.terms).digest)

    def prepare(self, acks: Iterable[str] | None = None) -> "Joint":
        """Everything up to the opening: answers, options, terms, acknowledgements."""
        for name in self.names:
            self.answer(name)
        for number in range(self.options or (2 if self.method == "approval" else 1)):
            self.option(at=START + (20 + number) * MINUTE)
        self.terms = self.freeze()
        for name in self.names if acks is None else acks:
            if self.takes.get(name) != "declines":
                self.ack(name)
        return self

    # voting

    def home(self, circle: str) -> str:
        return circle.split("/")[0]

    def ballot(
        self, circle: str, said: str | Sequence[str] = "consent", seq: int = 1, **changed: Any
    ) -> Record:
        """A ballot, without any receipt."""
        answer: dict[str, Any] = {"position": said} if isinstance(said, str) else {"choices": list(said)}
        fields: dict[str, Any] = {
            "terms": self.terms.digest,
            "seq": seq,
            "confirmed": 2,
            "entered": "circle",
            "reason": WORDS,
            "resolve": WORDS if said == "object" else None,
            **answer,
        }
        return self.say("Ballot", circle, changed.pop("at", self.opens + HOUR), **{**fields, **changed})

    def receipt(
        self, name: str, *held: Record, received: datetime | None = None, at: datetime | None = None
    ) -> Record:
        """A receipt by this collective's instance; if nothing is said, received a minute after the date of
        what is held."""
        times = {one.digest: received or one.at + MINUTE for one in held}
        rows = [
            {"record": digest, "received": then.strftime("%Y-%m-%dT%H:%M:%SZ")}
            for digest, then in times.items()
        ]
        return self.say("Receipt", f"{name}!", at or max(times.values()), held=rows)

    def vote(
        self,
        circle: str,
        said: str | Sequence[str] = "consent",
        seq: int = 1,
        by: Iterable[str] | None = None,
        **changed: Any,
    ) -> Record:
        """A ballot with a receipt of every other keeper (or of those named)."""
        ballot = self.ballot(circle, said, seq, **changed)
        for name in self.names if by is None else by:
            if name != self.home(circle):
                self.receipt(name, ballot)
        return ballot

    # after the close

    def close(self, name: str, at: datetime | None = None, **ballots: Record | None) -> Record:
        """The close statement of an instance, about the ballots that it wrote (`oak_1=None` to say something
        else)."""
        rows = []
        for circle in self.circles_of(name):
            mine = [
                r for r in self.records if r.type == "Ballot" and r.by == key(circle) and r.at <= self.closes
            ]
            last = ballots.get(circle.replace("/", "_"), max(mine, key=lambda r: int(r["seq"]), default=None))
            rows.append({"circle": key(circle)} | ({"ballot": last.digest} if last else {}))
        return self.say(
            "CloseStatement", f"{name}!", at or self.closes + MINUTE, terms=self.terms.digest, circles=rows
        )

    def result(self, name: str, at: datetime | None = None, seq: int = 1, **changed: Any) -> Record:
        """What this instance counts at `at` of all that is here so far."""
        at = at or self.grace + MINUTE
        fields = {**self.standing(at).result_fields(), **changed}
        return self.say("Result", f"{name}!", at, terms=self.terms.digest, seq=seq, **fields)

    def finish(self, *alive: str) -> "Joint":
        """Close statements, then results, of these collectives' instances (of all, if none is named)."""
        for name in alive or self.names:
            self.close(name)
        for name in alive or self.names:
            self.result(name)
        return self

    # looking

    def standing(self, now: datetime) -> Standing:
        return standing(self.records, now)

    def status(self, circle: str, now: datetime | None = None) -> str:
        entry = self.standing(now or self.grace).entry(key(circle))
        assert entry is not None
        return entry.status


def joint(instances: int = 3, circles: int = 2, **fields: Any) -> Joint:
    """A joint decision of so many collectives, ready to be voted on."""
    return Joint(NAMES[:instances], circles, **fields).prepare()
