"""What a member of the instance does on its pages, in the instance's own process; whom they name is looked up from there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from urllib.parse import quote

from models.people import member_by_login
from server.actions import people
from server.actions.showing import show_to_signed_only
from server.keys import DATABASE
from tests.federation.people import LOGINS
from tests.peers.town import Town
from tests.server.web.browser import Browser, Page, filled


@asynccontextmanager
async def ana(town: Town) -> AsyncIterator[Browser]:
    """The founder, logged in."""
    token = people.new_token()
    app = town.app_of(town.name)
    async with app[DATABASE].ACT.begin() as session:
        member = await member_by_login(session, LOGINS[0])
        assert member is not None
        await people.log_in(session, member, people.token_digest(token), town.oak.now)
    async with Browser(SimpleNamespace(settings=town.settings)) as browser:  # type: ignore[arg-type]
        browser.set_cookie(token, "__Host-jura")
        yield browser


async def write(town: Town, text: str, path: str = "/posts/new") -> str:
    """Post as the collective, or change a post by the form at `path`; returns the id of its Note."""
    async with ana(town) as browser:
        preview = await browser.send(await browser.get(path), path.partition("?")[0], text=text)
        form = next(f for f in preview.all("form") if any(i.get("name") == "step" for i in f.all("input")))
        page = await browser.post(form.get("action") or "", filled(form))
    assert page.said, page.text
    return f"https://{town.host}/o/{_token(page)}"


async def edit(town: Town, note: str, text: str) -> None:
    await write(town, text, f"/posts/{note.rsplit('/', 1)[1]}/edit")


async def delete(town: Town, note: str) -> None:
    path = f"/posts/{note.rsplit('/', 1)[1]}/delete"
    async with ana(town) as browser:
        page = await browser.send(await browser.get(path), path)
    assert page.status in (200, 410), page.text


async def make_feed(town: Town, handle: str) -> str:
    """Make a feed; returns its actor."""
    async with ana(town) as browser:
        page = await browser.send(
            await browser.get("/feeds/new"), "/feeds/new", handle=handle, name=handle.title()
        )
    assert page.said, page.text
    return f"https://{town.host}/c/{handle}"


async def add_source(town: Town, feed: str, address: str) -> None:
    path = f"/feeds/{feed}"
    async with ana(town) as browser:
        page = await browser.send(await browser.get(path), f"{path}/add", source=address)
    assert page.said, page.text


async def remove_source(town: Town, feed: str, source: str) -> None:
    path = f"/feeds/{feed}/remove"
    async with ana(town) as browser:
        page = await browser.send(await browser.get(f"{path}?source={quote(source, safe='')}"), path)
    assert page.said, page.text


async def demand_signatures(town: Town) -> None:
    """The founder chooses that documents are shown to signed requests only. (No page for it yet: the act itself.)"""
    app = town.app_of(town.name)
    async with app[DATABASE].ACT.begin() as session:
        member = await member_by_login(session, LOGINS[0])
        assert member is not None
        viewer = await people.viewer_for(session, member, town.oak.now)
        await show_to_signed_only(session, viewer, True, town.oak.now)


def _token(page: Page) -> str:
    return page.path.partition("?")[0].rsplit("/", 1)[1]
