"""WebFinger: an exact answer, and belief only where handle, answer and actor close a loop."""

from typing import Any

import aiohttp
import pytest

from activitypub import webfinger
from activitypub.errors import Gone, Malformed, NotAuthentic
from activitypub.fetch import Fetcher
from activitypub.webfinger import Handle
from tests.activitypub.peer import Peer

Json = dict[str, Any]
ALICE = Handle("alice", "north.test")
ACTOR = "http://north.test/users/alice"
SELF = {"rel": "self", "type": "application/activity+json", "href": ACTOR}


def jrd(subject: Any = "acct:alice@north.test", *more: Any) -> Json:
    return {"subject": subject, "links": [SELF, *more]}


def path(handle: str) -> str:
    return f"/.well-known/webfinger?resource=acct:{handle}"


@pytest.fixture
def fetcher(session: aiohttp.ClientSession) -> Fetcher:
    return Fetcher(session, lambda method, url, scheme: {}, seconds=5.0)


def test_our_answer_is_the_one_that_every_server_understands() -> None:
    answered = webfinger.answer(
        "assembly@north.example",
        "https://north.example/c/assembly",
        page="https://north.example/@assembly",
        subscribe="https://north.example/authorize_interaction?uri={uri}",
        aliases=["https://north.example/@assembly"],
    )
    assert answered["subject"] == "acct:assembly@north.example"
    assert answered["aliases"] == ["https://north.example/c/assembly", "https://north.example/@assembly"]
    assert {
        "rel": "self",
        "type": "application/activity+json",
        "href": "https://north.example/c/assembly",
    } in answered["links"]
    assert [link["rel"] for link in answered["links"]] == [
        webfinger.PROFILE_PAGE,
        "self",
        webfinger.SUBSCRIBE,
    ]
    read = webfinger.read_answer(answered)
    assert read == webfinger.Answer(Handle("assembly", "north.example"), "https://north.example/c/assembly")


def test_the_server_itself_is_found_by_its_address() -> None:
    answered = webfinger.service_answer("https://north.example/", "https://north.example/actor")
    assert answered["subject"] == "https://north.example/"
    assert answered["links"][0]["rel"] == "https://www.w3.org/ns/activitystreams#Service"


@pytest.mark.parametrize(
    "text", ["alice@north.test", "@alice@north.test", "acct:alice@north.test", "Alice@NORTH.test"]
)
def test_a_handle_is_read_in_all_its_forms(text: str) -> None:
    assert Handle.read(text) == ALICE


@pytest.mark.parametrize(
    "text",
    ["", "alice", "@alice", "alice@", "@@a", "a@b@c", "a b@c", "al\u0456ce@north.test", "alice@n\u00f6rth.test",
     "a/b@c", ".a@c", "a.@c", "a@c/d", "a@[::1]", "a@" + "x" * 400, "acct:@alice@north.test"],
)  # fmt: skip
def test_what_is_no_handle_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        Handle.read(text)


def test_a_question_names_the_handle_plainly() -> None:
    assert webfinger.query_url(Handle("alice", "north.example")) == (
        "https://north.example/.well-known/webfinger?resource=acct:alice@north.example"
    )


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"subject": "acct:alice@north.test"},
        {"subject": 3, "links": [SELF]},
        {"subject": "https://north.test/", "links": [SELF]},
        {"subject": "acct:alice@north.test", "links": SELF},
        {"subject": "acct:alice@north.test", "links": []},
        {"subject": "acct:alice@north.test", "links": [3, None, {"rel": "self"}, {**SELF, "type": None}]},
        {"subject": "acct:alice@north.test", "links": [{**SELF, "rel": ["self"]}]},
        {"subject": "acct:alice@north.test", "links": [{**SELF, "type": "text/html"}]},
        {"subject": "acct:alice@north.test", "links": [{**SELF, "type": "application/ld+json"}]},
        {"subject": "acct:alice@north.test", "links": [{**SELF, "href": None}]},
        {"subject": "acct:alice@north.test", "links": [{**SELF, "href": "javascript:alert(1)"}]},
        jrd("acct:alice@north.test", {**SELF, "href": "http://evil.test/alice"}),
        jrd("acct:alice"),
    ],
)
def test_an_answer_that_does_not_name_one_actor_of_one_handle_is_refused(odd: Json) -> None:
    with pytest.raises((NotAuthentic, Malformed)):
        webfinger.read_answer(odd)


def test_an_actor_named_twice_alike_is_one_actor() -> None:
    ld = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    assert webfinger.read_answer(jrd("acct:alice@north.test", {**SELF, "type": ld})).actor == ACTOR


async def test_a_handle_leads_to_its_actor(peer: Peer, fetcher: Fetcher) -> None:
    peer.document(path("alice@north.test"), jrd("acct:Alice@north.test"), type="application/jrd+json")
    assert await webfinger.look_up(fetcher, ALICE, "http") == webfinger.Answer(ALICE, ACTOR)


async def test_a_server_may_send_us_on_to_its_own_name_if_that_name_stands_by_it(
    peer: Peer, fetcher: Fetcher
) -> None:
    social = jrd("acct:alice@social.north.test")
    peer.document(path("alice@north.test"), social, type="application/jrd+json")
    with pytest.raises(Gone):
        await webfinger.look_up(fetcher, ALICE, "http")
    peer.document(path("alice@social.north.test"), social, type="application/jrd+json")
    found = await webfinger.look_up(fetcher, ALICE, "http")
    assert found.handle == Handle("alice", "social.north.test")


async def test_an_answer_about_somebody_on_another_server_is_refused(peer: Peer, fetcher: Fetcher) -> None:
    claimed = {**jrd("acct:victim@victim.test"), "links": [{**SELF, "href": "http://evil.test/users/v"}]}
    real = {**jrd("acct:victim@victim.test"), "links": [{**SELF, "href": "http://victim.test/users/v"}]}
    peer.document(path("v@evil.test"), claimed, type="application/jrd+json")
    peer.document(path("victim@victim.test"), real, type="application/jrd+json")
    with pytest.raises(NotAuthentic) as error:
        await webfinger.look_up(fetcher, Handle("v", "evil.test"), "http")
    assert error.value.code == "foreign-subject"


async def test_an_actor_has_the_handle_that_leads_back_to_it(peer: Peer, fetcher: Fetcher) -> None:
    peer.document(path("alice@north.test"), jrd(), type="application/jrd+json")
    actor = {"id": ACTOR, "preferredUsername": "alice"}
    assert await webfinger.confirmed_handle(fetcher, actor, "http") == ALICE
    named = {"id": ACTOR, "preferredUsername": "x", "webfinger": "alice@north.test"}
    assert await webfinger.confirmed_handle(fetcher, named, "http") == ALICE


async def test_an_actor_that_takes_anothers_handle_is_refused(peer: Peer, fetcher: Fetcher) -> None:
    peer.document(path("alice@north.test"), jrd(), type="application/jrd+json")
    impostor = {"id": "http://evil.test/alice", "preferredUsername": "alice", "webfinger": "alice@north.test"}
    with pytest.raises(NotAuthentic) as error:
        await webfinger.confirmed_handle(fetcher, impostor, "http")
    assert error.value.code == "no-loop"


@pytest.mark.parametrize(
    "odd", [{}, {"id": ACTOR}, {"id": "x", "preferredUsername": "a"}, {"id": ACTOR, "webfinger": "x"}]
)
def test_an_actor_without_a_usable_name_has_no_handle(odd: Json) -> None:
    with pytest.raises(Malformed):
        webfinger.claimed_handle(odd)
