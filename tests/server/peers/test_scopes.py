"""Scopes, objects and activities at their addresses: for participants who sign, and for nobody else unless they are public."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from models import people
from models.peers import Peer
from models.posts import Activity, Post
from models.rules import merkle, records
from server.peers import scopes
from server.workers.repair import read_head
from tests.server.peers.joint import Joint, words
from tests.server.peers.world import Person, Stranger, World, rsa_key

NOTHING = "0" * 64


@pytest.fixture
async def elm(world: World) -> Stranger:
    return await world.stranger("elm")


async def arrived(world: World, elm: Stranger, visibility: str = "federation") -> Joint:
    """A decision with elm that has arrived here."""
    joint = Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or ""], visibility)
    assert await world.tell(joint.convener, joint.offering()) == "done"
    return joint


async def seen_by(world: World, url: str, who: Person | None) -> int:
    status, _, _ = await world.get(url, by=who)
    return status


async def readers(world: World, elm: Stranger, masto: Stranger) -> dict[str, Person | None]:
    """All who might ask: a participant's instance, a stranger, nobody in particular, somebody with a wrong key, a blocked one."""
    liar = elm.person("liar")
    await world.tell(liar, liar.activity("Follow", object="http://oak.test/c/oak"))
    liar.rsa = rsa_key(3)
    blocked = (await world.stranger("blocked")).person("ana")
    async with world.database().ACT.begin() as session:
        session.add(Peer(authority="blocked.test", is_blocked=True))
    return {
        "participant": elm.person("instance"),
        "stranger": masto.person("ana"),
        "unsigned": None,
        "liar": liar,
        "blocked": blocked,
    }


async def test_a_scope_is_for_participants_and_to_all_others_it_is_nothing(
    world: World, elm: Stranger, masto: Stranger
) -> None:
    joint = await arrived(world, elm)
    who = await readers(world, elm, masto)
    for url in (f"http://oak.test/scopes/{joint.name}", f"http://oak.test/scopes/{joint.name}?bucket=a"):
        seen = {name: await seen_by(world, url, person) for name, person in who.items()}
        assert seen == {"participant": 200, "stranger": 404, "unsigned": 404, "liar": 404, "blocked": 404}


async def test_what_is_not_there_looks_like_what_one_may_not_see(
    world: World, elm: Stranger, masto: Stranger
) -> None:
    joint = await arrived(world, elm)
    ana = masto.person("ana")
    answers = []
    for name in (joint.name, NOTHING):
        for by in (None, ana):
            status, headers, body = await world.get(f"http://oak.test/scopes/{name}", by=by)
            answers.append((status, sorted(headers.items() - {("Date", headers.get("Date"))}), body))
    assert all(answer == answers[0] for answer in answers)
    asked = len(masto.gets("/users/ana"))
    ben = masto.person("ben")
    await world.get(f"http://oak.test/scopes/{NOTHING}", by=ben)
    assert len(masto.gets("/users/ben")) == 1, "a key is asked for whether there is something or not"
    assert asked == 1


async def test_a_public_scope_is_for_everybody(world: World, elm: Stranger) -> None:
    joint = await arrived(world, elm, "public")
    assert await seen_by(world, f"http://oak.test/scopes/{joint.name}", None) == 200


async def test_the_head_states_root_and_buckets_of_what_is_held(world: World, elm: Stranger) -> None:
    joint = await arrived(world, elm, "public")
    option, texts = joint.option(joint.convener)
    await world.tell(joint.convener, joint.adding(joint.convener, option, texts=texts))
    held = [records.digest(r) for r in (joint.offer, option)]
    _, _, document = await world.get(f"http://oak.test/scopes/{joint.name}")
    assert document["id"] == f"http://oak.test/scopes/{joint.name}"
    assert (document["type"], document["totalItems"]) == ("OrderedCollection", 2)
    head = read_head(document, joint.name)
    assert head.root == merkle.set_root(held)
    assert head.buckets == merkle.buckets(held)
    assert document["first"].endswith(f"?bucket={min(h[0] for h in held)}")


async def pages(world: World, name: str, digit: str) -> list[dict[str, Any]]:
    """All pages of a bucket, each reached by the one before."""
    found, url = [], f"http://oak.test/scopes/{name}?bucket={digit}"
    while url:
        status, _, document = await world.get(url)
        assert (status, document["id"]) == (200, url)
        found.append(document)
        url = document.get("next", "")
    return found


async def test_pages_hold_each_record_of_a_bucket_once_with_its_texts(
    world: World, elm: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    joint = await arrived(world, elm, "public")
    options = [joint.option(joint.convener, f"Proposal number {n}") for n in range(40)]
    for option, texts in options:
        await world.tell(joint.convener, joint.adding(joint.convener, option, texts=texts))
    monkeypatch.setattr(scopes, "PAGE_RECORDS", 2)
    found, texts_found = [], 0
    for digit in merkle.HEX:
        for page in await pages(world, joint.name, digit):
            assert len(page["orderedItems"]) <= 2
            for item in page["orderedItems"]:
                found.append(records.digest(item["jura:record"]))
                texts_found += len(item["jura:texts"])
                assert found[-1].startswith(digit)
    wanted = sorted([joint.name, *(records.digest(option) for option, _ in options)])
    assert sorted(found) == wanted
    assert texts_found == 41


async def test_pages_of_long_texts_stay_below_what_others_read(world: World, elm: Stranger) -> None:
    joint = await arrived(world, elm, "public")
    for number in range(60):
        title, texts = words(f"{number} " + "ü" * 39_000)
        option = joint.convener.record("Option", joint.name, title=title, round=1)
        await world.tell(joint.convener, joint.adding(joint.convener, option, texts=texts))
    count = 0
    for digit in merkle.HEX:
        for page in await pages(world, joint.name, digit):
            assert len(orjson.dumps(page)) < 1_000_000
            count += len(page["orderedItems"])
    assert count == 61


@pytest.mark.parametrize(
    "query", ["bucket=", "bucket=g", "bucket=A", "bucket=ab", "bucket=a&after=x", "bucket=a&after=%00"]
)
async def test_a_page_that_cannot_be_is_not_found(world: World, elm: Stranger, query: str) -> None:
    joint = await arrived(world, elm, "public")
    assert await seen_by(world, f"http://oak.test/scopes/{joint.name}?{query}", None) == 404


async def test_what_is_dated_ahead_is_held_back_here_too(world: World, elm: Stranger) -> None:
    joint = await arrived(world, elm, "public")
    world.clock.advance(timedelta(hours=1))
    option, texts = joint.option(joint.convener)
    world.clock.advance(timedelta(hours=-1))
    await world.tell(joint.convener, joint.adding(joint.convener, option, texts=texts))
    _, _, document = await world.get(f"http://oak.test/scopes/{joint.name}")
    assert document["totalItems"] == 1
    world.clock.advance(timedelta(minutes=56))
    _, _, document = await world.get(f"http://oak.test/scopes/{joint.name}")
    assert document["totalItems"] == 2


# Objects and activities


async def published(
    world: World, scope: str | None, *, public: bool, deleted: bool = False
) -> tuple[str, str]:
    """A post and its activity, as rows; returns their addresses."""
    note, create = (f"http://oak.test/{kind}/{'ab' * 32}" for kind in "oa")
    async with world.database().ACT.begin() as session:
        oak = await people.local_actor(session, "collective")
        assert oak is not None
        common = {"actor_id": oak.id, "scope": scope, "is_public": public, "published_at": world.clock.now()}
        body = {"id": note, "type": "Note", "attributedTo": oak.uri, "url": "http://oak.test/decisions/1"}
        gone = world.clock.now() if deleted else None
        session.add(Post(uri=note, kind="option", body=orjson.dumps(body), deleted_at=gone, **common))
        activity = {"@context": ["x"], "id": create, "type": "Create", "actor": oak.uri, "object": body}
        session.add(Activity(uri=create, type="Create", body=orjson.dumps(activity), **common))
    return note, create


async def test_public_objects_are_for_everybody_and_stand_alone(world: World) -> None:
    note, create = await published(world, None, public=True)
    status, _, document = await world.get(note)
    assert (status, document["id"], document["@context"][0]) == (
        200,
        note,
        "https://www.w3.org/ns/activitystreams",
    )
    assert (await world.get(create))[2]["object"]["id"] == note
    status, headers, _ = await world.get(note, accept="text/html")
    assert (status, headers["Location"]) == (303, "http://oak.test/decisions/1")


async def test_other_objects_are_for_participants_only(world: World, elm: Stranger, masto: Stranger) -> None:
    joint = await arrived(world, elm)
    urls = await published(world, joint.name, public=False)
    who = await readers(world, elm, masto)
    for url in urls:
        seen = {name: await seen_by(world, url, person) for name, person in who.items()}
        assert seen == {"participant": 200, "stranger": 404, "unsigned": 404, "liar": 404, "blocked": 404}


async def test_what_not_everybody_may_read_is_kept_by_no_cache(world: World, elm: Stranger) -> None:
    joint, reader = await arrived(world, elm), elm.person("instance")
    scope = f"http://oak.test/scopes/{joint.name}"
    page = f"{scope}?bucket={joint.name[0]}"
    for url in (scope, page, *await published(world, joint.name, public=False)):
        status, headers, _ = await world.get(url, by=reader)
        assert (status, headers["Cache-Control"]) == (200, "no-store")


async def test_what_belongs_to_no_scope_and_is_not_public_is_for_nobody(world: World, elm: Stranger) -> None:
    urls = await published(world, None, public=False)
    assert [await seen_by(world, url, elm.person("instance")) for url in urls] == [404, 404]


async def test_a_deleted_object_is_a_tombstone_for_those_who_could_read_it(
    world: World, elm: Stranger
) -> None:
    joint = await arrived(world, elm)
    note, _ = await published(world, joint.name, public=False, deleted=True)
    assert await seen_by(world, note, None) == 404
    status, _, document = await world.get(note, by=elm.person("instance"))
    assert (status, document["type"], document["formerType"]) == (410, "Tombstone", "Note")


async def test_a_signed_get_is_read_in_the_forms_that_real_servers_send(world: World, elm: Stranger) -> None:
    joint = await arrived(world, elm)
    url = f"http://oak.test/scopes/{joint.name}"
    reader = elm.person("instance")
    without_query = world.signed("GET", url, None, reader)
    status, _, _ = await world.request("GET", f"{url}?bucket=a", headers=without_query)
    assert status == 200
