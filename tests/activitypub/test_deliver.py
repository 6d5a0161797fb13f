"""Deliveries: signed bytes arrive as they are, and every answer is taken, refused or for later."""

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from activitypub import deliver, keypairs, network, signatures
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


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", None),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 8 + b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202),
        (
            b"HTTP/1.1 102 Processing\r\n\r\n" * 9 + b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            None,
        ),
        (b"HTTP/1.1 202 Accepted\r\nNo Colon\r\n\r\n", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None),
        (b"HTTP/1.1 202 Acc", None),
        (b"", None),
    ],
)
async def test_what_is_no_answer_is_for_later(answer: bytes, status: int | None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, network.open_session(True, lambda *_: ("127.0.0.1", port)) as session:
        if status is not None:
            assert (await post(session)).status == status
            return
        with pytest.raises(Unreachable):
            await post(session)


async def test_a_connection_that_said_too_much_is_not_used_again(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    ports = []

    async def much(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.Response(status=202, body=bytes(1_000_000))

    peer.answers["/inbox"] = much
    for _ in range(2):
        await post(session)
    assert len(set(ports)) == 2


@pytest.mark.parametrize("value", ["a\r\nHost: south.test", "a\nb", "ä"])
async def test_no_header_is_ever_two(value: str, peer: Peer, session: aiohttp.ClientSession) -> None:
    with pytest.raises(ValueError, match=r"line break|ascii"):
        await deliver.post(session, INBOX, BODY, {"Host": "north.test", "X-One": value})
    assert peer.asked == []


async def test_who_stops_waiting_leaves_no_connection_behind(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    asked = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    peer.answers["/inbox"] = silent
    posting = asyncio.create_task(post(session))
    await asked.wait()
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting
    peer.status("/inbox", 202)
    assert (await post(session)).status == 202
