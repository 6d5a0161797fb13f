"""The charter on the pages and at the command line: reading it, asking to change it, and convening under it."""

import asyncio
import json
from pathlib import Path

import pytest

from server.__main__ import main
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page, filled
from tests.server.web.conftest import Enter
from tests.server.web.test_account_pages import mark_of
from tests.server.web.test_every_page import check
from tests.server.web.test_people_command import at

WHY = "Two days were too short for those who work at night."
ASKED = {"window": "604800", "quorum": "2/3", "why": WHY, "talk": "24h"}


def name_of(page: Page) -> str:
    return page.path.removeprefix("/decisions/").partition("?")[0]


async def decided(fed: Federation, name: str) -> None:
    fed.decision = name
    await fed.settle()
    await fed.reach("opens")
    await fed.oak.ballot("consent")
    await fed.finish()


async def test_who_may_proposes_a_change_and_once_it_is_final_it_binds_what_is_convened(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = [await enter(fed, "oak", *who) for who in (("ana",), ("bo",), ())]
        page = await visitor.get("/charter")
        check(page)
        assert "In force: version 1" in page.text
        assert "It comes with the software; we have decided nothing else." in page.text
        assert "at least 5 minutes" in page.text
        assert "it takes 5 days at least" in page.text  # and some hours
        assert "Propose a change" not in {**page.links(), **(await bo.get("/charter")).links()}
        assert (await visitor.get("/charter/change")).path.startswith("/login")
        assert (await bo.get("/charter/change")).status == 403
        form = await ana.get((await ana.get("/charter")).links()["Propose a change"])
        check(form)
        wrong = await ana.send(
            form, "/charter/change", why="Because.", window="604800", visibility="collective"
        )
        check(wrong)
        assert (wrong.status, wrong.problems) == (422, ["Say why, in 20 to 10,000 characters."])
        assert wrong.by_id("why").text == "Because."
        assert wrong.by_id("visibility-collective").get("checked") is not None
        nothing = await ana.send(form, "/charter/change", why=WHY)
        assert nothing.problems == ["All of this is in force already. Change something."]
        forged = [mark_of(form), ("version", "1"), *(ASKED | {"grace": "7"}).items()]
        assert (await ana.post("/charter/change", forged)).status == 422
        assert (await bo.post("/charter/change", [mark_of(await bo.get("/me/password"))])).status == 403
        asked = await ana.send(form, "/charter/change", **ASKED)
        check(asked)
        assert (
            asked.said
            == "The question is out, to all circles. Until they have decided, the charter stays as it is."
        )
        name = name_of(asked)
        again = await ana.send(form, "/charter/change", **ASKED)
        assert name_of(again) == name, "sent twice, asked once"
        other = await ana.send(form, "/charter/change", **(ASKED | {"window": "3600"}))
        check(other)
        assert (other.status, "is being decided already" in other.alert) == (422, True)
        assert other.by_id("why").text == WHY
        for one in (
            asked,
            await visitor.get(f"/decisions/{name}"),
            await bo.get(f"/decisions/{name}/circle"),
        ):
            assert "If it is adopted, this becomes version 2 of our charter" in one.text
            assert "Time for the voting: at least 7 days (before: at least 5 minutes)" in one.text
            assert "If more circles must take part than ever do" in one.text
        page = await visitor.get("/charter")
        check(page)
        assert page.links()["If it is adopted"] == f"/decisions/{name}"
        assert "Propose a change" not in (await ana.get("/charter")).links()
        collective = await visitor.get("/@oak")
        check(collective)
        assert "with at least half of the circles. The voting is open for 48 hours" in collective.text
        assert collective.links()["A change is being decided"] == f"/decisions/{name}"
        await decided(fed, name)
        assert (
            "This is version 2 of our charter, in force since"
            in (await visitor.get(f"/decisions/{name}")).text
        )
        page = await visitor.get("/charter")
        check(page)
        assert "In force: version 2" in page.text
        assert page.links()["by this decision"] == f"/decisions/{name}"
        assert "at least 7 days (before: at least 5 minutes)" in page.text
        usual = (await visitor.get("/@oak")).text
        assert "with at least two thirds of the circles. The voting is open for 7 days" in usual
        late = await ana.send(form, "/charter/change", **ASKED)
        assert (late.status, "has changed while you wrote" in late.alert) == (422, True)
        assert late.by_id("why").text == WHY
        back = await ana.send(late, "/charter/change", window="300")
        assert back.path.endswith("?done=charter-asked")
        assert "If more circles must take part" not in back.text, "it asks no more of them than before"


async def test_who_wrote_while_another_change_was_adopted_does_not_ask_unawares_to_undo_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.get("/charter/change")
        assert "Another change is being decided" not in form.text
        asked = await ana.send(form, "/charter/change", **ASKED)
        page = await ana.get("/charter/change")
        check(page)
        assert page.links()["Another change is being decided."] == f"/decisions/{name_of(asked)}"
        await decided(fed, name_of(asked))
        late = await ana.send(form, "/charter/change", why=WHY, window="3600", grace="600")
        check(late)
        assert (late.status, "has changed while you wrote" in late.alert) == (422, True)
        chosen = dict(filled(late.form("/charter/change")))
        wanted = {"window": "3600", "quorum": "2/3", "grace": "600", "gather": "0", "why": WHY}
        assert {name: chosen[name] for name in wanted} == wanted
        again = await ana.send(late, "/charter/change")
        assert again.path.endswith("?done=charter-asked")
        assert "(before: at least 7 days)" in again.text
        assert "(before: at least two thirds of the circles)" not in again.text


async def test_the_form_for_convening_begins_with_what_the_charter_asks_and_says_so(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana = await enter(fed, "oak", "ana")
        old = await ana.get("/decisions/new")
        assert "our charter" not in old.text.lower()
        await decided(
            fed, name_of(await ana.send(await ana.get("/charter/change"), "/charter/change", **ASKED))
        )
        page = await ana.get("/decisions/new")
        check(page)
        assert "Our charter says: at least 7 days." in page.text
        assert page.by_id("window-7d").get("checked") is not None
        assert 'id="window-48h"' not in page.body
        example = await ana.get("/decisions/new?example=small")
        assert example.by_id("window-7d").get("checked") is not None
        words = {"question": "Shall we bake on Sundays?", "title-1": "Yes", "window": "48h"}
        short = await ana.post("/decisions/new", [mark_of(old), *words.items()])
        check(short)
        assert short.status == 422
        assert "Our charter says: at least 7 days." in short.problems
        assert short.by_id("window-48h").get("checked") is not None, "what was typed stands"
        removal = await ana.get("/people/2/remove")
        assert "The voting then takes 7 days." in removal.text
        done = await ana.send(page, "/decisions/new", question="Shall we bake?", title__1="Yes")
        assert done.path.endswith("?done=convened-alone")


async def test_what_is_decided_among_members_is_not_told_to_others_until_it_is_in_force(
    meetings: Meetings,
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        form = await ana.get("/charter/change")
        hidden = ASKED | {"visibility": "collective", "threshold": "3/4/0"}
        name = name_of(await ana.send(form, "/charter/change", **hidden))
        for path in ("/charter", "/@oak", "/charter.json"):
            told = (await visitor.get(path)).body
            assert name not in told
            assert "change is being decided" not in told
        assert json.loads((await visitor.get("/charter.json")).body)["underway"] is None
        seen = json.loads((await ana.get("/charter.json")).body)["underway"]
        assert (seen["decision"], seen["number"], seen["since"]) == (name, 2, None)
        at(fed, monkeypatch, tmp_path)
        said = await jura(capsys)
        assert "In force: version 1" in said
        assert f"Being decided: version 2, by decision {name}" in said
        await decided(fed, name)
        page = await visitor.get("/charter")
        check(page)
        assert "by a decision among members" in page.text
        public, own = [json.loads((await one.get("/charter.json")).body) for one in (visitor, ana)]
        assert [one["decision"] for one in public["versions"]] == [None, None]
        assert own["versions"][1]["decision"] == name
        assert public["versions"][1]["parameters"] == {
            "gather": 0,
            "window": 604_800,
            "grace": 60,
            "challenge": 0,
            "quorum": [2, 3],
            "threshold": [3, 4],
            "strict": False,
        }
        at(fed, monkeypatch, tmp_path)
        said = await jura(capsys)
        assert f"by decision {name}" in said.splitlines()[0]
        assert "  Time for the voting: at least 7 days (before: at least 5 minutes)" in said
        assert json.loads(await jura(capsys, "--json"))["versions"] == own["versions"]


async def test_the_command_says_so_where_nothing_is_founded_yet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in {"URL": "https://oak.example", "DATA": str(tmp_path), "SECRET": "s" * 40}.items():
        monkeypatch.setenv(f"JURA_{name}", value)
    assert await asyncio.to_thread(main, ["migrate"]) == 0
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["charter"]) == 1
    assert capsys.readouterr() == ("", "jura: This instance has no collective yet: run `jura init`.\n")


async def jura(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert await asyncio.to_thread(main, ["charter", *words]) == 0
    return capsys.readouterr().out
