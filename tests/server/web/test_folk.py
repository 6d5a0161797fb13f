"""The people of a collective: page by page, by words of their name, and only who is a member now."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote_plus

from sqlalchemy import insert, update

from models.people import Actor, Member
from server.keys import CLOCK, DATABASE
from server.web import folk, former, profiles
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_statements import asked_by


async def add_members(fed: Federation, names: Sequence[str], *, have_left: bool = False) -> None:
    app = fed.app_of("oak")
    now = app[CLOCK].now()
    rows = [
        {
            "login": f"login {name} {number} {have_left}",
            "name": name,
            "password_hash": "none",
            "joined_at": now,
            "left_at": now if have_left else None,
        }
        for number, name in enumerate(names)
    ]
    async with app[DATABASE].ACT.begin() as session:
        await session.execute(insert(Member), rows)


def people(page: Page) -> list[str]:
    return [heading.text for heading in page.all("h2")]


def numbered(first: int, last: int) -> list[str]:
    return [f"Member {number:03}" for number in range(first, last + 1)]


async def test_many_members_are_read_page_by_page_the_latest_first(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        few = await ana.get("/people")
        assert people(few) == ["Ana you"]
        assert "Search" not in few.text, "what fits on one page needs no search"
        await add_members(fed, numbered(1, 2 * folk.AT_ONCE))
        first = await ana.get("/people")
        check(first)
        assert f"{2 * folk.AT_ONCE + 1} people are in" in first.text
        second = await ana.get(first.links()["Earlier ones"])
        last = await ana.get(second.links()["Earlier ones"])
        check(last)
        seen = people(first) + people(second) + people(last)
        assert seen == [*reversed(numbered(1, 2 * folk.AT_ONCE)), "Ana you"]
        assert "Earlier ones" not in last.links()
        assert "There are no earlier ones." in (await ana.get("/people?before=1")).text
        for odd in ("before=x", "before=" + "9" * 40, "before=²", "q=" + "x" * 5000):
            assert (await ana.get(f"/people?{odd}")).status == 200, odd


async def test_members_are_found_by_words_of_their_name(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await add_members(fed, [*numbered(1, folk.AT_ONCE), "Óscar Peña", "Oscar 100%", "b_c"])
        for words, found in (
            ("óscar", ["Óscar Peña"]),
            ("PEÑA ósc", ["Óscar Peña"]),
            ("oscar", ["Oscar 100%"]),
            ("scar", ["Oscar 100%", "Óscar Peña"]),
            ("0%", ["Oscar 100%"]),
            ("1%0", []),
            ("b_c", ["b_c"]),
            ("bxc", []),
            ("  ana ", ["Ana you"]),
            ("login", []),
        ):
            page = await ana.get(f"/people?q={quote_plus(words)}")
            check(page)
            assert people(page) == found, words
            assert page.by_id("q").get("value") == words.strip()
            assert page.links()["Show everybody"] == "/people"
            assert ("Nobody here has a name" in page.text) == (not found)


async def test_pages_of_what_was_found_stay_with_what_was_searched_for(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await add_members(fed, [name for one in numbered(0, folk.AT_ONCE) for name in (one, "Somebody")])
        first = await ana.get("/people?q=member+0")
        assert people(first) == [*reversed(numbered(1, folk.AT_ONCE))]
        assert people(await ana.get(first.links()["Earlier ones"])) == numbered(0, 0)


async def test_who_has_left_is_not_found_and_a_visitor_finds_nobody(both: Meetings, enter: Enter) -> None:
    async with both.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await add_members(fed, ["Gone Gwen"], have_left=True)
        await add_members(fed, numbered(1, folk.AT_ONCE))
        page = await ana.get("/people?q=gwen")
        assert people(page) == []
        assert f"{folk.AT_ONCE + 1} people are in" in page.text
        assert "Gwen" not in (await ana.get("/people")).text
        page = await visitor.get("/people?q=member")
        assert page.path.startswith("/login")
        assert "Member 0" not in page.text


async def test_the_list_asks_no_more_often_with_more_members(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana = await enter(fed, "oak", "ana")
        for path in ("/people", "/people?q=e"):
            await ana.get(path)
            few = await asked_by(fed, lambda path=path: ana.get(path))
            await add_members(fed, [f"{path} {name}" for name in numbered(1, 2 * folk.AT_ONCE)])
            many = await asked_by(fed, lambda path=path: ana.get(path))
            assert many.total() == few.total(), path
            assert [statement for statement, times in many.items() if times > 1] == []


async def test_the_page_of_the_collective_says_how_many_wish_to_be_seen_beyond_those_it_names(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        app = fed.app_of("oak")
        rows = [
            {
                "uri": f"https://oak.test/users/{number}",
                "kind": "member",
                "type": "Person",
                "handle": f"m{number}",
                "authority": "oak.test",
                "name": f"Seen {number:03}",
                "inbox": f"https://oak.test/users/{number}/inbox",
                "key_id": f"https://oak.test/users/{number}#key",
                "rsa_pem": "",
                "created_at": app[CLOCK].now(),
            }
            for number in range(profiles.MOST_SEEN + 3)
        ]
        visitor = await enter(fed, "oak")
        assert "nobody; a public profile" in (await visitor.get("/@oak")).text
        async with app[DATABASE].ACT.begin() as session:
            await session.execute(insert(Actor), rows)
        page = await visitor.get("/@oak")
        assert f"{profiles.MOST_SEEN + 3} of 1: Seen 000" in page.text
        assert f"Seen {profiles.MOST_SEEN - 1:03} and 3 more" in page.text
        assert f"Seen {profiles.MOST_SEEN:03}" not in page.text


async def test_who_has_left_is_read_page_by_page_the_latest_to_go_first(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await add_members(fed, ["Went later"])
        await add_members(fed, numbered(1, 2 * former.AT_ONCE - 1), have_left=True)
        fed.clock.advance(timedelta(days=1))
        async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
            late = update(Member).where(Member.name == "Went later").values(left_at=fed.clock.now())
            await session.execute(late)
        first = await ana.get("/people/former")
        check(first)
        second = await ana.get(first.links()["Earlier ones"])
        seen = people(first) + people(second)
        assert seen == ["Went later", *reversed(numbered(1, 2 * former.AT_ONCE - 1))]
        assert "Earlier ones" not in second.links()
        nobody = await ana.get("/people/former?before=99999")
        assert (nobody.status, "There are no earlier ones." in nobody.text) == (200, True)
