"""The one place where the clock is read. Everything else is handed `now`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class MovableClock:
    """The machine's clock plus an offset, or a standing instant: for the demo and for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._standing = start
        self._offset = timedelta()

    def now(self) -> datetime:
        return (self._standing or datetime.now(UTC)) + self._offset

    def advance(self, by: timedelta) -> None:
        self._offset += by

    def run_on(self) -> None:
        """From now on time passes by itself, from where it stands."""
        if self._standing is not None:
            self._offset += self._standing - datetime.now(UTC)
            self._standing = None


class FileClock:
    """Development: the instant that a file holds (ISO 8601), read anew each time, so that several processes share it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.fromisoformat(self._path.read_text().strip()).astimezone(UTC)
