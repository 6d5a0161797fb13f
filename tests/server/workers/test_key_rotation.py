"""Keys that sign requests are changed: what announces the new one goes by the old one, everything else by the new one."""

import io
import sys

import orjson
import pytest
from aiohttp import web
from sqlalchemy import select

from activitypub import keypairs, signatures
from activitypub.errors import NotAuthentic
from models.people import Actor
from server import remote
from server.__main__ import main
from server.actions import rotating
from server.keys import HOME
from server.workers.delivery import deliveries_due
from tests.server.peers.world import Asked, Stranger, World
from tests.server.workers.test_delivery import publish

OAK = "http://oak.test/c/oak"


def signed_by(asked: Asked, pem: str, world: World) -> bool:
    claim = signatures.read_signature(asked.headers)
    how = (asked.method, asked.target, asked.headers, asked.body, "masto.test", world.clock.now())
    try:
        return bool(signatures.verify_request(claim, *how, keypairs.public_from_pem(pem), "http"))
    except NotAuthentic:
        return False


async def rotated(world: World) -> None:
    async with world.database().READ() as session:
        actors = await rotating.actors_with_keys(session)
    keys = {actor.id: rotating.make_request_key() for actor in actors}
    async with world.database().ACT.begin() as session:
        assert await rotating.rotate_keys(session, world.of().app[HOME], keys, world.clock.now()) == len(keys)


async def local(world: World) -> dict[str, Actor]:
    async with world.database().READ() as session:
        return {a.kind: a for a in await session.scalars(select(Actor).where(Actor.kind != "remote"))}


async def test_the_new_key_is_announced_by_the_old_one_which_is_then_erased(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await world.tell(ana, ana.activity("Follow", object=OAK))
    await deliveries_due(world.of().app)
    before = await local(world)
    await rotated(world)
    after = await local(world)
    for kind, actor in after.items():
        assert actor.rsa_pem != before[kind].rsa_pem
        assert (actor.key_id, actor.ed25519) == (before[kind].key_id, before[kind].ed25519)
        assert (actor.previous_rsa is not None) == (kind == "collective"), (
            "who has nobody to tell keeps no old key"
        )
    await publish(world, "http://masto.test/users/ana/inbox")
    masto.asked.clear()
    await deliveries_due(world.of().app)
    old, new = before["collective"].rsa_pem, after["collective"].rsa_pem
    told = {asked.activity["type"]: asked for asked in masto.asked}
    assert told["Update"].activity["object"]["publicKey"]["publicKeyPem"] == new
    assert signed_by(told["Update"], old, world)
    assert signed_by(told["Create"], new, world)
    assert (await local(world))["collective"].previous_rsa is None
    await remote.remote_actor(world.of().app, ana.uri, refresh=True)
    assert signed_by(masto.asked[-1], after["instance"].rsa_pem, world)


async def test_who_knows_the_new_key_already_is_told_by_it(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await world.tell(ana, ana.activity("Follow", object=OAK))
    await deliveries_due(world.of().app)
    await rotated(world)
    new = (await local(world))["collective"].rsa_pem

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=202 if signed_by(masto.asked[-1], new, world) else 401)

    masto.answers["/users/ana/inbox"] = answer
    masto.asked.clear()
    await deliveries_due(world.of().app)
    assert [orjson.loads(asked.body)["type"] for asked in masto.asked] == ["Update"] * 3
    assert (await local(world))["collective"].previous_rsa is None


def test_the_command_asks_first_and_changes_nothing_without_an_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["keys", "rotate"]) == 2
    assert "--yes" in capsys.readouterr().err
