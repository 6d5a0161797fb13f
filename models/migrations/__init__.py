"""Migrations: versions named like sentences, applied by `jura migrate`, and by `jura serve` on SQLite."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine


class DatabaseProblem(Exception):
    """The database cannot be used as it is: one line that says why and what to do."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def head() -> str:
    """The revision this version of Jura works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise DatabaseProblem("This installation has no migrations.")
    return revision


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def current(engine: AsyncEngine) -> str | None:
    """The revision the database is at; None if it is empty. `DatabaseProblem` if it cannot be reached."""
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_current)
    except (DBAPIError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise DatabaseProblem(
            f"The database cannot be opened ({cause}). Check JURA_DATABASE and JURA_DATA."
        ) from error


async def check(engine: AsyncEngine) -> None:
    """Raise `DatabaseProblem` unless the database is exactly at this version's revision."""
    at = await current(engine)
    if at == head():
        return
    _refuse_newer(at)
    raise DatabaseProblem("The database is not prepared for this version: run `jura migrate` first.")


def _refuse_newer(at: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if at is not None and at not in known:
        raise DatabaseProblem(
            f"The database is from a newer version of Jura (revision {at}): install that version, or restore a backup."
        )


async def migrate(engine: AsyncEngine) -> tuple[str | None, str]:
    """Bring the database to this version's revision; returns where it was and where it is."""
    before = await current(engine)
    _refuse_newer(before)

    def upgrade(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    if before != head():
        async with engine.execution_options(act=True).begin() as connection:
            await connection.run_sync(upgrade)
    return before, head()
