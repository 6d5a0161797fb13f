"""All tables in one place, for migrations and tests that make a database from nothing."""

from models import decisions, events, follows, ledger, mandates, peers, people, posts, queues
from models.base import Base

metadata = Base.metadata

__all__ = [
    "decisions",
    "events",
    "follows",
    "ledger",
    "mandates",
    "metadata",
    "peers",
    "people",
    "posts",
    "queues",
]
