"""Instants as other servers write them: with an offset or not, to the second or to the nanosecond."""

from datetime import UTC, datetime
from typing import Any, Final

LONGEST: Final = 40
YEARS: Final = range(1970, 2200)


def instant_of(value: Any) -> datetime | None:
    """An ISO 8601 instant as aware UTC, one without an offset read as UTC; None for anything else."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    try:
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in YEARS else None
