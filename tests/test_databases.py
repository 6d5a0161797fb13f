"""The databases that `database_url` hands out: one for each test, empty, on both kinds."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_every_test_gets_an_empty_database_that_keeps_what_is_written(
    database_url: str, turn: str
) -> None:
    engine = create_async_engine(database_url)
    try:
        async with engine.begin() as writing:
            await writing.execute(text("CREATE TABLE word (said TEXT)"))
            await writing.execute(text("INSERT INTO word VALUES (:said)"), {"said": turn})
        async with engine.connect() as reading:
            assert (await reading.scalars(text("SELECT said FROM word"))).all() == [turn]
    finally:
        await engine.dispose()
