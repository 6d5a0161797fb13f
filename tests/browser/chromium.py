"""Debian's Chromium, driven by Playwright: windows at an instance, and what each page in them owes its readers."""

import contextlib
import hashlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright

from models.people import member_by_login
from server.actions import people
from server.cli.stage import Instance
from server.keys import CLOCK, DATABASE

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
SHOTS = Path(__file__).resolve().parents[2] / "shots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
MOST_BYTES = 50_000
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
WIDTHS = (320, 390, 800, 1280)
RUN = """options => axe.run(document, options).then(found => found.violations.map(
    one => one.id + ': ' + one.nodes.map(node => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).join(' | ')))"""
WIDER = """() => document.documentElement.scrollWidth > document.documentElement.clientWidth
    ? [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 3).map(one => one.tagName + '.' + one.className).concat('') : []"""


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser; one clear line where it is missing."""
    if not os.path.exists(CHROMIUM):  # noqa: ASYNC240
        pytest.exit(f"There is no {CHROMIUM}: install Debian's chromium, or say in CHROMIUM where it is.", 2)
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def log_in(context: BrowserContext, instance: Instance, login: str) -> None:
    """A log-in as the pages make one, without typing."""
    app, token = instance.app, people.new_token()
    async with app[DATABASE].ACT.begin() as session:
        member = await member_by_login(session, login)
        assert member is not None
        await people.log_in(session, member, people.token_digest(token), app[CLOCK].now())
    await context.add_cookies([{"name": "jura", "value": token, "url": instance.url}])


@dataclass
class Window:
    """One page of a browser that listens to what goes wrong. `look` checks what it shows; `wrong` collects what is not right."""

    page: Page
    origin: str
    role: str
    wrong: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("pageerror", lambda error: self._said("error", str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and "the server responded with a status of" not in text:
            self.wrong.append(f"{self.role} {self.page.url}: console: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.origin, "data:")):
            self.wrong.append(f"{self.role} {self.page.url}: asks {url}")

    async def look(self, response: Response | None, name: str) -> None:
        """Everything that the page owes; the same page for somebody else is looked at once."""
        text = await self.page.content()
        if response is not None:
            size = len(await response.body())
            if size > MOST_BYTES:
                self._wrong(f"{size} bytes")
        main = re.sub(r"[0-9a-f]{64}", "", text)
        digest = hashlib.sha256(main.encode()).hexdigest()
        if digest in self.seen:
            return
        self.seen.add(digest)
        await self._widths(name)
        await self._axe()
        await self._shot(name)

    def _wrong(self, what: str) -> None:
        parts = urlsplit(self.page.url)
        self.wrong.append(f"{self.role} {parts.path}{'?' * bool(parts.query)}{parts.query}: {what}")

    async def _widths(self, name: str) -> None:
        """No page is wider than the window: on phones, on a tablet, on desks, and on a desk at 200 %."""
        for width in WIDTHS:
            await self.page.set_viewport_size({"width": width, "height": 844})
            if found := await self.page.evaluate(WIDER):
                self._wrong(f"wider than {width} px: {found}")
        session = await self.page.context.new_cdp_session(self.page)
        metrics = {"width": 640, "height": 422, "deviceScaleFactor": 2, "mobile": False}
        await session.send("Emulation.setDeviceMetricsOverride", metrics)
        if found := await self.page.evaluate(WIDER):
            self._wrong(f"wider than the window at 200 %: {found}")
        await session.send("Emulation.clearDeviceMetricsOverride")
        await session.detach()

    async def _axe(self) -> None:
        """axe finds nothing, in the light and (colours again) in the dark."""
        await self.page.set_viewport_size(PHONE)
        await self.page.evaluate(AXE)
        await self._axe_in("light", {})
        await self._axe_in("dark", {"runOnly": {"type": "rule", "values": ["color-contrast"]}})

    async def _axe_in(self, scheme: Any, options: dict[str, Any]) -> None:
        await self.page.emulate_media(color_scheme=scheme)
        for found in await self.page.evaluate(RUN, options):
            self._wrong(f"axe, {scheme}: {found}")

    async def _shot(self, name: str) -> None:
        folder = SHOTS / self.role
        folder.mkdir(parents=True, exist_ok=True)
        await self.page.set_viewport_size(DESK)
        await self.page.screenshot(path=folder / f"{name}-desk-dark.png", scale="css")
        await self.page.set_viewport_size(PHONE)
        await self.page.emulate_media(color_scheme="light")
        await self.page.screenshot(path=folder / f"{name}-phone.png", full_page=True, scale="css")


@contextlib.asynccontextmanager
async def window(
    browser: Browser, instance: Instance, login: str = "", role: str = "", *, script: bool = True
) -> AsyncIterator[Window]:
    """A window at an instance, logged in or a visitor's, on a phone. Journeys go without scripts."""
    context = await browser.new_context(viewport=PHONE, java_script_enabled=script, reduced_motion="reduce")
    try:
        if login:
            await log_in(context, instance, login)
        page = await context.new_page()
        yield Window(page, instance.url, role or login or "visitor")
    finally:
        await context.close()
