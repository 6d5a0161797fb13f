"""Pages that keep up while they are open: what others do appears, and what one types stays. Run by `make test-browser`."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from playwright.async_api import expect

from server.cli.cast import Play
from server.cli.stage import Instance
from server.keys import CLOCK
from server.web.moments import distance
from tests.browser.chromium import Window, chromium, window
from tests.browser.live_journeys import press
from tests.browser.world import three

MINUTE = timedelta(minutes=1)  # how often the script counts
TYPED = "I have not finished this sen"


async def listens(seen: Window, instance: Instance, path: str) -> None:
    """Go there, and wait until the page hears what happens."""
    async with seen.page.expect_request("**/live?mark=*"):
        await seen.page.goto(instance.url + path)


async def test_what_others_do_appears_and_what_one_types_stays(tmp_path: Path) -> None:
    async with three(tmp_path) as stage, chromium() as browser, AsyncExitStack() as windows:
        play = Play(stage, say=lambda line: None)
        await play.prologue()
        oak, path = stage.instances["oak"], f"/decisions/{play.name}"
        roles = ("ana", "bo", "")
        ana, bo, visitor = [await windows.enter_async_context(window(browser, oak, one)) for one in roles]

        # a remark appears on an open page, between words that are being typed
        await listens(ana, oak, path)
        await listens(bo, oak, path)
        hers = ana.page.get_by_label("Your remark", exact=True)
        await hers.fill(TYPED)
        await bo.page.get_by_label("Your remark", exact=True).fill("How far is the shed?")
        await press(bo.page, "Say it")
        await expect(ana.page.locator("main")).to_contain_text("How far is the shed?")
        await expect(hers).to_have_value(TYPED)
        await expect(hers).to_be_focused()
        await expect(ana.page.locator("body > [role=status]")).to_contain_text("What members say")
        await press(ana.page, "Say it")
        await expect(ana.page.locator("main")).to_contain_text(TYPED)

        # a ballot appears on a visitor's page, and what they opened stays open
        await listens(visitor, oak, path)
        await visitor.page.evaluate(
            "document.querySelectorAll('details').forEach(one => { one.open = true })"
        )
        opened = await visitor.page.locator("details[open]").count()
        before = await visitor.page.locator("main").inner_text()
        await play.vote(everybody=False)
        await expect(visitor.page.locator(".intro")).not_to_contain_text("0 of")
        assert await visitor.page.locator("main").inner_text() != before
        assert await visitor.page.locator("details[open]").count() >= opened

        # the room: a position and a draft appear, a reason that is being written stays
        await listens(ana, oak, f"{path}/circle")
        await listens(bo, oak, f"{path}/circle")
        await ana.page.get_by_label("Our reason").fill(TYPED)
        await ana.page.locator("h1").click()  # what was typed stays although it has the focus no more
        await bo.page.get_by_label("Your remark", exact=True).fill("Is it ours to say?")
        await press(bo.page, "Say it")
        await expect(ana.page.locator("main")).to_contain_text("Is it ours to say?")
        await expect(ana.page.get_by_label("Our reason")).to_have_value(TYPED)
        assert [one for seen in (ana, bo, visitor) for one in seen.wrong] == []


async def test_the_first_page_keeps_up_by_the_clock(tmp_path: Path) -> None:
    async with three(tmp_path) as stage, chromium() as browser:
        play = Play(stage, say=lambda line: None)
        await play.prologue()
        oak = stage.instances["oak"]
        async with window(browser, oak) as seen:
            await seen.page.clock.install()
            await seen.page.goto(oak.url)
            running = seen.page.locator("section[aria-labelledby=running]")
            await expect(running).to_contain_text("Voting is open")
            async with seen.page.expect_response(f"{oak.url}/"):
                await stage.advance(timedelta(hours=50))
                await seen.page.clock.run_for(7 * 60 * 1_000)
            await expect(running).not_to_contain_text("Voting is open")
            assert seen.wrong == []


async def test_times_are_counted_in_the_words_of_the_page(tmp_path: Path) -> None:
    async with three(tmp_path) as stage, chromium() as browser:
        play = Play(stage, say=lambda line: None)
        await play.prologue()
        oak = stage.instances["oak"]
        async with window(browser, oak) as seen:
            await seen.page.clock.install()
            await seen.page.goto(f"{oak.url}/decisions/{play.name}")
            for passed in (timedelta(minutes=3), timedelta(minutes=90), timedelta(hours=30)):
                stage.clock.advance(passed)
                await seen.page.clock.run_for(passed.total_seconds() * 1_000)
                now = oak.app[CLOCK].now()
                shown = await seen.page.evaluate(
                    "[...document.querySelectorAll('[data-away]')].map(one => [one.dataset.away, one.textContent])"
                )
                assert shown
                for then, words in shown:
                    instant = now.fromisoformat(then)
                    assert words in {distance(instant, now - MINUTE), distance(instant, now)}
                intro = await seen.page.locator(".intro").inner_text()
                assert any(words in intro for _, words in shown), intro
            assert seen.wrong == []
