"""The first page, the public profiles, and what happens to whom it does not concern."""

from datetime import timedelta

from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check


async def test_visitors_learn_whose_this_is_and_how_to_follow(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=3) as fed:
        page = await (await enter(fed, "oak")).get("/")
        assert page.heading == "Oak Collective"
        assert "A collective of 3 people" in page.text
        assert "@oak@oak.test" in page.text
        assert page.links()["Log in"] == "/login"
        assert "Nothing is being decided in public just now." in page.text


async def test_what_needs_a_member_is_on_top_and_gone_once_it_is_done(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        ana, bo, cem = [await enter(fed, "oak", login) for login in ("ana", "bo", "cem")]
        assert "Your circle has no draft yet." in (await ana.get("/")).text
        circle = await fed.oak.circle()
        number = await circle.draft("consent")
        await circle.confirm(number, 0)
        assert "Nothing waits for you" in (await ana.get("/")).text
        assert "1 of the 2 confirmations it needs" in (await bo.get("/")).text
        await circle.confirm(number, 1)
        assert "Nothing waits for you" in (await cem.get("/")).text
        assert "voting closes in 47 hours" in (await cem.get("/")).text


async def test_a_member_without_a_mandate_is_not_asked_to_answer_offers(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=2) as fed:
        await fed.oak.convene("elm", gather=timedelta(days=20))
        await fed.settle()
        ana, bo = await enter(fed, "elm", "ana"), await enter(fed, "elm", "bo")
        assert "You are invited to decide together" in (await ana.get("/")).text
        assert "You are invited to decide together" not in (await bo.get("/")).text
        fed.clock.advance(timedelta(days=20, minutes=1))
        assert (
            "You are invited to decide together" not in (await (await enter(fed, "elm", "ana")).get("/")).text
        )


async def test_recent_outcomes_stand_on_the_first_page_with_what_came_out(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        page = await (await enter(fed, "elm")).get("/")
        assert "Adopted: One used cargo bike, shared by a weekly calendar" in page.text
        assert "asked by Oak Collective" in page.text


async def test_the_list_of_outcomes_goes_on_on_further_pages(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        for number in range(23):
            await fed.oak.convene(question=f"Question no. {number}, is it?", gather=timedelta(hours=2))
            await fed.oak.withdraw()
        await fed.settle()
        visitor = await enter(fed, "oak")
        first = await visitor.get("/")
        assert ("Question no. 22," in first.text, "Question no. 2," in first.text) == (True, False)
        second = await visitor.get(first.links()["Earlier ones"])
        assert ("Question no. 22," in second.text, "Question no. 2," in second.text) == (False, True)
        assert "Earlier ones" not in second.links()
        assert (await visitor.get("/?before=nonsense")).status == 200
        assert (await visitor.get(f"/?before={'9' * 40}")).status == 200


async def test_the_profile_shows_the_register_of_mandates_and_names_to_members_only(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        visitor, bo = await enter(fed, "oak"), await enter(fed, "oak", "bo")
        page = await visitor.get("/@oak")
        assert "@oak@oak.test" in page.text
        assert "No. 1: A member" in page.text
        assert "in force" in page.text
        assert "Ana" not in page.text
        assert "No. 1: Ana" in (await bo.get("/@oak")).text
        fed.clock.advance(timedelta(days=31))
        assert "lapsed" in (await visitor.get("/@oak")).text


async def test_a_circle_has_a_simple_page_and_members_have_none(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        visitor, bo = await enter(fed, "oak"), await enter(fed, "oak", "bo")
        page = await visitor.get("/@assembly")
        assert "Now it is 2 people" in page.text
        assert "Ana" not in page.text
        assert "Ana" in (await bo.get("/@assembly")).text
        for handle in ("ana", "instance", "nobody", "Oak@elsewhere"):
            assert (await bo.get(f"/@{handle}")).status == 404


async def test_a_circle_dealt_for_a_hidden_decision_is_as_hidden_as_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=7, elm=1, plan={"visibility": "federation"}) as fed:
        actor = await fed.oak.actor(await fed.oak.circle())
        visitor, ana = await enter(fed, "oak"), await enter(fed, "oak", "ana")
        assert (await visitor.get(f"/@{actor.handle}")).status == 404
        page = await ana.get(f"/@{actor.handle}")
        assert page.heading == "Circle 1"
        assert page.links()["one decision"] == f"/decisions/{fed.decision}"


async def test_other_software_that_asks_for_the_profile_is_sent_to_the_actor(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        visitor = await enter(fed, "oak")
        page = await visitor.get("/@oak", {"Accept": "application/activity+json"}, follow=False)
        assert (page.status, page.headers["Location"]) == (303, "http://oak.test/c/oak")
        (alternate,) = [e for e in (await visitor.get("/@oak")).all("link") if e.get("rel") == "alternate"]
        assert alternate.attributes == {
            "rel": "alternate",
            "type": "application/activity+json",
            "href": "http://oak.test/c/oak",
        }


async def test_the_profile_of_a_collective_says_how_it_decides_and_names_who_wish_to_be_seen(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        visitor, bo = await enter(fed, "oak"), await enter(fed, "oak", "bo")
        page = await visitor.get("/@oak")
        check(page)
        assert "nobody; a public profile is for each member to choose" in page.text
        assert "From 6 people on, each decision deals circles of 3 to 5." in page.text
        assert "open for 48 hours, then 6 hours pass" in page.text
        assert page.links()["How each method counts"] == "/about#how-we-count"
        await bo.send(await bo.get("/me"), "/me/appear", handle="red_bo")
        page = await visitor.get("/@oak")
        assert "1 of 3: Bo" in page.text
        assert page.links()["Bo"] == "/@red_bo"
        await bo.send(await bo.get("/me/disappear"), "/me/disappear")
        assert "Bo" not in (await visitor.get("/@oak")).text
