"""Attack 17: a vote that somebody else brings."""

from tests.server.peers.talk import ours, vote, votes
from tests.server.peers.world import Stranger, World


async def test_attack_17_a_vote_in_an_announce_or_from_another_hand_does_not_count(
    world: World, masto: Stranger
) -> None:
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world, type_="Question")
    said = vote(ana, post)
    for wrapped in (said, said["object"], {**said, "object": post}):
        assert await world.tell(eve, eve.activity("Announce", object=wrapped)) == "ignored"
    assert await world.tell(eve, eve.activity("Create", object=said["object"])) == "refused"
    assert await world.tell(eve, eve.activity("Create", object=said)) in ("ignored", "refused")
    assert await world.post(eve, said) == 401
    assert await votes(world) == []
    assert await world.tell(ana, said) == "done", "what others did with it does not spoil it"


async def test_attack_17_with_the_voters_own_proof_anybody_may_bring_it(
    world: World, masto: Stranger
) -> None:
    ana, eve, post = masto.person("ana"), masto.person("eve"), await ours(world, type_="Question")
    said = ana.proved(vote(ana, post))
    assert await world.tell(eve, said) == "done"
    assert await votes(world) == [("ana", "Agree")]
