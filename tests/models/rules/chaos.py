"""A joint decision in which anybody may say anything with any date, drawn from one seed: what properties are
tested on."""

import random
from datetime import datetime, timedelta
from typing import Any

from models.rules.records import BadRecord, Record
from models.rules.shapes import CONSENT_POSITIONS, MAJORITY_POSITIONS, SHAPES
from tests.models.rules.builders import HOUR, MINUTE, NAMES, START, WORDS, Joint

SECOND = timedelta(seconds=1)
KINDS = [
    "ballot",
    "ballot",
    "vote",
    "cure",
    "receipt",
    "close",
    "result",
    "twice",
    "terms",
    "ack",
    "leave",
    "withdraw",
    "ratify",
    "objection",
    "challenge",
    "answer",
]


class Chaos:
    """Half of the time all goes well first; then up to forty things happen."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        method = self.dice.choice(["consent", "majority", "approval"])
        takes = {
            name: self.dice.choice(["binding"] * 4 + ["ratifies", "advisory", "declines"])
            for name in NAMES[1:4]
        }
        names = NAMES[: self.dice.randint(1, 4)]
        many = {name: self.dice.randint(1, 3) for name in NAMES}
        self.one = Joint(names, many, method, takes)
        self.one.prepare(acks=[name for name in names if self.dice.random() < 0.9])
        self.named = ["fir", *names]
        if self.dice.random() < 0.5:
            self.all_goes_well()
        for _ in range(self.dice.randint(0, 40)):
            self.something()

    @property
    def moments(self) -> list[datetime]:
        one = self.one
        instants = (START + HOUR, one.opens, one.closes, one.grace, one.challenge, one.wait, one.ratify)
        return [at + shift for at in instants for shift in (-HOUR, -SECOND, timedelta(), SECOND, HOUR)]

    def moment(self) -> datetime:
        return self.dice.choice(self.moments)

    def said(self) -> str | list[str]:
        if self.one.method == "approval":
            options = [*self.one.terms["options"], "status-quo"]
            return self.dice.sample(options, self.dice.randint(0, len(options)))
        return self.dice.choice(CONSENT_POSITIONS if self.one.method == "consent" else MAJORITY_POSITIONS)

    def circle(self) -> str:
        return f"{self.dice.choice(self.named)}/{self.dice.randint(1, 3)}"

    def all_goes_well(self) -> None:
        for circle in self.one.roll:
            if self.dice.random() < 0.9:
                self.one.vote(circle, self.said())
        for name in self.one.names:
            self.one.close(name)
        for name in self.one.names:
            self._publish(name, self.one.grace + MINUTE, 1)

    def something(self) -> Record | None:
        kind = self.dice.choice(
            [
                "ballot",
                "ballot",
                "vote",
                "cure",
                "receipt",
                "close",
                "result",
                "twice",
                "terms",
                "ack",
                "leave",
                "withdraw",
                "ratify",
                "objection",
                "challenge",
                "answer",
            ]
        )
        made: Record | None = getattr(self, f"_{kind}")()
        return made

    def any(self, *types: str) -> Record:
        return self.dice.choice(
            [r for r in self.one.records if not types or r.type in types] or self.one.records
        )

    def _ballot(self) -> Record:
        return self.one.ballot(
            self.circle(),
            self.said(),
            self.dice.randint(1, 3),
            at=self.moment(),
            confirmed=self.dice.randint(1, 3),
        )

    def _vote(self) -> Record:
        return self.one.vote(self.circle(), self.said(), self.dice.randint(1, 3))

    def _cure(self) -> Record | None:
        one, other = self.any("Ballot"), self.any("Ballot")
        if one == other:
            return None
        pair = sorted([one.digest, other.digest])
        return self.one.ballot(
            self.circle(), self.said(), self.dice.randint(2, 4), at=self.moment(), cures=pair
        )

    def _receipt(self) -> Record:
        at = self.moment()
        return self.one.receipt(
            self.dice.choice(self.named), self.any("Ballot", "Leave"), received=at - MINUTE, at=at
        )

    def _close(self) -> Record:
        return self.one.close(self.dice.choice(self.one.names), at=self.moment())

    def _result(self) -> Record | None:
        return self._publish(self.dice.choice(self.one.names), self.moment(), self.dice.randint(1, 3))

    def _twice(self) -> Record | None:
        outcome = self.dice.choice(["adopted", "rejected", "tied"])
        return self._publish(
            self.dice.choice(self.one.names), self.moment(), self.dice.randint(1, 3), outcome=outcome
        )

    def _publish(self, name: str, at: datetime, seq: int, **changed: Any) -> Record | None:
        if not self.one.standing(at).result_fields():
            return None
        return self.one.result(name, at, seq, **changed)

    def _terms(self) -> Record:
        body = {
            name: value
            for name, value in self.one.terms.body.items()
            if name in SHAPES["Terms"].fields.fields
        }
        if self.dice.random() < 0.5:
            body["keepers"] = []
        return self.one.say("Terms", self.dice.choice(self.named), self.moment(), **body)

    def _ack(self) -> Record:
        return self.one.ack(self.dice.choice(self.named), self.any("Terms"), at=self.moment())

    def _leave(self) -> Record:
        return self.one.say("Leave", self.dice.choice(self.named), self.moment())

    def _withdraw(self) -> Record:
        return self.one.say("Withdraw", self.dice.choice(self.named), self.moment())

    def _ratify(self) -> Record:
        return self.one.say(
            "Ratify", self.dice.choice(self.named), self.moment(), terms=self.any("Terms").digest
        )

    def _objection(self) -> Record:
        return self.one.say(
            "Objection", self.circle(), self.moment(), terms=self.any("Terms").digest, reason=WORDS
        )

    def _challenge(self) -> Record:
        by = self.dice.choice([self.circle(), f"{self.dice.choice(self.named)}!"])
        target, evidence = self.any("Result"), sorted({self.any().digest, self.any().digest})
        return self.one.say(
            "Challenge", by, self.moment(), result=target.digest, claim="wrong-count", evidence=evidence
        )

    def _answer(self) -> Record | None:
        try:
            return self.one.answer(
                self.dice.choice(self.named),
                takes=self.dice.choice(["binding", "advisory"]),
                at=self.moment(),
            )
        except BadRecord:
            return None
