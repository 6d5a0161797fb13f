"""How much may arrive: by server, by keys that nobody knows, and while too much waits; and that it mends itself."""

import asyncio
from datetime import timedelta

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, queues
from models.queues import InboxItem
from server import networks
from server.peers import arriving, pace
from server.peers.arriving import Room
from server.peers.inbox import AT_ONCE, DOOR
from server.workers.inbox import inbox_due
from tests.server.peers.joint import Joint
from tests.server.peers.world import Person, Stranger, World

INBOX = "http://oak.test/inbox"
OAK = "http://oak.test/c/oak"
MINUTE = timedelta(minutes=1)


async def follow(world: World, who: Person, words: int = 0, at: str = "") -> tuple[int, str | None]:
    """The status, and in how many seconds to come again."""
    body = orjson.dumps(who.activity("Follow", object=OAK, summary="x" * words))
    headers = {**world.signed("POST", INBOX, body, who), "X-From": at}
    status, said, _ = await world.request("POST", INBOX, headers=headers, body=body)
    return status, said.get("Retry-After")


async def test_a_server_that_sends_too_much_is_told_when_to_come_again_and_others_are_heard(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "OF_A_SERVER", 6)
    ana, bo = masto.person("ana"), masto.person("bo")
    cy = (await world.stranger("other")).person("cy")
    assert [await follow(world, who) for who in (ana, bo) * 3] == [(202, None)] * 6
    assert await follow(world, ana) == (429, "10")
    assert await follow(world, cy) == (202, None)
    assert await world.count(InboxItem) == 7
    world.clock.advance(timedelta(seconds=10))
    assert await follow(world, bo) == (202, None)
    assert (await follow(world, bo))[0] == 429


async def test_what_is_signed_wrongly_in_its_name_takes_nothing_from_a_server(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "OF_A_SERVER", 2)
    ana = masto.person("ana")
    assert (await follow(world, ana))[0] == 202
    body = orjson.dumps(ana.activity("Follow", object=OAK))
    headers = world.signed("POST", INBOX, body, ana)
    for _ in range(5):
        status, _, _ = await world.request("POST", INBOX, headers=headers, body=body + b" ")
        assert status == 401
    assert (await follow(world, ana))[0] == 202
    assert (await follow(world, ana))[0] == 429


async def test_servers_below_one_registered_name_have_one_bound_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "OF_A_SITE", 3)
    below = [(await world.stranger(f"s{number}.evil")).person("ana") for number in range(5)]
    beside = (await world.stranger("notevil")).person("cy")
    assert [(await follow(world, who))[0] for who in below] == [202] * 3 + [429] * 2
    assert await follow(world, below[0]) == (429, "20")
    assert await follow(world, beside) == (202, None)
    world.clock.advance(timedelta(seconds=20))
    assert await follow(world, below[3]) == (202, None)


async def test_by_keys_that_nobody_knows_names_below_one_name_have_one_bound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "UNKNOWN_OF_A_SITE", 3)
    below = [await world.stranger(f"s{number}.evil") for number in range(5)]
    statuses = [(await follow(world, where.person("ana")))[0] for where in below]
    assert statuses == [202] * 3 + [429] * 2
    assert [len(where.asked) for where in below] == [1, 1, 1, 0, 0]


async def test_who_decides_with_us_has_more_room_and_who_only_asked_us_has_not(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "OF_A_SERVER", 3)
    monkeypatch.setattr(pace, "OF_A_PARTICIPANT", 5)
    elm = masto.kin("elm")
    oak = await world.collective()
    joint = Joint(world, elm, [oak.ed25519 or ""])
    assert await world.tell(elm, joint.offering()) == "done"
    assert [(await follow(world, elm))[0] for _ in range(3)] == [202, 202, 429]
    world.clock.advance(MINUTE)
    async with world.database().ACT.begin() as session:  # our collective has said something there
        scope = await ledger.locked_scope(session, joint.name)
        assert scope is not None
        answer = {
            "scope_id": scope.id,
            "digest": "a" * 64,
            "type": "Answer",
            "by": oak.ed25519,
            "body": b"{}",
        }
        session.add(ledger.RecordRow(**answer, at=world.clock.now(), received_at=world.clock.now()))
    assert [(await follow(world, elm))[0] for _ in range(9)] == [202] * 8 + [429]


async def test_who_claims_keys_of_others_takes_from_one_network_little_of_their_room(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "address_of", lambda request: request.headers["X-From"])
    monkeypatch.setattr(pace, "BY_UNKNOWN_KEYS", 2)
    monkeypatch.setattr(pace, "NETWORKS", 2)

    async def claims(at: str) -> int:
        headers = {**world.signed("POST", INBOX, b"{}", masto.person("nobody")), "X-From": at}
        return (await world.request("POST", INBOX, headers=headers, body=b"{ }"))[0]

    assert [await claims("6.6.6.6") for _ in range(3)] == [400, 400, 429]
    assert (await follow(world, masto.person("ana"), at="6.6.6.7"))[0] == 429
    assert (await follow(world, masto.person("ana"), at="9.9.9.9"))[0] == 202
    assert await claims("5.5.5.5") == 400
    assert (await follow(world, masto.person("ben"), at="8.8.8.8"))[0] == 429  # enough, from wherever


@pytest.mark.parametrize("kind", ["Delete", "Follow"])
async def test_by_keys_that_nobody_knows_little_comes_and_nothing_is_fetched_for_the_rest(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(pace, "BY_UNKNOWN_KEYS", 3)
    known = masto.person("known")
    assert (await follow(world, known))[0] == 202
    masto.asked.clear()
    statuses = []
    for number in range(5):
        who = masto.person(f"flood{number}")
        statuses.append(
            await world.post(who, who.activity(kind, object=who.uri if kind == "Delete" else OAK))
        )
    assert statuses == [202, 202, 429, 429, 429]
    assert len(masto.asked) == (0 if kind == "Delete" else 2)
    assert (await follow(world, known))[0] == 202
    world.clock.advance(timedelta(seconds=20))
    late = masto.person("late")
    assert (await follow(world, late))[0] == 202


async def test_while_too_much_waits_nothing_more_is_taken_and_afterwards_it_is(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MOST_WAITING", 8)
    ana = masto.person("ana")
    answers = [await follow(world, ana) for _ in range(12)]
    assert answers == [(202, None)] * 8 + [(503, str(pace.TRY_AGAIN_AFTER))] * 4
    assert await inbox_due(world.of().app) == 8
    assert await world.count(InboxItem, InboxItem.outcome == "done") == 8
    assert await follow(world, ana) == (202, None)


async def test_what_is_remembered_of_servers_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "REMEMBERED", 10)
    for number in range(50):
        pace.check_unknown(world.of().app, f"https://host{number}.example/users/ana#main-key", "")
    assert len(world.of().app[pace.PACE].unknown) == 10


async def test_at_four_times_what_fits_the_rest_is_told_to_come_later_and_nothing_accepted_is_lost(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who hold a place send half of what they have to say; whoever comes meanwhile is turned away; then all is well."""
    monkeypatch.setattr(world.of().app[DOOR].arriving.short, "most", AT_ONCE)
    ana = masto.person("ana")
    assert (await follow(world, ana))[0] == 202
    held = await _halves(world, ana, AT_ONCE)
    answers = await asyncio.gather(*(_begun(world, ana) for _ in range(3 * AT_ONCE)))
    assert set(answers) == {(503, str(pace.TRY_AGAIN_AFTER))}
    await _others_halves(held)
    assert [await follow(world, ana) for _ in range(3)] == [(202, None)] * 3  # by itself
    assert await inbox_due(world.of().app) == AT_ONCE + 4
    assert await world.count(InboxItem, InboxItem.outcome == "done") == AT_ONCE + 4


@pytest.mark.parametrize(("words", "kind"), [(0, "short"), (arriving.SHORT, "long")])
async def test_who_sends_slowly_keeps_nobody_out(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch, words: int, kind: str
) -> None:
    ana = masto.person("ana")
    assert (await follow(world, ana))[0] == 202
    monkeypatch.setattr(getattr(world.of().app[DOOR].arriving, kind), "most", many := AT_ONCE + 1)
    held = await _halves(world, ana, many, words)
    assert await _begun(world, ana, words) == (503, str(pace.TRY_AGAIN_AFTER))
    assert await follow(world, ana, arriving.SHORT - words) == (202, None)
    await _others_halves(held[:AT_ONCE])
    assert await follow(world, ana, words) == (202, None)
    await _others_halves(held[AT_ONCE:])
    assert on_their_way(world) == 0


@pytest.fixture
def long_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Requests come from where they say they come, and there is room for 8 long documents."""
    monkeypatch.setattr(networks, "address_of", lambda request: request.headers.get("X-From", ""))
    room = world.of().app[DOOR].arriving.long
    room.most = 8
    return room


async def test_one_network_has_a_share_of_the_room(world: World, masto: Stranger, long_ones: Room) -> None:
    ana, long, later = masto.person("ana"), arriving.SHORT, (503, str(pace.TRY_AGAIN_AFTER))
    known = ["9.9.9.9", "8.8.8.8", "2a00:1:2:3::4", "2a01:1::1"]
    for address in known:
        assert await follow(world, ana, at=address) == (202, None)
    held = []
    for address in known[:3]:
        held += await _halves(world, ana, 2, long, at=address)
    assert await _begun(world, ana, long, at="9.9.9.1") == later
    assert await _begun(world, ana, long, at="2a00:1:2:4::5") == later
    assert await follow(world, ana, at="9.9.9.1") == (202, None)  # a short one
    assert await follow(world, ana, long, at="2a01:1::1") == (202, None)
    held += await _halves(world, ana, 2, long, at="2a01:1::1")
    assert await _begun(world, ana, long, at="7.7.7.7") == later  # now all places are taken
    await _others_halves(held)
    assert (len(long_ones), long_ones.strangers) == (0, 0)
    assert await follow(world, ana, long, at="7.7.7.7") == (202, None)


async def test_strangers_in_many_networks_do_not_keep_out_whom_we_know(
    world: World, masto: Stranger, long_ones: Room
) -> None:
    ana, long, later = masto.person("ana"), arriving.SHORT, (503, str(pace.TRY_AGAIN_AFTER))
    assert (await follow(world, ana, at="9.9.9.9"))[0] == 202
    held = await _halves(world, ana, 2, long, at="8.8.8.8")
    held += await _halves(world, ana, 2, long, at="7.7.7.7")
    assert await _begun(world, ana, long, at="6.6.6.6") == later
    assert await follow(world, ana, long, at="9.9.9.8") == (202, None)
    await _others_halves(held)
    assert await follow(world, ana, long, at="6.6.6.6") == (202, None)


async def test_behind_a_proxy_of_which_we_were_not_told_all_share_all_of_the_room(
    world: World, masto: Stranger, long_ones: Room
) -> None:
    ana = masto.person("ana")
    assert (await follow(world, ana, at="172.17.0.1"))[0] == 202
    held = await _halves(world, ana, 8, arriving.SHORT, at="172.17.0.1")
    await _others_halves(held)


async def test_what_is_remembered_of_networks_is_bounded(
    world: World, masto: Stranger, long_ones: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "REMEMBERED", 2)
    ana = masto.person("ana")
    for address in ("9.9.9.9", "8.8.8.8", "9.9.9.8", "7.7.7.7"):
        assert (await follow(world, ana, at=address))[0] == 202
    long_ones.strangers = long_ones.most
    later = (503, str(pace.TRY_AGAIN_AFTER))
    assert await _begun(world, ana, arriving.SHORT, at="8.8.8.8") == later
    held = await _halves(world, ana, 1, arriving.SHORT, at="9.9.9.7")
    await _others_halves(held + await _halves(world, ana, 1, arriving.SHORT, at="7.7.7.1"))


@pytest.mark.parametrize("words", [0, arriving.SHORT])
async def test_who_sends_next_to_nothing_is_given_up_before_long(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch, words: int
) -> None:
    monkeypatch.setattr(arriving, "BEGINNING", 0.1)
    monkeypatch.setattr(arriving, "RATE", 1_000_000)
    monkeypatch.setattr(arriving, "BODY_SECONDS", 3_600.0)
    [(reader, writer, _)] = await _halves(world, masto.person("ana"), 1, words)
    async with asyncio.timeout(10):
        assert (await reader.readline()).split()[1] == b"408"
    writer.close()
    await writer.wait_closed()
    assert on_their_way(world) == 0


async def test_who_said_a_length_that_we_do_not_read_takes_no_place(
    world: World, masto: Stranger, long_ones: Room
) -> None:
    ana = masto.person("ana")
    long_ones.most = 0
    assert (await follow(world, ana, 1_000_000))[0] == 413


def on_their_way(world: World) -> int:
    coming = world.of().app[DOOR].arriving
    return len(coming.short) + len(coming.long)


Half = tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]


async def _halves(world: World, who: Person, many: int, words: int = 0, at: str = "") -> list[Half]:
    """So many are on their way."""
    before = on_their_way(world)
    held = [await _half(world, who, words, at) for _ in range(many)]
    async with asyncio.timeout(10):
        while on_their_way(world) < before + many:  # noqa: ASYNC110 - nobody is told who is on their way
            await asyncio.sleep(0)
    return held


async def _others_halves(held: list[Half]) -> None:
    """They come to their end, and are heard."""
    for _, writer, rest in held:
        writer.write(rest)
    assert [(await reader.readline()).split()[1] for reader, _, _ in held] == [b"202"] * len(held)
    for _, writer, _ in held:
        writer.close()
        await writer.wait_closed()


async def _begun(world: World, who: Person, words: int = 0, at: str = "") -> tuple[int, str | None]:
    """How a request is answered of which only the beginning is here: the status, and in how many seconds to come again."""
    reader, writer, _ = await _half(world, who, words, at)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    said = dict(line.split(": ", 1) for line in head[1:] if line)
    writer.close()
    return int(head[0].split()[1]), said.get("Retry-After")


async def test_what_comes_in_one_piece_needs_no_room(world: World, masto: Stranger) -> None:
    ana, coming = masto.person("ana"), world.of().app[DOOR].arriving
    assert (await follow(world, ana))[0] == 202
    coming.short.most = 0
    body = orjson.dumps(ana.activity("Follow", object=OAK))
    reader, writer = await asyncio.open_connection("127.0.0.1", world.of().settings.listen_port)
    said = {**world.signed("POST", INBOX, body, ana), "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"POST /inbox HTTP/1.1\r\n{head}\r\n".encode() + body)
    assert (await reader.readline()).split()[1] == b"202"
    writer.close()


async def _half(world: World, who: Person, words: int, at: str) -> Half:
    """A request of which the end of the body is still to come."""
    body = orjson.dumps(who.activity("Follow", object=OAK, summary="x" * words))
    reader, writer = await asyncio.open_connection("127.0.0.1", world.of().settings.listen_port)
    said = {**world.signed("POST", INBOX, body, who), "Content-Length": str(len(body)), "X-From": at}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"POST /inbox HTTP/1.1\r\n{head}\r\n".encode() + body[:10])
    await writer.drain()
    return reader, writer, body[10:]


async def test_what_waits_is_counted_once_for_all_who_come_at_the_same_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    async def count(session: AsyncSession, most: int) -> int:
        counted.append(most)
        await asyncio.sleep(0)
        return 0

    monkeypatch.setattr(queues, "waiting_count", count)
    await asyncio.gather(*(pace.check_room(world.of().app) for _ in range(20)))
    assert counted == [pace.MOST_WAITING]
