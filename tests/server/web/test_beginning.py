"""The first steps of a founder: each is an ordinary page, what is done follows from what is there, and the list goes away."""

from sqlalchemy import delete

from models.people import Invitation, local_actor
from server.actions.founding import NEW_NAME
from server.keys import DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import mark_of
from tests.server.web.test_every_page import check

TITLE = "Four steps to begin"


def done(page: Page) -> list[bool]:
    """Which of the steps say that they are done, in their order."""
    return [
        "Done" in one.text
        for section in page.all("section")
        if section.get("aria-labelledby") == "begin"
        for one in section.all("li")
    ]


async def as_founded(fed: Federation) -> None:
    """As `jura run` leaves it: no name of its own, and no link but the founder's."""
    async with fed.oak.app[DATABASE].ACT.begin() as session:
        collective = await local_actor(session, "collective")
        assert collective is not None
        collective.name, collective.summary = NEW_NAME, ""
        await session.execute(delete(Invitation).where(Invitation.kind == "member"))


async def test_a_founder_takes_four_steps_and_the_list_goes_away(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        await as_founded(fed)
        ana = await enter(fed, "oak", "ana")
        home = await ana.get("/")
        check(home)
        assert done(home) == [False] * 4
        assert "0 of 4 done" in home.text
        settings = await ana.get(home.links()["Say who you are"])
        saved = await ana.send(settings, "/settings", name="Oak", summary="We bake.", hue="plum")
        check(saved)
        assert saved.links()["Invite the first people"] == "/people/invite"
        assert done(await ana.get("/")) == [True, True, False, False]
        made = await ana.send(await ana.get("/people/invite"), "/people/invite", uses="2")
        check(made)
        (drawn,) = [one for one in made.all("svg") if one.get("class") == "qr"]
        assert drawn.get("aria-hidden") == "true"
        example = made.links()["Ask a first small question"]
        asked = await ana.send(await ana.get(example), "/decisions/new")
        assert asked.heading == "Shall we meet on Thursdays?"
        assert TITLE not in (await ana.get("/")).text


async def test_whoever_keeps_the_usual_colour_has_chosen_it(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        await as_founded(fed)
        ana = await enter(fed, "oak", "ana")
        page = await ana.get("/settings")
        assert (await ana.send(page, "/settings")).said.startswith("Saved")
        assert done(await ana.get("/")) == [False, True, False, False]


async def test_the_list_can_be_put_away_for_good_and_twice(both: Meetings, enter: Enter) -> None:
    async with both.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        home = await ana.get("/")
        assert TITLE in home.text
        for _ in ("once", "by a double click"):
            after = await ana.send(home, "/steps/put-away")
            assert after.said == "The list is put away."
            assert TITLE not in after.text
        assert (await ana.get("/steps/put-away")).path == "/"


async def test_only_who_can_take_the_steps_sees_them(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = (
            await enter(fed, "oak", "ana"),
            await enter(fed, "oak", "bo"),
            await enter(fed, "oak"),
        )
        assert done(await ana.get("/")) == [False, False, True, False]  # somebody has joined
        for other in (bo, visitor):
            assert TITLE not in (await other.get("/")).text
        refused = await bo.post("/steps/put-away", [("mark", await mark_of(bo))])
        assert refused.status == 403
        assert TITLE in (await ana.get("/")).text


async def test_whoever_was_only_invited_has_not_asked(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        new = await ana.get("/decisions/new")
        answers = {
            "question": "Do we share a van?",
            "title-1": "Yes",
            "invited": "@elm@elm.test",
            "gather": "24h",
        }
        assert (await ana.send(new, "/decisions/new", **answers)).status == 200
        await fed.settle()
        elm = await enter(fed, "elm", "ana")
        home = await elm.get("/")
        assert "Do we share a van?" in home.text
        assert not done(home)[3]
        assert done(await ana.get("/"))[3]


async def test_the_example_keeps_what_is_changed_in_it(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await ana.get("/decisions/new?example=small")
        wrong = await ana.send(page, "/decisions/new", question="A", details="Something else")
        check(wrong)
        assert wrong.status == 422
        assert "Something else" in wrong.body
        assert 'value="10"' in wrong.body
        plain = await ana.get("/decisions/new?example=none")
        assert "Thursdays" not in plain.text


async def test_the_example_says_which_language_it_is_in(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        for language in ("en", "es"):
            ana.session.headers["Accept-Language"] = language
            page = await ana.get("/decisions/new?example=small")
            check(page, language)
            assert f'<option value="{language}" selected>' in page.body
