"""Attack 15: an Update of an actor that would change its inbox or keys, by another actor of the same server. Finer cases:
tests/server/peers/test_leaving.py."""

from models.people import Actor, actor_by_uri
from tests.server.peers.world import Stranger, World

OAK = "http://oak.test/c/oak"


async def test_attack_15_nobody_changes_the_inbox_or_keys_of_another(world: World, masto: Stranger) -> None:
    ana, mallory = masto.person("ana"), masto.person("mallory", key=1)
    for somebody in (ana, mallory):
        assert await world.post(somebody, somebody.activity("Follow", object=OAK)) == 202

    async def known() -> Actor:
        async with world.database().READ() as session:
            found = await actor_by_uri(session, ana.uri)
        assert found is not None
        return found

    before = await known()
    forged = {
        **ana.document(),
        "inbox": mallory.document()["inbox"],
        "publicKey": mallory.document()["publicKey"],
    }
    assert await world.post(mallory, ana.activity("Update", object=forged)) == 401
    assert await world.post(mallory, mallory.proved(ana.activity("Update", object=forged))) == 401
    await world.tell(mallory, mallory.activity("Update", object=forged))
    assert await world.tell(ana, ana.proved(ana.activity("Update", object=forged))) == "done"
    after = await known()
    assert (after.inbox, after.rsa_pem, after.key_id) == (before.inbox, before.rsa_pem, before.key_id)
