"""A circle's room: positions that stay inside, a draft that nobody overwrites, confirmations, and the ballot they make."""

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, filled
from tests.server.web.conftest import Enter

REASON = "We have talked about it for an evening, and this is where we stand."


def room_of(fed: Federation) -> str:
    return f"/decisions/{fed.decision}/circle"


async def draft(browser: Browser, path: str, position: str = "consent", reason: str = REASON) -> None:
    page = await browser.send(await browser.get(path), f"{path}/draft", position=position, reason=reason)
    assert page.path == f"{path}?done=draft", page.alert


async def test_three_members_find_their_ballot_and_two_confirmations_publish_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        path = room_of(fed)
        ana, bo, visitor = [await enter(fed, "oak", login) for login in ("ana", "bo", "")]
        assert "Write your circle’s ballot" in (await ana.get("/")).links()
        await draft(ana, path, "concern")
        page = await ana.get(path)
        assert "Your confirmation is no. 1 of the 2 needed." in page.text
        page = await ana.send(page, f"{path}/confirm")
        assert "You confirmed the draft." in page.said
        assert "1 more confirmation needed" in page.text
        home = await bo.get("/")
        assert "1 of the 2 confirmations it needs" in home.text
        page = await bo.get(home.links()["Read it, and confirm or change it"])
        assert "the last of the 2 needed. With it the ballot is published for everybody to read" in page.text
        page = await bo.send(page, f"{path}/confirm")
        assert "your circle’s ballot is published" in page.said
        await fed.settle()
        page = await visitor.get(f"/decisions/{fed.decision}")
        assert "Consent with a concern" in page.text
        assert REASON in page.text
        assert "Confirmed by 2 of 3" in page.text


async def test_the_room_shows_beforehand_word_for_word_what_will_be_public(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        words = "It would harm the old bikes.\nAll of them & <ours> first."
        page = await ana.send(
            await ana.get(path),
            f"{path}/draft",
            position="object",
            reason=words,
            resolve="Keep the old bikes in use.",
        )
        (preview,) = [e for e in page.all("div") if e.get("class") == "preview"]
        await ana.send(page, f"{path}/confirm")
        await fed.settle()
        published = (await (await enter(fed, "elm")).get(f"/decisions/{fed.decision}")).text
        for said in (
            "Object",
            "It would harm the old bikes.",
            "All of them & <ours> first.",
            "Keep the old bikes in use.",
        ):
            assert said in preview.text
            assert said in published
        assert "Confirmed by 1 of 1" in preview.text
        assert "Confirmed by 1 of 1" in published


async def test_positions_are_seen_by_the_circle_and_by_nobody_else(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=7, elm=1) as fed:
        path = room_of(fed)
        first, second = await fed.oak.circles()
        mate, self_, other = first.sitting[0], first.sitting[1], second.sitting[0]
        me = await enter(fed, "oak", self_)
        page = await me.send(
            await me.get(path),
            f"{path}/position",
            my__position="not-ready",
            my__note="I fear the cost of brakes",
        )
        assert page.path == f"{path}?done=position"
        assert "I fear the cost of brakes" in (await (await enter(fed, "oak", mate)).get(path)).text
        await fed.settle()
        outside = [await enter(fed, "oak", other), await enter(fed, "oak"), await enter(fed, "elm", "ana")]
        for browser in outside:
            for where in (
                "/",
                path,
                f"/decisions/{fed.decision}",
                f"/decisions/{fed.decision}.json",
                "/@oak",
            ):
                assert "I fear the cost of brakes" not in (await browser.get(where)).body
        assert "fear the cost" not in str(await fed.oak.texts())


async def test_who_does_not_sit_in_a_circle_is_told_that_there_is_nothing(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        mark = filled((await (await enter(fed, "oak", "ana")).get("/")).form("/logout"))
        await somebody_joins(fed, enter)
        late, visitor = await enter(fed, "oak", "bo"), await enter(fed, "oak")
        for browser in (late, visitor):
            page, nothing = await browser.get(path), await browser.get("/nothing")
            assert (page.status, page.text) == (404, nothing.text.replace("next=/nothing", f"next={path}"))
        own = filled((await late.get("/")).form("/logout"))
        for act in ("position", "draft", "confirm", "unconfirm"):
            page = await late.post(
                f"{path}/{act}", [*own, ("position", "consent"), ("base", "0"), ("number", "1")]
            )
            assert page.status == 404, act
            page = await visitor.post(f"{path}/{act}", [*mark, ("position", "consent")], headers={})
            assert page.status == 403, act
        assert (await visitor.get(f"{path}/nothing")).status == 404


async def somebody_joins(fed: Federation, enter: Enter) -> None:
    ana = await enter(fed, "oak", "ana")
    page = await ana.send(await ana.get("/people/invite"), "/people/invite", uses="5")
    link = page.by_id("link").attributes["value"]
    assert link
    browser = await enter(fed, "oak")
    path = link.removeprefix("http://oak.test")
    await browser.send(await browser.get(path), path, login="bo", name="Bo", password="a long password")


async def test_a_draft_written_from_an_old_version_overwrites_nobody_and_keeps_its_words(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        path = room_of(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        stale = await bo.get(path)
        await draft(ana, path, "consent", "Ana was faster than Bo with her reason.")
        page = await bo.send(
            stale, f"{path}/draft", position="concern", reason="Bo wrote for a long while, too."
        )
        assert page.status == 409
        assert "Somebody changed the draft while you wrote" in page.alert
        assert page.by_id("reason").text == "Bo wrote for a long while, too."
        assert "Ana was faster than Bo" in page.by_id("draft").text or "Ana was faster than Bo" in page.text
        page = await bo.send(page, f"{path}/draft")
        assert page.path == f"{path}?done=draft"
        assert "version 2" in page.text
        assert page.links()["All 2 versions"] == f"{path}/drafts"


async def test_the_same_draft_sent_twice_is_one_version(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        form = await ana.get(path)
        for _ in range(2):
            page = await ana.send(form, f"{path}/draft", position="consent", reason="")
            assert page.path == f"{path}?done=draft"
        assert "version 1" in page.text
        assert "Earlier versions" not in page.text


async def test_what_a_draft_lacks_is_said_at_the_field_and_its_words_stay(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        form = await ana.get(path)
        page = await ana.send(form, f"{path}/draft", position="object", reason="Too short", resolve="No")
        assert page.status == 422
        assert len(page.problems) == 2
        assert (page.by_id("reason").text, page.by_id("resolve").text) == ("Too short", "No")
        assert "checked" in page.by_id("position-object").attributes
        page = await ana.send(form, f"{path}/draft", reason=REASON)
        assert page.problems == ["Choose one of the positions."]
        page = await ana.send(form, f"{path}/draft", position="yes", reason=REASON)
        assert page.problems == ["Choose one of the positions."]
        page = await ana.send(form, f"{path}/position", my__position="", my__note="A note without a position")
        assert page.problems == ["Choose one of the positions."]
        assert page.by_id("my-note").text == "A note without a position"
        page = await ana.send(form, f"{path}/position", my__position="consent", my__note="x" * 5001)
        assert page.problems == ["Keep your note under 5,000 characters."]


async def test_a_confirmation_is_of_exact_words_and_can_be_taken_back(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        path = room_of(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await draft(ana, path)
        old = await bo.get(path)
        await ana.send(await ana.get(path), f"{path}/confirm")
        await draft(ana, path, "concern")
        page = await bo.send(old, f"{path}/confirm")
        assert page.status == 409
        assert "Read the new words, then confirm those" in page.alert
        assert "Nobody has confirmed these words yet" in page.text
        await bo.send(await bo.get(path), f"{path}/confirm")
        page = await bo.send(await bo.get(path), f"{path}/unconfirm")
        assert "Nobody has confirmed these words yet" in page.text
        await ana.send(await ana.get(path), f"{path}/confirm")
        assert await fed.oak.records("Ballot") == []


async def test_a_second_click_on_confirm_publishes_nothing_twice(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        await draft(ana, path)
        form = await ana.get(path)
        for _ in range(2):
            page = await ana.send(form, f"{path}/confirm")
            assert page.path == f"{path}?done=cast"
        assert len(await fed.oak.records("Ballot")) == 1


async def test_a_published_ballot_is_replaced_by_a_new_draft_until_the_close(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        await draft(ana, path, "consent", "At first we were simply glad about it.")
        await ana.send(await ana.get(path), f"{path}/confirm")
        await draft(ana, path, "concern", "Then somebody asked about the brakes.")
        page = await ana.get(path)
        assert "What was published" not in page.text
        assert "Version 1" in page.by_id("published").text or "Version 1" in page.text
        await ana.send(page, f"{path}/confirm")
        await fed.settle()
        page = await (await enter(fed, "elm")).get(f"/decisions/{fed.decision}")
        assert "Then somebody asked about the brakes." in page.text
        assert "Version 2" in page.text
        await fed.reach("closes")
        page = await ana.get(path)
        assert not page.has_form(f"{path}/draft")
        assert not page.has_form(f"{path}/confirm")
        assert "Then somebody asked about the brakes." in page.text


async def test_before_the_voting_opens_a_draft_can_be_written_but_not_confirmed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        await fed.oak.convene()
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        await draft(ana, path)
        page = await ana.get(path)
        assert not page.has_form(f"{path}/confirm")
        assert "Confirming is possible once the voting is open" in page.text
        page = await ana.post(f"{path}/confirm", [*filled(page.form("/logout")), ("number", "1")])
        assert (page.status, "has not opened yet" in page.alert) == (409, True)


async def test_a_draft_that_missed_the_close_stays_and_is_not_published(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        path = room_of(fed)
        ana = await enter(fed, "oak", "ana")
        await draft(ana, path)
        form = await ana.get(path)
        await fed.reach("closes")
        page = await ana.send(form, f"{path}/confirm")
        assert (page.status, "The voting is closed" in page.alert) == (409, True)
        assert "was not confirmed in time" in page.text
        page = await ana.post(f"{path}/draft", [*filled(form.form(f"{path}/draft")), ("reason", "x" * 30)])
        assert await fed.oak.records("Ballot") == []


async def test_circles_approve_of_several_options_or_of_none(meetings: Meetings, enter: Enter) -> None:
    plan = {"method": "approval", "proposals": ("Monday", "Friday")}
    async with meetings.voting(oak=1, elm=1, plan=plan) as fed:
        path = room_of(fed)
        ana, options = await enter(fed, "oak", "ana"), await fed.oak.options()
        form = await ana.get(path)
        assert "Leave things as they are" in form.text
        chosen = [options["Monday"], "status-quo"]
        page = await ana.send(form, f"{path}/position", my__choices=chosen, my__note="")
        assert "Approves of Monday; Leave things as they are" in page.text
        page = await ana.send(page, f"{path}/draft", choices=chosen, reason=REASON)
        await ana.send(page, f"{path}/confirm")
        wrong = await ana.send(await ana.get(path), f"{path}/draft", choices=["0" * 64], reason=REASON)
        assert wrong.problems == ["Choose among the options listed."]
        other = await enter(fed, "elm", "ana")
        page = await other.send(await other.get(path), f"{path}/draft", choices=[], reason="")
        page = await other.send(page, f"{path}/confirm")
        assert "ballot is published" in page.said
        await fed.settle()
        page = await (await enter(fed, "oak")).get(f"/decisions/{fed.decision}")
        assert "Monday: 1 of 2" in page.text
        assert "Friday: 0 of 2" in page.text
        assert "Approves of none of them" in page.text
