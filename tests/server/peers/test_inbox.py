"""The door: what is let in, what is turned away with which status, and that what is turned away changes nothing."""

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web
from multidict import CIMultiDict

from activitypub import signatures
from activitypub.claims import Scheme
from models import tables
from models.events import Event
from models.follows import Follow
from models.peers import Peer
from models.people import Actor
from models.queues import InboxItem
from server import fetching
from server.keys import CLOCK
from server.peers import inbox
from tests.server.peers.world import ACTIVITY, Person, Stranger, World, rsa_key

INBOX = "http://oak.test/inbox"
OAK = "http://oak.test/c/oak"
Headers = dict[str, str]


def follow(by: Person) -> dict[str, Any]:
    return by.activity("Follow", object=OAK)


async def everything(world: World) -> dict[str, int]:
    """How many rows each table has."""
    return {name: await world.count(table) for name, table in tables.metadata.tables.items()}


async def send(world: World, body: bytes, headers: Headers, url: str = INBOX) -> int:
    status, _, _ = await world.request("POST", url, headers=headers, body=body)
    return status


async def test_what_is_let_in_is_stored_with_an_event_and_answered_with_202(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    wish = follow(ana)
    assert await world.post(ana, wish) == 202
    item = await world.item(wish["id"])
    assert (item.signer, item.outcome, orjson.loads(item.body or b"")) == (ana.uri, None, wish)
    assert [e.detail for e in await world.events("activity received")] == [{"type": "Follow"}]
    assert await world.count(Follow) == 0


async def test_the_inbox_of_each_actor_takes_the_same_and_that_of_nobody_nothing(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    for handle, status in (("oak", 202), ("assembly", 202), ("instance", 202), ("nobody", 404), ("OAK", 404)):
        assert await world.post(ana, follow(ana), to=f"http://oak.test/c/{handle}/inbox") == status


async def test_an_actor_is_fetched_once_with_our_own_signature_and_remembered(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await world.post(ana, follow(ana))
    await world.post(ana, follow(ana))
    [asked] = [a for a in masto.asked if a.method == "GET"]
    assert asked.target == "/users/ana"
    claim = signatures.read_signature(asked.headers)
    assert claim.key_id == "http://oak.test/c/instance#main-key"


async def test_the_peer_is_noted_with_the_offset_of_its_clock(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    wish = orjson.dumps(follow(ana))
    ahead = world.clock.now() + timedelta(minutes=3)
    headers = signatures.sign_request("POST", INBOX, wish, ana.key_id, ana.rsa, ahead)
    assert await send(world, wish, headers) == 202
    async with world.database().READ() as session:
        peer = await session.get_one(Peer, "masto.test")
    assert peer.clock_offset == pytest.approx(180)
    assert peer.seen_at == world.clock.now()


# Turned away


def broken(change: Callable[[bytes, Headers], tuple[bytes, Headers]]) -> Callable[..., tuple[bytes, Headers]]:
    return change


def unsigned(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body, {k: v for k, v in headers.items() if k != "Signature"}


def other_body(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body.replace(b"Follow", b"Create"), headers


def without(name: str) -> Callable[[bytes, Headers], tuple[bytes, Headers]]:
    return lambda body, headers: (body, {k: v for k, v in headers.items() if k != name})


def with_(**changed: str) -> Callable[[bytes, Headers], tuple[bytes, Headers]]:
    return lambda body, headers: (body, {**headers, **{k.replace("_", "-"): v for k, v in changed.items()}})


def zipped(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return gzip.compress(body), {**headers, "Content-Encoding": "gzip"}


def other_key(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body, {**headers, "Signature": headers["Signature"].replace("/ana#", "/nobody#")}


def nothing_covered(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body, {**headers, "Signature": f'keyId="x",headers="",signature="{"A" * 10}"'}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(unsigned, 401, id="unsigned"),
        pytest.param(other_body, 401, id="another body than was signed"),
        pytest.param(without("Digest"), 401, id="no digest"),
        pytest.param(without("Date"), 401, id="no date"),
        pytest.param(with_(Date="Sun, 22 Nov 2026 09:59:00 GMT"), 401, id="another date"),
        pytest.param(with_(Host="elm.test"), 401, id="for another host"),
        pytest.param(other_key, 401, id="a key that is not there"),
        pytest.param(nothing_covered, 401, id="a signature over nothing"),
        pytest.param(with_(Signature="rubbish"), 401, id="a signature that cannot be read"),
        pytest.param(with_(Signature_Input="sig1=()"), 401, id="a scheme that we do not read"),
        pytest.param(with_(Content_Type="text/html"), 415, id="a page"),
        pytest.param(with_(Content_Type="application/json"), 415, id="plain JSON"),
        pytest.param(without("Content-Type"), 415, id="no type"),
        pytest.param(zipped, 415, id="compressed"),
    ],
)
async def test_a_request_that_proves_nothing_changes_nothing(
    world: World, masto: Stranger, change: Callable[[bytes, Headers], tuple[bytes, Headers]], status: int
) -> None:
    ana = masto.person("ana")
    await world.tell(ana, follow(ana))
    before = await everything(world)
    body = orjson.dumps(follow(ana))
    body, headers = change(body, world.signed("POST", INBOX, body, ana))
    assert await send(world, body, headers) == status
    assert await everything(world) == before


@pytest.mark.parametrize("name", ["Signature", "Digest", "Date"])
async def test_a_header_said_twice_is_not_chosen_from(world: World, masto: Stranger, name: str) -> None:
    ana = masto.person("ana")
    await world.tell(ana, follow(ana))
    before = await everything(world)
    body = orjson.dumps(follow(ana))
    headers = CIMultiDict(world.signed("POST", INBOX, body, ana))
    headers.add(name, headers[name])
    status, _, _ = await world.request("POST", INBOX, headers=headers, body=body)
    assert status == 401
    assert await everything(world) == before


DEEP = b'{"type":"Follow","actor":' + b"[" * 5000 + b"]" * 5000 + b"}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"[]", 400, id="a list"),
        pytest.param(b"{", 400, id="half"),
        pytest.param(b"\xff{}", 400, id="not UTF-8"),
        pytest.param(b'{"type":"Follow","type":"Delete"}', 400, id="a key twice"),
        pytest.param(b'{"type":"Follow","n":NaN}', 400, id="NaN"),
        pytest.param(b'{"type":"Follow","n":' + b"9" * 400 + b"}", 400, id="a huge integer"),
        pytest.param(b'{"type":"Follow","n":"\\u0000"}', 400, id="NUL"),
        pytest.param(b'{"type":"Follow","n":"\\ud800"}', 400, id="half a character"),
        pytest.param(b'{"type":"Follow","@graph":[]}', 400, id="rearranged"),
        pytest.param(b'{"type":"Follow"}', 400, id="no actor"),
        pytest.param(b'{"actor":"http://masto.test/users/ana"}', 400, id="no type"),
        pytest.param(DEEP, 413, id="deep"),
        pytest.param(b'{"n":[' + b"1," * 20_000 + b"1]}", 413, id="a long list"),
        pytest.param(b'{"n":"' + b"x" * 1_000_001 + b'"}', 413, id="more than a megabyte"),
    ],
)
async def test_a_signed_body_that_we_do_not_read_changes_nothing(
    world: World, masto: Stranger, body: bytes, status: int
) -> None:
    ana = masto.person("ana")
    await world.tell(ana, follow(ana))
    before = await everything(world)
    assert await send(world, body, world.signed("POST", INBOX, body, ana)) == status
    assert await everything(world) == before


async def test_an_endless_body_is_not_read_to_its_end(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 50_000_000:
            sent += 100_000
            yield b" " * 100_000

    headers = {**world.signed("POST", INBOX, b"", ana), "Host": "oak.test"}
    url = f"http://127.0.0.1:{world.of().settings.listen_port}/inbox"
    try:
        async with world.http.post(url, headers=headers, data=endless()) as response:
            assert response.status == 413
    except OSError:
        pass  # the server hung up while we were still sending, which is as good
    assert sent < 50_000_000
    assert await world.count(InboxItem) == 0


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(hours=-2)], ids=["old", "from the future"])
async def test_a_signed_request_is_worth_nothing_an_hour_away_from_now(
    world: World, masto: Stranger, age: timedelta
) -> None:
    ana = masto.person("ana")
    body = orjson.dumps(follow(ana))
    headers = world.signed("POST", INBOX, body, ana)
    await send(world, body, headers)
    before = await everything(world)
    world.clock.advance(age)
    assert await send(world, body, headers) == 401
    assert await everything(world) == before


async def test_a_replay_within_the_hour_has_no_further_effect(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    body = orjson.dumps(follow(ana))
    headers = world.signed("POST", INBOX, body, ana)
    assert await send(world, body, headers) == 202
    await world.settle()
    assert await send(world, body, headers) == 202
    await world.settle()
    assert await world.count(InboxItem) == 1
    assert len(masto.posts("Accept")) == 1
    assert len(await world.events("activity repeated")) == 1


# Whose word it is


@pytest.mark.parametrize("where", ["masto", "evil"])
async def test_nobody_speaks_for_another_actor(world: World, masto: Stranger, where: str) -> None:
    ana = masto.person("ana")
    server = masto if where == "masto" else await world.stranger("evil")
    eve = server.person("eve")
    await world.post(eve, follow(eve))
    before = await everything(world)
    assert await world.post(eve, follow(ana)) == 401
    assert await world.post(eve, {**follow(ana), "signature": {"type": "RsaSignature2017"}}) == 401
    assert await everything(world) == before


async def test_an_id_on_another_server_is_forbidden(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await world.post(ana, follow(ana))
    before = await everything(world)
    for id_ in ("http://other.test/1", "https://masto.test/1", "http://masto.test:81/1", "urn:x:1"):
        assert await world.post(ana, {**follow(ana), "id": id_}) in (400, 403)
    assert await everything(world) == before


async def test_a_key_has_to_be_listed_by_an_actor_of_its_own_server(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    evil = await world.stranger("evil")
    eve = evil.person("eve")
    theirs = {"id": eve.key_id, "owner": ana.uri, "publicKeyPem": eve.document()["publicKey"]["publicKeyPem"]}
    eve.changed["publicKey"] = theirs
    assert await world.post(eve, {**follow(ana)}) == 401
    evil.says(
        "/key",
        {"id": f"{evil.url}/key", "type": "Key", "owner": ana.uri, "publicKeyPem": theirs["publicKeyPem"]},
    )
    body = orjson.dumps(follow(ana))
    headers = signatures.sign_request("POST", INBOX, body, f"{evil.url}/key", eve.rsa, world.clock.now())
    assert await send(world, body, headers) == 401
    assert await world.count(Actor, Actor.kind == "remote") == 0


async def test_a_key_at_an_address_of_its_own_is_followed_to_its_owner(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    key = {**ana.document()["publicKey"], "id": f"{ana.uri}/main-key"}
    ana.changed["publicKey"] = key
    masto.says("/users/ana/main-key", {**key, "type": "Key"})
    body = orjson.dumps(follow(ana))
    headers = signatures.sign_request("POST", INBOX, body, key["id"], ana.rsa, world.clock.now())
    assert await send(world, body, headers) == 202


async def test_a_stub_actor_at_the_address_of_the_key_leads_to_the_actor(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    key = {**ana.document()["publicKey"], "id": f"{ana.uri}/main-key"}
    ana.changed["publicKey"] = key
    masto.says("/users/ana/main-key", {"id": ana.uri, "type": "Person", "publicKey": key})
    body = orjson.dumps(follow(ana))
    headers = signatures.sign_request("POST", INBOX, body, key["id"], ana.rsa, world.clock.now())
    assert await send(world, body, headers) == 202


KEYS_NOWHERE = [
    "http://localhost/key",
    "http://127.0.0.1/key",
    "http://169.254.169.254/latest/meta-data",
    "http://[::]/key",
    "http://[::ffff:127.0.0.1]/key",
    "http://0x7f000001/key",
    "http://2130706433/key",
    "http://oak.test:25/key",
    "http://ana:pass@masto.test/users/ana",
    "file:///etc/passwd",
    "data:text/plain,x",
    "acct:ana@masto.test",
    "http://masto.test\\@oak.test/",
    "#main-key",
]


@pytest.mark.parametrize("key_id", KEYS_NOWHERE)
async def test_a_key_where_we_do_not_go_is_not_asked_for(world: World, masto: Stranger, key_id: str) -> None:
    ana = masto.person("ana")
    body = orjson.dumps(follow(ana))
    headers = world.signed("POST", INBOX, body, ana)
    headers["Signature"] = headers["Signature"].replace(ana.key_id, key_id)
    before = await everything(world)
    assert await send(world, body, headers) in (401, 503)
    assert await everything(world) == before
    assert masto.asked == []


async def test_our_own_keys_are_never_fetched(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    body = orjson.dumps(follow(ana))
    for key_id in ("http://oak.test/c/oak#main-key", "http://oak.test/c/nobody#main-key"):
        headers = signatures.sign_request("POST", INBOX, body, key_id, ana.rsa, world.clock.now())
        assert await send(world, body, headers) == 401


@pytest.mark.parametrize("bits", [1024, 16384])
async def test_a_key_of_odd_size_is_no_key(world: World, masto: Stranger, bits: int) -> None:
    ana = masto.person("ana")
    pems = {
        1024: "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC3mN0Yk",
        16384: "x" * 5000,
    }
    pem = f"-----BEGIN PUBLIC KEY-----\n{pems[bits]}\n-----END PUBLIC KEY-----\n"
    ana.changed["publicKey"] = {"id": ana.key_id, "owner": ana.uri, "publicKeyPem": pem}
    assert await world.post(ana, follow(ana)) == 401
    assert await world.count(Actor, Actor.kind == "remote") == 0


# Keys change


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_changed_key_is_fetched_once_and_then_known(
    world: World, masto: Stranger, scheme: Scheme
) -> None:
    ana = masto.person("ana")
    await world.post(ana, follow(ana), scheme=scheme)
    world.clock.advance(timedelta(minutes=2))
    ana.rsa = rsa_key(1)
    assert await world.post(ana, follow(ana), scheme=scheme) == 202
    assert await world.post(ana, follow(ana), scheme=scheme) == 202
    assert len(masto.gets("/users/ana")) == 2


async def test_wrong_signatures_do_not_make_us_fetch_again_and_again(world: World, masto: Stranger) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")
    await world.post(ana, follow(ana))
    await world.post(ben, follow(ben))
    world.clock.advance(timedelta(minutes=2))
    for who in (ana, ana, ben, ana):
        body = orjson.dumps(follow(who))
        headers = signatures.sign_request("POST", INBOX, body, who.key_id, rsa_key(2), world.clock.now())
        assert await send(world, body, headers) == 401
    assert len(masto.gets()) == 3


async def test_a_deleted_actor_is_not_asked_for_again_and_again(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    del masto.people["ana"]
    assert [await world.post(ana, follow(ana)) for _ in range(3)] == [401] * 3
    assert len(masto.gets()) == 1


async def test_of_a_server_where_many_were_asked_for_in_vain_nobody_new_is_asked_for_an_hour(
    world: World, masto: Stranger
) -> None:
    known = masto.person("known")
    await world.post(known, follow(known))
    statuses = []
    for number in range(62):
        nobody = masto.person(f"p{number}")
        del masto.people[nobody.handle]
        statuses.append(await world.post(nobody, follow(nobody)))
    assert statuses == [401] * 60 + [503] * 2
    assert len(masto.gets("/users/p")) == 60
    assert await world.post(known, follow(known)) == 202
    assert await world.tell(known, known.activity("Update", object=known.uri)) == "done"
    world.clock.advance(timedelta(hours=1, seconds=1))
    ana = masto.person("ana")
    assert await world.post(ana, follow(ana)) == 202


async def test_a_server_that_does_not_answer_makes_the_sender_come_again(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    masto.is_down = True
    status, headers, _ = await signed_request(world, ana)
    assert status == 503
    assert int(headers["Retry-After"]) > 0


async def signed_request(world: World, by: Person) -> Any:
    body = orjson.dumps(follow(by))
    return await world.request("POST", INBOX, headers=world.signed("POST", INBOX, body, by), body=body)


# Who is blocked, who says goodbye, what means nothing here


async def test_a_blocked_server_is_turned_away_before_anything_is_fetched(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    async with world.database().ACT.begin() as session:
        session.add(Peer(authority="masto.test", is_blocked=True))
    before = await everything(world)
    assert await world.post(ana, follow(ana)) == 403
    assert await everything(world) == before
    assert masto.asked == []


async def test_types_that_mean_nothing_here_are_counted_and_not_kept(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, ana.activity("Listen", object=f"{OAK}/1")) == 202
    assert await world.count(InboxItem) == 0
    assert [e.detail for e in await world.events("activity ignored")] == [{"type": "Listen"}]


async def test_too_many_at_once_are_asked_to_come_again(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    held, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        held.set()
        await go_on.wait()
        return web.json_response(ana.document(), content_type=ACTIVITY)

    masto.answers["/users/ana"] = slow
    first = asyncio.create_task(world.post(ana, follow(ana)))
    await held.wait()
    door = world.of().app[inbox.DOOR]
    door.inside += inbox.AT_ONCE - 1
    status, headers, _ = await signed_request(world, ana)
    assert (status, headers["Retry-After"]) == (503, "60")
    door.inside -= inbox.AT_ONCE - 1
    go_on.set()
    assert await first == 202
    assert door.inside == 0


@pytest.fixture(params=[("s{}", 2, 9), ("s{}.evil", 9, 2)], ids=["many sites", "one site"])
def slow_names(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """Names for servers of which two may be asked at once: two in all, or two of one site."""
    names, world.of().app[fetching.DOOR].most, of_a_site = request.param
    monkeypatch.setattr(fetching, "OF_A_SITE", of_a_site)
    return str(names)


async def test_servers_that_are_slow_with_their_keys_keep_nobody_out_whom_we_know(
    world: World, slow_names: str
) -> None:
    cy = (await world.stranger("other")).person("cy")
    assert await world.post(cy, follow(cy)) == 202
    held, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        held.release()
        await go_on.wait()
        return web.Response(status=404)

    waiting, crowd = (
        [],
        [(await world.stranger(slow_names.format(number))).person("eve") for number in range(3)],
    )
    for eve in crowd[:2]:
        eve.server.answers["/users/eve"] = slow
        waiting.append(asyncio.create_task(world.post(eve, follow(eve))))
        await held.acquire()
    status, headers, _ = await signed_request(world, crowd[2])
    assert (status, headers["Retry-After"], crowd[2].server.asked) == (503, "60", [])
    assert await world.post(cy, follow(cy)) == 202
    go_on.set()
    assert await asyncio.gather(*waiting) == [401, 401]
    assert len(world.of().app[fetching.DOOR]) == 0
    assert await world.post(crowd[2], follow(crowd[2])) == 202


async def test_nor_do_those_whom_somebody_we_know_brings_us(world: World, slow_names: str) -> None:
    cy = (await world.stranger("other")).person("cy")
    assert await world.post(cy, follow(cy)) == 202
    held, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        held.release()
        await go_on.wait()
        return web.Response(status=404)

    waiting, crowd = [], [(await world.stranger(slow_names.format(n))).person("eve") for n in range(3)]
    for eve in crowd[:2]:
        eve.server.answers["/users/eve"] = slow
        waiting.append(asyncio.create_task(world.post(cy, eve.proved(follow(eve)))))
        await held.acquire()
    assert await world.post(cy, crowd[2].proved(follow(crowd[2]))) == 503
    assert crowd[2].server.asked == []
    assert await world.post(cy, follow(cy)) == 202
    go_on.set()
    assert await asyncio.gather(*waiting) == [401, 401]
    assert await world.post(cy, crowd[2].proved(follow(crowd[2]))) == 202


@pytest.mark.parametrize(("authority", "many"), [("masto.test", 1_000), ("a.masto.test", 5_000)])
async def test_new_actors_of_one_server_or_site_are_limited_by_the_hour(
    world: World, masto: Stranger, authority: str, many: int
) -> None:
    ana = masto.person("ana")
    now = world.of().app[CLOCK].now()
    async with world.database().ACT.begin() as session:
        session.add(Peer(authority=authority, new_actors=many, new_actors_since=now))
    assert await world.post(ana, follow(ana)) == 503
    assert masto.asked == []
    world.clock.advance(timedelta(hours=1, seconds=1))
    assert await world.post(ana, follow(ana)) == 202


async def test_events_of_the_door_name_the_actor_and_the_type_and_nothing_else(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await world.post(ana, ana.activity("Li" + "k" * 500 + "e", object=OAK, content="private words"))
    async with world.database().READ() as session:
        rows = (await session.execute(Event.__table__.select())).mappings().all()
    last = rows[-1]
    assert (last["actor"], len(last["detail"]["type"])) == (ana.uri, 64)
    assert "private words" not in json.dumps([str(row) for row in rows])
