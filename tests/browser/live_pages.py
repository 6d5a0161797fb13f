"""Every page of the table of addresses, as a visitor, a member and whoever holds all powers see it, in a real browser.

Pages are found by the links on them; a page that is added to the table and that nobody reaches fails the last test line by line.
Run by `make test-browser`.
"""

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from playwright.async_api import Browser

from server.cli.stage import Instance
from tests.browser.chromium import Window, chromium, window
from tests.browser.world import TOKEN, lived_in, said_and_kept, three

LEADS = """() => [...document.querySelectorAll('a[href]')].map(one => one.getAttribute('href')).concat(
    [...document.querySelectorAll('form[action]')].map(one => one.getAttribute('action')))"""
EACH = 1  # addresses of one kind that each role looks at, beside those below; of decisions, one per state
OF_DECISIONS = 3
WITH_STATES = ("/decisions/{name}", "/decisions/{name}/circle")
ROLES = {"visitor": "", "member": "bo", "holder": "ana"}
BY_LINK_ONLY = (
    f"/join/{TOKEN}",
    f"/recover/{TOKEN}",
    "/join/unknown",
    "/recover/unknown",
    "/moderate/reports/new",
    "/moderate/servers/far.example",
    "/moderate/servers/far.example/block",
    f"/me/mail/confirm/{TOKEN}",
    "/notices/read",
    "/nothing",
)
FILES = {  # no pages
    "/static/{file}": "style, icons, scripts",
    "/decisions/{name}/live": "a stream of events",
    "/decisions/{name}/circle/live": "a stream of events",
    "/source.zip": "a file",
    "/moderate/blocklist.csv": "a file",
    "/charter.json": "a file",
    "/decisions/{name}.json": "a file",
    "/media/{name}": "a picture",
    "/decisions.atom": "a feed",
    "/posts.atom": "a feed",
    "/closings.ics": "a calendar",
    "/private/{token}/decisions.atom": "a feed",
    "/private/{token}/closings.ics": "a calendar",
}


@dataclass
class Survey:
    """What was reached, by kind of address: pages that were shown, and addresses that led on to another."""

    shown: set[str] = field(default_factory=set)
    led_on: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


async def kind_of(app: web.Application, path: str) -> str:
    """The row of the table that answers this address."""
    match = await app.router.resolve(make_mocked_request("GET", path))
    return match.route.resource.canonical if match.route.resource else ""


def table(app: web.Application) -> set[str]:
    """The addresses of pages, from the table itself."""
    return {
        route.resource.canonical
        for route in app.router.routes()
        if route.method == "GET" and route.resource and route.handler.__module__.startswith("server.web")
    } - set(FILES)


async def walk(
    seen: Window, instance: Instance, starts: list[str], survey: Survey, *, on: bool = True
) -> None:
    """From link to link (unless not `on`) through one instance, a few addresses of each kind."""
    many: dict[str, int] = defaultdict(int)
    waiting, known = deque(starts), set(starts)
    while waiting:
        path = waiting.popleft()
        kind = await kind_of(instance.app, path.partition("?")[0])
        bare = kind.replace("{act}", path.rpartition("/")[2]) + "?" * ("?" in path)
        if kind in FILES or (
            path not in BY_LINK_ONLY and many[bare] >= (OF_DECISIONS if kind in WITH_STATES else EACH)
        ):
            continue
        many[bare] += 1
        response = await seen.page.goto(instance.url + path)
        assert response is not None
        if response.status >= 500:
            survey.wrong.append(f"{seen.role} {path}: {response.status}")
        if urlsplit(response.url).path != urlsplit(path).path:
            survey.led_on.add(kind)
        elif response.status == 200:
            survey.shown.add(kind)
        await seen.look(response, re.sub(r"\W+", "-", kind or path).strip("-") + f"-{many[bare]}")
        if not on:
            continue
        for href in await seen.page.evaluate(LEADS):
            url = urljoin(response.url, href).partition("#")[0]
            found = url.removeprefix(instance.url)
            if url.startswith(instance.url + "/") and found not in known:
                known.add(found)
                waiting.append(found)


async def survey_of(browser: Browser, instance: Instance, paths: list[str], survey: Survey) -> None:
    looked_at: set[str] = set()
    for role, login in ROLES.items():
        async with window(browser, instance, login, role) as seen:
            seen.seen = looked_at
            await walk(seen, instance, paths, survey)
            survey.wrong += seen.wrong


async def test_every_page_owes_its_readers_nothing(tmp_path: Path) -> None:
    survey = Survey()
    async with three(tmp_path) as stage, chromium() as browser:
        names = await lived_in(stage)
        off = await said_and_kept(stage, names[0], names[1])
        oak, elm = stage.instances["oak"], stage.instances["elm"]
        flat = sorted(kind for kind in table(oak.app) if "{" not in kind)
        decisions = [f"/decisions/{name}" for name in reversed(names)]
        acts = [
            f"{one}/{act}"
            for one in decisions
            for act in ("circle/drafts", "object", "leave", "ratify", "propose")
        ]
        await survey_of(browser, oak, [*flat, *decisions, *acts, *BY_LINK_ONLY, off], survey)
        async with window(browser, elm, "eli", "elm") as seen:
            await walk(seen, elm, [f"{decisions[0]}/answer"], survey, on=False)
            survey.wrong += seen.wrong
        never = table(oak.app) - survey.shown - survey.led_on
    assert not survey.wrong, "\n".join(survey.wrong)
    assert not never, f"nobody reached {sorted(never)}"


WRONG = """<!doctype html><html lang="en"><head><title>x</title></head><body><main><h1>Wrong</h1>
<p style="color:#ccc;background:#fff">Pale</p><input type="text"><p style="width:2000px">Wide</p>
<img src="http://elsewhere.localhost:9/x.png" alt="x"></main><script>console.error("loud")</script></body></html>"""


async def test_what_is_wrong_is_seen(tmp_path: Path) -> None:
    async with (
        three(tmp_path) as stage,
        chromium() as browser,
        window(browser, stage.instances["oak"]) as seen,
    ):
        await seen.page.set_content(WRONG)
        await seen.look(None, "wrong")
        found = "\n".join(seen.wrong)
    for sign in ("asks http://elsewhere", "loud", "color-contrast", "label", "wider than 320", "at 200 %"):
        assert sign in found
