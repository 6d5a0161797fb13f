"""Atom feeds and calendars: sound, escaped, in UTC, asked for again cheaply; and what is not public at secret addresses only."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from server.web import atom, calendars
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_posts import publish

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAMES = {"a": "http://www.w3.org/2005/Atom"}
WORDS = st.text(st.characters(codec="utf-8"), max_size=300)


def entries(body: str | bytes) -> list[dict[str, str]]:
    """The entries of a feed that has all that RFC 4287 asks for."""
    root = ElementTree.fromstring(body)
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    found = []
    for element in [root, *root.findall("a:entry", NAMES)]:
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"a:{name}", NAMES)) == 1
        stamp = element.findtext("a:updated", "", NAMES)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
        assert len(element.findall("a:link[@rel='alternate']", NAMES)) == 1
        found.append({child.tag.split("}")[1]: child.text or "" for child in element})
    assert root.findtext("a:author/a:name", "", NAMES)
    assert root.find("a:link[@rel='self']", NAMES) is not None
    assert max(one["updated"] for one in found[1:] or found) <= found[0]["updated"]
    assert len({one["id"] for one in found}) == len(found)
    return found[1:]


@given(WORDS, WORDS)
def test_any_words_make_a_sound_feed_and_are_read_as_they_are(title: str, content: str) -> None:
    uri = "https://north.example/decisions/x"
    entry = atom.Entry(uri, uri, title, content, NOW, NOW)
    body = atom.document(atom.Feed(f"{uri}.atom", uri, title, "North", NOW, [entry]))
    (read,) = entries(body)
    plain = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", content)
    assert re.sub(r"\r\n?", "\n", read["content"]) == re.sub(r"\r\n?", "\n", plain)


@given(WORDS)
def test_any_words_make_a_sound_calendar_and_are_read_as_they_are(words: str) -> None:
    happening = calendars.Happening("x@north.example", NOW, NOW, words, words, "https://north.example/x")
    body = calendars.document(words, [happening])
    assert max(map(len, body.split(b"\r\n"))) <= 75
    assert b"\n" not in body.replace(b"\r\n", b"")
    (event,) = Calendar.from_ical(body).walk("VEVENT")
    plain = re.sub("[\x00-\x09\x0b-\x1f\x7f]", "", words.replace("\r\n", "\n"))
    assert str(event["SUMMARY"]) == plain
    assert event.decoded("DTSTART") == NOW


async def addresses(browser: Browser) -> tuple[str, str, Page]:
    page = await browser.get("/me/feeds")
    if not page.has_form("/me/feeds/make"):  # there are some: is it meant?
        page = await browser.get(page.links()["Make new addresses"])
        check(page)
        assert "cannot be brought back" in page.text
    page = await browser.send(page, "/me/feeds/make")
    check(page)
    feed, calendar = [e.text for e in page.all("dd") if e.get("class") == "code"]
    return feed.split("oak.test", 1)[1], calendar.split("oak.test", 1)[1], page


@pytest.mark.parametrize("visibility", ["public", "collective"])
async def test_what_is_not_public_stands_at_secret_addresses_only(
    meetings: Meetings, enter: Enter, visibility: str
) -> None:
    async with meetings.founded(oak=2) as fed:
        await fed.oak.convene(visibility=visibility)
        await fed.settle()
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        feed, calendar, _ = await addresses(ana)
        is_public = visibility == "public"
        for browser in (ana, visitor):  # a log-in changes nothing at the public address
            page = await browser.get("/decisions.atom")
            assert page.headers["Content-Type"].startswith("application/atom+xml")
            assert len(entries(page.body)) == is_public
            page = await browser.get("/closings.ics")
            assert page.headers["Content-Type"].startswith("text/calendar")
            assert len(Calendar.from_ical(page.body).walk("VEVENT")) == is_public
        (entry,) = entries((await visitor.get(feed)).body)
        assert entry["id"] == f"http://oak.test/decisions/{fed.decision}"
        (event,) = Calendar.from_ical((await visitor.get(calendar)).body).walk("VEVENT")
        assert event.decoded("DTSTART").utcoffset().total_seconds() == 0
        assert str(event["SUMMARY"]) == f"Voting closes: {entry['title']}"


async def test_secret_addresses_are_shown_once_renewed_and_ended(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        check(await ana.get("/me/feeds"))
        first, _, page = await addresses(ana)
        assert page.headers["Cache-Control"] == "no-store"
        token = first.split("/")[2]
        assert token not in (await ana.get("/me/feeds")).body
        assert token.encode() not in await stored(fed)
        second, _, _ = await addresses(ana)
        assert [(await visitor.get(path)).status for path in (first, second)] == [404, 200]
        nothing = (await visitor.get("/private/" + "x" * 43 + "/decisions.atom")).text
        assert (await visitor.get(first)).text.replace(first, "") == nothing.replace(
            "/private/" + "x" * 43 + "/decisions.atom", ""
        )
        sure = await ana.get((await ana.get("/me/feeds")).links()["End my addresses"])
        check(sure)
        assert "They cannot be brought back" in sure.text
        assert (await visitor.get(second)).status == 200
        page = await ana.send(sure, "/me/feeds/end")
        assert "Nothing is at that address any more." in page.said
        assert (await visitor.get(second)).status == 404
        assert (await ana.get("/me/feeds/end", follow=False)).status == 303  # there is nothing to end


@pytest.mark.parametrize("how", ["password", "everywhere else", "link"])
async def test_what_ends_log_ins_elsewhere_ends_secret_addresses_and_says_so(
    meetings: Meetings, enter: Enter, how: str
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        elsewhere, visitor = await enter(fed, "oak", "bo"), await enter(fed, "oak")
        feed, _, page = await addresses(bo)
        assert "They end when you set another password, log out everywhere, or leave." in page.text
        new = {"new__password": "another of ten", "again": "another of ten"}
        if how == "password":
            asks, said = (
                await bo.get("/me/password"),
                "the addresses of your own feed and calendar, then work",
            )
            await bo.send(asks, "/me/password", password=PASSWORD, **new)
        elif how == "everywhere else":
            asks, said = await bo.get("/me/logins/end?which=others"), "of your own feed and calendar end, too"
            await bo.send(asks, "/me/logins/end")
        else:
            made = await ana.send(await ana.get("/people/2/recover"), "/recover")
            link = made.by_id("link").attributes["value"].removeprefix("http://oak.test")
            asks, said = await visitor.get(link), "and the addresses of your own feed and calendar end."
            await visitor.send(asks, link, **new)
        assert said in asks.text
        assert (await elsewhere.get("/me")).path.startswith("/login")
        assert (await visitor.get(feed)).status == 404


async def test_secret_addresses_end_when_their_member_leaves(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        bo, visitor = await enter(fed, "oak", "bo"), await enter(fed, "oak")
        feed, _, _ = await addresses(bo)
        assert (await visitor.get(feed)).status == 200
        await bo.send(await bo.get("/me/leave"), "/me/leave", parting="leave", password=PASSWORD)
        assert (await visitor.get(feed)).status == 404


async def test_who_has_it_already_is_told_so_in_no_words(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        visitor = await enter(fed, "oak")
        for path in ("/decisions.atom", "/posts.atom", "/closings.ics"):
            page = await visitor.get(path)
            again = await visitor.get(path, {"If-None-Match": f'W/"other", {page.headers["ETag"]}'})
            assert (again.status, again.body) == (304, "")
            assert again.headers["ETag"] == page.headers["ETag"]
        page = await visitor.get("/decisions.atom")
        await fed.finish()
        after = await visitor.get("/decisions.atom", {"If-None-Match": page.headers["ETag"]})
        assert after.status == 200
        assert "Voting closed: " in entries(after.body)[0]["content"]


async def test_posts_are_read_with_their_markup_and_a_plain_title(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        said = "Bread & roses <b>today</b>, and a good many more words so that the title has to be cut somewhere."
        preview = await ana.send(await ana.get("/posts/new"), "/posts/new", text=said)
        await publish(ana, preview, "/posts/new")
        (entry,) = entries((await visitor.get("/posts.atom")).body)
        assert entry["title"].startswith("Bread & roses <b>today</b>, and a good")
        assert "&lt;b&gt;today&lt;/b&gt;" in entry["content"]
        assert entry["title"].endswith(" …")


async def stored(fed: Federation) -> bytes:
    folder = fed.settings_of("oak", 1).data
    return b"".join(path.read_bytes() for path in folder.glob("jura.sqlite*"))
