"""What tests of federations share so that each is quick: key pairs, and federations as they stood when a voting opened.

Nothing is faked: the keys were made by the same function, the kept federations were played by the same people over HTTP and are
copied as files. Called by `tests.federation.harness` and its fixtures.
"""

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from argon2 import PasswordHasher

from server.actions.founding import KeyPair, make_key_pair

PASSWORD = "bread and roses"
# A hash says by itself what checking it costs. This one costs nothing: people of stories log in hundreds of times.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Kept:
    """A federation as it stood: where its instances' files are, what the clock showed, how many key pairs it used."""

    folder: Path
    names: tuple[str, ...]
    now: datetime
    keys: int
    decision: str


@dataclass
class Stock:
    """One per test session. `kept` is by whatever the federation was made from."""

    folder: Path
    pairs: list[KeyPair] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    password_hash: str = field(default_factory=lambda: QUICK.hash(PASSWORD))

    def pair(self, number: int) -> KeyPair:
        """The key pair of this number, made when first asked for."""
        while len(self.pairs) <= number:
            self.pairs.append(make_key_pair())
        return self.pairs[number]

    def keep(
        self, label: str, folder: Path, names: tuple[str, ...], now: datetime, keys: int, decision: str
    ) -> None:
        """Copy the files of a federation that is not running."""
        there = self.folder / f"kept-{len(self.kept)}"
        for name in names:
            shutil.copytree(folder / name, there / name)
        self.kept[label] = Kept(there, names, now, keys, decision)
