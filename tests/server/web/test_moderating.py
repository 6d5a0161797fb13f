"""The pages for those who moderate: servers, deliveries given up, reports. For everybody else there are none."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.follows import Follow
from models.people import Actor
from models.queues import Delivery, Destination
from models.reports import Report
from server.actions import outbox, peers
from server.actions.telling import us
from server.keys import CLOCK, DATABASE, HOME
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter
from tests.server.web.test_afterwards import mark_of
from tests.server.web.test_every_page import check

PATHS = (
    "/moderate",
    "/moderate/servers",
    "/moderate/servers/masto.test",
    "/moderate/servers/masto.test/block",
    "/moderate/servers/list",
    "/moderate/blocklist.csv",
    "/moderate/only-listed",
    "/moderate/letters",
    "/moderate/letters/forget",
    "/moderate/reports",
    "/moderate/reports/new",
    "/moderate/reports/1",
)
POSTS = (
    "/moderate/servers/named",
    "/moderate/servers/masto.test/block",
    "/moderate/servers/list",
    "/moderate/only-listed",
    "/moderate/letters",
    "/moderate/letters/forget",
    "/moderate/reports/new",
    "/moderate/reports/1",
)


async def neighbour(fed: Federation, name: str = "masto.test", letters: int = 0) -> None:
    """Somebody on another server follows us; some deliveries there were given up."""
    app = fed.app_of("oak")
    now = app[CLOCK].now()
    async with app[DATABASE].ACT.begin() as session:
        collective, _ = await us(session)
        uri = f"http://{name}/users/ana"
        actor = Actor(
            uri=uri,
            kind="remote",
            type="Person",
            handle="ana",
            name="Ana",
            summary="",
            authority=name,
            inbox=f"{uri}/inbox",
            key_id=f"{uri}#main-key",
            rsa_pem=collective.rsa_pem,
            created_at=now,
            fetched_at=now,
        )
        session.add(actor)
        follow = Follow(
            follower=uri, followed_id=collective.id, activity_uri=f"{uri}/1", inbox=actor.inbox, at=now
        )
        session.add(follow)
        for number in range(letters):
            note = {"id": f"http://oak.test/a/{name}{number}", "type": "Create", "actor": collective.uri}
            await outbox.publish(session, app[HOME], collective, note, [actor.inbox], now)
    async with app[DATABASE].ACT.begin() as session:
        for row in (await session.scalars(select(Delivery.id))).all():
            letter = await session.get_one(Delivery, row)
            letter.dead_at, letter.attempts, letter.reason = now, 16, "refused: The other server says 403."
        for host in (await session.scalars(select(Destination.host))).all():
            (await session.get_one(Destination, host)).due_at = None


async def looked_at(page: Page, heading: str) -> Page:
    check(page)
    assert (page.status, page.heading) == (200, heading)
    return page


async def test_for_everybody_else_there_are_no_such_pages(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        await neighbour(fed)
        for who in (await enter(fed, "oak", "bo"), await enter(fed, "oak")):
            for path in PATHS:
                assert (await who.get(path)).status == 404, path
            assert "Moderate" not in (await who.get("/")).body
        bo = await enter(fed, "oak", "bo")
        for path in POSTS:
            answer = await bo.post(
                path, [("mark", await mark_of(bo)), ("host", "masto.test"), ("list", "a.test")]
            )
            assert answer.status == 404, path
        ana = await enter(fed, "oak", "ana")
        assert "/moderate" in (await ana.get("/")).body
        fed.clock.advance(timedelta(days=40))  # the mandate has lapsed
        ana = await enter(fed, "oak", "ana")
        assert (await ana.get("/moderate")).status == 404


async def test_a_server_is_looked_at_blocked_with_a_reason_and_let_in_again(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        await neighbour(fed)
        ana = await enter(fed, "oak", "ana")
        first = await looked_at(await ana.get("/moderate"), "Moderate")
        assert "1 server is known here" in first.text
        listed = await looked_at(await ana.get("/moderate/servers"), "Servers")
        server = await looked_at(await ana.get(listed.links()["masto.test"]), "masto.test")
        assert "Nothing was decided about this server." in server.text
        ask = await looked_at(await ana.get(server.links()["Block"]), "Block: masto.test")
        assert "1 follow by people there" in ask.text
        wrong = await ana.send(ask, "/block", note=" ")
        assert (wrong.status, wrong.problems) == (422, ["Say why, for whoever moderates after you."])
        check(wrong)
        done = await ana.send(ask, "/block", note="Spam, <b>daily</b>.")
        assert (done.said, "Spam, <b>daily</b>." in done.text) == ("The server is blocked.", True)
        check(done)
        blocked = await ana.get("/moderate/servers?show=blocked")
        assert (list(blocked.links()).count("masto.test"), "Blocked" in blocked.text) == (1, True)
        assert "No server is like this." in (await ana.get("/moderate/servers?show=limited")).text
        csv = await ana.get("/moderate/blocklist.csv")
        assert csv.body.splitlines()[1] == 'masto.test,suspend,false,false,"Spam, <b>daily</b>.",false'
        undo = await ana.get(done.links()["Undo"])
        check(undo)
        assert (await ana.send(undo, "/forget")).said == "It is a server like any other again."


async def test_before_a_server_is_blocked_decisions_that_run_with_it_are_named(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        (host,) = {fed.authority_of("elm")}
        page = await ana.get(f"/moderate/servers/{host}/block")
        check(page)
        assert "You decide something together right now" in page.text
        assert len([path for path in page.links().values() if path.startswith("/decisions/")]) == 1


async def test_servers_are_found_by_part_of_their_name_and_by_all_of_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        for name in ("masto.test", "social.test", "100_.test"):
            await neighbour(fed, name)
        ana = await enter(fed, "oak", "ana")
        found = await ana.get("/moderate/servers?q=SOC")
        assert [name for name in found.links() if name.endswith(".test")] == ["social.test"]
        assert [n for n in (await ana.get("/moderate/servers?q=_")).links() if n.endswith(".test")] == [
            "100_.test"
        ]
        page = await ana.send(found, "/named", host="https://New.test/about")
        assert page.heading == "new.test"
        wrong = await ana.send(found, "/named", host="nothing")
        assert (wrong.status, len(wrong.problems)) == (422, 1)
        check(wrong)


async def test_long_lists_are_turned_page_by_page(
    meetings: Meetings, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.servers.AT_ONCE", 2)
    monkeypatch.setattr("server.web.moderating.AT_ONCE", 2)
    async with meetings.founded(oak=1) as fed:
        for name in ("a.test", "b.test", "c.test"):
            await neighbour(fed, name)
        ana = await enter(fed, "oak", "ana")
        page = await ana.get("/moderate/servers")
        assert "Previous" not in page.links()
        page = await ana.get(page.links()["Next"])
        assert [name for name in page.links() if name.endswith(".test")] == ["c.test"]
        assert "Next" not in page.links()
        assert "a.test" in (await ana.get(page.links()["Previous"])).links()


async def test_only_listed_servers_begins_with_who_is_cut_off_and_ends_again(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        await neighbour(fed)
        ana = await enter(fed, "oak", "ana")
        ask = await looked_at(await ana.get("/moderate/only-listed"), "With whom we deal")
        assert "masto.test" in ask.links()
        await neighbour(fed, "late.test")
        stale = await ana.send(ask, "/only-listed")
        assert stale.status == 409
        check(stale)
        assert {"masto.test", "late.test"} <= set(stale.links())
        done = await ana.send(stale, "/only-listed")
        assert done.said == "From now on you deal only with listed servers."
        async with fed.app_of("oak")[DATABASE].READ() as session:
            assert await peers.only_allowed(session) is True
        ask = await ana.get("/moderate/only-listed")
        check(ask)
        assert "deals only with listed servers" in ask.text
        done = await ana.send(ask, "/only-listed")
        assert done.said == "From now on you deal with every server that is not blocked."


async def test_a_list_is_looked_at_before_it_changes_anything(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        await neighbour(fed)
        ana = await enter(fed, "oak", "ana")
        form = await looked_at(await ana.get("/moderate/servers/list"), "Take over a list")
        wrong = await ana.send(form, "/list", list="")
        assert (wrong.status, len(wrong.problems)) == (422, 1)
        text = "#domain,#severity\nmasto.test,suspend\nloud.test,silence\nh*d.test,suspend\n"
        shown = await looked_at(await ana.send(form, "/list", list=text), "What would change")
        assert "2 servers are new" in shown.text
        assert "masto.test: 1 follower" in shown.text
        assert "part of its name is hidden" in shown.text
        assert "No server is like this." in (await ana.get("/moderate/servers?show=blocked")).text
        done = await ana.send(shown, "/list")
        assert done.said == "The list is taken over."
        again = await ana.send(form, "/list", list=text)
        check(again)
        assert "0 servers are new" in again.text
        assert not again.has_form("/list")


async def test_what_was_given_up_is_sent_again_or_forgotten(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        empty = await looked_at(await ana.get("/moderate/letters"), "Deliveries given up")
        assert "Nothing was given up" in empty.text
        await neighbour(fed, letters=3)
        page = await ana.get("/moderate/letters?host=masto.test")
        check(page)
        assert "3 deliveries did not arrive" in page.text
        assert "refused: The other server says 403." in page.text
        ask = await ana.get(
            next(path for words, path in page.links().items() if words.startswith("Forget it"))
        )
        check(ask)
        assert (await ana.send(ask, "/forget")).said == "They are forgotten."
        page = await ana.get("/moderate/letters?host=masto.test")
        forms = [f for f in page.all("form") if any(i.get("name") == "host" for i in f.all("input"))]
        assert len(forms) == 1
        mark = await mark_of(ana)
        assert (
            "sent again"
            in (await ana.post("/moderate/letters", [("mark", mark), ("host", "masto.test")])).said
        )
        again = await ana.post("/moderate/letters", [("mark", mark), ("host", "masto.test")])
        assert "not here any more" in again.said
        async with fed.app_of("oak")[DATABASE].READ() as session:
            rows = [
                await session.get_one(Delivery, n) for n in (await session.scalars(select(Delivery.id))).all()
            ]
            assert [(row.dead_at, row.attempts) for row in rows] == [(None, 0)] * 2
            assert (await session.get_one(Destination, "masto.test")).due_at == fed.app_of("oak")[CLOCK].now()


async def test_reports_that_came_in_are_read_and_closed_with_a_note(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        app = fed.app_of("oak")
        ana = await enter(fed, "oak", "ana")
        empty = await looked_at(await ana.get("/moderate/reports"), "Reports")
        assert "No report waits." in empty.text
        async with app[DATABASE].ACT.begin() as session:
            row = Report(
                uri="http://masto.test/flags/1",
                direction="in",
                reporter="http://masto.test/actor",
                authority="masto.test",
                about=["http://oak.test/o/1", "javascript:alert(1)"],
                comment="<b>rude</b>",
                at=app[CLOCK].now(),
            )
            session.add(row)
        listed = await ana.get("/moderate/reports")
        check(listed)
        link = next(path for words, path in listed.links().items() if words.startswith("From masto.test"))
        report = await looked_at(await ana.get(link), "A report from masto.test")
        assert "<b>rude</b>" in report.text
        assert "javascript:alert(1)" not in report.links().values()
        wrong = await ana.send(report, link, note="")
        assert (wrong.status, len(wrong.problems)) == (422, 1)
        assert (await ana.send(report, link, note="We talked.")).said == "The report is closed."
        assert (await ana.send(report, link, note="Twice.")).said == "The report is closed."
        closed = await ana.get(link)
        check(closed)
        assert "We talked." in closed.text
        assert "Twice." not in closed.text


async def test_a_report_of_ours_is_sent_by_the_instance_and_says_nothing_of_who_reports(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await looked_at(await ana.get("/moderate/reports/new"), "Report somebody elsewhere")
        nobody = await ana.send(form, "/new", whom="@nobody@elm.test", comment="Rude.")
        assert (nobody.status, len(nobody.problems)) == (422, 1)
        check(nobody)
        elm = await fed.elm.actor()
        beside = await ana.send(form, "/new", whom=elm.uri, posts="http://other.test/1", comment="Rude.")
        assert (beside.status, len(beside.problems)) == (422, 1)
        done = await ana.send(form, "/new", whom=elm.uri, posts=f"{elm.uri}/1", comment="Rude.")
        assert done.said == "The report is on its way."
        check(done)
        await fed.settle()
        [flag] = [one.activity for one in fed.said if one.activity["type"] == "Flag"]
        assert flag["actor"] == f"{fed.app_of('oak')[HOME].url}/c/instance"
        assert flag["object"] == [elm.uri, f"{elm.uri}/1"]
        assert "ana" not in str(flag).replace(elm.uri, "")
        other = await enter(fed, "elm", "ana")
        assert "1 report from elsewhere waits for you." in (await other.get("/moderate")).text
