"""Pages that keep up: who is told that a page may show something else, when, and who is sent away."""

import asyncio
import html
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from models.talk import Reply
from server.app import create_app
from server.cli.stage import Instance
from server.keys import DATABASE
from server.networks import network_of
from server.web import watching
from server.web.live import words_for_times
from server.web.moments import distance
from server.web.watching import WATCHING
from tests.federation.harness import Federation, free_port
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter

PATIENCE = 20.0  # seconds until what must come has not come


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Nobody waits between two events, save where that is what is tried."""
    if "at_once" not in request.node.name:
        monkeypatch.setattr(watching, "APART", 0.0)


def stream_of(page: Page) -> str:
    """Where the page's script listens."""
    (script,) = page.all("script")
    return html.unescape(script.attributes["data-stream"])


class Listener:
    """What an EventSource hears."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def event(self) -> dict[str, str]:
        """The next event, or nothing if the stream ends."""
        found: dict[str, str] = {}
        while line := await asyncio.wait_for(self.answer.content.readline(), PATIENCE):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name in ("event", "id", "data"):
                found[name] = value
            elif not name and "event" in found:
                return found
        return {}


@asynccontextmanager
async def listening(
    browser: Browser, address: str, headers: dict[str, str] | None = None
) -> AsyncIterator[Listener]:
    said = {"Accept": "text/event-stream", **(headers or {})}
    async with browser.session.get(browser.base + address, headers=said) as answer:
        yield Listener(answer)


async def status_of(browser: Browser, address: str, headers: dict[str, str] | None = None) -> int:
    async with listening(browser, address, headers) as one:
        return one.answer.status


async def say(browser: Browser, path: str, words: str = "How far is it?") -> None:
    page = await browser.send(await browser.get(path), f"{path}/say", words=words)
    assert page.status == 200


def page_of(fed: Federation) -> str:
    return f"/decisions/{fed.decision}"


# Who is told what


async def test_members_are_told_of_a_remark_and_visitors_are_not(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        path = page_of(fed)
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        before = stream_of(await visitor.get(path))
        async with listening(ana, stream_of(await ana.get(path))) as hers, listening(visitor, before):
            assert hers.answer.headers["X-Accel-Buffering"] == "no"
            assert hers.answer.headers["Cache-Control"] == "no-store"
            await say(bo, path)
            event = await hers.event()
            assert event["event"] == "changed"
            page = await ana.get(path)
            assert stream_of(page).endswith(event["id"])
            assert "How far is it?" in page.text
            assert await fed.app_of("oak")[WATCHING].look() == 0
        assert stream_of(await visitor.get(path)) == before


async def test_everybody_is_told_of_a_ballot_and_of_the_end_of_the_voting(
    both: Meetings, enter: Enter
) -> None:
    async with both.voting(oak=1, elm=1) as fed:
        visitor = await enter(fed, "oak")
        async with listening(visitor, stream_of(await visitor.get(page_of(fed)))) as theirs:
            await fed.elm.ballot("consent")
            await fed.settle()
            first = await theirs.event()
            page = await visitor.get(page_of(fed))
            assert "1 of 2 circles has cast a ballot" in page.text
            await fed.reach("closes")
            second = await theirs.event()
            assert (first["event"], second["event"]) == ("changed", "changed")
            assert first["id"] != second["id"]


async def test_a_room_is_told_of_positions_drafts_confirmations_and_talk(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        room = f"{page_of(fed)}/circle"
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        public = stream_of(await ana.get(page_of(fed)))
        async with listening(ana, stream_of(await ana.get(room))) as hers:
            acts = (
                ("/position", {"my__position": "concern"}),
                ("/draft", {"position": "consent"}),
                ("/confirm", {}),
                ("/unconfirm", {}),
                ("/say", {"words": "Is it too early?"}),
            )
            marks = set()
            for action, answers in acts:
                page = await bo.send(await bo.get(room), action, **answers)
                assert page.status == 200
                event = await hers.event()
                assert event["event"] == "changed", action
                marks.add(event["id"])
            assert len(marks) >= len(acts) - 1  # a confirmation that was taken back left nothing
        assert stream_of(await ana.get(page_of(fed))) == public


async def test_what_happened_while_nobody_listened_is_told_once(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        path, look = page_of(fed), fed.app_of("oak")[WATCHING].look
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        old = stream_of(await ana.get(path))
        await say(bo, path)
        await say(bo, path, "Who has a bike?")
        async with listening(ana, old) as hers:
            event = await hers.event()
            assert event["event"] == "changed"
        async with listening(ana, old, {"Last-Event-ID": event["id"]}) as again:
            assert again.answer.status == 200
            assert await look() == 0


async def test_many_changes_at_once_are_one_event(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        path, look = page_of(fed), fed.app_of("oak")[WATCHING].look
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        form = await bo.get(path)
        async with listening(ana, stream_of(form)) as hers:
            await asyncio.gather(*(bo.send(form, "/say", words="Me too", once=f"{n:032x}") for n in range(8)))
            events = [await hers.event()]
            last = stream_of(await ana.get(path)).partition("=")[2]
            while events[-1]["id"] != last:
                events.append(await hers.event())
            assert len(events) <= 4
            assert await look() == 0


async def test_words_from_outside_make_another_mark_for_who_may_read_them(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        app, zoe = fed.app_of("oak"), "https://far.example/users/zoe"
        said = {"author": zoe, "authority": "far.example", "scope": fed.decision, "content": "<p>Hm</p>"}

        async def marks() -> list[str]:
            return [stream_of(await one.get(page_of(fed))) for one in (ana, visitor)]

        before = await marks()
        async with app[DATABASE].ACT.begin() as session:
            session.add(Reply(uri=f"{zoe}/1", is_public=False, received_at=fed.clock.now(), **said))
        private = await marks()
        assert [one == other for one, other in zip(before, private, strict=True)] == [False, True]
        async with app[DATABASE].ACT.begin() as session:
            session.add(reply := Reply(uri=f"{zoe}/2", is_public=True, received_at=fed.clock.now(), **said))
        public = await marks()
        assert not set(public) & set(private)
        async with listening(visitor, public[1]) as theirs:
            await ana.send(await ana.get(f"{page_of(fed)}/replies/{reply.id}/hide"), "/hide")
            assert (await theirs.event())["event"] == "changed"
        assert (await marks())[1] == private[1]


async def test_a_page_with_a_mistake_stays_as_it_is(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ana.send(await ana.get(page_of(fed)), "/say", words="")
        assert (page.status, page.all("script")) == (422, [])


# Who is not let in, and who is sent away


async def test_who_may_not_see_the_page_is_told_nothing(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=7, elm=1, plan={"visibility": "federation"}) as fed:
        path = page_of(fed)
        first, second = await fed.oak.circles()
        stranger = await enter(fed, "oak")
        mate, other = await enter(fed, "oak", first.sitting[0]), await enter(fed, "oak", second.sitting[0])
        for address in (f"{path}/live", f"{path}/circle/live", f"/decisions/{'0' * 64}/live"):
            assert await status_of(stranger, address) == 404
        assert await status_of(mate, f"{path}/live") == 200
        assert await status_of(mate, f"{path}/circle/live") == 200
        rooms = [stream_of(await one.get(f"{path}/circle")) for one in (mate, other)]
        await mate.send(await mate.get(f"{path}/circle"), "/position", my__position="concern")
        after = [stream_of(await one.get(f"{path}/circle")) for one in (mate, other)]
        assert rooms[0] != after[0]
        assert rooms[1] == after[1]
        for site in ("cross-site", "same-site"):
            assert await status_of(mate, f"{path}/live", {"Sec-Fetch-Site": site}) == 403


async def test_a_log_out_ends_the_streams_of_that_browser_alone(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=2, elm=1) as fed:
        path = page_of(fed)
        ana, elsewhere, bo = [await enter(fed, "oak", login) for login in ("ana", "ana", "bo")]
        async with (
            listening(ana, stream_of(await ana.get(path))) as one,
            listening(ana, stream_of(await ana.get(f"{path}/circle"))) as two,
            listening(elsewhere, stream_of(await elsewhere.get(path))) as other,
        ):
            await ana.send(await ana.get("/"), "/logout")
            assert await one.event() == await two.event() == {"event": "end", "data": "0"}
            assert await one.event() == {}
            await say(bo, path)
            assert (await other.event())["event"] == "changed"


async def test_who_leaves_is_sent_away_and_so_is_who_logged_in_too_long_ago(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        async with (
            listening(ana, stream_of(await ana.get(page_of(fed)))) as hers,
            listening(bo, stream_of(await bo.get(page_of(fed)))) as his,
        ):
            app = fed.app_of("oak")
            await bo.send(await bo.get("/me/logins/end?which=all"), "/me/logins/end")
            await app[WATCHING].look()
            fed.clock.advance(timedelta(days=31))
            await app[WATCHING].look()
            events = [await one.event() for one in (hers, his)]
            while any(event["event"] == "changed" for event in events):
                events = [await one.event() for one in (hers, his)]
            assert [event["event"] for event in events] == ["end", "end"]


async def test_who_is_no_member_any_more_is_sent_away_from_every_page(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        path = page_of(fed)
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        async with (
            listening(bo, stream_of(await bo.get(path))) as one,
            listening(bo, stream_of(await bo.get(f"{path}/circle"))) as two,
            listening(ana, stream_of(await ana.get(path))) as hers,
            listening(visitor, stream_of(await visitor.get(path))) as theirs,
        ):
            page = await bo.send(await bo.get("/me/leave"), "/me/leave", parting="erase", password=PASSWORD)
            assert page.path.endswith("done=you-left")
            assert await one.event() == await two.event() == {"event": "end", "data": "0"}
            assert await one.event() == await two.event() == {}
            assert await status_of(bo, f"{path}/circle/live") == 404
            await fed.elm.ballot("consent")
            await fed.settle()
            assert [(await who.event())["event"] for who in (hers, theirs)] == ["changed"] * 2


# Bounds


async def test_one_household_has_so_many_streams_and_others_still_find_room(
    meetings: Meetings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_OF_ONE_ADDRESS", 2)
    come_in = (
        ("2001:db8::1", 200),
        ("2001:db8::2", 200),
        ("2001:db8:0:0:9::", 503),
        ("2001:db8:0:1::1", 200),
        ("192.0.2.1", 200),
        ("192.0.2.1", 200),
        ("192.0.2.1", 503),
        ("192.0.2.2", 200),
    )
    async with meetings.voting(oak=1, elm=1) as fed, second_process(fed, proxies=1) as hall:
        address = f"{page_of(fed)}/live"
        async with Browser(hall) as visitor, Browser(hall) as ana, AsyncExitStack() as open_:
            for network, status in come_in:
                said = {
                    "X-Forwarded-For": f"198.51.100.7, {network}"
                }  # the first is what they say themselves
                one = await open_.enter_async_context(listening(visitor, address, said))
                assert one.answer.status == status, network
            ana.set_cookie((await enter(fed, "oak", "ana")).cookie() or "")
            assert await status_of(ana, address, {"X-Forwarded-For": "192.0.2.1"}) == 200


async def test_one_member_has_so_many_streams_and_who_goes_makes_room(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        address = f"{page_of(fed)}/live"
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        async with AsyncExitStack() as open_:
            first = await open_.enter_async_context(listening(ana, address))
            for _ in range(watching.MOST_OF_ONE_MEMBER - 1):
                await open_.enter_async_context(listening(ana, address))
            async with listening(ana, address) as one_more:
                assert one_more.answer.status == 503
                assert one_more.answer.headers["Retry-After"] == "60"
            assert await status_of(bo, address) == 200
            first.answer.close()
            async with asyncio.timeout(PATIENCE):
                while await status_of(ana, address) == 503:
                    pass


async def test_visitors_leave_room_for_members(
    meetings: Meetings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST", 4)
    monkeypatch.setattr(watching, "MOST_OF_VISITORS", 2)
    async with meetings.voting(oak=1, elm=1) as fed:
        address = f"{page_of(fed)}/live"
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        async with AsyncExitStack() as open_:
            for browser, status in ((visitor, 200), (visitor, 200), (visitor, 503), (ana, 200), (ana, 200)):
                one = await open_.enter_async_context(listening(browser, address))
                assert one.answer.status == status
            assert await status_of(ana, address) == 503


def test_a_household_has_one_place_in_the_limits() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") != network_of("2001:db8:1:3::9")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("") == ""
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1"), "one socket for both kinds"


async def test_streams_hold_no_connection_to_the_database(both: Meetings, enter: Enter) -> None:
    async with both.voting(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        async with AsyncExitStack() as open_:
            for _ in range(watching.MOST_OF_ONE_MEMBER):
                await open_.enter_async_context(listening(ana, f"{page_of(fed)}/live"))
            database = fed.app_of("oak")[DATABASE]
            assert len(fed.app_of("oak")[WATCHING]) == watching.MOST_OF_ONE_MEMBER
            pool = database.engine.pool
            assert pool.checkedout() == (1 if database.is_postgresql else 0)  # type: ignore[attr-defined]


async def test_stopping_ends_every_stream_and_browsers_may_ask_again(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        address = stream_of(await ana.get(page_of(fed)))
        async with listening(ana, address) as one, listening(ana, address) as two:
            async with asyncio.timeout(PATIENCE):
                await fed.instances["oak"].runner.cleanup()
            assert await one.event() == await two.event() == {}


# Several processes


@asynccontextmanager
async def second_process(fed: Federation, **changed: Any) -> AsyncIterator[Instance]:
    """Another application on the same database, as another process would be: nothing is shared but rows."""
    first = fed.instances["oak"]
    settings = replace(first.settings, listen_port=free_port(), **changed)
    runner = web.AppRunner(create_app(settings, fed.clock, fed.resolver_of("oak"), workers=False))
    await runner.setup()
    await web.TCPSite(runner, settings.listen_host, settings.listen_port).start()
    try:
        yield replace(first, settings=settings, app=runner.app, runner=runner)
    finally:
        await runner.cleanup()


@pytest.fixture
def on_postgres(both: Meetings) -> Meetings:
    if both.database is None:
        pytest.skip("on SQLite there is one process")
    return both


async def test_what_one_process_commits_is_told_by_another(on_postgres: Meetings, enter: Enter) -> None:
    async with on_postgres.voting(oak=2, elm=1) as fed, second_process(fed) as other:
        path = page_of(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        async with Browser(other) as there:
            there.set_cookie(ana.cookie() or "")
            async with listening(there, stream_of(await there.get(path))) as hers:
                await say(bo, path)
                assert (await hers.event())["event"] == "changed"
                await ana.send(await ana.get("/"), "/logout")
                assert (await hers.event())["event"] == "end"


# Words


def test_the_script_has_the_words_of_the_page_for_every_distance() -> None:
    table, now = json.loads(words_for_times()), datetime(2026, 11, 22, 10, tzinfo=UTC)
    for minutes in (1, 2, 59, 60, 119, 120, 180, 4_319, 4_320, 10_000, 400_000):
        length = timedelta(minutes=minutes)
        hours, days = minutes // 60, minutes // 1_440
        unit, number = (
            ("minute", minutes) if minutes < 120 else ("hour", hours) if hours < 72 else ("day", days)
        )
        for way, then in (("in", now + length), ("ago", now - length)):
            words = table[way][unit]
            kind = "one" if number == 1 else "other"
            assert words.get(kind, "").replace("{n}", str(number)) == distance(then, now)
    assert table["soon"] == distance(now + timedelta(seconds=5), now)
    assert table["now"] == distance(now - timedelta(seconds=5), now)
