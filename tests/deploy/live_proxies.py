"""An instance behind nginx and Caddy as Debian has them, with the examples of `deploy/`: what a proxy can get wrong, it gets right.

(`make test` leaves this file alone; `make test-deploy` runs it with those of the two that are installed.)
"""

import asyncio
import io
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest
from PIL import Image

from server.pictures import MOST_BYTES
from tests.deploy.conftest import Fronted
from tests.deploy.proxies import CADDY, NGINX
from tests.federation.stock import PASSWORD
from tests.peers.bovine_server import Server
from tests.peers.door import Asked
from tests.peers.flows import decide, followed
from tests.server.web.browser import Browser, Page, filled
from tests.server.web.test_live import listening, say, stream_of

pytestmark = pytest.mark.asyncio(loop_scope="class")

FORGED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "Forwarded": "for=203.0.113.9"}
PROXY_LIMIT = 9_500_000  # more than either lets through


@asynccontextmanager
async def browser(town: Fronted, login: str = "") -> AsyncIterator[Browser]:
    """A browser that goes through the proxy; with a name somebody logs in by the page."""
    async with Browser(SimpleNamespace(settings=town.settings)) as found:  # type: ignore[arg-type]
        await found.session.close()
        found.base, found.session = town.settings.url, town.client()
        if login:
            page = await found.send(await found.get("/login"), "/login", login=login, password=PASSWORD)
            assert page.path == "/", page.text
        yield found


def passed_on(town: Fronted, path: str) -> Asked:
    """The last request for this path that came through."""
    return [one for one in town.door.asked if one.path == path][-1]


async def add_picture(ana: Browser, body: bytes) -> Page:
    """What comes of adding a picture to a post, or of trying to."""
    form = next(form for form in (await ana.get("/posts/new")).all("form") if "picture" in names(form))
    data = aiohttp.FormData([(k, v) for k, v in filled(form) if k not in ("picture", "alt")])
    data.add_field("alt", "Noise")
    data.add_field("picture", io.BytesIO(body), filename="noise.png", content_type="image/png")
    said = {"Accept": "text/html", "Origin": ana.home, "Sec-Fetch-Site": "same-origin"}
    async with ana.session.post(f"{ana.base}/posts/images", data=data, headers=said) as answer:
        return Page(answer.status, str(answer.url), answer.headers, await answer.text())


def names(form: object) -> list[str | None]:
    return [field.get("name") for field in form.all("input", "textarea")]  # type: ignore[attr-defined]


def large_picture() -> bytes:
    """A picture that is nearly as large as pictures may be."""
    side, written = 1620, io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(written, "PNG")
    assert 0.95 * MOST_BYTES < written.tell() <= MOST_BYTES
    return written.getvalue()


class Behind:
    """What holds behind each of them."""

    async def test_browsers_are_offered_http_2(self, town: Fronted) -> None:
        trusting = ssl.create_default_context(cafile=str(town.certificates))
        trusting.set_alpn_protocols(["h2", "http/1.1"])
        _, writer = await asyncio.open_connection(
            "127.0.0.1", town.place.https, ssl=trusting, server_hostname=town.host
        )
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        writer.close()

    async def test_plain_http_leads_to_the_same_page_by_https(self, town: Fronted) -> None:
        at = f"http://127.0.0.1:{town.place.http}/decisions?page=2"
        async with (
            aiohttp.ClientSession() as anybody,
            anybody.get(at, headers={"Host": town.host}, allow_redirects=False) as answer,
        ):
            assert answer.status in (301, 308)
            assert answer.headers["Location"] == f"https://{town.host}/decisions?page=2"

    async def test_browsers_are_told_to_come_by_https_alone_and_only_there(self, town: Fronted) -> None:
        hsts = "Strict-Transport-Security"
        async with browser(town) as visitor:
            for path, status in (("/about", 200), ("/nowhere", 404), ("/private/x/decisions.atom", 404)):
                page = await visitor.get(path)
                assert (page.status, page.headers.getall(hsts)) == (status, ["max-age=31536000"])
        at = f"http://127.0.0.1:{town.place.http}/about"
        async with (
            aiohttp.ClientSession() as anybody,
            anybody.get(at, headers={"Host": town.host}, allow_redirects=False) as answer,
        ):
            assert hsts not in answer.headers

    async def test_the_name_arrives_as_it_was_sent_and_nobody_can_pretend_to_come_from_elsewhere(
        self, town: Fronted
    ) -> None:
        async with browser(town) as visitor:
            assert (await visitor.get("/about", headers=FORGED)).status == 200
        told = passed_on(town, "/about").headers
        assert told["host"] == town.host
        assert told["x-forwarded-for"].split(",")[-1].strip() == "127.0.0.1"  # JURA_PROXIES=1 takes the last

    async def test_who_logs_in_has_a_cookie_for_https_alone_and_stays_logged_in(self, town: Fronted) -> None:
        async with browser(town, "ana") as ana:
            kept = {cookie.key: bool(cookie["secure"]) for cookie in ana.session.cookie_jar}
            assert kept["__Host-jura"]
            assert all(kept.values())
            assert (await ana.get("/me")).status == 200

    async def test_what_happens_is_told_at_once_to_an_open_page(self, town: Fronted) -> None:
        await decide(town)
        path = f"/decisions/{town.decision}"
        async with browser(town, "ana") as ana, browser(town, "bo") as bo:
            address = stream_of(await ana.get(path))
            async with listening(ana, address) as hers:
                assert hers.answer.content_type == "text/event-stream"
                await say(bo, path)
                assert (await hers.event())["event"] == "changed"

    async def test_a_picture_of_almost_the_limit_passes(self, town: Fronted) -> None:
        async with browser(town, "ana") as ana:
            page = await add_picture(ana, large_picture())
            assert (page.status, page.problems) == (200, [])
            assert "Noise" in page.text

    async def test_one_that_is_too_large_is_explained_by_the_instance(self, town: Fronted) -> None:
        async with browser(town, "ana") as ana:
            page = await add_picture(ana, b"\x89PNG\r\n" + bytes(MOST_BYTES + 100_000))
            assert "8 MB" in page.root.text

    async def test_more_than_any_picture_does_not_get_through(self, town: Fronted) -> None:
        async with browser(town, "ana") as ana:
            page = await add_picture(ana, bytes(PROXY_LIMIT))
        assert page.status in (
            413,
            502,
        )  # Caddy 2.6 says the latter, as the instance was told less than was announced

    async def test_secret_addresses_of_feeds_are_not_logged(self, town: Fronted) -> None:
        async with browser(town) as visitor:
            await visitor.get(f"/private/{'secret' * 5}/decisions.atom")
        assert passed_on(town, f"/private/{'secret' * 5}/decisions.atom").status == 404
        written = [path for path in town.place.folder.rglob("*") if path.is_file()]
        assert not [path for path in written if b"secretsecret" in path.read_bytes()]

    async def test_another_server_follows_and_believes_what_it_gets(self, town: Fronted) -> None:
        """Its signature covers the name, the path and the body; ours comes back to it."""
        async with Server(town) as server:
            ana = await server.person()
            assert (await ana.look_up(town.handle))["id"] == town.oak_uri
            await followed(town, ana)
            assert await server.turned_away() == []
        assert town.complaints() == []


class TestNginx(Behind):
    program = NGINX


class TestCaddy(Behind):
    program = CADDY
