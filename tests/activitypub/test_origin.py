"""Who may speak for what: origins, ownership, and keys that are claimed from both sides."""

from typing import Any

import pytest

from activitypub import actors, origin
from activitypub.errors import Forbidden, Malformed, NotAuthentic

ALICE = "https://north.example/users/alice"
KEY_ID = f"{ALICE}#main-key"
PEM = "-----BEGIN PUBLIC KEY-----\n…"


def actor(**more: Any) -> dict[str, Any]:
    key = {"id": KEY_ID, "owner": ALICE, "publicKeyPem": PEM}
    method = {"id": f"{ALICE}#ed", "type": "Multikey", "controller": ALICE, "publicKeyMultibase": "z6Mk"}
    return {
        "id": ALICE,
        "type": "Person",
        "preferredUsername": "alice",
        "inbox": f"{ALICE}/inbox",
        "publicKey": key,
        "assertionMethod": [method],
        **more,
    }


def key(**more: Any) -> dict[str, Any]:
    return {"id": KEY_ID, "owner": ALICE, "publicKeyPem": PEM, **more}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://north.example", ("https", "north.example", 443)),
        ("HTTPS://North.Example:443/Path?q#f", ("https", "north.example", 443)),
        ("http://oak.localhost:8081/c/1", ("http", "oak.localhost", 8081)),
        ("http://north.example", ("http", "north.example", 80)),
    ],
)
def test_an_origin_is_scheme_host_and_port(uri: str, expected: tuple[str, str, int]) -> None:
    assert origin.origin(uri) == expected


@pytest.mark.parametrize(
    "uri",
    ["", "north.example", "ftp://x", "did:key:z6Mk", "acct:a@b", "https://", "https://a@b/", "https://a:99999/",
     "https://a\\b/", "https://[::1", "urn:uuid:1"],
)  # fmt: skip
def test_what_is_no_web_address_has_no_origin(uri: str) -> None:
    with pytest.raises(Malformed):
        origin.origin(uri)
    assert not origin.same_origin(uri, uri)


@pytest.mark.parametrize(
    "other",
    [
        "https://north.example.evil.example/",
        "https://evil.north.example/",
        "http://north.example/",
        "https://north.example:8443/",
        "https://north.example@evil.example/",
        "https://evil.example/https://north.example/",
        "https://nоrth.example/",
    ],
)
def test_a_similar_address_is_another_origin(other: str) -> None:
    assert origin.same_origin("https://north.example/x", "https://north.example:443/y#z")
    assert not origin.same_origin("https://north.example/x", other)


@pytest.mark.parametrize(
    ("document", "owner"),
    [
        ({"attributedTo": ALICE}, ALICE),
        ({"attributedTo": [ALICE]}, ALICE),
        ({"attributedTo": {"id": ALICE}}, ALICE),
        ({"actor": ALICE, "attributedTo": "https://x.example/"}, ALICE),
        ({"owner": ALICE}, ALICE),
        ({"controller": ALICE}, ALICE),
        ({"id": ALICE, "inbox": "x", "attributedTo": "https://x.example/mods"}, ALICE),
        ({"attributedTo": [ALICE, "https://x.example/"]}, None),
        ({"attributedTo": []}, None),
        ({"id": ALICE}, None),
    ],
)
def test_the_owner_is_the_one_actor_that_a_document_names(
    document: dict[str, Any], owner: str | None
) -> None:
    assert origin.owner_of(document) == owner


def test_an_actor_speaks_for_its_own_things_on_its_own_server_only() -> None:
    note = {"id": "https://north.example/n/1", "attributedTo": ALICE}
    assert origin.owns(ALICE, note)
    assert not origin.owns("https://north.example/users/bob", note)
    assert not origin.owns(ALICE, {**note, "id": "https://evil.example/n/1"})
    assert not origin.owns(ALICE, {**note, "id": None})
    assert not origin.owns(ALICE, {**note, "attributedTo": [ALICE, "https://north.example/users/bob"]})


@pytest.mark.parametrize("keys", [key(), [key()], [{"id": "x"}, 3, key()]])
def test_a_key_that_its_actor_lists_belongs_to_the_actor(keys: Any) -> None:
    assert origin.key_owner(actor(publicKey=keys), KEY_ID) == ALICE
    assert origin.signing_key(actor(publicKey=keys), KEY_ID) == origin.ListedKey(KEY_ID, ALICE, PEM)


def test_a_key_with_an_address_of_its_own_on_the_same_server_is_listed_too() -> None:
    address = f"{ALICE}/main-key"
    assert origin.key_owner(actor(publicKey=key(id=address)), address) == ALICE


@pytest.mark.parametrize(
    ("document", "key_id"),
    [
        (actor(), f"{ALICE}#other"),
        (actor(publicKey=None), KEY_ID),
        (actor(publicKey=[key()] * 0), KEY_ID),
        (actor(publicKey=key(owner="https://north.example/users/bob")), KEY_ID),
        (actor(publicKey=key(owner=[ALICE])), KEY_ID),
        (actor(publicKey=key(publicKeyPem=None)), KEY_ID),
        (actor(id="https://north.example/users/bob"), KEY_ID),
        (actor(id=None), KEY_ID),
        (actor(publicKey=key(id="https://evil.example/k")), "https://evil.example/k"),
        (actor(publicKey=[key(id=f"{ALICE}#{n}") for n in range(10)] + [key()]), KEY_ID),
        ({**key(), "publicKey": key()}, "acct:alice@north.example"),
    ],
)
def test_a_key_that_its_actor_does_not_list_as_its_own_belongs_to_nobody(
    document: dict[str, Any], key_id: str
) -> None:
    with pytest.raises(NotAuthentic) as error:
        origin.key_owner(document, key_id)
    assert error.value.code == "not-their-key"


def test_a_key_document_that_claims_a_victim_proves_nothing() -> None:
    evil = "https://evil.example/key"
    claim = {"id": evil, "owner": ALICE, "publicKeyPem": PEM}
    for document in (claim, {**claim, "publicKey": claim}, actor(publicKey=claim)):
        with pytest.raises(NotAuthentic):
            origin.key_owner(document, evil)


def test_document_keys_are_listed_apart_from_request_keys() -> None:
    assert origin.assertion_key(actor(), f"{ALICE}#ed").text == "z6Mk"
    with pytest.raises(NotAuthentic):
        origin.assertion_key(actor(), KEY_ID)
    with pytest.raises(NotAuthentic):
        origin.key_owner(actor(), f"{ALICE}#ed")


# Actor documents, read


def test_an_actor_is_read_with_what_is_its_own() -> None:
    read = actors.read_actor(
        actor(
            name="Alice",
            summary="<p>x</p>",
            url=[{"type": "Link", "href": "https://north.example/@alice"}],
            followers=f"{ALICE}/followers",
            endpoints={"sharedInbox": "https://north.example/inbox"},
        )
    )
    assert (read.id, read.type, read.username, read.name) == (ALICE, "Person", "alice", "Alice")
    assert (read.url, read.shared_inbox) == ("https://north.example/@alice", "https://north.example/inbox")
    assert [listed.id for listed in (*read.signing_keys, *read.assertion_keys)] == [KEY_ID, f"{ALICE}#ed"]
    assert not read.kin


def test_foreign_addresses_in_an_actor_are_left_out() -> None:
    read = actors.read_actor(
        actor(
            url="javascript:alert(1)",
            followers="https://evil.example/f",
            outbox=3,
            endpoints={"sharedInbox": "https://evil.example/inbox"},
            publicKey=key(owner="https://evil.example/"),
            name={"en": "x"},
        )
    )
    assert (read.url, read.followers, read.outbox, read.shared_inbox) == (None, None, None, None)
    assert read.signing_keys == ()
    assert read.name == "alice"


def test_an_inbox_on_another_server_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        actors.read_actor(actor(inbox="https://victim.example/inbox"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None}, {"inbox": None}, {"inbox": ["a", "b"]}, {"type": "Note"}, {"type": []}, {"type": [{}]},
        {"preferredUsername": ""}, {"preferredUsername": None}, {"preferredUsername": ["a"]},
    ],
)  # fmt: skip
def test_what_is_no_actor_is_malformed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        actors.read_actor(actor(**wrong))


@pytest.mark.parametrize(
    "more",
    [
        {"jura:record": {"v": 1, "type": "Collective"}},
        {"generator": {"type": "Application", "implements": {"href": "https://w3id.org/jura/v1"}}},
        {"generator": {"implements": ["https://x.example", {"id": "https://w3id.org/jura/v1"}]}},
    ],
)
def test_an_actor_that_speaks_records_is_kin(more: dict[str, Any]) -> None:
    assert actors.read_actor(actor(**more)).kin
    assert not actors.read_actor(actor(generator={"implements": [3, {"href": ["x"]}]})).kin
