"""Fetched documents: believed at their own address only, whatever the answer tries."""

import asyncio
import gzip
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from activitypub import keypairs, signatures
from activitypub.claims import Scheme
from activitypub.errors import (
    Forbidden,
    Gone,
    Malformed,
    NotAuthentic,
    Refused,
    TooLarge,
    Unreachable,
    WireError,
)
from activitypub.fetch import Fetcher, is_activity_type
from tests.activitypub.peer import Peer

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = keypairs.generate_rsa()
KEY_ID = "https://south.test/actor#main-key"
ACTOR = "http://north.test/c/assembly"


def sign(method: str, url: str, scheme: Scheme) -> Mapping[str, str]:
    return signatures.sign_request(method, url, None, KEY_ID, KEY, NOW, scheme=scheme)


@pytest.fixture
def fetcher(session: aiohttp.ClientSession) -> Fetcher:
    return Fetcher(session, sign, seconds=5.0)


async def failure(fetcher: Fetcher, url: str) -> WireError:
    with pytest.raises(WireError) as error:
        await fetcher.document(url)
    return error.value


async def test_a_document_at_its_own_address_is_believed(peer: Peer, fetcher: Fetcher) -> None:
    peer.document("/c/assembly", {"id": ACTOR, "type": "Group"})
    assert await fetcher.document(ACTOR) == {"id": ACTOR, "type": "Group"}
    assert (await fetcher.document(f"{ACTOR}#main-key"))["id"] == ACTOR


async def test_what_we_ask_is_signed_for_exactly_this_address(peer: Peer, fetcher: Fetcher) -> None:
    url = "http://north.test/scopes/ab?bucket=a"
    peer.document("/scopes/ab?bucket=a", {"id": url})
    await fetcher.document(url)
    asked = peer.asked[0]
    claim = signatures.read_signature(asked.headers)
    key = KEY.public_key()
    verified = signatures.verify_request(
        claim, "GET", asked.target, asked.headers, b"", "north.test", NOW, key
    )
    assert verified == KEY_ID
    assert asked.headers["Accept"].startswith("application/activity+json")


@pytest.mark.parametrize(
    ("content_type", "believed"),
    [
        ("application/activity+json", True),
        ("application/activity+json; charset=utf-8", True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
        ('Application/LD+JSON;charset=utf-8; Profile="x https://www.w3.org/ns/activitystreams"', True),
        ("application/ld+json; profile=https://www.w3.org/ns/activitystreams", True),
        ("application/ld+json", False),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams.evil"', False),
        ("application/json", False),
        ("text/html", False),
        ("text/plain; application/activity+json", False),
        ("application/octet-stream", False),
        ("", False),
    ],
)
async def test_only_an_activitypub_content_type_is_believed(
    content_type: str, believed: bool, peer: Peer, fetcher: Fetcher
) -> None:
    peer.body("/c/assembly", b'{"id":"http://north.test/c/assembly"}', type=content_type)
    assert is_activity_type(content_type) is believed
    if believed:
        assert await fetcher.document(ACTOR)
    else:
        assert (await failure(fetcher, ACTOR)).code == "wrong-type"


async def test_a_document_that_names_another_address_is_fetched_from_there_once(
    peer: Peer, fetcher: Fetcher
) -> None:
    peer.document("/@assembly", {"id": ACTOR, "name": "claimed"})
    peer.document("/c/assembly", {"id": ACTOR, "name": "true"})
    assert (await fetcher.document("http://north.test/@assembly"))["name"] == "true"
    assert len(peer.asked) == 2


async def test_a_document_that_names_a_third_address_is_not_believed(peer: Peer, fetcher: Fetcher) -> None:
    peer.document("/1", {"id": "http://north.test/2"})
    peer.document("/2", {"id": "http://north.test/3"})
    peer.document("/3", {"id": "http://north.test/3"})
    assert (await failure(fetcher, "http://north.test/1")).code == "not-at-its-id"
    assert len(peer.asked) == 2


async def test_a_document_in_another_servers_name_is_asked_of_that_server(
    peer: Peer, fetcher: Fetcher
) -> None:
    victim = "http://victim.test/users/alice"
    peer.document("evil.test/alice", {"id": victim, "type": "Person", "name": "forged"})
    assert isinstance(await failure(fetcher, "http://evil.test/alice"), Gone)
    peer.document("victim.test/users/alice", {"id": victim, "type": "Person", "name": "real"})
    assert (await fetcher.document("http://evil.test/alice"))["name"] == "real"


@pytest.mark.parametrize("name", [None, 3, "", ["http://north.test/c/assembly"], {"id": ACTOR}])
async def test_a_document_without_an_id_is_not_believed(name: object, peer: Peer, fetcher: Fetcher) -> None:
    peer.document("/c/assembly", {"id": name, "type": "Group"})
    assert isinstance(await failure(fetcher, ACTOR), NotAuthentic | Malformed)


# Redirects


async def test_three_redirects_are_followed_each_signed_anew(peer: Peer, fetcher: Fetcher) -> None:
    peer.status("/1", 301, Location="/2")
    peer.status("/2", 302, Location="http://west.test/3")
    peer.status("west.test/3", 307, Location=f"{ACTOR}#x")
    peer.document("/c/assembly", {"id": ACTOR})
    assert (await fetcher.document("http://north.test/1"))["id"] == ACTOR
    key = KEY.public_key()
    for asked in peer.asked:
        claim = signatures.read_signature(asked.headers)
        signatures.verify_request(claim, "GET", asked.target, asked.headers, b"", asked.host, NOW, key)


async def test_a_fourth_redirect_and_a_loop_are_refused(peer: Peer, fetcher: Fetcher) -> None:
    peer.status("/loop", 302, Location="/loop")
    error = await failure(fetcher, "http://north.test/loop")
    assert isinstance(error, Refused)
    assert error.code == "too-many-redirects"
    assert len(peer.asked) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/c/assembly",
        "http://localhost:{port}/c/assembly",
        "http://[::1]:{port}/",
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "http://north.example/c/assembly",
        "https://north.example:25/",
        "https://user@north.test/",
        "file:///etc/passwd",
        "data:application/activity+json,{{}}",
        "//127.0.0.1:{port}/c/assembly",
    ],
)
async def test_a_redirect_to_where_we_do_not_go_is_refused(
    location: str, peer: Peer, fetcher: Fetcher
) -> None:
    peer.status("/1", 302, Location=location.format(port=peer.port))
    peer.document("/c/assembly", {"id": "http://north.test/1"})
    assert isinstance(await failure(fetcher, "http://north.test/1"), Forbidden | Malformed)
    assert len(peer.asked) == 1


async def test_an_open_redirect_lends_its_servers_name_to_nobody(peer: Peer, fetcher: Fetcher) -> None:
    claimed = "http://victim.test/redirect?to=evil"
    peer.status("victim.test/redirect?to=evil", 302, Location="http://evil.test/x")
    peer.document("evil.test/x", {"id": claimed, "type": "Person"})
    assert (await failure(fetcher, claimed)).code == "not-at-its-id"


async def test_a_redirect_without_a_location_leads_nowhere(peer: Peer, fetcher: Fetcher) -> None:
    peer.status("/c/assembly", 302)
    assert isinstance(await failure(fetcher, ACTOR), Refused)


# Limits


async def test_a_body_over_the_limit_is_refused(peer: Peer, session: aiohttp.ClientSession) -> None:
    peer.body("/c/assembly", b'{"a":"' + b"x" * 1_000_000 + b'"}')
    assert isinstance(await failure(Fetcher(session, sign), ACTOR), TooLarge)


async def test_a_body_that_never_ends_is_cut_by_size(peer: Peer, fetcher: Fetcher) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/activity+json"})
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))

    peer.answers["/c/assembly"] = endless
    assert isinstance(await failure(fetcher, ACTOR), TooLarge)


async def test_a_gzip_bomb_is_cut_by_what_it_unpacks_to(peer: Peer, fetcher: Fetcher) -> None:
    bomb = gzip.compress(b'{"a":"' + b"x" * 50_000_000 + b'"}', 1)
    peer.body("/c/assembly", bomb, **{"Content-Encoding": "gzip"})
    assert isinstance(await failure(fetcher, ACTOR), TooLarge)


async def test_an_answer_that_drips_is_cut_by_time(peer: Peer, session: aiohttp.ClientSession) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/activity+json"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.Event().wait()
        return response

    peer.answers["/c/assembly"] = drip
    error = await failure(Fetcher(session, sign, seconds=0.1), ACTOR)
    assert isinstance(error, Unreachable)
    assert error.code == "timeout"


async def test_redirects_that_drip_share_one_time(peer: Peer, session: aiohttp.ClientSession) -> None:
    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    peer.status("/1", 302, Location="/2")
    peer.answers["/2"] = silent
    error = await failure(Fetcher(session, sign, seconds=0.1), "http://north.test/1")
    assert isinstance(error, Unreachable)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"id":1,"id":2}', b'{"@graph":[]}', b'{"a":NaN}', b"<html>"]
)
async def test_a_body_that_we_do_not_read_is_malformed(body: bytes, peer: Peer, fetcher: Fetcher) -> None:
    peer.body("/c/assembly", body)
    assert isinstance(await failure(fetcher, ACTOR), Malformed)


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (410, Gone), (403, Refused), (503, Unreachable)])
async def test_a_refusal_of_the_other_server_is_told_apart(
    status: int, kind: type[WireError], peer: Peer, fetcher: Fetcher
) -> None:
    peer.status("/c/assembly", status)
    assert type(await failure(fetcher, ACTOR)) is kind


# JRD


async def test_a_jrd_is_fetched_unsigned_and_small(peer: Peer, fetcher: Fetcher) -> None:
    peer.document("/.well-known/webfinger?resource=x", {"subject": "x"}, type="application/jrd+json")
    url = "http://north.test/.well-known/webfinger?resource=x"
    assert await fetcher.jrd(url) == {"subject": "x"}
    assert "Signature" not in peer.asked[0].headers
    peer.body("/.well-known/webfinger?resource=x", b'{"a":"' + b"x" * 64_000 + b'"}', type="application/json")
    with pytest.raises(TooLarge):
        await fetcher.jrd(url)
    peer.document("/.well-known/webfinger?resource=x", {"subject": "x"}, type="text/html")
    with pytest.raises(Malformed):
        await fetcher.jrd(url)
