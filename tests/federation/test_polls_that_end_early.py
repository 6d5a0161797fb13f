"""What outsiders are told of a round that ends before its time, and of posts from which words were removed."""

from typing import Any

import orjson
from sqlalchemy import select

from models.posts import Activity, Post
from tests.federation.harness import MINUTE, Federation
from tests.federation.meetings import Meetings

THIEF = "Buy it from the thief at number nine"


async def told(fed: Federation, type_: str) -> list[dict[str, Any]]:
    """What oak published of this type, oldest first."""
    async with fed.oak.session() as session:
        rows = await session.scalars(
            select(Activity.body).where(Activity.type == type_).order_by(Activity.id)
        )
        return [orjson.loads(body) for body in rows]


async def fetched(fed: Federation, uri: str) -> dict[str, Any]:
    status, body = await fed.get(uri)
    assert status == 200
    found: dict[str, Any] = orjson.loads(body)
    return found


async def objects(fed: Federation, kind: str) -> list[dict[str, Any]]:
    return [one["object"] for one in await told(fed, "Create") if one["object"]["type"] == kind]


async def test_a_round_that_became_void_is_closed_and_unpinned_once(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        terms = (await fed.view("oak")).terms
        (poll,) = await objects(fed, "Question")
        pinned = "http://oak.test/c/oak/featured"
        assert poll["id"] in str(await fetched(fed, pinned))
        await fed.advance(MINUTE)
        fields = {n: terms[n] for n in ("round", "answers", "options", "roll", "rollRoot", "keepers")}
        await fed.oak.say("Terms", **fields)  # a second one by the same hand
        await fed.settle()
        assert (await fed.view("oak")).state == "void"
        now = await fetched(fed, poll["id"])
        assert now["closed"] == "2026-11-23T10:03:00Z" < now["endTime"] == poll["endTime"]
        assert poll["id"] not in str(await fetched(fed, pinned))
        await fed.finish()
        (last,) = await told(fed, "Update")
        assert (last["object"]["closed"], last["object"]["oneOf"]) == (now["closed"], poll["oneOf"])
        assert [one["object"] for one in await told(fed, "Remove")] == [poll["id"]]


async def test_a_title_that_was_removed_goes_from_the_note_and_the_poll_goes_on(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        (option,), (poll,) = await objects(fed, "Note"), await objects(fed, "Question")
        (title,) = [record["title"] for record in await fed.oak.records("Option")]
        words = (await fed.oak.texts())[title]
        assert words is not None
        assert words in option["content"]
        await fed.oak.redact(title)
        await fed.settle()
        changed = {one["object"]["id"]: one["object"] for one in await told(fed, "Update")}
        assert changed.keys() == {option["id"], poll["id"]}
        assert words not in str(changed)
        assert [one["updated"] for one in changed.values()] == ["2026-11-23T10:02:00Z"] * 2
        assert "closed" not in changed[poll["id"]]
        assert changed[poll["id"]]["oneOf"] == poll["oneOf"]
        got = [said.activity for said in fed.said if said.receiver == "elm"]
        assert {one["object"]["id"] for one in got if one["type"] == "Update"} == changed.keys()  # type: ignore[index]
        await fed.finish()
        assert await fed.agree() != "void"
        last = [one["object"] for one in await told(fed, "Update") if one["object"]["id"] == poll["id"]][-1]
        assert (last["closed"], last["updated"]) == (poll["endTime"], "2026-11-23T10:02:00Z"), (
            "not edited again"
        )


async def test_a_poll_of_which_an_option_lost_its_name_is_closed_and_says_why(meetings: Meetings) -> None:
    plan = {"method": "approval", "proposals": (THIEF, "Buy a new one")}
    async with meetings.voting(oak=1, elm=1, plan=plan) as fed:
        (poll,) = await objects(fed, "Question")
        assert THIEF in [option["name"] for option in poll["oneOf"]]
        title = next(digest for digest, text in (await fed.oak.texts()).items() if text == THIEF)
        await fed.oak.redact(title)
        await fed.settle()
        closed = next(one["object"] for one in await told(fed, "Update") if one["object"]["id"] == poll["id"])
        assert (closed["closed"], closed["endTime"]) == (closed["updated"], poll["endTime"])
        assert "so the poll is closed. The circles go on deciding." in closed["content"]
        assert THIEF not in str(await told(fed, "Update") + await told(fed, "Create"))
        assert [one["object"] for one in await told(fed, "Remove")] == [poll["id"]]
        assert (await fed.view("oak")).state == "voting"
        await fed.finish()
        assert len([one for one in await told(fed, "Update") if one["object"]["id"] == poll["id"]]) == 1


async def test_five_options_are_told_in_words_with_no_poll_as_other_software_would_drop_it(
    meetings: Meetings,
) -> None:
    plan = {"method": "approval", "proposals": tuple(f"Day {number}" for number in range(1, 6))}
    async with meetings.voting(oak=1, elm=1, plan=plan) as fed:
        assert await objects(fed, "Question") == []
        async with fed.oak.session() as session:
            row = (await session.scalars(select(Post).where(Post.kind == "round"))).one()
        round_: dict[str, Any] = orjson.loads(row.body)
        assert (round_["type"], "oneOf" in round_, "anyOf" in round_) == ("Note", False, False)
        assert fed.decision in round_["url"]
        assert [one["object"] for one in await told(fed, "Add") if "featured" in one["target"]] == [row.uri]
        await fed.finish()
        assert (await fed.agree()).startswith("final")
        assert [one["object"] for one in await told(fed, "Remove")] == [row.uri]
        assert row.uri not in [one["object"]["id"] for one in await told(fed, "Update")]
