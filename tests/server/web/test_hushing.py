"""Remarks to all members that who moderates hides, with a reason, and shows again; circles' rooms are not theirs."""

import re
from datetime import timedelta

from sqlalchemy import select

from models.events import Event
from server.keys import DATABASE
from server.workers import PASSES
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_talk import paths, said_on, say

RUDE, WHY = "Cem is a fool, and his bicycle too.", "It is about a person, not about the question."


async def test_a_remark_is_hidden_with_a_reason_its_author_is_told_and_it_can_be_shown_again(
    both: Meetings, enter: Enter
) -> None:
    async with both.voting(oak=3, elm=1) as fed:
        decision, _ = paths(fed)
        ana, bo, cem = [await enter(fed, "oak", login) for login in ("ana", "bo", "cem")]
        await say(bo, decision, RUDE)
        (link,) = [
            href for words, href in (await ana.get(decision)).links().items() if words.startswith("Hide the")
        ]
        assert not any("/hide" in href for href in (await cem.get(decision)).links().values())
        assert (await cem.get(link)).status == 403
        assert (await (await enter(fed, "oak")).get(link)).path == f"/login?next={link}"
        page = await ana.get(link)
        check(page)
        for wrong in ("", "x" * 301):
            page = await ana.send(page, link, why=wrong)
            assert page.problems == ["Say why, in 1 to 300 characters. All members read it."]
            assert wrong in page.body
            check(page)
        page = await ana.send(page, link, why=WHY)
        assert page.said == "The remark is hidden. Its author is told."
        check(page)
        assert any(RUDE in said for said in said_on(page))  # who moderates can still read it
        seen = await cem.get(decision)
        check(seen)
        assert RUDE not in seen.body
        assert f"Hidden by who moderates: {WHY}" in seen.text
        own = await bo.get(decision)
        assert RUDE in own.text
        number = re.findall(r"remarks/(\d+)/delete", own.body)[0]
        page = await bo.get(f"{decision}/remarks/{number}/edit")
        page = await bo.send(page, page.path, words="Cem is right.")
        assert (page.status, "hidden this remark" in page.alert, "Cem is right." in page.body) == (
            409,
            True,
            True,
        )
        fed.clock.advance(timedelta(minutes=1))
        await PASSES["notices"](fed.app_of("oak"))
        assert "Who moderates has hidden a remark of yours." in (await bo.get("/notices")).text
        assert "hidden a remark" not in (await cem.get("/notices")).text
        again = (await ana.get(decision)).links()
        (show,) = [href for words, href in again.items() if words.startswith("Show again")]
        page = await ana.get(show)
        check(page)
        assert (await ana.send(page, show)).said == "The remark is shown again."
        assert (await ana.send(page, show)).said == "The remark is shown again."  # twice
        assert RUDE in (await cem.get(decision)).text
        async with fed.app_of("oak")[DATABASE].READ() as session:
            events = (await session.scalars(select(Event).where(Event.kind.startswith("remark")))).all()
        assert [(e.kind, e.scope, e.mandate_id is not None) for e in events] == [
            ("remark hidden", fed.decision, True),
            ("remark shown again", fed.decision, True),
        ]
        assert not any(RUDE in str(event.detail) for event in events)


async def test_who_silenced_the_decision_is_told_all_the_same_and_a_deleted_remark_cannot_be_hidden(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        decision, _ = paths(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await bo.send(await bo.get(decision), f"/notices/mute/{fed.decision}")
        await say(bo, decision, RUDE)
        link = next(h for w, h in (await ana.get(decision)).links().items() if w.startswith("Hide the"))
        page = await ana.get(link)
        await ana.send(page, link, why=WHY)
        fed.clock.advance(timedelta(minutes=1))
        await PASSES["notices"](fed.app_of("oak"))
        assert "hidden a remark of yours" in (await bo.get("/notices")).text
        await ana.send(await ana.get(link.replace("/hide", "/show")), "/show")
        own = await bo.get(link.replace("/hide", "/delete"))
        await bo.send(own, own.path)
        page = await ana.send(page, link, why=WHY)
        assert (page.status, "deleted this remark meanwhile" in page.alert) == (422, True)
        check(page)


async def test_who_hides_a_remark_second_is_told_and_the_first_reason_stands(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        decision, _ = paths(fed)
        ana, again, bo = [await enter(fed, "oak", login) for login in ("ana", "ana", "bo")]
        await say(bo, decision, RUDE)
        link = next(h for w, h in (await ana.get(decision)).links().items() if w.startswith("Hide the"))
        first, second = await ana.get(link), await again.get(link)
        assert (await ana.send(first, link, why=WHY)).said == "The remark is hidden. Its author is told."
        page = await again.send(second, link, why="It is <rude>.")
        assert (page.status, "Somebody else has hidden this remark meanwhile" in page.alert) == (422, True)
        assert "It is hidden already." in page.text
        assert "It is <rude>." in page.text
        check(page)
        page = await again.send(second, link, why=WHY)  # the same once more, by a second click
        assert page.said == "The remark is hidden. Its author is told."
        shown = (await (await enter(fed, "oak", "cem")).get(decision)).text
        assert (f"Hidden by who moderates: {WHY}" in shown, "rude" in shown) == (True, False)


async def test_nobody_moderates_in_a_circles_room(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=3, elm=1) as fed:
        decision, room = paths(fed)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        page = await say(bo, room, RUDE)
        number = re.findall(r"remarks/(\d+)/delete", page.body)[0]
        assert "/hide" not in (await ana.get(room)).body  # ana sits there and holds `moderate`
        for act in ("hide", "show"):
            assert (await ana.get(f"{decision}/remarks/{number}/{act}")).status == 404
        form = await ana.get(decision)
        mark = form.form("/logout").all("input")[0].attributes["value"]
        path = f"{decision}/remarks/{number}/hide"
        assert (await ana.post(path, [("mark", mark), ("why", WHY)])).status == 404
        assert RUDE in (await ana.get(room)).text
