"""Texts on their way into records: each gets a fresh salt, the record gets its digest."""

import secrets
from typing import Any

from models.rules.records import text_digest


class Texts:
    """Collects the texts of one act. `add` gives the digest for the record; `carried` travels beside it."""

    def __init__(self, lang: str = "en") -> None:
        self.lang = lang
        self.carried: dict[str, dict[str, Any]] = {}

    def add(self, text: str) -> str:
        salt = secrets.token_bytes(16)
        digest = text_digest(salt, text)
        self.carried[digest] = {"salt": salt.hex(), "text": text, "lang": self.lang}
        return digest
