"""The pictures of the guides and the README, taken from running instances on a clock of their own. Run by `make pictures`.

Names, times and words are the same each time; keys and links are not, so what is computed from them differs.
"""

import asyncio
import io
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser

from server.actions import people
from server.cli.cast import COLLECTIVES
from server.cli.stage import Instance, Stage
from server.clock import MovableClock
from server.keys import DATABASE
from tests.browser.chromium import DESK, chromium, log_in
from tests.browser.world import lived_in

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "guide" / "pictures"
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
FIRST_PORT = 8461
COLOURS = 96
PHONE = {"width": 390, "height": 780}


@dataclass(frozen=True)
class Shot:
    """Whose instance, who looks (nobody: a visitor), at which page, from which element on, on a desk or a phone."""

    where: str
    login: str
    path: str
    at: str = ""
    on_desk: bool = False
    press: str = ""


SHOTS = {
    "steps": Shot("fern", "ines", "/", on_desk=True),
    "join": Shot("oak", "", "/join/{link}"),
    "home": Shot("oak", "dara", "/"),
    "circle": Shot("oak", "dara", "/decisions/{open}/circle", at="#draft"),
    "outcome": Shot("oak", "", "/decisions/{final}", on_desk=True),
    "reasons": Shot("oak", "", "/decisions/{final}", at="#circles"),
    "invite": Shot("oak", "ana", "/people/invite", press="Make a link"),
    "question": Shot("oak", "ana", "/decisions/new"),
    "answer": Shot("elm", "eli", "/decisions/{waiting}/answer"),
    "settings": Shot("oak", "ana", "/settings", at="#hue", on_desk=True),
    "servers": Shot("oak", "ana", "/moderate/servers", on_desk=True),
}


async def take(browser: Browser, instance: Instance, shot: Shot, path: str) -> bytes:
    """What the window shows, as a PNG."""
    size = DESK if shot.on_desk else PHONE
    context = await browser.new_context(viewport=size, java_script_enabled=True, reduced_motion="reduce")
    try:
        if shot.login:
            await log_in(context, instance, shot.login)
        page = await context.new_page()
        response = await page.goto(instance.url + path)
        assert response is not None, path
        assert response.ok, path
        if shot.press:
            await page.get_by_role("button", name=shot.press).click()
        if shot.at:
            await page.locator(shot.at).evaluate("one => one.scrollIntoView({block: 'start'})")
        return await page.screenshot(scale="css")
    finally:
        await context.close()


async def prepare(stage: Stage) -> dict[str, str]:
    """Three collectives with decisions, one that begins; what stands in addresses."""
    names = await lived_in(stage)
    fern, oak = stage.instances["fern"], stage.instances["oak"]
    now, link = stage.clock.now(), people.new_token()
    async with fern.app[DATABASE].ACT.begin() as session:
        token = fern.founder_link.rpartition("/")[2]
        await people.join(session, token, "ines", "Ines", "-", now)
    async with oak.app[DATABASE].ACT.begin() as session:
        ana = await people.people.member_by_login(session, "ana")
        assert ana is not None
        viewer = await people.viewer_for(session, ana, now)
        await people.invite(session, viewer, people.token_digest(link), 3, now)
    return {"final": names[0], "open": names[1], "waiting": names[2], "link": link}


def small(png: bytes) -> bytes:
    """The same with few colours: text stays sharp, and the file is small."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


async def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    clock = MovableClock(START)
    with tempfile.TemporaryDirectory() as folder:
        async with Stage((*COLLECTIVES, "fern"), clock, folder=Path(folder)) as stage, chromium() as browser:
            for offset, (name, cast) in enumerate(COLLECTIVES.items()):
                await stage.start(name, FIRST_PORT + offset, cast.title, cast.summary)
            await stage.start("fern", FIRST_PORT + len(COLLECTIVES), "Fern Street Gardens", "Forty gardens.")
            words = await prepare(stage)
            for name, shot in SHOTS.items():
                png = await take(browser, stage.instances[shot.where], shot, shot.path.format(**words))
                (FOLDER / f"{name}.png").write_bytes(small(png))
                print(f"{name}.png", (FOLDER / f"{name}.png").stat().st_size)


if __name__ == "__main__":
    asyncio.run(main())
