"""Actors of ours as others fetch them, their collections, and how others find them."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from activitypub import keypairs, webfinger
from activitypub.actors import read_actor
from activitypub.origin import signing_key
from models import people
from models.people import Actor
from models.posts import Activity, Post
from server.peers.actors import DOCUMENTS, KEPT_FOR
from tests.server.peers.world import ACTIVITY, PUBLIC, Stranger, World

OAK = "http://oak.test/c/oak"
LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("handle", "type_", "kind"),
    [("oak", "Group", "Collective"), ("assembly", "Group", "Circle"), ("instance", "Application", None)],
)
async def test_actors_of_ours_are_served_to_everybody_and_read_well(
    world: World, handle: str, type_: str, kind: str | None
) -> None:
    status, headers, document = await world.get(f"http://oak.test/c/{handle}")
    assert (status, headers["Content-Type"], headers["Vary"]) == (200, ACTIVITY, "Accept, Signature")
    read = read_actor(document)
    assert (read.type, read.username) == (type_, handle)
    assert signing_key(document, f"http://oak.test/c/{handle}#main-key").owner == read.id
    keypairs.public_from_multikey(read.assertion_keys[0].text)
    record = document.get("jura:record", {})
    assert record.get("type") == kind
    assert record.get("scopes") == ("http://oak.test/scopes/{scope}" if kind else None)


async def test_the_collective_says_how_many_its_members_are_and_the_circles_do_not(world: World) -> None:
    _, _, oak = await world.get(OAK)
    _, _, circle = await world.get("http://oak.test/c/assembly")
    assert oak["attachment"][0] == {"type": "PropertyValue", "name": "Members", "value": "0"}
    assert circle["attachment"] == []


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (ACTIVITY, 200),
        (LD, 200),
        (f"{ACTIVITY}, {LD}", 200),
        (f"{LD}, text/html;q=0.5", 200),
        ("*/*", 200),
        ("application/json", 200),
        ("text/html", 303),
        (BROWSER, 303),
        ("image/png", 406),
        ("application/json+activity", 406),
    ],
)
async def test_documents_for_servers_and_pages_for_people(world: World, accept: str, status: int) -> None:
    found, headers, _ = await world.get(OAK, accept=accept)
    assert found == status
    assert headers.get("Location") == ("http://oak.test/@oak" if status == 303 else None)
    assert "Accept" in headers["Vary"]


@pytest.mark.parametrize("handle", ["nobody", "OAK", "oak%2Finbox", "..%2foak"])
async def test_there_is_nobody_by_other_names(world: World, handle: str) -> None:
    status, _, _ = await world.get(f"http://oak.test/c/{handle}")
    assert status == 404


async def member(world: World, **changed: Any) -> None:
    """A member who asked for a public actor."""
    async with world.database().ACT.begin() as session:
        oak = await people.local_actor(session, "collective")
        assert oak is not None
        copied = {c.name: getattr(oak, c.name) for c in Actor.__table__.columns if c.name != "id"}
        own = {"uri": "http://oak.test/c/ana", "handle": "ana", "kind": "member", "type": "Person"}
        session.add(Actor(**{**copied, **own, "inbox": "http://oak.test/c/ana/inbox", **changed}))


async def test_a_member_who_asked_for_an_actor_is_a_person_like_any(world: World, masto: Stranger) -> None:
    await member(world)
    _, _, document = await world.get("http://oak.test/c/ana")
    assert (document["type"], document["discoverable"]) == ("Person", False)
    ana = masto.person("ana")
    assert await world.tell(ana, ana.activity("Follow", object="http://oak.test/c/ana")) == "done"


async def test_of_a_member_who_took_their_actor_back_nothing_is_left(world: World, masto: Stranger) -> None:
    await member(world, gone_at=world.clock.now())
    for path in ("", "/outbox", "/outbox?page=1", "/followers", "/following", "/featured"):
        assert (await world.get(f"http://oak.test/c/ana{path}"))[0] == 410
    for resource in ("acct:ana@oak.test", "http://oak.test/c/ana"):
        assert (await world.get(f"http://oak.test/.well-known/webfinger?resource={resource}"))[0] == 404
    ana = masto.person("ana")
    assert await world.post(ana, ana.activity("Follow", object=OAK), to="http://oak.test/c/ana/inbox") == 404
    assert await world.tell(ana, ana.activity("Follow", object="http://oak.test/c/ana")) == "refused"


async def test_an_actor_that_is_gone_is_gone_for_everybody(world: World) -> None:
    async with world.database().ACT.begin() as session:
        circle = await people.local_actor_by_handle(session, "assembly")
        assert circle is not None
        circle.gone_at = world.clock.now()
    assert (await world.get("http://oak.test/c/assembly"))[0] == 410
    assert (await world.get("http://oak.test/.well-known/webfinger?resource=acct:assembly@oak.test"))[
        0
    ] == 404


async def test_an_unchanged_document_is_not_sent_again(world: World) -> None:
    _, headers, _ = await world.get(OAK)
    asked = {"Accept": ACTIVITY, "If-None-Match": headers["ETag"]}
    status, _, body = await world.request("GET", OAK, headers=asked)
    assert (status, body) == (304, b"")


async def test_a_changed_actor_is_seen_within_seconds(world: World) -> None:
    _, before, _ = await world.get(OAK)
    async with world.database().ACT.begin() as session:
        oak = await people.local_actor(session, "collective")
        assert oak is not None
        oak.name = "Oak & Ash"
    assert (await world.get(OAK))[2]["name"] == "Oak Collective"
    world.clock.advance(KEPT_FOR + timedelta(seconds=1))
    _, after, document = await world.get(OAK)
    assert document["name"] == "Oak & Ash"
    assert after["ETag"] != before["ETag"]


async def test_asking_for_nobody_is_not_remembered(world: World) -> None:
    for number in range(5):
        await world.get(f"http://oak.test/c/nobody{number}")
    assert len(world.of().app[DOCUMENTS]) == 0


# Collections


async def publish(world: World, count: int, **changed: Any) -> list[str]:
    """Posts and activities of the collective, as rows; returns the activities' ids, oldest first."""
    uris = []
    async with world.database().ACT.begin() as session:
        oak = await people.local_actor(session, "collective")
        assert oak is not None
        now = world.clock.now()
        for number in range(count):
            uri = f"http://oak.test/a/{number:064x}"
            body = orjson.dumps({"id": uri, "type": "Create", "actor": OAK, "to": [PUBLIC]})
            row = {
                "uri": uri,
                "type": "Create",
                "is_public": True,
                "body": body,
                "published_at": now,
                **changed,
            }
            session.add(Activity(actor_id=oak.id, **row))
            uris.append(uri)
    return uris


async def test_the_outbox_holds_what_is_public_newest_first_in_pages(world: World) -> None:
    uris = await publish(world, 45)
    _, _, outbox = await world.get(f"{OAK}/outbox")
    assert (outbox["type"], outbox["totalItems"]) == ("OrderedCollection", 45)
    found, page = [], outbox["first"]
    while page:
        _, _, document = await world.get(page)
        assert document["id"] == page
        found += [item["id"] for item in document["orderedItems"]]
        page = document.get("next")
    assert found == uris[::-1]


async def test_the_outbox_tells_nothing_that_is_not_public(world: World) -> None:
    await publish(world, 3, is_public=False)
    assert (await world.get(f"{OAK}/outbox"))[2]["totalItems"] == 0
    assert (await world.get(f"{OAK}/outbox?page=1"))[2]["orderedItems"] == []


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "9" * 10, "1.5"])
async def test_an_outbox_page_that_cannot_be_is_not_found(world: World, before: str) -> None:
    assert (await world.get(f"{OAK}/outbox?page=1&before={before}"))[0] == 404


async def test_followers_are_counted_and_never_named(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await world.tell(ana, ana.activity("Follow", object=OAK))
    _, _, followers = await world.get(f"{OAK}/followers")
    assert followers["totalItems"] == 1
    assert not {"first", "items", "orderedItems"} & followers.keys()
    assert (await world.get(f"{OAK}/following"))[2]["totalItems"] == 0


async def test_open_rounds_are_featured_by_their_ids_until_they_close(world: World) -> None:
    closes = world.clock.now() + timedelta(hours=1)
    async with world.database().ACT.begin() as session:
        oak = await people.local_actor(session, "collective")
        assert oak is not None
        for number, public in ((1, True), (2, False)):
            uri = f"http://oak.test/o/{number:064x}"
            row = {"uri": uri, "actor_id": oak.id, "kind": "round", "is_public": public, "body": b"{}"}
            session.add(Post(**row, published_at=world.clock.now(), featured_until=closes))
    assert (await world.get(f"{OAK}/featured"))[2]["orderedItems"] == [f"http://oak.test/o/{1:064x}"]
    world.clock.advance(timedelta(hours=2))
    assert (await world.get(f"{OAK}/featured"))[2]["orderedItems"] == []


# Discovery


@pytest.mark.parametrize("resource", ["acct:oak@oak.test", "acct:OAK@Oak.Test", OAK, "http://oak.test/@oak"])
async def test_webfinger_loops_exactly(world: World, resource: str) -> None:
    status, headers, document = await world.get(f"http://oak.test/.well-known/webfinger?resource={resource}")
    assert (status, headers["Content-Type"]) == (200, "application/jrd+json")
    assert headers["Access-Control-Allow-Origin"] == "*"
    found = webfinger.read_answer(document)
    assert (str(found.handle), found.actor) == ("oak@oak.test", OAK)
    _, _, actor = await world.get(found.actor)
    assert webfinger.claimed_handle(actor) == found.handle
    assert actor["id"] == found.actor


@pytest.mark.parametrize("resource", ["http://oak.test", "http://oak.test/"])
async def test_the_servers_own_address_leads_to_its_instance_actor(world: World, resource: str) -> None:
    _, _, document = await world.get(f"http://oak.test/.well-known/webfinger?resource={resource}")
    [link] = document["links"]
    assert link["href"] == "http://oak.test/c/instance"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?resource=acct:oak@oak.test&resource=acct:assembly@oak.test", 400),
        ("?resource=acct:oak@elm.test", 404),
        ("?resource=acct:nobody@oak.test", 404),
        ("?resource=acct:oak", 404),
        ("?resource=oak@oak.test", 404),
        ("?resource=http://elm.test/c/oak", 404),
        ("?resource=http://oak.test/c/oak/inbox", 404),
        ("?resource=http://oak.test/oak", 404),
        ("?resource=http://oak.test.evil.test/c/oak", 404),
        ("?resource=acct:%F0%9F%8C%B3@oak.test", 404),
    ],
)
async def test_webfinger_knows_nobody_else(world: World, query: str, status: int) -> None:
    assert (await world.get(f"http://oak.test/.well-known/webfinger{query}"))[0] == status


async def test_nodeinfo_links_to_documents_that_say_what_we_are(world: World) -> None:
    _, _, well_known = await world.get("http://oak.test/.well-known/nodeinfo")
    hrefs = {link["rel"]: link["href"] for link in well_known["links"]}
    assert hrefs["https://www.w3.org/ns/activitystreams#Application"] == "http://oak.test/c/instance"
    for schema in ("2.0", "2.1"):
        url = hrefs[f"http://nodeinfo.diaspora.software/ns/schema/{schema}"]
        status, headers, document = await world.get(url)
        assert (status, document["version"], document["software"]["name"]) == (200, schema, "jura")
        assert document["protocols"] == ["activitypub"]
        assert f"schema/{schema}#" in headers["Content-Type"]
    assert (await world.get("http://oak.test/nodeinfo/3.0"))[0] == 404
