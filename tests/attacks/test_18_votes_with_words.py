"""Attack 18: a vote that also says something is a comment; one that was sent to everybody counts and goes no further."""

from models.talk import PulseVote, Reply
from tests.server.peers.talk import ours, replies, vote, votes
from tests.server.peers.world import PUBLIC, Stranger, World


async def test_attack_18_with_words_it_is_a_comment_and_no_vote(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    assert await world.tell(ana, vote(ana, post, content="<p>Agree!</p>")) == "done"
    assert await world.count(PulseVote) == 0
    assert [row.content for row in await replies(world)] == ["<p>Agree!</p>"]


async def test_attack_18_a_public_vote_counts_and_is_shown_to_nobody(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    ben = masto.person("ben")
    await world.tell(ben, ben.activity("Follow", object="http://oak.test/c/oak"))
    await world.settle()
    masto.asked.clear()
    said = vote(ana, post, to=[PUBLIC, "http://oak.test/c/oak"])
    assert await world.tell(ana, said) == "done"
    await world.settle()
    assert await votes(world) == [("ana", "Agree")]
    assert await world.count(Reply) == 0
    assert ana.uri not in str([one for one in masto.posts() if one["type"] != "Update"])
    assert said["object"]["id"] not in str(masto.posts())
