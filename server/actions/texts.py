"""Texts on their way into records: each gets a fresh salt, the record gets its digest."""

import secrets
from typing import Any

from models.rules.records import text_digest
from server.language import LANGUAGE

TITLE_LENGTH = 200
DETAILS_LENGTH = 10_000


class Texts:
    """Collects the texts of one act. `add` gives the digest for the record; `carried` travels beside it. Where nobody said in which
    language they are, it is taken to be the one that whoever acts reads in."""

    def __init__(self, lang: str = "") -> None:
        self.lang = lang or LANGUAGE.get()
        self.carried: dict[str, dict[str, Any]] = {}

    def add(self, text: str) -> str:
        salt = secrets.token_bytes(16)
        digest = text_digest(salt, text)
        self.carried[digest] = {"salt": salt.hex(), "text": text, "lang": self.lang}
        return digest
