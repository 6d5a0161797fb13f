"""Answers to a pulse as other software sends them."""

from typing import Any

import pytest

from models.posts import post_by_uri
from models.talk import PulseVote, Reply
from tests.server.peers.talk import create, note, ours, replies, vote, votes
from tests.server.peers.world import PUBLIC, Person, Stranger, World

OAK = "http://oak.test/c/oak"


def misskey(by: Person, post: str) -> dict[str, Any]:
    said = vote(by, post)
    return said | {
        "to": [OAK],
        "published": "2026-11-22T10:00:00.000Z",
        "object": said["object"] | {"to": [OAK]},
    }


def takahe(by: Person, post: str) -> dict[str, Any]:
    said = vote(by, post, content=None, sensitive=False, attachment=[], tag=[])
    return said | {"id": said["object"]["id"]}


def snac(by: Person, post: str) -> dict[str, Any]:
    return vote(by, post, content="<br>", contentMap={"en": "<br>"}, summary="", source={"content": ""})


def smithereen(by: Person, post: str) -> dict[str, Any]:
    return vote(by, post, context=f"{post}#0", to=[PUBLIC, OAK])


def gotosocial(by: Person, post: str) -> dict[str, Any]:
    first, second = vote(by, post, "Agree"), vote(by, post, "Unsure")
    return first | {"object": [first["object"], second["object"]], "published": "2026-11-22T11:00:00+01:00"}


@pytest.mark.parametrize("dialect", [vote, misskey, takahe, snac, smithereen, gotosocial])
async def test_an_answer_counts_in_every_dialect_once(world: World, masto: Stranger, dialect: Any) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    said = dialect(ana, post)
    assert await world.tell(ana, said) == "done"
    assert await world.tell(ana, said) == "done"
    assert await world.tell(ana, dialect(ana, post) | {"id": f"{ana.uri}/again"}) == "ignored"
    assert await votes(world) == [("ana", "Agree")]
    assert await world.count(Reply) == 0


async def test_nothing_to_read_is_a_vote_and_words_are_a_reply(world: World, masto: Stranger) -> None:
    post = await ours(world, type_="Question")
    for number, empty in enumerate(
        (None, "", " ", "<p></p>", "<br/>", "<p>&nbsp;\u200b</p>", "<script>x()</script>")
    ):
        who = masto.person(f"v{number}")
        assert await world.tell(who, vote(who, post, content=empty)) == "done"
    ana = masto.person("ana")
    assert await world.tell(ana, vote(ana, post, content="<p>Because!</p>")) == "done"
    assert await world.count(PulseVote) == 7
    assert [row.content for row in await replies(world)] == ["<p>Because!</p>"]


async def test_a_name_in_reply_to_what_is_no_question_means_nothing(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world)
    assert await world.tell(ana, vote(ana, post)) == "ignored"
    assert await world.count(PulseVote) == await world.count(Reply) == 0


async def test_a_question_that_is_not_public_is_not_answered_from_outside(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question", public=False)
    assert await world.tell(ana, vote(ana, post)) == "ignored"
    assert await votes(world) == []


async def test_an_answer_cannot_be_changed_and_stays_when_its_author_goes_without_the_name(
    world: World, masto: Stranger
) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    said = vote(ana, post)
    await world.tell(ana, said)
    changed = ana.activity("Update", object=said["object"] | {"name": "Disagree"})
    assert await world.tell(ana, changed) == "ignored"
    await world.tell(ana, ana.activity("Delete", object=said["object"]["id"]))
    assert await votes(world) == [("ana", "Agree")]
    await world.tell(ana, ana.activity("Delete", object=ana.uri))
    [(voter, option)] = await votes(world)
    assert (voter.startswith("gone:"), option) == (True, "Agree")


async def test_an_answer_makes_the_new_count_due_and_is_served_nowhere(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    said = vote(ana, post, to=[PUBLIC])
    assert await world.tell(ana, said) == "done"
    async with world.database().READ() as session:
        row = await post_by_uri(session, post)
    assert row is not None
    assert row.refresh_at is not None
    _, _, shown = await world.get(f"{post}/replies?page=1")
    assert shown["orderedItems"] == []


async def test_a_comment_beside_votes_in_one_create_is_kept_too(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, type_="Question")
    both = [vote(ana, post)["object"], note(ana, post)]
    assert await world.tell(ana, create(ana, both)) == "done"
    assert (len(await votes(world)), len(await replies(world))) == (1, 1)
