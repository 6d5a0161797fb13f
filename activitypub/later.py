"""Modules that are loaded when they are first used: those that an instance at rest does not need.

Passkeys, pictures, QR codes, mail, foreign HTML: each brings a library that takes time at every start, and memory for as long as
the server runs, also where nobody asks for it (docs/performance.md). Imports stand at the top of a file all the same, where they
can be seen and checked; for such a library the type checker reads the import, and the program takes its stand-in:

    if TYPE_CHECKING:
        import segno
    else:
        segno = later("segno")

Names are then taken from the module where they are used (`segno.make`), not where the file begins. Called by `activitypub` and
`server`.
"""

import importlib
from typing import Any


class _Later:
    """Stands for a module; whatever is asked of it, the module answers."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(importlib.import_module(self._name), name)
        setattr(self, name, found)  # asked of the module once
        return found

    def __repr__(self) -> str:
        return f"<{self._name}, loaded when it is used>"


def later(name: str) -> Any:
    """The module of this name, loaded at the first use (once, also where two threads use it first at the same time)."""
    return _Later(name)
