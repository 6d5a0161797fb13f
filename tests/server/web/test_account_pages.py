"""One's own account on its pages: profile, password, settings, log-ins, getting back in, the file about oneself, leaving."""

import io
import json
import zipfile

from server.actions.people import FAILURES_ALLOWED
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.authenticator import Authenticator
from tests.server.web.browser import Browser, Page, filled
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check
from tests.server.web.test_passkeys import ORIGIN, add, asked

NEW = "another long enough one"
PAGES = ("profile", "password", "settings", "logins", "passkeys", "second", "export", "leave")


async def log_in(browser: Browser, login: str, password: str) -> Page:
    return await browser.send(await browser.get("/login"), "/login", login=login, password=password)


def mark_of(page: Page) -> tuple[str, str]:
    return "mark", dict(filled(page.all("form")[0]))["mark"]


async def test_the_pages_are_sound_for_members_and_nobody_else_has_them(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        bo, visitor = await enter(fed, "oak", "bo"), await enter(fed, "oak")
        check(await bo.get("/me"))
        check(await bo.get("/people"))
        for name in PAGES:
            check(await bo.get(f"/me/{name}"))
            assert (await visitor.get(f"/me/{name}")).path == f"/login?next=/me/{name}"
            assert len((await bo.get(f"/me/{name}")).body) < 50_000
        assert (await visitor.get("/people")).path == "/login?next=/people"
        for path in ("/people/1/recover", "/people/requests"):
            assert (await bo.get(path)).status == 403
        mark = mark_of(await bo.get("/me"))
        for path in ("/people/1/recover", "/people/1/remove/ask", "/people/requests/take"):
            assert (await bo.post(path, [mark])).status in (403, 422)
        for path, page in (
            ("/me/second/off", "/me/second"),
            ("/me/second/codes", "/me/second"),
            ("/me/logins/end", "/me/logins"),
            ("/me/passkeys/7/name", "/me/passkeys"),
            ("/me/mail/forget", "/me/mail"),
            ("/me/feeds/make", "/me/feeds"),
            ("/me/disappear", "/me"),
            ("/people/requests/take", "/people/requests"),
        ):
            assert (await bo.get(path)).path == page
        assert (await bo.get("/me/passkeys/7/remove")).status == 404


async def test_name_and_words_are_seen_by_members_and_times_are_local_with_utc_beside(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        page = await bo.send(
            await bo.get("/me/profile"), "/me/profile", name="Bo of the garden", about="I dig."
        )
        assert (page.path, page.heading) == ("/me?done=profile", "Bo of the garden")
        assert "I dig." in (await ana.get("/people")).text
        page = await bo.get("/me/profile")
        page = await bo.send(page, "/me/profile", name="", about="a" * 1001)
        assert (page.status, len(page.problems), page.by_id("about").text) == (422, 2, "a" * 1001)
        check(page)
        page = await bo.send(await bo.get("/me/settings"), "/me/settings", zone="Asia/Kolkata", lang="es")
        check(page, "es")
        (shown,) = [e for e in page.all("time") if e.text.endswith("IST")]
        assert shown.attributes["title"].endswith("UTC")
        assert shown.attributes["datetime"].endswith("Z")
        assert "UTC" in (await ana.get("/me/settings")).all("time")[0].text
        page = await bo.send(page, "/me/settings", zone="Mars/Base")
        assert (page.status, len(page.problems)) == (422, 1)


async def test_a_new_password_takes_the_old_one_or_a_passkey_and_ends_other_log_ins(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, elsewhere = await enter(fed, "oak", "ana"), await enter(fed, "oak", "ana")
        form = await ana.get("/me/password")
        words = {"new__password": NEW, "again": NEW}
        for answers, problems in (
            ({**words, "password": "wrong one"}, ["This is not your password. Try again."]),
            (
                {**words, "again": "x", "password": PASSWORD},
                ["The two are not the same. Write the new password once more."],
            ),
        ):
            page = await ana.send(form, "/me/password", **answers)
            assert (page.status, page.problems) == (422, problems)
            assert NEW not in page.body
            check(page)
        page = await ana.send(form, "/me/password", password=PASSWORD, **words)
        assert page.path == "/me?done=password"
        assert (await elsewhere.get("/me")).path == "/login?next=/me"
        assert (await log_in(elsewhere, "ana", NEW)).path == "/"
        device = Authenticator(ORIGIN)
        await add(ana, device, password=NEW)
        form = await ana.get("/me/password")
        check(form)
        again = {"new__password": PASSWORD, "again": PASSWORD, "passkey": device.use(asked(form))}
        assert (await ana.send(form, "/me/password", **again)).path == "/me?done=password"
        assert (await ana.send(form, "/me/password", **again)).status == 422, (
            "an answer of a device is good once"
        )


async def test_browsers_are_listed_and_logged_out_one_by_one_and_everywhere(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, phone, third = [await enter(fed, "oak", "ana") for _ in range(3)]
        bo, fresh = await enter(fed, "oak", "bo"), await enter(fed, "oak")
        agent = "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
        fresh.session.headers["User-Agent"] = agent
        assert (await log_in(fresh, "ana", PASSWORD)).path == "/"
        page = await ana.get("/me/logins")
        assert page.text.count("this browser") == 2  # its tag and its button
        assert "Firefox on Android" in page.text
        first = page.links()["Log Firefox on Android out"]
        assert (await bo.get(first)).path == "/me/logins"
        assert (await bo.post(first, [mark_of(await bo.get("/me"))])).status == 404
        really = await ana.get(first)
        check(really)
        assert "needs the password or a passkey" in really.text
        assert (await fresh.get("/me")).path == "/me", "to look at the page does nothing"
        assert (await ana.send(really, "/end")).path == "/me/logins?done=login-ended"
        assert (await fresh.get("/me")).path.startswith("/login")
        really = await ana.get(page.links()["Log out everywhere else"])
        check(really)
        assert "They are 2 browsers." in really.text
        await ana.send(really, "/me/logins/end")
        assert "Log out everywhere else" not in (await ana.get("/me/logins")).links()
        assert (await ana.get("/me/logins/end?which=others")).path == "/me/logins"
        assert (await phone.get("/me")).path.startswith("/login")
        assert (await ana.get("/me")).path == "/me"
        await ana.send(await ana.get("/me/logins/end?which=all"), "/me/logins/end")
        assert (await ana.get("/me")).path.startswith("/login")
        assert (await third.get("/me")).path.startswith("/login")
        assert (await bo.get("/me")).path == "/me"


async def test_somebody_who_lost_the_password_gets_back_in_and_is_told(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, lost = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo"), await enter(fed, "oak")
        form = await ana.get((await ana.get("/people")).links()["Help Bo to log in"])
        check(form)
        page = await ana.send(form, "/recover")
        check(page)
        link = page.by_id("link").attributes["value"].removeprefix("http://oak.test")
        told = await bo.get("/")
        assert "Ana made it just now under mandate no. 1" in told.text
        check(told)
        assert (await bo.send(told, "/recovery/cancel")).path == "/me?done=link-cancelled"
        over = await lost.get(link)
        assert (over.status, "works no more" in over.text) == (409, True)
        page = await ana.send(form, "/recover")
        link = page.by_id("link").attributes["value"].removeprefix("http://oak.test")
        form = await lost.get(link)
        check(form)
        page = await lost.send(form, link, new__password="short", again="short")
        assert page.status == 422
        for _ in range(FAILURES_ALLOWED):
            await log_in(lost, "bo", "what was it")
        assert (await log_in(lost, "bo", NEW)).status == 429
        page = await lost.send(form, link, new__password=NEW, again=NEW)
        assert page.path == "/login?done=recovered"
        check(page)
        assert (await bo.get("/me")).path.startswith("/login"), "every log-in is ended"
        assert (await lost.get(link)).status == 409
        assert (await lost.get("/recover/unknown")).status == 404
        assert (await log_in(lost, "bo", PASSWORD)).status == 422, "what was guessed before is forgotten"
        assert (await log_in(lost, "bo", NEW)).path == "/"
        assert "Your password was set anew with a link" in (await lost.get("/me")).text


async def test_the_file_about_oneself_can_be_read_by_people_and_machines(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await ana.send(await ana.get("/me/profile"), "/me/profile", name="Ana <b>", about="x")
        mark = mark_of(await ana.get("/me/export"))
        async with ana.session.post(
            f"{ana.base}/me/export",
            data=[mark],
            headers={"Origin": ana.home, "Sec-Fetch-Site": "same-origin"},
        ) as response:
            assert response.headers["Content-Disposition"] == 'attachment; filename="oak-about-me.zip"'
            assert response.headers["Cache-Control"] == "no-store"
            archive = zipfile.ZipFile(io.BytesIO(await response.read()))
        said = json.loads(archive.read("about-me.json"))
        assert said["account"]["name"] == "Ana <b>"
        assert said["mandates"][0]["powers"]
        page = archive.read("about-me.html").decode()
        assert "Ana &lt;b&gt;" in page
        assert "<b>" not in page
        assert "ask whoever runs this instance" in page


async def test_one_leaves_for_good_after_reading_what_stays(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        form = await bo.get("/me/leave")
        for gone in ("logged out everywhere", "Your notices, your address for e-mail and the secret address"):
            assert gone in form.text
        assert "Links that you made for others to log in open nothing any more." in form.text
        page = await bo.send(form, "/me/leave", password=PASSWORD)
        assert (page.status, page.problems) == (422, ["Choose one of the two."])
        check(page)
        page = await bo.send(form, "/me/leave", parting="erase", password="wrong one")
        assert page.status == 422
        assert [e for e in page.all("input") if e.get("value") == "erase" and "checked" in e.attributes]
        page = await bo.send(form, "/me/leave", parting="erase", password=PASSWORD)
        assert (page.path, bo.cookie()) == ("/?done=you-left", None)
        assert "You have left" in page.said
        assert (await log_in(bo, "bo", PASSWORD)).status == 422
        people = await ana.get("/people")
        assert "1 person is in" in people.text
        assert (await ana.get("/people/2/recover")).status == 404


async def test_who_left_with_their_name_is_erased_when_they_ask_for_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=3) as fed:
        ana, bo, cem = [await enter(fed, "oak", who) for who in ("ana", "bo", "cem")]
        page = await ana.get((await ana.get("/people")).links()["Who has left"])
        check(page)
        assert "Nobody has left whose name is still here." in page.text
        await bo.send(await bo.get("/me/leave"), "/me/leave", parting="leave", password=PASSWORD)
        page = await ana.get("/people/former")
        check(page)
        page = await ana.get(page.links()["Erase Bo"])
        check(page)
        mark = mark_of(await cem.get("/me"))
        for path in ("/people/former", "/people/2/erase"):
            assert (await cem.get(path)).status == 403
        assert (await cem.post("/people/2/erase", [mark])).status == 403
        assert (await ana.get("/people/3/erase")).status == 404, "who is a member erases themselves"
        done = await ana.send(page, "/people/2/erase")
        assert (done.path, done.said) == (
            "/people/former?done=person-erased",
            "Nothing here says any more who they were.",
        )
        assert "Bo" not in done.text
        assert (await ana.send(page, "/people/2/erase")).path == done.path, "clicked twice, done once"
        assert (await ana.get("/people/2/erase")).status == 404
