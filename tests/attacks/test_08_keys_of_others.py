"""Attack 8: key documents that lie about their id or owner, deleted and changed keys, keys of odd sizes, for requests and for
proofs. Finer cases: tests/activitypub/test_origin.py and test_keypairs.py, tests/server/peers/test_inbox.py."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from models.people import Actor
from server import remote
from tests.server.peers.world import Stranger, World, rsa_key

LATER = 2 * remote.MISS_LASTS
OAK = "http://oak.test/c/oak"


async def test_attack_08_a_key_that_is_not_its_actors_own_signs_nothing(
    world: World, masto: Stranger
) -> None:
    ana, eve = masto.person("ana"), (await world.stranger("evil")).person("eve", key=1)
    own = eve.document()["publicKey"]
    liars = {
        "another id than its address": {"id": ana.uri},
        "a key owned by somebody else": {"publicKey": {**own, "owner": ana.uri}},
        "a key of another server": {"publicKey": {**own, "id": ana.key_id}},
        "no key": {"publicKey": None},
    }
    for why, changed in liars.items():
        eve.changed = changed
        assert await world.post(eve, eve.activity("Follow", object=OAK)) == 401, why
        world.clock.advance(3 * LATER)
    theirs = ana.document()["assertionMethod"][0]
    eve.changed = {"assertionMethod": [theirs]}
    assert await world.post(eve, ana.proved(eve.activity("Follow", object=OAK))) == 401, (
        "a proof key of another"
    )
    assert await world.count(Actor, Actor.uri == ana.uri) == 0


@pytest.mark.parametrize("bits", [1024, 16384])
async def test_attack_08_a_key_of_odd_size_is_no_key(world: World, masto: Stranger, bits: int) -> None:
    ana = masto.person("ana")
    number = (1 << (bits - 1)) | 1
    public = rsa.RSAPublicNumbers(65537, number).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    ana.changed["publicKey"] = {"id": ana.key_id, "owner": ana.uri, "publicKeyPem": pem}
    assert await world.post(ana, ana.activity("Follow", object=OAK)) == 401
    assert await world.count(Actor, Actor.kind == "remote") == 0


async def test_attack_08_a_key_changed_without_notice_is_looked_up_once_and_a_deleted_one_fails(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, ana.activity("Follow", object=OAK)) == 202
    world.clock.advance(LATER)
    ana.rsa = rsa_key(1)
    assert await world.post(ana, ana.activity("Follow", object=OAK)) == 202
    world.clock.advance(LATER)
    ana.rsa = rsa_key(2)
    del masto.people["ana"]
    assert [await world.post(ana, ana.activity("Follow", object=OAK)) for _ in range(3)] == [401] * 3
    assert len(masto.gets("/users/ana")) == 3
