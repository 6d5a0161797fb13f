"""Pages on which somebody speaks as the collective: writing, looking at it, changing, deleting; pictures; tags."""

import io
import zipfile
from datetime import datetime, timedelta

import aiohttp
import orjson
import pytest
from PIL import Image
from sqlalchemy import select, update

from models.mandates import MandateRow
from models.posts import Activity, Post
from models.talk import Reply
from models.uploads import Upload
from server.keys import DATABASE
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page, filled, with_answers
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

TEXT = "We met in the yard.\n\nThe #Orchard is <ours> now: https://oak.test/orchard."


def photo(size: tuple[int, int] = (640, 480), kind: str = "JPEG") -> bytes:
    """A picture that says where it was taken."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "Camera of Mr. Vogel"
    Image.new("RGB", size, (20, 120, 60)).save(out, kind, exif=exif, comment=b"at 12 Elm Road")
    return out.getvalue()


async def write(browser: Browser, text: str, path: str = "/posts/new") -> Page:
    """Write, look at it, publish."""
    preview = await browser.send(await browser.get(path), path, text=text)
    check(preview)
    return await publish(browser, preview, path.partition("?")[0])


async def publish(browser: Browser, preview: Page, action: str) -> Page:
    """Press the button of a preview."""
    form = next(f for f in preview.all("form") if any(i.get("name") == "step" for i in f.all("input")))
    assert form.get("action") == action
    return await browser.post(action, filled(form))


async def upload(browser: Browser, page: Page, file: bytes, alt: str, action: str = "/posts/images") -> Page:
    """Send a form of a page with a file, as the button of that form does."""
    form = next(f for f in page.all("form") if any(i.get("type") == "file" for i in f.all("input")))
    data = aiohttp.FormData()
    for name, value in filled(form):  # in the order of the page, as browsers send them
        if name == "picture":
            data.add_field("picture", io.BytesIO(file), filename="yard.jpg", content_type="text/html")
        else:
            data.add_field(name, alt if name == "alt" else value, content_type="text/plain")
    headers = {"Accept": "text/html", "Origin": browser.home, "Sec-Fetch-Site": "same-origin"}
    async with browser.session.post(browser.base + action, data=data, headers=headers) as response:
        return Page(response.status, str(response.url), response.headers, await response.text())


async def test_a_post_is_looked_at_first_and_then_everybody_can_read_it(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        check(await ana.get("/posts/new"))
        preview = await ana.send(await ana.get("/posts/new"), "/posts/new", text=TEXT)
        check(preview)
        assert f"{len(TEXT)} of 5,000 characters" in preview.text
        assert "Nothing has been posted yet." in (await visitor.get("/posts")).text
        page = await publish(ana, preview, "/posts/new")
        check(page)
        assert page.said == "Published. Followers are being told."
        seen = await visitor.get(page.path.partition("?")[0])
        check(seen)
        assert "The #Orchard is <ours> now: https://oak.test/orchard." in seen.text
        assert seen.links()["#Orchard"] == "http://oak.test/tags/orchard"
        assert seen.links()["https://oak.test/orchard"] == "https://oak.test/orchard"
        for path in ("/posts", "/tags/orchard", "/tags/ORCHARD"):
            found = await visitor.get(path)
            check(found)
            assert "We met in the yard." in found.text
        assert "Nothing here has this word." in (await visitor.get("/tags/pear")).text


async def test_the_same_post_sent_twice_is_one(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        preview = await ana.send(await ana.get("/posts/new"), "/posts/new", text=TEXT)
        first, second = [await publish(ana, preview, "/posts/new") for _ in range(2)]
        assert first.path == second.path


async def test_the_same_words_to_somebody_else_or_with_a_picture_are_another_post(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        one, other = [(await write(ana, words)).path.partition("?")[0] for words in ("Bread?", "Soup?")]
        thanks = []
        for path in (one, other):
            async with fed.oak.session() as session:
                uri = await session.scalar(select(Post.uri).where(Post.uri.endswith(path.rpartition("/")[2])))
            new = await ana.get(f"/posts/new?reply_to={uri}")
            preview = await ana.send(new, "/posts/new", text="Thank you")
            thanks += [(await publish(ana, preview, "/posts/new")).path for _ in range(2)]
        assert thanks[0] == thanks[1]
        assert thanks[2] == thanks[3]
        assert len(set(thanks)) == 2


async def test_a_changed_post_says_so_and_keeps_what_it_said_before(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        path = (await write(ana, "The #orchard is ours")).path.partition("?")[0]
        fed.clock.advance(timedelta(hours=1))
        page = await write(ana, "The #garden is ours", f"{path}/edit")
        check(page)
        assert "edited" in page.text
        assert "1 earlier version" in page.text
        assert "The #orchard is ours" in page.text
        assert "The #garden is ours" in page.text
        assert "Nothing here" in (await ana.get("/tags/orchard")).text
        again = await write(ana, "The #garden is ours", f"{path}/edit")
        assert "1 earlier version" in again.text  # the same words are no change
        async with fed.oak.session() as session:
            updates = list(await session.scalars(select(Activity.uri).where(Activity.type == "Update")))
        assert len(updates) == 1


async def test_a_deleted_post_leaves_no_words_and_no_pictures(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        form = await upload(ana, await ana.get("/posts/new"), photo(), "The yard")
        path = (await with_picture(ana, form, "Orchard secret")).path.partition("?")[0]
        (address,) = pictures(await visitor.get(path))
        await write(ana, "Orchard secret, mended", f"{path}/edit")
        question = await ana.get(f"{path}/delete")
        check(question)
        check(await ana.send(question, f"{path}/delete"))
        assert (await visitor.get(path)).status == 410
        assert (await visitor.get(address)).status == 404
        assert (await ana.send(question, f"{path}/delete")).status == 410  # a second time changes nothing
        token = path.rpartition("/")[2]
        status, body = await fed.get(f"http://oak.test/o/{token}")
        assert (status, orjson.loads(body)["type"]) == (410, "Tombstone")
        assert (await fed.get(f"http://oak.test/a/{token}"))[0] == 404
        assert "secret" not in (await visitor.get("/posts")).text
        async with fed.oak.session() as session:
            kept = [*await session.scalars(select(Post.body)), *await session.scalars(select(Activity.body))]
            assert not [body for body in kept if b"secret" in body]
            assert list(await session.scalars(select(Post.source).where(Post.kind == "post"))) == [None]
            assert list(await session.scalars(select(Upload.id))) == []


async def with_picture(browser: Browser, form: Page, text: str) -> Page:
    """Publish from a form that has pictures already."""
    return await publish(browser, await browser.send(form, "/posts/new", text=text), "/posts/new")


def pictures(page: Page) -> list[str]:
    return [image.attributes["src"] for image in page.all("img")]


async def test_an_uploaded_picture_is_written_anew_and_served_as_nothing_else(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        compose = await ana.send(await ana.get("/posts/new"), "/posts/new", text="Look")
        form = await upload(ana, compose, photo(), "The yard, seen from the gate")
        check(form)
        assert form.by_id("text").text == "Look"
        (waiting,) = pictures(form)
        assert (await visitor.get(waiting)).status == 404  # only its uploader sees it before it is posted
        page = await with_picture(ana, form, "Look")
        (address,) = pictures(page)
        assert [image.get("alt") for image in page.all("img")] == ["The yard, seen from the gate"]
        async with visitor.session.get(visitor.base + address, headers={"Accept": "*/*"}) as answer:
            body, headers = await answer.read(), answer.headers
        assert headers["Content-Type"] == "image/jpeg"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["Cache-Control"] == "public, max-age=3600"
        assert not [word for word in (b"Vogel", b"Elm Road", b"Exif") if word in body]
        assert Image.open(io.BytesIO(body)).size == (640, 480)
        other = {"Accept": "application/activity+json"}
        async with visitor.session.get(visitor.base + address, headers=other) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"


async def test_what_is_no_picture_is_refused_in_words_and_nothing_typed_is_lost(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        compose = await ana.send(await ana.get("/posts/new"), "/posts/new", text="Look")
        cases = {
            b'{"type": "Note"}': "not a PNG, JPEG or WebP picture",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>": "not a PNG, JPEG or WebP picture",
            photo()[:300]: "not a PNG, JPEG or WebP picture",
            photo((6000, 6000)): "more than 24 million pixels",
            b"": "Choose a picture",
        }
        for body, words in cases.items():
            page = await upload(ana, compose, body, "The yard")
            assert page.status == 422
            assert words in page.problems[0], page.problems
            assert page.by_id("text").text == "Look"
        assert "for those who do not see it" in (await upload(ana, compose, photo(), " ")).problems[0]
        assert (await upload(ana, compose, b"x" * 8_000_001, "The yard")).status == 413


@pytest.mark.parametrize(
    "body", [b"--x\r\nrubbish", b"--x\r\n", b"rubbish", b"--x\r\n\0: \r\n\r\n--x--", b""]
)
async def test_a_form_with_a_file_that_cannot_be_read_is_refused_in_words(
    meetings: Meetings, enter: Enter, body: bytes
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        headers = {
            "Accept": "text/html",
            "Origin": ana.home,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "multipart/form-data; boundary=x",
        }
        for action in ("/posts/icon", "/posts/images"):
            async with ana.session.post(ana.base + action, data=body, headers=headers) as response:
                page = Page(response.status, str(response.url), response.headers, await response.text())
            assert page.status in {400, 403}, "a form without its mark, or none at all"
            check(page)


async def test_pages_say_what_to_mend_in_a_post(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        form = await ana.get("/posts/new")
        for text, words in {
            "": "Write something.",
            "x" * 5_001: "This has 5,001 characters",
            "Thanks @nobody@oak.test": "Nobody could be found as @nobody@oak.test",
        }.items():
            page = await ana.send(form, "/posts/new", text=text)
            check(page)
            assert page.status == 422
            assert words in page.problems[0]
            assert page.by_id("text").text == text


async def test_who_may_not_speak_reads_only(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo, visitor = [await enter(fed, "oak", name) for name in ("ana", "bo", "")]
        path = (await write(ana, "Hello")).path.partition("?")[0]
        compose = await ana.get("/posts/new")
        for place in ("/posts/new", f"{path}/edit", f"{path}/delete", "/posts/icon"):
            assert (await bo.get(place)).status == 403
            assert "/login?next=" in (await visitor.get(place, follow=False)).headers["Location"]
        assert "Write a post" not in (await bo.get("/posts")).text
        async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
            await session.execute(update(MandateRow).values(ends_at=fed.clock.now()))
        assert (await ana.send(compose, "/posts/new", text="Once more")).status == 403
        assert (await upload(ana, compose, photo(), "The yard")).status == 403
        assert "Once more" not in (await visitor.get("/posts")).text


async def test_the_collective_gets_a_picture_of_its_own(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        before = orjson.loads((await fed.get("http://oak.test/c/oak"))[1])["icon"]
        assert before["mediaType"] == "image/png"
        page = await ana.get("/posts/icon")
        check(page)
        changed = await upload(ana, page, photo((500, 500), "PNG"), "An oak", "/posts/icon")
        assert changed.said.startswith("The collective has a new picture.")
        fed.clock.advance(timedelta(minutes=1))
        after = orjson.loads((await fed.get("http://oak.test/c/oak"))[1])["icon"]
        assert (after["mediaType"], after["name"]) == ("image/png", "An oak")
        assert after["url"].removeprefix("http://oak.test") in pictures(changed)
        async with ana.session.get(ana.base + after["url"].removeprefix("http://oak.test")) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=3600")


async def test_nothing_is_said_about_what_is_not_public(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1, elm=1) as fed:
        await fed.oak.convene("elm", visibility="federation")
        await fed.settle()
        ana = await enter(fed, "oak", "ana")
        async with fed.oak.session() as session:
            secret = (await session.scalars(select(Post.uri).where(Post.scope == fed.decision))).first()
        assert secret is not None
        assert (await ana.get(f"/posts/new?reply_to={secret}")).status == 404
        form = await ana.get("/posts/new")
        refused = await ana.post(
            "/posts/new",
            with_answers(
                filled(form.form("/posts/new")), {"text": "Psst", "reply_to": secret, "step": "publish"}
            ),
        )
        assert refused.status == 404
        for place in (f"threads/{fed.decision}", f"{secret.removeprefix('http://oak.test/')}/replies"):
            assert (await fed.get(f"http://oak.test/{place}"))[0] == 404
        assert "cargo bike" not in (await ana.get("/posts")).text


async def test_a_reply_from_outside_is_answered_in_the_thread_of_its_decision(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
            query = select(Post).where(Post.scope == fed.decision, Post.is_public)
            root = (await session.scalars(query)).first()
            assert root is not None
            session.add(reply_to(root, fed.clock.now()))
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        link = "Reply as the collective to https://masto.example/ana"
        assert link not in (await visitor.get(f"/decisions/{fed.decision}")).links()
        form = await ana.get((await ana.get(f"/decisions/{fed.decision}")).links()[link])
        check(form)
        fed.clock.advance(timedelta(minutes=1))
        preview = await ana.send(form, "/posts/new", text="We repair it on Mondays.")
        page = await publish(ana, preview, "/posts/new")
        check(page)
        assert page.links()["this decision"] == f"/decisions/{fed.decision}"
        items = orjson.loads((await fed.get(f"http://oak.test/threads/{fed.decision}?page=1"))[1])[
            "orderedItems"
        ]
        token = page.path.partition("?")[0].rpartition("/")[2]
        assert items[-2:] == ["https://masto.example/ana/1", f"http://oak.test/o/{token}"]
        document = orjson.loads((await fed.get(f"http://oak.test/o/{token}"))[1])
        assert document["inReplyTo"] == "https://masto.example/ana/1"


def reply_to(root: Post, now: datetime) -> Reply:
    """A public reply from outside, as it is kept."""
    return Reply(
        uri="https://masto.example/ana/1",
        author="https://masto.example/ana",
        authority="masto.example",
        in_reply_to=root.uri,
        post_id=root.id,
        scope=root.scope,
        content="<p>Who repairs it?</p>",
        is_public=True,
        attachments=[],
        received_at=now,
    )


async def test_a_long_title_that_is_removed_goes_from_the_poll_too(meetings: Meetings) -> None:
    long = "Ask " + "Mr. Vogel and all his many cousins " * 4
    async with meetings.founded(oak=1) as fed:
        plan = {"method": "approval", "proposals": (long.strip(), "Leave it"), "gather": timedelta()}
        await fed.oak.convene(**plan)
        await fed.settle()
        (title,) = [
            r["title"]
            for r in await fed.oak.records("Option")
            if (await fed.oak.texts())[r["title"]] == long.strip()
        ]
        await fed.oak.redact(title)
        async with fed.oak.session() as session:
            kept = [*await session.scalars(select(Post.body)), *await session.scalars(select(Activity.body))]
        assert [body for body in kept if b"(removed)" in body]
        assert not [body for body in kept if b"Vogel" in body]


async def test_the_pictures_that_somebody_uploaded_are_in_the_file_about_them_and_in_nobody_elses(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await upload(ana, await ana.get("/posts/new"), photo(), "The yard")
        page = await upload(
            ana, await ana.get("/posts/icon"), photo((500, 500), "PNG"), "An oak", "/posts/icon"
        )
        (icon,) = pictures(page)
        async with ana.session.get(f"{ana.base}{icon}") as answer:
            shown = await answer.read()
        archive = await everything_about(ana)
        told = orjson.loads(archive.read("about-me.json"))["pictures that you uploaded"]
        assert [one["words for who does not see it"] for one in told] == ["The yard", "An oak"]
        assert told[1]["file"] == f"pictures/{icon.removeprefix('/media/')}.png"
        assert archive.read(told[1]["file"]) == shown
        assert archive.read(told[0]["file"])[:3] == b"\xff\xd8\xff"
        assert archive.testzip() is None
        assert (await everything_about(bo)).namelist() == ["about-me.json", "about-me.html"]


async def everything_about(browser: Browser) -> zipfile.ZipFile:
    pairs = filled((await browser.get("/me/export")).form("/me/export"))
    headers = {"Origin": browser.home, "Sec-Fetch-Site": "same-origin"}
    async with browser.session.post(f"{browser.base}/me/export", data=pairs, headers=headers) as answer:
        body = await answer.read()
        assert answer.content_length == len(body)
        return zipfile.ZipFile(io.BytesIO(body))
