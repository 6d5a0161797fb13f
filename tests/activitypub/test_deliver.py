"""Deliveries: signed bytes arrive as they are, and every answer is taken, refused or for later."""

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from activitypub import deliver, keypairs, signatures
from activitypub.errors import Forbidden, Gone, Malformed, Refused, Unreachable, WireError
from tests.activitypub.peer import Peer

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = keypairs.generate_rsa()
KEY_ID = "https://south.test/c/union#main-key"
INBOX = "http://north.test/inbox"
BODY = '{"type":"Like","name":"für alle"}'.encode()


async def post(session: aiohttp.ClientSession, inbox: str = INBOX, seconds: float = 5.0) -> deliver.Delivered:
    headers = signatures.sign_request("POST", inbox, BODY, KEY_ID, KEY, NOW)
    return await deliver.post(session, inbox, BODY, headers, seconds)


async def test_what_arrives_is_what_was_signed(peer: Peer, session: aiohttp.ClientSession) -> None:
    peer.status("/inbox", 202)
    assert await post(session) == deliver.Delivered(202)
    asked = peer.asked[0]
    claim = signatures.read_signature(asked.headers)
    key = KEY.public_key()
    verified = signatures.verify_request(
        claim, "POST", asked.target, asked.headers, asked.body, "north.test", NOW, key
    )
    assert verified == KEY_ID
    assert asked.body == BODY
    assert asked.headers["Content-Type"] == "application/activity+json"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, Unreachable),
        (400, Refused),
        (401, Unreachable),
        (403, Refused),
        (404, Gone),
        (408, Unreachable),
        (410, Gone),
        (413, Refused),
        (429, Unreachable),
        (500, Unreachable),
        (501, Refused),
        (503, Unreachable),
    ],
)
async def test_an_inbox_that_says_no_says_whether_for_good(
    status: int, kind: type[WireError], peer: Peer, session: aiohttp.ClientSession
) -> None:
    peer.status("/inbox", status, Location="/elsewhere")
    with pytest.raises(kind) as error:
        await post(session)
    assert type(error.value) is kind
    assert error.value.final is (kind is not Unreachable)
    assert [asked.target for asked in peer.asked] == ["/inbox"]


async def test_a_wish_to_be_asked_later_is_passed_on(peer: Peer, session: aiohttp.ClientSession) -> None:
    peer.status("/inbox", 429, Retry_After="Sun, 22 Nov 2026 10:05:00 GMT")
    with pytest.raises(Unreachable) as error:
        await post(session)
    assert error.value.retry_after == "Sun, 22 Nov 2026 10:05:00 GMT"


async def test_a_success_counts_even_if_its_answer_never_ends(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=202)
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))

    peer.answers["/inbox"] = endless
    assert (await post(session)).status == 202


async def test_an_inbox_that_does_not_answer_in_time_is_for_later(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    peer.answers["/inbox"] = silent
    with pytest.raises(Unreachable):
        await post(session, seconds=0.1)


@pytest.mark.parametrize(
    "inbox", ["http://127.0.0.1/inbox", "https://[::1]/inbox", "http://north.example/inbox", "file:///inbox"]
)
async def test_an_inbox_where_we_do_not_go_is_never_asked(
    inbox: str, peer: Peer, session: aiohttp.ClientSession
) -> None:
    with pytest.raises((Forbidden, Malformed)):
        await post(session, inbox)
    assert peer.asked == []


async def test_deliveries_to_one_server_share_connections(peer: Peer, session: aiohttp.ClientSession) -> None:
    ports = set()

    async def remember(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(status=202, text="accepted")

    peer.answers["/inbox"] = remember
    for _ in range(5):
        await post(session)
    assert len(ports) == 1
