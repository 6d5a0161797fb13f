"""All tables in one place, for migrations and tests that make a database from nothing."""

from models import (
    accounts,
    choices,
    decisions,
    events,
    feeds,
    follows,
    ledger,
    mandates,
    peers,
    people,
    posts,
    queues,
    remarks,
    reports,
    talk,
    uploads,
)
from models.base import Base

metadata = Base.metadata

__all__ = [
    "accounts",
    "choices",
    "decisions",
    "events",
    "feeds",
    "follows",
    "ledger",
    "mandates",
    "metadata",
    "peers",
    "people",
    "posts",
    "queues",
    "remarks",
    "reports",
    "talk",
    "uploads",
]
