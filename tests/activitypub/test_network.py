"""Where we never go: every hostile address of the checklist, against the real resolver and socket factory."""

import asyncio
import gzip
import socket
import threading
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from activitypub import network
from activitypub.errors import Forbidden, Gone, Malformed, Refused, TooLarge, Unreachable, WireError
from tests.activitypub.peer import Peer

# Checklist 3.6 #6: what a keyId, an inbox or a redirect may point to.
HOSTILE_HOSTS = [
    "localhost",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[fc00::1]",
    "[fe80::1]",
    "[ff02::1]",
    "[100::1]",
]
HOSTILE_URLS = [
    *(f"https://{host}/" for host in HOSTILE_HOSTS),
    "http://north.example/",
    "https://north.example:25/",
    "https://north.example:22/",
    "https://north.example:8443/",
    "https://north.example:0/",
    "https://north.example:99999/",
    "https://user@north.example/",
    "https://user:secret@north.example/",
    "https://north.example\\@127.0.0.1/",
    "https://north.example/\\x",
    "https://127.0.0.1\\.north.example/",
    "https://north/",
    "https://north.example./",
    "https://.north.example/",
    "https://north..example/",
    "https://-north.example/",
    "https://n\u00f6rth.example/",
    "https://north.example/ x",
    "https://north.example/\r\nX: y",
    "https://north.example/\u00e4",
    "https://%6eorth.example/",
    "https:///x",
    "https:north.example",
    "//north.example/",
    "north.example",
    "",
    "file:///etc/passwd",
    "data:application/activity+json,{}",
    "ftp://north.example/",
    "gopher://north.example/",
    "javascript:alert(1)",
    "https://north.example/" + "x" * 3000,
]
OURS = ["http://north.test/", "https://north.test/x", "http://oak.localhost:8081/c/1", "http://a.b.test:1/"]


@pytest.mark.parametrize("development", [False, True])
@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_anything_is_asked(url: str, development: bool) -> None:
    with pytest.raises((Forbidden, Malformed)):
        network.check_url(url, development)


@pytest.mark.parametrize("url", OURS)
def test_our_invented_names_are_for_development_only(url: str) -> None:
    assert network.check_url(url, True)
    with pytest.raises(Forbidden):
        network.check_url(url, False)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://north.example/c/1", "https://north.example/c/1"),
        ("https://NORTH.example/C", "https://north.example/C"),
        ("https://north.example:443", "https://north.example"),
        (
            "https://xn--nrth-6qa.example/a%2Fb/../c?x=%41#main-key",
            "https://xn--nrth-6qa.example/a%2Fb/../c?x=%41",
        ),
        ("https://north.example/?author=1", "https://north.example/?author=1"),
    ],
)
@pytest.mark.parametrize("development", [False, True])
def test_a_plain_url_is_asked_as_it_was_written(url: str, asked: str, development: bool) -> None:
    assert str(network.check_url(url, development)) == asked


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "193.0.14.129", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_public(address: str) -> None:
    assert network.is_public_address(address)


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_no_hostile_host_is_a_public_address(host: str) -> None:
    assert not network.is_public_address(host.strip("[]"))


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:4700::1111%x", "", "north.example", "1.1.1"])
def test_what_has_a_scope_or_is_no_address_is_not_public(address: str) -> None:
    assert not network.is_public_address(address)


# The socket factory itself


def info(host: str, port: int) -> tuple[Any, ...]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where


@pytest.mark.parametrize("development", [False, True])
async def test_the_factory_opens_public_addresses_on_port_443_only(development: bool) -> None:
    async with network.Guard(development, None) as guard:
        guard.open_socket(info("1.1.1.1", 443)).close()
        for host, port in [("1.1.1.1", 22), ("1.1.1.1", 80), ("127.0.0.1", 443), ("::1", 443)]:
            with pytest.raises(network.AddressRefused):
                guard.open_socket(info(host, port))


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
@pytest.mark.parametrize("development", [False, True])
async def test_a_session_never_connects_to_a_hostile_host_even_unchecked(
    host: str, development: bool, peer: Peer
) -> None:
    async with network.open_session(development) as session:
        with pytest.raises((aiohttp.ClientConnectorError, aiohttp.InvalidURL)) as refused:
            await session.get(f"http://{host}:{peer.port}/")
    if isinstance(refused.value, aiohttp.ClientConnectorError):
        assert isinstance(refused.value.os_error, network.AddressRefused)
    assert peer.asked == []


class Rebinding(AbstractResolver):
    """A name server under an attacker's control: each look-up gives the next address."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        where = self.addresses.pop(0)
        kind = socket.AF_INET6 if ":" in where else socket.AF_INET
        return [ResolveResult(hostname=host, host=where, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None: ...


@pytest.mark.parametrize("first", ["10.0.0.1", "127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254"])
async def test_a_name_that_resolves_to_a_private_address_is_refused_at_every_look_up(
    first: str, peer: Peer
) -> None:
    resolver = Rebinding(first, "127.0.0.1")
    async with network.Guard(False, None) as guard:
        connector = aiohttp.TCPConnector(
            resolver=resolver, socket_factory=guard.open_socket, use_dns_cache=False
        )
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(2):
                with pytest.raises(aiohttp.ClientConnectorError) as refused:
                    await session.get(f"http://evil.example:{peer.port}/")
                assert isinstance(refused.value.os_error, network.AddressRefused)
    assert resolver.addresses == []
    assert peer.asked == []


async def test_an_invented_name_leads_to_loopback_only() -> None:
    async with network.open_session(True, lambda host, port: ("10.0.0.1", port)) as session:
        with pytest.raises(Forbidden) as refused:
            async with network.ask(session, "GET", "http://north.test/", {}):
                pass
        assert refused.value.code == "refused-address"


@pytest.mark.parametrize(
    "url", ["http://unknown.test/", "https://north.example/", "https://localhost.example/"]
)
async def test_where_names_are_told_no_other_name_is_ever_looked_up(url: str, peer: Peer) -> None:
    def names(host: str, port: int) -> tuple[str, int] | None:
        return ("127.0.0.1", peer.port) if host != "unknown.test" else None

    async with network.open_session(True, names) as session:
        with pytest.raises(Unreachable):
            async with network.ask(session, "GET", url, {}):
                pass
    assert peer.asked == []


async def test_a_name_under_localhost_is_this_machine_in_development(peer: Peer) -> None:
    peer.body("/", b"{}")
    async with (
        network.open_session(True) as session,
        network.ask(session, "GET", f"http://oak.localhost:{peer.port}/", {}) as response,
    ):
        assert response.status == 200
    assert peer.asked[0].host == f"oak.localhost:{peer.port}"


async def test_names_cannot_be_invented_outside_development() -> None:
    with pytest.raises(ValueError, match="development only"):
        network.open_session(False, lambda host, port: ("127.0.0.1", port))


async def test_how_a_server_is_asked_is_remembered_by_scheme_name_and_port_of_the_last_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "LINES", 3)
    async with network.open_session(development=True) as session:
        urls = [
            f"{where}/users/a"
            for where in ("http://a.test", "https://a.test", "http://a.test:81", "http://b.test")
        ]
        asked = [network.checked(session, url) for url in urls]
        lines = [guard.line_to(target) for guard, target in asked]
        assert [line.connection_key[:3] for line in lines] == [
            ("a.test", 80, False), ("a.test", 443, True), ("a.test", 81, False), ("b.test", 80, False)
        ]  # fmt: skip
        again = [
            guard.line_to(target) is line for (guard, target), line in zip(asked[1:], lines[1:], strict=True)
        ]
        assert again == [True, True, True]
        assert asked[0][0].line_to(asked[0][1]) is not lines[0], "the longest not asked is forgotten"


async def test_a_request_through_any_other_session_is_refused() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="open_session"):
            async with network.ask(session, "GET", "https://north.example/", {}):
                pass


# Asking


async def test_what_we_ask_says_who_we_are_and_keeps_no_cookies(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    peer.body("/a?b=%2F", b"{}", **{"Set-Cookie": "a=b"})
    for _ in range(2):
        async with network.ask(session, "GET", "http://north.test/a?b=%2F#c", {"X-One": "1"}) as response:
            assert await network.read_body(response, 10) == b"{}"
    assert [asked.target for asked in peer.asked] == ["/a?b=%2F"] * 2
    assert peer.asked[1].headers["User-Agent"] == "Jura/0.1 (+https://south.test)"
    assert peer.asked[1].headers["X-One"] == "1"
    assert "Cookie" not in peer.asked[1].headers


async def test_a_proxy_in_the_environment_is_not_used(
    peer: Peer, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    peer.body("/", b"{}")
    async with network.ask(session, "GET", "http://north.test/", {}) as response:
        assert response.status == 200


async def test_a_server_that_is_not_there_may_be_there_later(unused_tcp_port: int) -> None:
    async with network.open_session(True, lambda host, port: ("127.0.0.1", unused_tcp_port)) as session:
        with pytest.raises(Unreachable) as error:
            async with network.ask(session, "GET", "http://north.test/", {}):
                pass
    assert error.value.code == "no-connection"
    assert not error.value.final


async def test_a_server_that_speaks_no_tls_may_do_so_later(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(Unreachable):
        async with network.ask(session, "GET", "https://north.test/", {}):
            pass


async def test_a_body_is_cut_at_the_limit_however_it_was_packed(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    peer.body("/bomb", gzip.compress(bytes(50_000_000), 1), **{"Content-Encoding": "gzip"})
    peer.body("/big", bytes(1001))
    peer.body("/fits", bytes(1000))
    for path in ("/bomb", "/big"):
        async with network.ask(session, "GET", f"http://north.test{path}", {}) as response:
            with pytest.raises(TooLarge):
                await network.read_body(response, 1000)
    async with network.ask(session, "GET", "http://north.test/fits", {}) as response:
        assert len(await network.read_body(response, 1000)) == 1000


async def test_a_body_that_is_not_packed_as_it_says_is_no_answer(
    peer: Peer, session: aiohttp.ClientSession
) -> None:
    peer.body("/", b"not gzip at all", **{"Content-Encoding": "gzip"})
    with pytest.raises(Unreachable):
        async with network.ask(session, "GET", "http://north.test/", {}) as response:
            await network.read_body(response, 1000)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None),
        (202, None),
        (301, Unreachable),
        (304, Unreachable),
        (400, Refused),
        (401, Unreachable),
        (403, Refused),
        (404, Gone),
        (406, Refused),
        (408, Unreachable),
        (410, Gone),
        (418, Refused),
        (429, Unreachable),
        (500, Unreachable),
        (501, Refused),
        (502, Unreachable),
        (503, Unreachable),
    ],
)
async def test_each_status_is_a_success_a_final_no_or_a_later(
    status: int, kind: type[WireError] | None, peer: Peer, session: aiohttp.ClientSession
) -> None:
    peer.status("/", status, Retry_After="99999999")
    async with network.ask(session, "GET", "http://north.test/", {}) as response:
        if kind is None:
            network.check_status(response.status, response.headers)
            return
        with pytest.raises(kind) as error:
            network.check_status(response.status, response.headers)
    assert type(error.value) is kind
    if isinstance(error.value, Unreachable):
        assert (error.value.status, error.value.retry_after) == (status, "99999999")


async def test_names_whose_servers_do_not_answer_keep_no_thread_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password is checked in the threads that all share; another name is looked up beside them."""
    over, asked, really = threading.Event(), list[str](), socket.getaddrinfo
    loop, all_asked, many = asyncio.get_running_loop(), asyncio.Event(), 64

    def look_up(host: str, *rest: Any, **more: Any) -> Any:
        if host.endswith("silent.example"):
            asked.append(host)
            if len(asked) == many:
                loop.call_soon_threadsafe(all_asked.set)
            over.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "nobody answered")
        return really("127.0.0.1", *rest, **more)

    async def asking(host: str) -> WireError:
        with pytest.raises(WireError) as failed:
            async with network.ask(session, "GET", f"https://{host}/", {}):
                pass
        return failed.value

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with network.open_session(False) as session:
        silent = [asyncio.create_task(asking(f"a{number}.silent.example")) for number in range(many)]
        try:
            async with asyncio.timeout(20):
                await all_asked.wait()
                assert await asyncio.to_thread(lambda: "checked") == "checked"
                assert (await asking("elm.example")).code == "refused-address"
        finally:
            over.set()
        assert {error.code for error in await asyncio.gather(*silent)} == {"no-connection"}
