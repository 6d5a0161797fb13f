"""Whose an activity is, where somebody else carries it, and what a proof in it is worth."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from activitypub import keypairs, proofs
from models.follows import Follow
from models.peers import Peer
from models.people import Actor
from models.queues import InboxItem
from server import remote
from server.peers import speakers
from server.workers.retention import pruning_due
from tests.server.peers.world import Person, Stranger, World

OAK = "http://oak.test/c/oak"
Json = dict[str, Any]


def follow(by: Person) -> Json:
    return by.activity("Follow", object=OAK)


async def test_an_activity_with_a_proof_by_its_actor_is_taken_whoever_carries_it(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    wish = ana.proved(follow(ana))
    assert await world.tell(mallory, wish) == "done"
    assert (await world.item(wish["id"])).signer == ana.uri
    assert await world.count(Follow, Follow.follower == ana.uri) == 1
    [event] = await world.events("activity received")
    assert (event.actor, event.detail["carrier"]) == (ana.uri, mallory.uri)
    async with world.database().READ() as session:
        assert await session.get(Peer, "other.test") is not None
        ours = await session.get(Peer, "masto.test")
    assert ours is None or ours.seen_at is None, "only who signed the request was seen"


@pytest.mark.parametrize("method", ["{did}", "{did}#{key}", "{uri}#anything"])
async def test_a_proof_may_name_its_key_in_each_of_the_known_ways(
    world: World, masto: Stranger, method: str
) -> None:
    ana = masto.person("ana")
    named = method.format(did=f"did:key:{ana.key}", key=ana.key, uri=ana.uri)
    wish = proofs.sign_activity(follow(ana), ana.ed25519, named, "2026-11-22T10:00:00Z")
    assert await world.post(ana, wish) == 202


def otherwise(change: Callable[[Json], Any]) -> Callable[[Json], Json]:
    def changed(wish: Json) -> Json:
        copy = {**wish, "proof": dict(wish["proof"])}
        change(copy)
        return copy

    return changed


WRONG = {
    "another activity": otherwise(lambda w: w.update(published="2026-11-22T09:00:00Z")),
    "a list of proofs": otherwise(lambda w: w.update(proof=[w["proof"]])),
    "no proofs": otherwise(lambda w: w.update(proof=[])),
    "a word": otherwise(lambda w: w.update(proof="yes")),
    "another suite": otherwise(lambda w: w["proof"].update(cryptosuite="eddsa-rdfc-2022")),
    "another purpose": otherwise(lambda w: w["proof"].update(proofPurpose="authentication")),
    "another context": otherwise(lambda w: w.update({"@context": ["https://elsewhere.example/"]})),
    "a key of another server": otherwise(
        lambda w: w["proof"].update(verificationMethod="http://other.test/k")
    ),
    "an end in the past": otherwise(lambda w: w["proof"].update(expires="2026-11-22T09:00:00Z")),
    "a value that is none": otherwise(lambda w: w["proof"].update(proofValue="z1")),
}


@pytest.mark.parametrize("wrong", list(WRONG))
async def test_a_proof_that_does_not_hold_refuses_what_its_actor_itself_signed(
    world: World, masto: Stranger, wrong: str
) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, WRONG[wrong](ana.proved(follow(ana)))) == 401
    assert await world.count(InboxItem) == 0


def undated(by: Person, **options: str) -> Json:
    """A Follow with a proof that does not say when it was made."""
    wish = follow(by)
    said = {"type": proofs.TYPE, "cryptosuite": proofs.SUITE, "proofPurpose": proofs.PURPOSE}
    said |= {"verificationMethod": f"{by.uri}#k", **options}
    return {**wish, "proof": {**said, "proofValue": proofs.sign_bytes(proofs.hashed(said, wish), by.ed25519)}}


async def test_a_proof_that_has_not_expired_yet_holds(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, undated(ana, expires="2100-01-01T00:00:00Z")) == 202


async def test_an_empty_proof_is_none(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, {**follow(ana), "proof": None}) == 202


async def test_a_proof_inside_the_object_is_not_one_of_the_activity(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    inner = ana.proved({"id": f"{ana.uri}/1", "type": "Note", "attributedTo": ana.uri})
    assert await world.post(mallory, ana.activity("Create", object=inner)) == 401
    assert await world.post(ana, ana.activity("Create", object=inner)) == 202


async def test_a_new_proof_key_is_looked_up_once_and_a_wrong_one_not_again_and_again(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    assert await world.post(ana, follow(ana)) == 202
    world.clock.advance(timedelta(minutes=2))
    ana.ed25519 = keypairs.generate_ed25519()
    assert await world.post(ana, ana.proved(follow(ana))) == 202
    assert len(masto.gets("/users/ana")) == 2
    world.clock.advance(timedelta(minutes=2))
    stranger = Person(masto, "ana", ana.rsa, keypairs.generate_ed25519())
    for _ in range(3):
        assert await world.post(ana, stranger.proved(follow(ana))) == 401
    assert len(masto.gets("/users/ana")) == 3


async def test_an_actor_that_lists_no_key_for_proofs_shows_nothing_by_one(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana", assertionMethod=[])
    assert await world.post(ana, ana.proved(follow(ana))) == 401
    assert await world.post(ana, follow(ana)) == 202


async def test_who_is_blocked_is_not_heard_through_others(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    assert await world.post(ana, follow(ana)) == 202
    async with world.database().ACT.begin() as session:
        (await session.get_one(Peer, "masto.test")).is_blocked = True
    assert await world.post(mallory, ana.proved(follow(ana))) == 403
    ben = masto.person("ben")
    assert await world.post(mallory, ben.proved(follow(ben))) == 403
    assert masto.gets("/users/ben") == []


async def test_an_actor_is_named_by_its_id_and_by_no_other_address(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    other = await world.stranger("other")
    other.says("/ana", ana.document())
    named = {**follow(ana), "actor": f"{other.url}/ana"}
    assert await world.post(other.person("mallory"), ana.proved(named)) == 401
    async with world.database().ACT.begin() as session:
        (await session.get_one(Peer, "masto.test")).is_blocked = True
    named["actor"] = f"{other.url}/ana?again"
    other.says("/ana?again", ana.document())
    assert await world.post(other.person("mallory"), ana.proved(named)) == 403
    assert await world.count(InboxItem) == 0


async def test_a_goodbye_that_others_carry_is_not_worth_a_look(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    for kind in ("Delete", "Update"):
        assert await world.post(mallory, ana.proved(ana.activity(kind, object=ana.uri))) == 202
    assert masto.asked == []
    assert await world.count(InboxItem) == 0


async def test_what_was_said_long_ago_is_not_done_again_because_somebody_brings_it_once_more(
    world: World, masto: Stranger
) -> None:
    """Its id is forgotten after a month; the proof holds for ever."""
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    wish = ana.proved(follow(ana))
    undo = ana.proved(ana.activity("Undo", object=wish["id"]))
    assert [await world.tell(ana, one) for one in (wish, undo, follow(ana))] == ["done"] * 3
    world.clock.advance(speakers.CARRIED_FOR)
    assert await world.tell(mallory, undo) == "done", "known, and not done again"
    world.clock.advance(timedelta(days=30))
    await pruning_due(world.of().app)
    assert await world.count(InboxItem) == 0
    assert await world.post(mallory, undo) == 401
    assert await world.count(Follow, Follow.follower == ana.uri) == 1
    later = proofs.sign_activity(follow(ana), ana.ed25519, f"{ana.uri}#k", "2100-01-01T00:00:00Z")
    assert await world.post(mallory, later) == 401
    assert await world.tell(ana, later) == "done", "who says it itself says it now"


async def test_what_others_carry_says_when_it_was_said(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    wish = undated(ana)
    assert await world.post(mallory, wish) == 401
    assert await world.post(ana, wish) == 202


async def test_our_own_words_brought_back_to_us_are_not_heard_again(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    told = {"id": f"{OAK}/1", "type": "Follow", "actor": OAK, "object": OAK, "proof": ana.proved({})["proof"]}
    assert await world.post(ana, told) == 403


async def test_whom_nobody_can_look_up_shows_nothing_and_is_not_asked_for_again(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    mallory = (await world.stranger("other")).person("mallory")
    wish = ana.proved(follow(ana))
    del masto.people["ana"]
    assert [await world.post(mallory, wish) for _ in range(3)] == [401] * 3
    assert len(masto.gets()) == 1
    masto.is_down = True
    ben = masto.person("ben")
    assert await world.post(mallory, ben.proved(follow(ben))) == 503
    assert await world.count(Actor, Actor.uri == ben.uri) == 0


async def test_many_servers_of_one_name_name_no_more_in_vain_than_one(
    world: World, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MISSES_PER_HOUR", 2)
    ana = masto.person("ana")
    for number in range(3):
        mallory = (await world.stranger(f"s{number}.evil")).person("mallory")
        nobody = ana.proved({**follow(ana), "actor": f"{masto.url}/users/no{number}"})
        assert await world.post(mallory, nobody) == (401 if number < 2 else 503)
    assert len(masto.gets()) == 2
    other = (await world.stranger("other")).person("carol")
    assert await world.tell(other, ana.proved(follow(ana))) == "done"
