"""Attack 26: what is not public, asked for by whoever may not see it, in whatever way: always 404, as if there were nothing."""

import hashlib

import pytest

from models.peers import Peer
from models.talk import Reply
from tests.server.peers.talk import create, note, ours
from tests.server.peers.world import Person, Stranger, World

PUBLIC_PAGES = ("/c/oak/outbox", "/c/oak/outbox?page=1", "/c/oak/featured", "/c/oak/followers", "/", "/@oak")


async def test_attack_26_to_all_who_may_not_see_it_there_is_nothing(world: World, masto: Stranger) -> None:
    secret = await ours(world, "secret", public=False, scope="a" * 64)
    nothing = "http://oak.test/o/" + hashlib.sha256(b"nothing").hexdigest()
    blocked = (await world.stranger("blocked")).person("eve")
    async with world.database().ACT.begin() as session:
        session.add(Peer(authority="blocked.test", is_blocked=True))
    askers: list[Person | None] = [None, masto.person("ana"), blocked]
    for by in askers:
        for accept in ("application/activity+json", "text/html", "*/*"):
            for tail in ("", "/replies", "/replies?page=1"):
                answers = [await world.get(f"{uri}{tail}", by=by, accept=accept) for uri in (secret, nothing)]
                assert [status for status, _, _ in answers] == [404, 404]
                first, second = (str(body) for _, _, body in answers)
                assert len(first) == len(second), "nothing tells one from the other"
                assert "etag" not in answers[0][1]
        for path in PUBLIC_PAGES:
            accept = "text/html" if path in ("/", "/@oak") else "application/activity+json"
            _, _, body = await world.get(f"http://oak.test{path}", by=by, accept=accept)
            assert secret not in str(body)
    assert (await world.get(f"http://oak.test/threads/{'a' * 64}"))[0] == 404


async def test_attack_26_a_private_word_to_us_is_in_no_collection(world: World, masto: Stranger) -> None:
    ana, post = masto.person("ana"), await ours(world, scope="b" * 64)
    said = note(ana, post, to=["http://oak.test/c/oak"])
    assert await world.tell(ana, create(ana, said)) == "done"
    assert await world.count(Reply, Reply.is_public.is_(False)) == 1
    for tail in ("/replies", "/replies?page=1"):
        _, _, body = await world.get(f"{post}{tail}")
        assert said["id"] not in str(body)
        assert body.get("totalItems", 0) == 0


@pytest.mark.parametrize("kind", ["Like", "Announce", "QuoteRequest", "Create"])
async def test_attack_26_what_one_does_to_it_tells_nothing_either(
    world: World, masto: Stranger, kind: str
) -> None:
    ana, secret = masto.person("ana"), await ours(world, "secret", public=False)
    nothing = "http://oak.test/o/" + "0" * 64
    answers = []
    for uri in (secret, nothing):
        what = note(ana, uri) if kind == "Create" else uri
        more = {"instrument": note(ana, quote=uri)} if kind == "QuoteRequest" else {}
        answers.append(await world.tell(ana, ana.activity(kind, object=what, **more)))
        await world.settle()
    assert answers[0] == answers[1]
    sent = [{k: v for k, v in one.items() if k in ("type", "actor", "to")} for one in masto.posts()]
    assert sent[: len(sent) // 2] == sent[len(sent) // 2 :]
