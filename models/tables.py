"""All tables in one place, for migrations and tests that make a database from nothing."""

from models import (
    accounts,
    charters,
    choices,
    decisions,
    events,
    feeds,
    follows,
    ledger,
    mails,
    mandates,
    notices,
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
    "charters",
    "choices",
    "decisions",
    "events",
    "feeds",
    "follows",
    "ledger",
    "mails",
    "mandates",
    "metadata",
    "notices",
    "peers",
    "people",
    "posts",
    "queues",
    "remarks",
    "reports",
    "talk",
    "uploads",
]
