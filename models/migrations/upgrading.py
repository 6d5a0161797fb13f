"""Applying migrations, by Alembic. Loaded by `models.migrations.migrate` when there is something to apply."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config() -> Config:
    """Where the versions lie."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return found


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest revision, in the transaction of this connection."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
