"""What people do, from the first link to the outcome, in a browser on a phone, without scripts. Run by `make test-browser`."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from server.cli.cast import DEMO_PASSWORD, Play
from server.cli.stage import Instance, Stage
from tests.browser.chromium import PHONE, SHOTS, Window, chromium, window
from tests.browser.world import three
from tests.federation.harness import free_port

PASSWORD = "a few words in a row"


async def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SHOTS / f"journey-{name}.png", full_page=True, scale="css")


async def press(page: Page, words: str) -> None:
    """The button that says so, in the main part."""
    await page.locator("main").get_by_role("button", name=words, exact=True).click()


async def join(seen: Window, link: str, login: str) -> None:
    """From the link to being a member."""
    await seen.page.goto(link)
    await seen.page.get_by_label("What should we call you?").fill(login.title())
    await seen.page.get_by_label("Log-in name").fill(login)
    await seen.page.get_by_label("Password").fill(PASSWORD)
    await press(seen.page, "Join")
    await expect(seen.page.get_by_role("status")).to_contain_text("Welcome")


async def come_in(seen: Window, instance: Instance, login: str) -> None:
    """Log in by the page, as the demo says."""
    await seen.page.goto(f"{instance.url}/login")
    await seen.page.get_by_label("Log-in name").fill(login)
    await seen.page.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
    await press(seen.page, "Log in")
    await expect(seen.page.get_by_role("button", name="Log out")).to_be_visible()


async def write_ballot(page: Page, reason: str) -> None:
    """The circle's words, saved and confirmed by the one who wrote them."""
    await page.get_by_role("group", name="We, as a circle").get_by_label("Consent").first.check()
    await page.get_by_label("Our reason").fill(reason)
    await press(page, "Save as version 1")
    await press(page, "Confirm these words")


async def no_wider_than_the_phone(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


async def founded_and_joined(browser: Browser, oak: Instance, windows: AsyncExitStack) -> list[Window]:
    """The founder comes in by the founder link, and invites two who join."""
    founder = await windows.enter_async_context(window(browser, oak, role="founder", script=False))
    await join(founder, oak.founder_link, "ana")
    await shot(founder.page, "1-founded")
    await founder.page.get_by_role("link", name="Invite people").first.click()
    await founder.page.get_by_label("How many people may join with it?").fill("2")
    await press(founder.page, "Make a link")
    link = await founder.page.get_by_label("Link to copy").input_value()
    people = [founder]
    for login in ("bo", "cem"):
        seen = await windows.enter_async_context(window(browser, oak, role=login, script=False))
        await join(seen, link, login)
        await no_wider_than_the_phone(seen.page)
        people.append(seen)
    await shot(people[1].page, "2-joined")
    late = await windows.enter_async_context(window(browser, oak, role="late", script=False))
    await late.page.goto(link)
    await expect(late.page.locator("main")).to_contain_text("This invitation has been used")
    return [*people, late]


async def test_a_collective_is_founded_people_join_on_phones_and_decide(tmp_path: Path) -> None:
    async with three(tmp_path) as stage, chromium() as browser, AsyncExitStack() as windows:
        oak = stage.instances["oak"]
        ana, bo, cem, late = await founded_and_joined(browser, oak, windows)
        await ana.page.goto(f"{oak.url}/decisions/new")
        await ana.page.get_by_label("The question").fill("Do we paint the door?")
        await ana.page.get_by_label("Title of proposal 1").fill("Paint it green")
        await press(ana.page, "Ask the question")
        await expect(ana.page.get_by_role("heading", level=1)).to_have_text("Do we paint the door?")
        address = ana.page.url.partition("?")[0]
        await stage.settle()
        await bo.page.goto(f"{address}/circle")
        await write_ballot(bo.page, "The old colour comes off already.")
        await expect(bo.page.locator("main")).to_contain_text("Bo has confirmed these exact words.")
        await shot(bo.page, "3-draft")
        await cem.page.goto(f"{address}/circle")
        await press(cem.page, "Confirm these words")
        await expect(cem.page.get_by_role("heading", name="Published")).to_be_visible()
        await read_outcome(stage, late.page, address)
        for seen in (ana, bo, cem, late):
            assert seen.wrong == []


async def read_outcome(stage: Stage, page: Page, address: str) -> None:
    """When all times are over, whoever comes by reads what was decided and why."""
    for _ in range(8):
        await stage.advance(timedelta(days=2))
    await page.goto(address)
    main = page.locator("main")
    await expect(main).to_contain_text("Paint it green")
    await expect(main).to_contain_text("The old colour comes off already.")
    await expect(main).to_contain_text("Adopted")
    await no_wider_than_the_phone(page)
    await shot(page, "4-outcome")


async def test_three_collectives_decide_together_and_a_visitor_reads_it_on_each(tmp_path: Path) -> None:
    async with three(tmp_path) as stage, chromium() as browser, AsyncExitStack() as windows:
        play = Play(stage, say=lambda line: None)
        await play.prologue()
        await play.vote(everybody=False)
        oak, ash = stage.instances["oak"], stage.instances["ash"]
        people: list[Window] = []
        for instance, login in ((oak, "dara"), (ash, "lu"), (ash, "mo")):
            seen = await windows.enter_async_context(window(browser, instance, role=login, script=False))
            await come_in(seen, instance, login)
            await seen.page.goto(f"{instance.url}/decisions/{play.name}/circle")
            people.append(seen)
        dara, lu, mo = people
        await press(dara.page, "Confirm these words")
        await expect(dara.page.get_by_role("heading", name="Published")).to_be_visible()
        await write_ballot(lu.page, "It fits our shed, and two people can run a calendar.")
        await mo.page.reload()
        await press(mo.page, "Confirm these words")
        await expect(mo.page.get_by_role("heading", name="Published")).to_be_visible()
        await stage.settle()
        await play.to_the_end()
        for name, instance in stage.instances.items():
            seen = await windows.enter_async_context(window(browser, instance, role=name, script=False))
            await seen.page.goto(f"{instance.url}/decisions/{play.name}")
            await expect(seen.page.locator("main")).to_contain_text("It fits our shed")
            await expect(seen.page.locator("main")).to_contain_text("Final")
            await no_wider_than_the_phone(seen.page)
            await shot(seen.page, f"5-joint-{name}")
            people.append(seen)
        roots = await play.roots()
        assert len({root for _, _, root in roots.values()}) == 1
        assert [one for seen in people for one in seen.wrong] == []


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[str]:
    """`jura run` in an empty folder, its clock in the file `clock`; gives the one address that it prints."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JURA_")}
    told = {
        "JURA_LISTEN": f"127.0.0.1:{port}",
        "JURA_CLOCK": str(folder / "clock"),
        "JURA_POLL": "0.2",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = (sys.executable, "-m", "server", "run")
    quiet, heard = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(
        *command, env=kept | told, cwd=folder, stdin=quiet, stdout=heard
    )
    try:
        assert server.stdout is not None
        said = (await asyncio.wait_for(server.stdout.readuntil(b"Ctrl-C"), 60)).decode()
        (address,) = re.findall(r"http\S+", said)
        yield address
    finally:
        server.terminate()
        await server.wait()


async def test_a_stranger_types_make_run_and_decides_something(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    clock = tmp_path / "clock"
    clock.write_text(now.isoformat())
    async with running(tmp_path) as link, chromium() as browser:
        context = await browser.new_context(viewport=PHONE | {"width": 320}, java_script_enabled=False)
        seen = Window(await context.new_page(), link.partition("/join/")[0], "stranger")
        await join(seen, link, "ana")
        page = seen.page
        await shot(page, "6-steps")
        await begin(page)
        address = page.url.partition("?")[0]
        await page.goto(f"{address}/circle")
        await page.get_by_role("group", name="We, as a circle").get_by_label("Consent").first.check()
        await page.get_by_label("Our reason").fill("Nobody works on Thursday evenings.")
        await press(page, "Save as version 1")
        await press(page, "Confirm these words")
        await expect(page.get_by_role("heading", name="Published")).to_be_visible()
        clock.write_text((now + timedelta(minutes=12)).isoformat())
        await decided(page, address)
        await no_wider_than_the_phone(page)
        await shot(page, "7-first-decision")
        assert seen.wrong == []
        await context.close()


async def begin(page: Page) -> None:
    """The four steps, each from the link to it."""
    await page.get_by_role("link", name="Say who you are").click()
    await page.get_by_label("Name of the collective").fill("The seed library")
    await page.get_by_label("About it").fill("Forty gardens share what they grow.")
    await page.get_by_label("Plum").check()
    await press(page, "Save")
    await page.get_by_role("link", name="Invite the first people").click()
    await press(page, "Make a link")
    await expect(page.get_by_label("Link to copy")).to_have_value(re.compile(r"/join/[\w-]+$"))
    await no_wider_than_the_phone(page)
    await page.get_by_role("link", name="Ask a first small question").click()
    await no_wider_than_the_phone(page)
    await press(page, "Ask the question")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Shall we meet on Thursdays?")


async def decided(page: Page, address: str) -> None:
    """Reload until the instance, which does its own work, has counted."""
    for _ in range(50):
        await page.goto(address)
        if await page.locator("main .tag").first.inner_text() == "Final":
            break
        await page.wait_for_timeout(200)
    await expect(page.locator("main .tag").first).to_have_text("Final")
    await expect(page.locator("main .result")).to_contain_text("We meet on Thursdays at seven in the evening")
