"""Settings of the instance, under `operate`: name, words, colour; and the page that shows how pages are built."""

import re

import pytest

from models.talk import Reply
from server.keys import CLOCK, DATABASE
from server.web.instance import COLOURS, USUAL
from server.web.render import STATIC
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import mark_of
from tests.server.web.test_every_page import check
from tests.server.web.test_outside import ANA


def sheets(page: Page) -> list[str]:
    return [one.attributes["href"] for one in page.all("link") if one.get("rel") == "stylesheet"]


async def test_who_operates_names_describes_and_colours_the_instance(both: Meetings, enter: Enter) -> None:
    async with both.founded(oak=2) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        page = await ana.get("/settings")
        check(page)
        done = await ana.send(page, "/settings", name="Oak & Bread", summary="We bake.", hue="plum")
        assert done.said.startswith("Saved")
        home = await visitor.get("/about")
        assert "Oak & Bread" in home.title
        assert "We bake." in home.text
        usual, chosen = sheets(home)
        assert "jura" in usual
        style = await visitor.get(chosen)
        assert style.status == 200
        assert "--accent:" in style.body
        assert len(style.body) < 400
        back = await ana.send(await ana.get("/settings"), "/settings", hue="")
        assert len(sheets(back)) == 1


async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ana.get("/settings")
        wrong = await ana.send(page, "/settings", name="", summary="x" * 1001, hue="none")
        check(wrong)
        assert wrong.status == 422
        assert len(wrong.problems) == 3
        assert "x" * 1001 in wrong.body


async def test_two_who_write_at_once_learn_of_each_other(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        one, other = await enter(fed, "oak", "ana"), await enter(fed, "oak", "ana")
        stale = await other.get("/settings")
        await one.send(await one.get("/settings"), "/settings", name="First")
        refused = await other.send(stale, "/settings", name="Second")
        assert "Somebody has changed this" in refused.alert
        assert "Second" in refused.body
        assert "Second" in (await other.send(refused, "/settings")).title


async def test_to_everybody_else_there_are_no_settings(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        for login in ("", "bo"):
            browser = await enter(fed, "oak", login)
            assert (await browser.get("/settings")).status == 404
        bo = await enter(fed, "oak", "bo")
        mark = await mark_of(bo)
        assert (await bo.post("/settings", [("mark", mark), ("name", "Mine")])).status == 404


async def test_how_pages_are_built_is_shown_in_development_to_everybody(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        page = await (await enter(fed, "oak")).get("/styleguide")
        check(page)
        assert page.text.count("7.") >= 12


# where something stands, not how it looks; what stands beside a picture
PLACES = {"after", "first", "indent", "inline", "sides", "tall", "under", "position"}
OF_PICTURES = {"pictures", "portrait", "qr", "words", "hues"}


async def test_every_element_of_the_stylesheet_is_shown(meetings: Meetings, enter: Enter) -> None:
    style = re.sub(r"\{[^{}]*\}", "{}", (STATIC / "jura.css").read_text(encoding="utf-8"))
    async with meetings.founded(oak=1) as fed:
        page = await (await enter(fed, "oak")).get("/styleguide")
    shown = {name for element in page.all() for name in (element.get("class") or "").split()}
    assert set(re.findall(r"\.([a-z][a-z-]*)", style)) - shown - PLACES - OF_PICTURES == set()


def test_the_colours_shown_are_those_of_the_stylesheet() -> None:
    style = (STATIC / "jura.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{\n(.*?)\}", style, re.DOTALL)[:2]
    for name, pair in {**COLOURS, "accent": USUAL}.items():
        for tokens, colour in zip((light, dark), pair, strict=True):
            assert f"--{name}: {colour};" in tokens


async def test_documents_for_signed_requests_only_is_chosen_under_moderate(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        assert (await bo.get("/moderate/signed-only")).status == 404
        for words in ("Only servers that sign", "Every server, whether"):
            page = await ana.get("/moderate/signed-only")
            check(page)
            done = await ana.send(page, "/moderate/signed-only")
            assert done.said.startswith("From now on")
            assert words in done.text


# What others say outside of decisions


async def mentioned(fed: Federation, **changed: object) -> None:
    app = fed.app_of("oak")
    async with app[DATABASE].ACT.begin() as session:
        row = {"uri": f"{ANA}/{len(changed)}", "author": ANA, "authority": "masto.test", "is_public": True}
        said = {"content": "<p>Hello <b>bakers</b></p>", "received_at": app[CLOCK].now(), "attachments": []}
        session.add(Reply(**{**row, **said, **changed}))


async def test_members_read_what_others_say_and_who_moderates_hides_it(both: Meetings, enter: Enter) -> None:
    async with both.founded(oak=2) as fed:
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        assert "Nothing yet" in (await bo.get("/mentions")).text
        await mentioned(fed)
        assert (await visitor.get("/mentions")).path.startswith("/login")
        seen = await bo.get("/mentions")
        check(seen)
        assert "Hello bakers" in seen.text
        assert not [href for href in seen.links().values() if "hide" in href or "/posts/new" in href]
        links = (await ana.get("/mentions")).links()
        assert (await bo.get(links["Hide this reply"])).status == 403
        writing = await ana.get(next(href for href in links.values() if "/posts/new" in href))
        assert writing.heading
        question = await ana.get(links["Hide this reply"])
        check(question)
        assert "hidden" in (await ana.send(question, "/hide")).said
        assert "Hello bakers" not in (await bo.get("/mentions")).text
        shown = await ana.send(await ana.get(links["Hide this reply"].replace("hide", "show")), "/show")
        assert "shown again" in shown.said
        assert "Hello bakers" in (await bo.get("/mentions")).text


@pytest.mark.parametrize("scope", ["0" * 64])
async def test_what_belongs_to_a_decision_is_not_hidden_from_here(
    meetings: Meetings, enter: Enter, scope: str
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await mentioned(fed, scope=scope)
        assert "Hello" not in (await ana.get("/mentions")).text
        assert (await ana.get("/mentions/replies/1/hide")).status == 404
