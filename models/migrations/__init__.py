"""Migrations: versions named like sentences, applied by `jura migrate`, and by `jura serve` on SQLite.

Whether there is anything to do is seen without Alembic. It is loaded only if there is: that takes a tenth of a start's time and
seven megabytes for as long as the server runs.
"""

import importlib
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from models import tables
from models.problems import DatabaseProblem as DatabaseProblem

VERSIONS = Path(__file__).parent / "versions"
UNFINISHED = (
    "This database cannot be brought to this version; nothing was changed. If it was made before 23 November 2026, it stays "
    "with the version that made it: set another JURA_DATA or JURA_DATABASE, and begin with `jura init`."
)


def revisions() -> list[str]:
    """All revisions of this version of Jura, the oldest first: the numbers with which the files' names begin."""
    return sorted(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def head() -> str:
    """The revision this version of Jura works with."""
    if not revisions():
        raise DatabaseProblem("This installation has no migrations.")
    return revisions()[-1]


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    at: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return at


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
    if at != head():
        _refuse_newer(at)
        raise DatabaseProblem("The database is not prepared for this version: run `jura migrate` first.")
    await _refuse_unfinished(engine)


async def _refuse_unfinished(engine: AsyncEngine) -> None:
    """Before 23 November 2026 tables changed without a step of their own: such a database says that it is at a revision, and
    is not."""
    async with engine.connect() as connection:
        lacking = await connection.run_sync(_lacking)
    if lacking:
        raise DatabaseProblem(f"{UNFINISHED} (It lacks {lacking[0]}.)")


def _lacking(connection: Connection) -> list[str]:
    """Tables and columns that the models have and the database has not."""
    found = {
        (table, column["name"])
        for (_, table), columns in inspect(connection).get_multi_columns().items()
        for column in columns
    }
    wanted = {
        (table.name, column.name) for table in tables.metadata.tables.values() for column in table.columns
    }
    return sorted(".".join(one) for one in wanted - found)


def _refuse_newer(at: str | None) -> None:
    if at is not None and at not in revisions():
        raise DatabaseProblem(
            f"The database is from a newer version of Jura (revision {at}): install that version, or restore a backup."
        )


async def check_writable(engine: AsyncEngine) -> None:
    """Raise `DatabaseProblem` unless rows can be changed: a file that belongs to somebody else is read without a complaint."""
    try:
        async with engine.execution_options(act=True).begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    except DBAPIError as error:
        raise DatabaseProblem(
            f"The database cannot be written ({str(error.orig).splitlines()[0]}): its file and its directory must belong to the "
            "user that Jura runs as."
        ) from error


async def migrate(engine: AsyncEngine) -> tuple[str | None, str]:
    """Bring the database to this version's revision; returns where it was and where it is."""
    before = await current(engine)
    _refuse_newer(before)
    if before != head():
        upgrade = importlib.import_module("models.migrations.upgrading").upgrade
        try:
            async with engine.execution_options(act=True).begin() as connection:
                await connection.run_sync(upgrade)
        except DBAPIError as error:
            raise DatabaseProblem(f"{UNFINISHED} ({str(error.orig).splitlines()[0]})") from error
    await _refuse_unfinished(engine)
    return before, head()
