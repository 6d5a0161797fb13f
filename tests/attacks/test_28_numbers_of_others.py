"""Attack 28: forged, repeated, negative and huge numbers of others change no number of ours.

Ours are: answers to a pulse, members and posts in NodeInfo, members and followers of the actor, what is
counted of a decision.
"""

from typing import Any

import pytest

from activitypub import proofs
from tests.server.peers.joint import Joint
from tests.server.peers.talk import OPTIONS, create, note, ours, vote
from tests.server.peers.world import Person, Stranger, World

HUGE = 2**53 - 1
CLAIMS: list[Any] = [-1, HUGE, 1e308, "4000", None, [4000], {"totalItems": 4000}]


def options(claim: Any) -> list[dict[str, Any]]:
    replies = {"type": "Collection", "totalItems": claim}
    return [{"type": "Note", "name": name, "replies": replies} for name in OPTIONS]


async def poll_of_ours(world: World) -> str:
    return await ours(world, type_="Question", oneOf=options(0), votersCount=0)


def question(by: Person, claim: Any, **fields: Any) -> dict[str, Any]:
    """A poll of somebody else's, with as many answers as they like."""
    return note(
        by, type="Question", oneOf=options(claim), votersCount=claim, endTime="2026-11-29T10:00:00Z", **fields
    )


async def numbers(world: World, post: str) -> dict[str, Any]:
    """All numbers that everybody can read here."""
    _, _, poll = await world.get(post)
    _, _, node = await world.get("http://oak.test/nodeinfo/2.1")
    _, _, actor = await world.get("http://oak.test/c/oak")
    found = {
        name: (await world.get(actor[name]))[2]["totalItems"] for name in ("followers", "following", "outbox")
    }
    members = [one["value"] for one in actor["attachment"] if one["name"] == "Members"]
    answers = [(one["name"], one["replies"]["totalItems"]) for one in poll["oneOf"]]
    return {
        **found,
        "usage": node["usage"],
        "members": members,
        "answers": answers,
        "voters": poll["votersCount"],
    }


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
async def test_attack_28_what_others_say_of_their_numbers_changes_none_of_ours(
    world: World, masto: Stranger, claim: Any
) -> None:
    ana, post = masto.person("ana"), await poll_of_ours(world)
    assert await world.tell(ana, vote(ana, post)) == "done"
    before = await numbers(world, post)
    assert (before["voters"], before["answers"][0]) == (1, ("Agree", 1))
    theirs = question(ana, claim, inReplyTo=post)
    forged = question(ana, claim) | {"id": post, "attributedTo": "http://oak.test/c/oak"}
    said = [
        create(ana, theirs),
        ana.activity("Update", object=theirs | {"updated": "2026-11-22T10:00:00Z"}),
        ana.activity("Update", object=forged),  # our own poll, as they would like it
        create(ana, vote(ana, post)["object"] | {"replies": {"totalItems": claim}, "votersCount": claim}),
        ana.activity("Announce", object=forged),
        ana.activity("Update", object={"id": ana.uri, "type": "Person", "followers": {"totalItems": claim}}),
    ]
    for activity in said:
        await world.post(ana, activity)
        await world.post(ana, activity)
    await world.settle()
    assert await numbers(world, post) == before


async def test_attack_28_one_server_that_says_it_is_many_is_counted_as_one(
    world: World, masto: Stranger
) -> None:
    """Each host speaks for itself: an id, an author or a name of another host counts for nobody."""
    ana, post = masto.person("ana"), await poll_of_ours(world)
    before = await numbers(world, post)
    for host in ("elm.test", "fir.test", "oak.test"):
        said = vote(ana, post)
        elsewhere = {"id": f"http://{host}/v/1", "attributedTo": f"http://{host}/users/ana"}
        await world.post(ana, said | {"object": said["object"] | elsewhere})
        await world.post(
            ana, said | {"id": f"http://{host}/v/1/activity", "actor": f"http://{host}/users/ana"}
        )
    await world.settle()
    assert await numbers(world, post) == before
    again = vote(ana, post)
    for _ in range(3):
        await world.post(ana, again)
        await world.post(ana, vote(ana, post, "Disagree"))
    await world.settle()
    after = await numbers(world, post)
    assert after == before | {"answers": [("Agree", 1), ("Unsure", 0), ("Disagree", 0)], "voters": 1}


@pytest.mark.parametrize("huge", [-1, HUGE, 0])
async def test_attack_28_the_result_of_another_is_theirs_and_ours_is_counted(
    world: World, masto: Stranger, huge: int
) -> None:
    elm, oak = masto.kin("elm"), await world.collective()
    joint = Joint(world, elm, [oak.ed25519 or ""])
    assert await world.tell(elm, joint.offering()) == "done"
    world.decision = joint.name
    before = await world.view("oak")
    fields = {"terms": "a" * 64, "seq": 1, "outcome": "adopted", "winner": "b" * 64, "state": "final"}
    roots = {"countRoot": "c" * 64, "lateRoot": "d" * 64}
    counted = {"circles": huge, "circlesWinning": huge, "collectives": huge, "status:cast": huge}
    drafted = elm.record("Result", joint.name, numbers={}, **fields, **roots) | {"numbers": counted}
    drafted.pop("proof")
    result = proofs.sign_record(drafted, elm.ed25519)
    word = await world.tell(elm, joint.noting(elm, result))
    assert word == ("refused" if huge < 0 else "done")
    await world.settle()
    after = await world.view("oak")
    assert (after.state, after.outcome, after.count_root) == (before.state, before.outcome, before.count_root)


async def test_attack_28_nodeinfo_of_others_is_not_read_for_numbers(world: World, masto: Stranger) -> None:
    masto.says("/nodeinfo/2.1", {"usage": {"users": {"total": HUGE}, "localPosts": -5}})
    ana, post = masto.person("ana"), await poll_of_ours(world)
    before = await numbers(world, post)
    await world.tell(ana, create(ana, note(ana, post)))
    await world.settle()
    assert await numbers(world, post) == before
    assert not masto.gets("/nodeinfo")
