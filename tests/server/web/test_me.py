"""One's own page: what it says, and that nobody outside finds a member who did not ask for it."""

from datetime import timedelta

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import filled, with_answers
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

AGAIN = "Make me findable again as @red_ana@oak.test"


async def found(fed: Federation, handle: str = "red_ana") -> tuple[int, int, int]:
    """What WebFinger, the actor and the page answer to anybody, once nothing old is kept."""
    fed.clock.advance(timedelta(seconds=10))
    finger = await fed.get(f"http://oak.test/.well-known/webfinger?resource=acct:{handle}@oak.test")
    actor = await fed.get(f"http://oak.test/c/{handle}")
    return finger[0], actor[0], (await fed.get(f"http://oak.test/@{handle}", "text/html"))[0]


async def test_the_page_says_name_log_in_circle_and_mandates_with_their_ends(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        home = await ana.get("/")
        (link,) = [a for a in home.all("a") if a.get("href") == "/me"]
        assert link.text == "You are logged in as Ana"
        page = await ana.get("/me")
        check(page)
        assert page.heading == "Ana"
        assert "You log in as ana" in page.text
        assert page.links()["The assembly"] == "/@assembly"
        assert "No. 1 in force" in page.text
        assert "in 30 days" in page.text
        check(await bo.get("/me"))
        assert "None. You talk, write and confirm" in (await bo.get("/me")).text
        fed.clock.advance(timedelta(days=31))
        assert "No. 1 lapsed" in (await (await enter(fed, "oak", "ana")).get("/me")).text
        assert (await (await enter(fed, "oak")).get("/me")).path == "/login?next=/me"


async def test_a_member_is_found_only_from_asking_for_it_until_taking_it_away(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana = await enter(fed, "oak", "ana")
        assert await found(fed) == (404, 404, 404)
        form = await ana.get("/me")
        page = await ana.send(form, "/me/appear", handle="red_ana")
        assert (page.path, page.said) == ("/me?done=appeared", "You have a public profile now.")
        check(page)
        assert (await ana.send(form, "/me/appear", handle="other")).path == "/me?done=appeared"
        assert await found(fed) == (200, 200, 200)
        assert await found(fed, "other") == (404, 404, 404)
        profile = await ana.get(page.links()["your profile"])
        check(profile)
        assert "Member of Oak Collective" in profile.text
        _, document = await fed.get("http://oak.test/c/red_ana")
        assert '"Person"' in document
        really = await ana.get((await ana.get("/me")).links()["Take my public profile away"])
        check(really)
        assert "It has 0 followers. Followers are told" in really.text
        assert await found(fed) == (200, 200, 200), "to look at the page does nothing"
        page = await ana.send(really, "/me/disappear")
        assert page.path == "/me?done=disappeared"
        check(page)
        assert await found(fed) == (404, 410, 404)
        page = await ana.send(page, "/me/appear")
        assert AGAIN not in [button.text for button in page.all("button")]
        assert await found(fed) == (200, 200, 200)


async def test_a_handle_that_is_taken_or_wrong_is_said_and_stays_typed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await ana.send(await ana.get("/me"), "/me/appear", handle="red_ana")
        for handle, problem in (
            ("red_ana", "This name is taken here. Choose another."),
            ("oak", "This name is taken here. Choose another."),
            ("Bö", "Use 2 to 30 small letters, digits or underscores."),
        ):
            page = await bo.send(await bo.get("/me"), "/me/appear", handle=handle)
            assert (page.status, page.problems) == (422, [problem])
            assert page.by_id("handle").get("value") == handle
            check(page)
        await ana.send(await ana.get("/me/disappear"), "/me/disappear")
        page = await bo.send(await bo.get("/me"), "/me/appear", handle="red_ana")
        assert page.problems == ["This name is taken here. Choose another."]
        assert AGAIN in [button.text for button in (await ana.get("/me")).all("button")]


async def test_other_sites_and_strangers_make_nobody_appear_or_disappear(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        pairs = with_answers(filled((await ana.get("/me")).form("/me/appear")), {"handle": "red_ana"})
        assert (await ana.post("/me/appear", pairs, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await ana.post("/me/appear", [("handle", "red_ana")], headers={})).status == 403
        assert (await visitor.post("/me/appear", pairs)).status == 403
        assert await found(fed) == (404, 404, 404)
        await ana.post("/me/appear", pairs)
        mark = [("mark", "0" * 64)]
        assert (await ana.post("/me/disappear", mark, headers={})).status == 403
        assert (await visitor.post("/me/disappear", mark)).status == 403
        assert (await visitor.get("/me/disappear")).path == "/login?next=/me/disappear"
        assert await found(fed) == (200, 200, 200)
