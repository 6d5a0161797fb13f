"""Browsers at real instances: federations of the stock, with members who log in by their pages."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from models.people import member_by_login
from server.actions import people
from server.keys import CLOCK, DATABASE
from tests.federation.conftest import both as both
from tests.federation.conftest import meetings as meetings
from tests.federation.harness import Federation
from tests.federation.stock import Stock
from tests.server.web.browser import Browser

Enter = Callable[..., Awaitable[Browser]]


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
