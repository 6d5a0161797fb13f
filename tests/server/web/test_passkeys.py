"""Passkeys: made, named, used, removed, and refused where anything is not as it must be. The device is software of ours."""

import json
from typing import Any

import pytest

from server.web.tickets import LASTS
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.authenticator import Authenticator
from tests.server.web.browser import Browser, Page, filled, with_answers
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

ORIGIN = "http://oak.test"


def asked(page: Page) -> str:
    """What the page has its script ask the device."""
    (place,) = [e for e in page.all("div") if "data-passkey" in e.attributes]
    return place.attributes["data-options"]


async def add(ana: Browser, device: Authenticator, name: str = "My phone", password: str = PASSWORD) -> Page:
    page = await ana.get("/me/passkeys")
    return await ana.send(
        page, "/me/passkeys", name=name, password=password, passkey=device.make(asked(page))
    )


async def use(browser: Browser, device: Authenticator) -> Page:
    page = await browser.get("/login")
    return await browser.send(page, "/login", passkey=device.use(asked(page)))


@pytest.mark.parametrize("kind", ["ES256", "Ed25519"])
async def test_a_passkey_is_made_named_used_to_log_in_and_removed(
    meetings: Meetings, enter: Enter, kind: str
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, device = await enter(fed, "oak", "ana"), Authenticator(ORIGIN, kind)
        check(await ana.get("/me/passkeys"))
        page = await add(ana, device)
        assert page.path == "/me/passkeys?done=passkey-added"
        check(page)
        assert "not used yet" in page.text
        there = await enter(fed, "oak")
        page = await there.get("/login?next=/me/passkeys")
        check(page)
        page = await there.send(page, "/login", passkey=device.use(asked(page)))
        assert page.path == "/me/passkeys"
        assert "last used just now" in page.text
        link = page.links()["Rename or remove My phone"]
        form = await there.get(link)
        check(form)
        page = await there.send(form, "/name", name="Blue phone")
        assert "Blue phone" in page.text
        really = await there.get(page.links()["Rename or remove Blue phone"] + "/remove")
        check(really)
        assert "It cannot be brought back" in really.text
        page = await there.send(really, "/remove", password="wrong one")
        assert (page.status, page.problems) == (422, ["This is not your password. Try again."])
        check(page)
        page = await there.send(page, "/remove", passkey=device.use(asked(page)))
        assert page.path == "/me/passkeys?done=passkey-removed"
        told = (await there.get("/notices")).text
        assert "A passkey was added to your account." in told
        assert "A passkey was removed from your account." in told
        other = await enter(fed, "oak")
        page = await use(other, device)
        assert (page.status, other.cookie()) == (422, None)
        assert "was not accepted" in page.alert


async def test_a_passkey_of_a_member_with_a_second_factor_needs_no_code(
    meetings: Meetings, enter: Enter
) -> None:
    """The device has checked who holds it: that is two factors already; see also test_second.py."""
    async with meetings.founded(oak=1) as fed:
        device = Authenticator(ORIGIN, counts=False)
        await add(await enter(fed, "oak", "ana"), device)
        for _ in range(2):  # a device that does not count may say 0 again and again
            there = await enter(fed, "oak")
            assert (await use(there, device)).path == "/"
            assert there.cookie()


async def test_making_one_asks_for_the_password_and_keeps_the_name_typed(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await add(ana, Authenticator(ORIGIN), password="not this one")
        assert (page.status, page.problems) == (422, ["This is not your password. Try again."])
        assert page.by_id("name").get("value") == "My phone"
        check(page)
        page = await add(ana, Authenticator(ORIGIN), name="")
        assert page.status == 422
        assert "Give it a name" in page.problems[0]
        assert "You have none" in (await ana.get("/me/passkeys")).text


LIES: dict[str, dict[str, Any]] = {
    "for another site": {"origin": "http://evil.test"},
    "for another host": {"signs_for": "evil.test"},
    "without its holder": {"verifies": False},
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_a_device_says_for_another_place_or_without_its_holder_is_refused(
    meetings: Meetings, enter: Enter, lie: str
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = await add(ana, Authenticator(**({"origin": ORIGIN} | LIES[lie])))
        assert (page.status, "was not accepted" in page.alert) == (422, True)
        device = Authenticator(ORIGIN)
        assert (await add(ana, device)).status == 200
        for name, value in LIES[lie].items():
            setattr(device, name, value)
        there = await enter(fed, "oak")
        assert ((await use(there, device)).status, there.cookie()) == (422, None)


async def test_an_answer_is_good_once_in_the_browser_that_was_asked_and_for_ten_minutes(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, device = await enter(fed, "oak", "ana"), Authenticator(ORIGIN, counts=False)
        await add(ana, device)
        here, there = await enter(fed, "oak"), await enter(fed, "oak")
        page = await here.get("/login")
        answer = device.use(asked(page))
        pairs = with_answers(filled(page.form("/login")), {"passkey": answer})
        theirs = await there.get("/login")
        mark = dict(filled(theirs.form("/login")))["mark"]
        assert (await there.post("/login", with_answers(pairs, {"mark": mark}))).status == 422
        assert (await here.post("/login", pairs)).path == "/"
        late = await enter(fed, "oak")
        page = await late.get("/login")
        answer = device.use(asked(page))
        fed.clock.advance(LASTS)
        assert (await late.send(page, "/login", passkey=answer)).status == 422


async def test_a_replayed_answer_is_refused_even_where_the_device_does_not_count(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        device = Authenticator(ORIGIN, counts=False)
        await add(await enter(fed, "oak", "ana"), device)
        here = await enter(fed, "oak")
        page = await here.get("/login")
        form_cookie = here.cookie("jura-form")
        pairs = with_answers(filled(page.form("/login")), {"passkey": device.use(asked(page))})
        assert (await here.post("/login", pairs)).path == "/"
        again = await enter(fed, "oak")
        assert form_cookie
        again.set_cookie(form_cookie, "jura-form")
        assert ((await again.post("/login", pairs)).status, again.cookie()) == (422, None)


async def test_a_count_that_does_not_rise_is_a_copy_and_refused(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        device = Authenticator(ORIGIN)
        await add(await enter(fed, "oak", "ana"), device)
        assert (await use(await enter(fed, "oak"), device)).path == "/"
        device.count -= 1
        there = await enter(fed, "oak")
        assert ((await use(there, device)).status, there.cookie()) == (422, None)
        device.count += 5
        assert (await use(await enter(fed, "oak"), device)).path == "/"


async def test_a_passkey_is_its_members_only(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        device = Authenticator(ORIGIN)
        await add(ana, device)
        page = await add(bo, device)
        assert (page.status, "known here already" in page.alert) == (422, True)
        link = (await ana.get("/me/passkeys")).links()["Rename or remove My phone"]
        assert (await bo.get(link)).status == 404
        mark = dict(filled((await bo.get("/me/passkeys")).form("/me/passkeys")))["mark"]
        for act in ("remove", "name"):
            assert (await bo.post(f"{link}/{act}", [("mark", mark), ("name", "mine")])).status == 404
        assert "My phone" in (await ana.get("/me/passkeys")).text
        assert (await (await enter(fed, "oak")).get("/me/passkeys")).path == "/login?next=/me/passkeys"


def junk(device: Authenticator, options: str) -> list[str]:
    """Answers that are wrong in the ways in which bytes can be wrong."""
    said = json.loads(device.use(options))

    def other(**response: Any) -> str:
        return json.dumps({**said, "response": {**said["response"], **response}})

    return [
        "{}",
        "[]",
        "nonsense",
        "[" * 3000,
        '{"id": 1}',
        json.dumps({**said, "rawId": "AAAA"}),
        json.dumps({**said, "type": "password"}),
        json.dumps({**said, "response": None}),
        other(clientDataJSON="AAAA"),
        other(clientDataJSON="é"),
        other(authenticatorData=""),
        other(authenticatorData="AAAA"),
        other(authenticatorData=said["response"]["authenticatorData"] + "AAAA"),
        other(signature=""),
        other(signature=said["response"]["signature"][:-8] + "AAAAAAAA"),
        other(userHandle=5),
        json.dumps({**said, "padding": "x" * 30_000}),
    ]


async def test_junk_is_wrong_and_nothing_more_and_too_much_of_it_must_wait(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        device = Authenticator(ORIGIN)
        await add(await enter(fed, "oak", "ana"), device)
        browser = await enter(fed, "oak")
        page = await browser.get("/login")
        wrong = junk(device, asked(page))
        for answer in [*wrong, *wrong[: 24 - len(wrong)]]:
            assert (await browser.send(page, "/login", passkey=answer)).status == 422, answer[:80]
        assert (await browser.send(page, "/login", passkey="{}")).status == 429
        assert browser.cookie() is None


async def test_who_gets_back_in_by_a_link_reads_that_passkeys_stay(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, lost = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo"), await enter(fed, "oak")
        made = await ana.send(await ana.get("/people/2/recover"), "/recover")
        link = made.by_id("link").attributes["value"].removeprefix("http://oak.test")
        assert "passkey" not in (await lost.get(link)).text
        await add(bo, Authenticator(ORIGIN))
        assert "Your 1 passkey goes on working." in (await lost.get(link)).text
