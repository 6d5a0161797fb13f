"""One founded instance with an open database, and its members acting: no HTTP, no workers, a clock that the test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, people
from models.base import Database, open_database
from models.ledger import Scope
from models.rules.standing import Standing, standing
from server.actions import convening, seating
from server.actions import people as joining
from server.actions.founding import KeyPair, found
from server.actions.keeping import advance
from server.home import Home, make_home
from server.settings import Settings
from server.viewer import Viewer
from tests.federation.stock import Stock


@dataclass
class Place:
    """An instance and its clock. `token` is the founder's link."""

    database: Database
    home: Home
    token: str
    pairs: list[KeyPair]
    now: datetime = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def join(self, *logins: str) -> None:
        """The first is the founder, the others come by an invitation of the founder's."""
        for login in logins:
            async with self.database.ACT.begin() as session:
                token = self.token
                if await people.member_count(session):
                    token = joining.new_token()
                    viewer = await self.viewer(session, (await people.members(session))[0].login)
                    await joining.invite(session, viewer, joining.token_digest(token), 1, self.now)
                await joining.join(session, token, login, login.title(), "x", self.now)

    async def viewer(self, session: AsyncSession, login: str) -> Viewer:
        member = await people.member_by_login(session, login)
        assert member is not None
        return await joining.viewer_for(session, member, self.now)

    @asynccontextmanager
    async def acting(self, login: str) -> AsyncIterator[tuple[AsyncSession, Viewer]]:
        async with self.database.ACT.begin() as session:
            yield session, await self.viewer(session, login)

    async def convene(self, login: str, plan: convening.Plan) -> str:
        async with self.acting(login) as (session, viewer):
            keys = [self.pairs.pop() for _ in range(await seating.circles_to_deal(session))]
            scope = await convening.convene(session, self.home, viewer, plan, [], keys, self.now)
            return scope.name

    async def work(self, name: str) -> Standing:
        """What the decisions pass does, then where the decision stands."""
        async with self.database.ACT.begin() as session:
            await advance(session, self.home, name, self.now)
        return await self.view(name)

    async def view(self, name: str) -> Standing:
        async with self.database.READ() as session:
            scope = await self.scope(session, name)
            return standing(await ledger.records(session, scope.id, self.now), self.now)

    async def scope(self, session: AsyncSession, name: str) -> Scope:
        scope = await ledger.scope_named(session, name)
        assert scope is not None
        return scope


@pytest.fixture
async def place(migrated_url: str, tmp_path: Path, stock: Stock) -> AsyncIterator[Place]:
    settings = Settings("https://oak.example", tmp_path, migrated_url, "s" * 40, "127.0.0.1", 0)
    database = open_database(migrated_url)
    token, home = joining.new_token(), make_home(settings)
    here = Place(database, home, token, [stock.pair(number) for number in range(8)])
    async with database.ACT.begin() as session:
        await found(
            session,
            home,
            handle="oak",
            name="Oak",
            summary="",
            keys=(here.pairs.pop(), here.pairs.pop(), here.pairs.pop()),
            founder_token_hash=joining.token_digest(token),
            now=here.now,
        )
    yield here
    await database.close()
