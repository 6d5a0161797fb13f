"""Browsers at real instances: federations of the stock, with members who log in by their pages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from models.people import member_by_login
from server.actions import people
from server.keys import CLOCK, DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import Stock
from tests.server.web.browser import Browser

Enter = Callable[..., Awaitable[Browser]]


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Keys and kept federations of this run."""
    return Stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture
def meetings(stock: Stock, tmp_path: Path) -> Meetings:
    return Meetings(stock, tmp_path)


@pytest.fixture
async def fresh(stock: Stock, tmp_path: Path) -> AsyncIterator[Federation]:
    """One instance that nobody has joined."""
    async with Federation("oak", folder=tmp_path, stock=stock) as fed:
        yield fed


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """`await enter(fed, "oak", "ana")`: a browser in which somebody is logged in; without a name, a visitor's."""
    async with AsyncExitStack() as browsers:

        async def open_browser(fed: Federation, home: str, login: str = "") -> Browser:
            browser = await browsers.enter_async_context(Browser(fed.instances[home]))
            if login:
                app, token = fed.app_of(home), people.new_token()
                async with app[DATABASE].ACT.begin() as session:
                    member = await member_by_login(session, login)
                    assert member is not None
                    await people.log_in(session, member, people.token_digest(token), app[CLOCK].now())
                browser.set_cookie(token)
            return browser

        yield open_browser


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, stock: Stock, tmp_path: Path) -> Iterator[Meetings]:
    """Federations on each kind of database; on PostgreSQL every instance has one of its own."""
    if request.param == "sqlite":
        yield Meetings(stock, tmp_path)
        return
    cluster = request.getfixturevalue("postgres_cluster")
    with ExitStack() as databases:
        yield Meetings(stock, tmp_path, lambda _name: databases.enter_context(cluster.database()))
