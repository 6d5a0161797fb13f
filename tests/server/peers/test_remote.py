"""Actors of other servers: found by what people write, fetched, checked, remembered; what did not work is not asked again."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from activitypub.errors import Forbidden, Gone, Malformed, NotAuthentic, Unreachable, WireError
from models.peers import Peer
from models.people import Actor
from server import remote, strikes
from tests.server.peers.world import Person, Stranger, World

JRD = "application/jrd+json"


def finger(server: Stranger, person: Person, subject: str | None = None, **changed: Any) -> None:
    """From now on the server answers WebFinger for this person."""
    handle = f"{person.handle}@{server.name}.test"
    link = {"rel": "self", "type": "application/activity+json", "href": person.uri}
    answer = {"subject": f"acct:{subject or handle}", "links": [link], **changed}
    server.says(f"/.well-known/webfinger?resource=acct:{handle}", answer, type_=JRD)


# Finding


@pytest.mark.parametrize(
    "written",
    [
        "@elm@elm.test",
        "elm@elm.test",
        " acct:elm@elm.test ",
        "@ELM@Elm.Test",
        "http://elm.test/@elm",
        "http://elm.test/users/elm",
    ],
)
async def test_a_collective_is_found_by_what_people_write(world: World, written: str) -> None:
    elm = await world.stranger("elm")
    kin = elm.kin("elm")
    finger(elm, kin)
    found = await remote.find(world.of().app, written)
    assert (found.uri, found.ed25519, found.address) == (kin.uri, kin.key, "@elm@elm.test")
    assert found.is_kin
    assert found.scopes == "http://elm.test/scopes/{scope}"


@pytest.mark.parametrize("written", ["@oak@oak.test", "http://oak.test/c/oak", "http://oak.test/@oak"])
async def test_our_own_collective_is_found_without_asking_anybody(world: World, written: str) -> None:
    assert (await remote.find(world.of().app, written)).kind == "collective"


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("", Malformed),
        ("elm", Malformed),
        ("elm@", Malformed),
        ("http://", Malformed),
        ("http://[", Malformed),
        ("javascript://x", Malformed),
        ("http://127.0.0.1/users/elm", Forbidden),
        ("@elm@localhost", Forbidden),
        ("@nobody@elm.test", Gone),
        ("@nobody@oak.test", Forbidden),
        ("http://elm.test/users/nobody", Gone),
        ("http://elm.test/note", Malformed),
    ],
)
async def test_what_is_not_an_actor_is_said_to_be_none(
    world: World, written: str, error: type[WireError]
) -> None:
    elm = await world.stranger("elm")
    elm.says("/note", {"id": f"{elm.url}/note", "type": "Note"})
    with pytest.raises(error):
        await remote.find(world.of().app, written)
    assert await world.count(Actor, Actor.kind == "remote") == 0


async def test_a_handle_that_leads_to_an_actor_elsewhere_needs_that_actors_word(world: World) -> None:
    elm, evil = await world.stranger("elm"), await world.stranger("evil")
    victim = elm.kin("elm")
    finger(elm, victim)
    mallory = Person(evil, "elm", victim.rsa, victim.ed25519)
    finger(evil, mallory)
    link = {"rel": "self", "type": "application/activity+json", "href": victim.uri}
    finger(evil, mallory, links=[link])
    with pytest.raises(NotAuthentic):
        await remote.find(world.of().app, "@elm@evil.test")


async def test_a_server_may_keep_its_actors_under_another_name(world: World) -> None:
    elm, social = await world.stranger("elm"), await world.stranger("social")
    kin = social.kin("elm")
    kin.changed["webfinger"] = "elm@elm.test"
    link = {"rel": "self", "type": "application/activity+json", "href": kin.uri}
    finger(elm, Person(elm, "elm", kin.rsa, kin.ed25519), links=[link])
    assert (await remote.find(world.of().app, "@elm@elm.test")).uri == kin.uri


# Reading


async def test_only_a_collective_of_our_kind_can_be_invited(world: World, masto: Stranger) -> None:
    kin = masto.kin("kin")
    template = f"{masto.url}/scopes/{{scope}}"
    odd = [
        {"v": 1, "type": "Circle", "scopes": template},
        {"v": 1, "type": "Collective", "scopes": "http://other.test/scopes/{scope}"},
        {"v": 1, "type": "Collective", "scopes": f"{masto.url}/scopes/"},
        {"v": 1, "type": "Collective", "scopes": 7},
        [{"v": 1, "type": "Collective", "scopes": template}],
        "Collective",
    ]
    for number, record in enumerate(odd):
        made = masto.person(f"p{number}", **{"jura:record": record})
        assert not (await remote.remote_actor(world.of().app, made.uri)).is_kin
    without_key = masto.kin("q")
    without_key.changed["assertionMethod"] = []
    assert not (await remote.remote_actor(world.of().app, without_key.uri)).is_kin
    assert (await remote.remote_actor(world.of().app, kin.uri)).is_kin


async def test_addresses_on_other_servers_are_not_kept(world: World, masto: Stranger) -> None:
    ana = masto.person(
        "ana", endpoints={"sharedInbox": "http://other.test/inbox"}, url="http://other.test/@ana"
    )
    found = await remote.remote_actor(world.of().app, ana.uri)
    assert (found.shared_inbox, found.url) == (None, None)


async def test_a_document_that_says_another_id_is_believed_only_there(world: World, masto: Stranger) -> None:
    ana, evil = masto.person("ana"), await world.stranger("evil")
    evil.says("/users/ana", ana.document())
    found = await remote.remote_actor(world.of().app, f"{evil.url}/users/ana")
    assert found.uri == ana.uri
    masto.people.clear()
    ben = masto.person("ben")
    masto.people.clear()
    evil.says("/users/ben", ben.document())
    with pytest.raises(Gone):
        await remote.remote_actor(world.of().app, f"{evil.url}/users/ben")


@pytest.mark.parametrize("type_", ["text/html", "application/json", "application/ld+json", ""])
async def test_a_document_of_another_type_is_not_read(world: World, masto: Stranger, type_: str) -> None:
    ana = masto.person("ana")
    masto.says("/users/ana", ana.document(), type_=type_ or "x/y")
    with pytest.raises(Malformed):
        await remote.remote_actor(world.of().app, ana.uri)


# Remembering


async def test_a_known_actor_is_not_fetched_again_unless_asked_to(world: World, masto: Stranger) -> None:
    ana, app = masto.person("ana"), world.of().app
    for _ in range(3):
        await remote.remote_actor(app, ana.uri)
    assert len(masto.gets()) == 1
    ana.changed["name"] = "Ana B."
    assert (await remote.remote_actor(app, ana.uri, refresh=True)).name == "Ana B."
    assert len(masto.gets()) == 2


async def test_many_who_ask_for_one_actor_at_once_cost_one_fetch(world: World, masto: Stranger) -> None:
    ana, app = masto.person("ana"), world.of().app
    found = await asyncio.gather(*(remote.remote_actor(app, ana.uri) for _ in range(10)))
    assert {actor.id for actor in found} == {found[0].id}
    assert len(masto.gets()) == 1


async def test_what_did_not_work_is_remembered_for_some_minutes(world: World, masto: Stranger) -> None:
    app = world.of().app
    for _ in range(3):
        with pytest.raises(Gone):
            await remote.remote_actor(app, f"{masto.url}/users/ana")
    assert len(masto.gets()) == 1
    masto.person("ana")
    world.clock.advance(remote.MISS_LASTS)
    assert (await remote.remote_actor(app, f"{masto.url}/users/ana")).handle == "ana"


async def test_a_server_that_does_not_answer_is_left_alone_longer_each_time(
    world: World, masto: Stranger
) -> None:
    ana, app = masto.person("ana"), world.of().app
    masto.is_down = True
    pauses = []
    for _ in range(9):
        before = masto.tried
        with pytest.raises(Unreachable):
            await remote.remote_actor(app, ana.uri)
        tried = masto.tried
        assert tried > before
        with pytest.raises(Unreachable):
            await remote.remote_actor(app, ana.uri)
        assert masto.tried == tried
        _, until = app[remote.MEMORY].silent["masto.test"]
        pauses.append(until - world.clock.now())
        world.clock.advance(pauses[-1])
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses[-1] == timedelta(hours=1)
    masto.is_down = False
    assert await remote.remote_actor(app, ana.uri)
    assert "masto.test" not in app[remote.MEMORY].silent


async def test_a_server_that_speaks_to_us_is_not_left_alone_any_more(world: World, masto: Stranger) -> None:
    ana, ben, app = masto.person("ana"), masto.person("ben"), world.of().app
    await remote.remote_actor(app, ana.uri)
    masto.is_down = True
    with pytest.raises(Unreachable):
        await remote.remote_actor(app, ben.uri)
    masto.is_down = False
    await world.post(ana, ana.activity("Follow", object="http://oak.test/c/oak"))
    assert await remote.remote_actor(app, ben.uri)


async def test_what_is_remembered_is_bounded(world: World) -> None:
    memory, now = remote.Memory(), world.clock.now()
    for number in range(remote.REMEMBERED + 50):
        uri = f"http://h{number}.test/users/x"
        memory.missed(uri, Malformed("x", "x"), now)
        memory.was_silent(f"h{number}.test", now)
        memory.is_news(f"h{number}.test", now)
    tables = (memory.misses, memory.silent, memory.seen)
    assert [len(table) for table in tables] == [remote.REMEMBERED] * 3
    assert len(memory.in_vain) == strikes.REMEMBERED


async def test_a_site_where_too_many_were_asked_for_in_vain_is_left_alone_whatever_its_servers_are_called(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strikes, "SERVERS", 1)
    monkeypatch.setattr(remote, "MISSES_PER_HOUR", 2)
    app, below = world.of().app, [await world.stranger(f"s{number}.evil") for number in range(3)]
    for where in below:
        with pytest.raises(WireError):
            await remote.remote_actor(app, f"{where.url}/users/nobody")
    assert [len(where.asked) for where in below] == [1, 1, 0]


async def test_who_names_many_at_a_server_that_cannot_answer_does_not_make_us_ask_it_without_end(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be in trouble already; each of them may be worth a second try."""
    monkeypatch.setattr(remote, "MISSES_PER_HOUR", 2)
    app = world.of().app
    for number in range(4):
        masto.answers[f"/users/no{number}"] = overloaded
        with pytest.raises(Unreachable):
            await remote.remote_actor(app, f"{masto.url}/users/no{number}", named_by="6.6.6.0/24")
    assert len(masto.asked) == 2
    ana = masto.person("ana")
    assert await remote.remote_actor(app, ana.uri, named_by="9.9.9.0/24")


async def overloaded(_request: web.Request) -> web.Response:
    return web.Response(status=503)


async def test_who_names_many_in_vain_parts_us_from_nobody_whom_others_name(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MISSES_PER_HOUR", 2)
    monkeypatch.setattr(strikes, "PLACES", 2)
    app, numbers = world.of().app, itertools.count()

    async def in_vain(named_by: str) -> type[WireError]:
        with pytest.raises(WireError) as raised:
            await remote.remote_actor(app, f"{masto.url}/users/no{next(numbers)}", named_by=named_by)
        return raised.type

    assert [await in_vain("6.6.6.0/24") for _ in range(3)] == [Gone, Gone, Unreachable]
    ana = masto.person("ana")
    with pytest.raises(Unreachable):
        await remote.remote_actor(app, ana.uri, named_by="6.6.6.0/24")
    assert await remote.remote_actor(app, ana.uri, named_by="9.9.9.0/24")
    assert [await in_vain("9.9.9.0/24") for _ in range(2)] == [Gone, Gone]
    assert await in_vain("7.7.7.0/24") is Unreachable  # enough, whoever names them
    world.clock.advance(timedelta(hours=1, seconds=1))
    assert await in_vain("7.7.7.0/24") is Gone


async def test_who_names_many_that_are_new_leaves_room_for_those_whom_others_name(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "NEW_ACTORS_PER_HOUR", 2)
    monkeypatch.setattr(remote, "PLACES", 2)
    app, names = world.of().app, (f"p{number}" for number in itertools.count())

    async def met(named_by: str, *, by_key: bool = False) -> bool:
        uri = masto.person(next(names)).uri
        try:
            if by_key:
                await remote.actor_of_key(app, f"{uri}#main-key", named_by=named_by)
            else:
                await remote.remote_actor(app, uri, named_by=named_by)
        except Unreachable as error:
            return error.code != "too-many-new"
        return True

    assert [await met("6.6.6.0/24", by_key=key) for key in (False, True, True)] == [True, True, False]
    assert [await met("9.9.9.0/24") for _ in range(2)] == [True, True]
    assert not await met("7.7.7.0/24")  # enough, whoever names them
    world.clock.advance(timedelta(hours=1, seconds=1))
    assert await met("6.6.6.0/24")


async def test_new_actors_are_counted_per_server_and_hour(world: World, masto: Stranger) -> None:
    app = world.of().app
    for name in ("ana", "ben"):
        await remote.remote_actor(app, masto.person(name).uri)
    await remote.remote_actor(app, f"{masto.url}/users/ana", refresh=True)
    async with world.database().READ() as session:
        peer = await session.get_one(Peer, "masto.test")
        assert (peer.new_actors, peer.new_actors_since) == (2, world.clock.now())
    world.clock.advance(timedelta(hours=1))
    await remote.remote_actor(app, masto.person("cyn").uri)
    async with world.database().READ() as session:
        assert (await session.scalars(select(Peer.new_actors))).one() == 1


async def test_nothing_is_asked_of_a_blocked_server(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    async with world.database().ACT.begin() as session:
        session.add(Peer(authority="masto.test", is_blocked=True))
    for ask in (remote.remote_actor, remote.find):
        with pytest.raises(Forbidden):
            await ask(world.of().app, ana.uri)
    with pytest.raises(Forbidden):
        await remote.find(world.of().app, "@ana@masto.test")
    assert masto.asked == []
