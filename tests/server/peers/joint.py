"""Records of a joint decision made by strangers of our kind, with their texts, and the activities that carry them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from activitypub import proofs
from models.rules import records
from models.rules.records import text_digest
from tests.server.peers.world import Person, World

RULE = {"quorum": [1, 2], "collectives": [1, 2], "threshold": [1, 2], "base": "cast", "strict": True}


def words(text: str) -> tuple[str, dict[str, dict[str, str]]]:
    """A text's digest, and the text as it travels."""
    salt = b"s" * 16
    digest = text_digest(salt, text)
    return digest, {digest: {"salt": salt.hex(), "text": text, "lang": "en"}}


@dataclass
class Joint:
    """A decision that `convener`, a stranger's collective, offers to others."""

    world: World
    convener: Person
    invited: list[str]
    visibility: str = "federation"
    changed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = self.world.clock.now()
        question, self.texts = words("Shall we buy a van together?")
        fields: dict[str, Any] = {
            "question": question,
            "method": "consent",
            "rule": RULE,
            "visibility": self.visibility,
            "reveal": "open",
            "options": "answering",
            "maxOptions": 1,
            "gatherUntil": now + timedelta(hours=1),
            "respondBy": now + timedelta(hours=1),
            "opensAt": now + timedelta(hours=1),
            "closesAt": now + timedelta(hours=49),
            "grace": 6 * 3600,
            "challenge": 3600,
            "maxWait": 7 * 86400,
            "ratify": 86400,
            "receiptSlack": 600,
            "minCircle": 1,
            "maxKeepers": 15,
            "tie": "status-quo",
            "invited": sorted(self.invited),
            "actor": self.convener.uri,
            "instance": self.convener.key,
            **self.changed,
        }
        self.offer = self.convener.record("Offer", None, **fields)
        self.name = self.digest(self.offer)

    @staticmethod
    def digest(record: dict[str, Any]) -> str:
        from_rules: str = records.digest(record)
        return from_rules

    def offering(self, by: Person | None = None, **changed: Any) -> dict[str, Any]:
        """The Offer activity that carries the offer."""
        by = by or self.convener
        thing = self.quiet(by, [self.offer], self.texts)
        return by.activity("Offer", **{"object": thing, "to": ["http://oak.test/c/oak"], **changed})

    def quiet(
        self, by: Person, carried: list[dict[str, Any]], texts: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """An object with nothing to read."""
        return {"type": "Object", "attributedTo": by.uri, "jura:record": carried, "jura:texts": texts or {}}

    def adding(self, by: Person, *carried: dict[str, Any], texts: Any = None) -> dict[str, Any]:
        """An Add of records to the scope at their carrier's server."""
        target = f"{by.server.url}/scopes/{self.name}"
        return by.activity("Add", object=self.quiet(by, list(carried), texts), target=target)

    def noting(self, by: Person, *carried: dict[str, Any], texts: Any = None) -> dict[str, Any]:
        """A Create of a Note that carries records."""
        note = {**self.quiet(by, list(carried), texts), "type": "Note", "content": "<p>words</p>"}
        return by.activity("Create", object={**note, "id": f"{by.uri}/notes/{self.name[:8]}"})

    def answer(self, by: Person, takes: str = "binding", **changed: Any) -> dict[str, Any]:
        """The Answer of a collective with one circle, itself."""
        name, _ = words("All of us")
        sits = proofs.sign_bytes(records.sitting_input(self.name, by.key), by.ed25519)
        circle = {"key": by.key, "name": name, "size": 3, "signature": sits}
        circles = [] if takes == "declines" else [circle]
        fields = {
            "takes": takes,
            "circles": circles,
            "keeps": True,
            "instance": by.key,
            "actor": by.uri,
            "round": 1,
        }
        return by.record("Answer", self.name, **{**fields, **changed})

    def option(self, by: Person, title: str = "Buy the blue van") -> tuple[dict[str, Any], dict[str, Any]]:
        """An Option and its texts."""
        digest, texts = words(title)
        return by.record("Option", self.name, title=digest, round=1), texts
