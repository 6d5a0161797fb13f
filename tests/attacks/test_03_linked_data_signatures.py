"""Attack 3: an activity relayed with a Linked Data signature, and documents rearranged to keep one valid."""

from typing import Any

import pytest

from models.queues import InboxItem
from tests.server.peers.world import Person, Stranger, World

OAK = "http://oak.test/c/oak"


def lds(by: Person) -> dict[str, Any]:
    return {
        "type": "RsaSignature2017",
        "creator": by.key_id,
        "created": "2026-11-22T10:00:00Z",
        "signatureValue": "AAAA",
    }


async def test_attack_03_a_linked_data_signature_proves_nothing_and_spoils_no_proof(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    assert await world.post(ana, ana.activity("Follow", object=OAK)) == 202
    before = await world.count(InboxItem)
    wish = ana.activity("Follow", object=OAK)
    assert await world.post(mallory, {**wish, "signature": lds(ana)}) == 401
    assert await world.count(InboxItem) == before
    assert await world.post(mallory, {**ana.proved(wish), "signature": lds(ana)}) == 202
    assert await world.count(InboxItem) == before + 1


@pytest.mark.parametrize("key", ["@graph", "@included", "@reverse"])
async def test_attack_03_a_document_that_could_be_rearranged_is_refused_even_with_a_proof(
    world: World, masto: Stranger, key: str
) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, ana.proved(ana.activity("Follow", object=OAK, **{key: []}))) == 400
    deep = {"a": [{"b": {key: {}}}]}
    assert await world.post(ana, ana.proved(ana.activity("Follow", object=OAK, tag=deep))) == 400
    assert await world.count(InboxItem) == 0
