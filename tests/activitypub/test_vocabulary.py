"""What we send: the shapes that other servers need, and what they silently drop never in it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from activitypub import actors, addressing, codec, keypairs, origin, proofs, vocabulary
from activitypub.codec import PUBLIC
from activitypub.nodeinfo import best_link, content_type, document, links, software

Json = dict[str, Any]
US = "https://north.example/c/assembly"
THEM = "https://south.example/c/union"
AT = "2026-11-22T10:00:00Z"
RECORD = {"v": 1, "type": "Ballot"}
TEXTS = {"ab": {"salt": "00", "text": "Why", "lang": "en"}}
RSA_PEM = keypairs.pem(keypairs.generate_rsa().public_key())
ED = keypairs.generate_ed25519()
PROFILE: vocabulary.Profile = {
    "username": "assembly",
    "name": "North Assembly",
    "summary": "<p>Decides.</p>",
    "url": "https://north.example/@assembly",
    "published": AT,
    "shared_inbox": "https://north.example/inbox",
}
KEYS = {"host": "north.example", "public_pem": RSA_PEM, "multikey": keypairs.multikey(ED)}
TO_ALL = addressing.public(f"{US}/followers", [THEM])

GROUP = vocabulary.group_actor(id=US, **KEYS, **PROFILE, fields=[("Members", "42")], record={"v": 1})
PERSON = vocabulary.person_actor(id="https://north.example/m/ana", **KEYS, **PROFILE)
INSTANCE = vocabulary.application_actor(
    id="https://north.example/actor", **KEYS, **PROFILE, inbox="https://north.example/inbox"
)
NOTE = vocabulary.note(
    id=f"{US}/n/1", by=US, content="<p>Yes.</p>", published=AT, audience=TO_ALL, records=[RECORD], texts=TEXTS,
    language="en", in_reply_to=f"{THEM}/q/1", tags=[vocabulary.mention(THEM, "@union@south.example")],
)  # fmt: skip
QUESTION = vocabulary.question(
    id=f"{US}/q/1", by=US, content="<p>Buy a van?</p>", published=AT, audience=TO_ALL,
    options=[("Agree", 3), ("Unsure", 0), ("Disagree", 1)], end_time="2026-11-29T10:00:00Z", voters=4,
)  # fmt: skip
QUIET = vocabulary.quiet_object([RECORD, RECORD], TEXTS)
FOLLOW = vocabulary.follow(f"{US}/f/1", US, THEM)
ACTIVITIES = [
    vocabulary.create(f"{US}/n/1/create", NOTE),
    vocabulary.create(f"{US}/q/1/create", QUESTION),
    vocabulary.update(f"{US}/q/1/update/1", QUESTION, AT),
    vocabulary.update_actor(f"{US}/update/1", GROUP, TO_ALL, AT),
    vocabulary.delete(f"{US}/n/1/delete", US, vocabulary.tombstone(f"{US}/n/1", "Note", AT), TO_ALL, AT),
    vocabulary.add(f"{US}/a/1", US, QUIET, f"{US}/scopes/ab", addressing.direct([THEM]), AT),
    vocabulary.remove(f"{US}/a/2", US, f"{US}/n/1", f"{US}/featured", TO_ALL, AT),
    vocabulary.announce(f"{US}/s/1", US, f"{THEM}/q/1", TO_ALL, AT),
    FOLLOW,
    vocabulary.undo(f"{US}/f/1/undo", FOLLOW, addressing.direct([THEM]), AT),
    vocabulary.offer(f"{US}/o/1", US, QUIET, addressing.direct([THEM]), AT),
    vocabulary.accept(f"{US}/y/1", US, FOLLOW, [THEM]),
    vocabulary.accept(f"{US}/y/2", US, f"{THEM}/o/1", [THEM], records=[RECORD], result=f"{US}/m/1"),
    vocabulary.reject(f"{US}/y/3", US, f"{THEM}/o/1", [THEM], published=AT, records=[RECORD]),
]
NAMED = [pytest.param(each, id=each["id"].removeprefix(US)) for each in ACTIVITIES]


def inside(value: Any) -> Iterator[Json]:
    """Every object in a document, itself included."""
    if isinstance(value, dict):
        yield value
        for name, each in value.items():
            if name not in ("@context", "jura:record", "jura:texts"):
                yield from inside(each)
    elif isinstance(value, list):
        for each in value:
            yield from inside(each)


@pytest.mark.parametrize("activity", NAMED)
def test_an_activity_has_one_plain_type_one_actor_and_an_inline_list_as_context(activity: Json) -> None:
    assert isinstance(activity["@context"], list)
    assert activity["@context"][0] == codec.AS2
    assert activity["actor"] == US
    assert codec.decode(codec.encode(activity)) == activity
    for each in inside(activity):
        assert isinstance(each.get("type", ""), str)
        assert each is activity or "@context" not in each


@pytest.mark.parametrize("activity", NAMED)
def test_an_activity_reads_back_as_it_was_meant(activity: Json) -> None:
    read = codec.tidy(activity)
    assert (read.id, read.type, read.actor) == (activity["id"], activity["type"], US)
    assert read.object_id == codec.reference(activity["object"])
    assert set(read.to) == set(activity["to"])


@pytest.mark.parametrize("activity", NAMED)
def test_what_is_ours_in_an_activity_has_our_address_and_our_audience(activity: Json) -> None:
    if activity["type"] not in ("Create", "Update"):
        return
    thing = activity["object"]
    if "inbox" not in thing:
        assert thing["attributedTo"] == US
        assert (thing["to"], thing.get("cc")) == (activity["to"], activity.get("cc"))
    assert origin.owns(US, thing)


@pytest.mark.parametrize("document", [NOTE, QUESTION])
def test_a_post_has_no_name_and_no_summary_as_both_would_hide_it(document: Json) -> None:
    assert not {"name", "summary"} & set(document)
    assert document["published"] == AT
    assert vocabulary.alone(document)["@context"] == vocabulary.CONTEXT


def test_a_text_in_a_language_says_so_with_the_very_same_content() -> None:
    assert NOTE["contentMap"] == {"en": NOTE["content"]}


def test_records_travel_as_one_or_as_a_list_with_their_texts_beside_them() -> None:
    assert NOTE["jura:record"] == RECORD
    assert NOTE["jura:texts"] == TEXTS
    assert QUIET == {"type": "Object", "jura:record": [RECORD, RECORD], "jura:texts": TEXTS}
    assert codec.tidy(ACTIVITIES[0]).records == [RECORD]
    assert codec.tidy(ACTIVITIES[0]).texts == TEXTS


def test_more_than_a_hundred_records_are_never_put_into_one_object() -> None:
    with pytest.raises(ValueError, match="at most 100"):
        vocabulary.quiet_object([RECORD] * 101)


def test_a_poll_shows_its_options_as_every_server_reads_them() -> None:
    assert QUESTION["type"] == "Question"
    assert QUESTION["oneOf"][0] == {
        "type": "Note",
        "name": "Agree",
        "replies": {"type": "Collection", "totalItems": 3},
    }
    assert (QUESTION["endTime"], QUESTION["votersCount"]) == ("2026-11-29T10:00:00Z", 4)
    assert "closed" not in QUESTION


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", " a"], ["a", ""], ["a", "b", "c", "d", "e"]])
def test_a_poll_that_some_servers_would_drop_is_not_made(names: list[str]) -> None:
    with pytest.raises(ValueError, match="two to four"):
        vocabulary.question(
            id="x",
            by=US,
            content="",
            published=AT,
            audience=TO_ALL,
            options=[(n, 0) for n in names],
            end_time=AT,
        )


def test_an_answer_to_a_follow_repeats_it_inside() -> None:
    accept = vocabulary.accept(f"{US}/y/1", US, FOLLOW, [THEM])
    assert accept["object"] == {key: value for key, value in FOLLOW.items() if key != "@context"}


# Actors


@pytest.mark.parametrize(
    ("actor", "kind", "listed"),
    [(GROUP, "Group", True), (PERSON, "Person", False), (INSTANCE, "Application", False)],
)
def test_an_actor_of_ours_reads_back_as_kin_with_both_its_keys(actor: Json, kind: str, listed: bool) -> None:
    read = actors.read_actor(codec.decode(codec.encode(actor)))
    assert (read.type, read.kin, actor["discoverable"]) == (kind, True, listed)
    assert origin.signing_key(actor, vocabulary.request_key_id(read.id)).text == RSA_PEM
    key = origin.assertion_key(actor, vocabulary.assertion_key_id(read.id))
    assert keypairs.public_from_multikey(key.text) == ED.public_key()


def test_a_groups_actor_has_what_other_servers_refuse_it_without() -> None:
    needed = {
        "@context", "id", "type", "preferredUsername", "inbox", "outbox", "publicKey", "followers", "following",
        "featured", "endpoints", "url", "name", "summary", "published", "webfinger", "generator",
        "manuallyApprovesFollowers", "assertionMethod", "jura:record",
    }  # fmt: skip
    assert needed <= set(GROUP)
    assert GROUP["webfinger"] == "assembly@north.example"
    assert GROUP["attachment"] == [{"type": "PropertyValue", "name": "Members", "value": "42"}]
    assert INSTANCE["inbox"] == "https://north.example/inbox"


@pytest.mark.parametrize("context", [vocabulary.CONTEXT, vocabulary.ACTOR_CONTEXT])
def test_our_context_defines_both_of_our_terms_as_json_literals(context: list[Any]) -> None:
    terms = context[-1]
    assert terms["jura"] == "https://w3id.org/jura/v1#"
    for name in ("jura:record", "jura:texts"):
        assert terms[name] == {"@id": name, "@type": "@json"}


def test_every_unknown_word_of_an_actor_is_in_its_context() -> None:
    plain = {"publicKey", "assertionMethod", "generator", "endpoints", "attachment", "jura:record"}
    as2 = {
        "id", "type", "name", "summary", "url", "published", "inbox", "outbox", "followers", "following",
        "preferredUsername", "attributedTo", "icon",
    }  # fmt: skip
    assert set(GROUP) - {"@context"} - as2 - plain <= set(vocabulary.ACTOR_CONTEXT[-1])


def test_a_proof_on_our_activity_repeats_its_whole_context() -> None:
    signed = proofs.sign(ACTIVITIES[0], ED, vocabulary.assertion_key_id(US), AT)
    assert signed["proof"]["@context"] == signed["@context"]
    proofs.verify(codec.decode(codec.encode(signed)), ED.public_key())


# Collections


def test_followers_are_only_counted() -> None:
    collection = vocabulary.ordered_collection(f"{US}/followers", total=0, by=US)
    assert collection == {
        "@context": vocabulary.CONTEXT,
        "id": f"{US}/followers",
        "type": "OrderedCollection",
        "totalItems": 0,
        "attributedTo": US,
    }


def test_pins_are_listed_even_when_there_are_none() -> None:
    empty = vocabulary.ordered_collection(f"{US}/featured", items=[])
    assert (empty["totalItems"], empty["orderedItems"]) == (0, [])
    one = vocabulary.ordered_collection(f"{US}/featured", items=[f"{US}/q/1"])
    assert (one["totalItems"], one["orderedItems"]) == (1, [f"{US}/q/1"])


def test_a_scope_shows_its_head_and_its_pages_hold_records() -> None:
    scope = f"{US}/scopes/ab"
    head = vocabulary.ordered_collection(scope, total=2, first=f"{scope}?bucket=0", record={"type": "Head"})
    assert (head["first"], head["jura:record"]) == (f"{scope}?bucket=0", {"type": "Head"})
    page = vocabulary.ordered_collection_page(
        f"{scope}?bucket=0", scope, [QUIET], f"{scope}?bucket=0&after=f"
    )
    assert page == {
        "@context": vocabulary.CONTEXT,
        "id": f"{scope}?bucket=0",
        "type": "OrderedCollectionPage",
        "partOf": scope,
        "orderedItems": [QUIET],
        "next": f"{scope}?bucket=0&after=f",
    }
    assert "next" not in vocabulary.ordered_collection_page(scope, scope, [])


# Audiences


def test_an_audience_says_who_sees_it_and_who_gets_it() -> None:
    followers = f"{US}/followers"
    for audience, public in [
        (addressing.public(followers, [THEM, THEM]), True),
        (addressing.unlisted(followers, [THEM]), True),
        (addressing.for_followers(followers, [THEM]), False),
    ]:
        assert addressing.is_public(audience) is public
        assert set(addressing.recipients(audience)) == {followers, THEM}
    assert addressing.direct([THEM, THEM]) == addressing.Audience((THEM,))
    assert not addressing.is_public(addressing.direct([THEM]))
    assert addressing.public(followers).to == (PUBLIC,)
    assert addressing.unlisted(followers).cc == (PUBLIC,)


def test_one_servers_actors_are_reached_through_its_shared_inbox_once() -> None:
    shared = "https://south.example/inbox"
    grouped = addressing.group_by_shared_inbox(
        [
            (f"{THEM}/inbox", shared),
            (f"{THEM}2/inbox", shared),
            (f"{THEM}2/inbox", shared),
            ("https://west.example/a/inbox", "https://west.example/inbox"),
            ("https://gts.example/a/inbox", None),
            ("https://gts.example/b/inbox", None),
        ]
    )
    assert grouped == {
        shared: 2,
        "https://west.example/a/inbox": 1,
        "https://gts.example/a/inbox": 1,
        "https://gts.example/b/inbox": 1,
    }


# NodeInfo


def test_nodeinfo_says_what_we_are_in_both_versions() -> None:
    old = document("2.0", version="0.1.0", users=42, posts=7, metadata={"decisions": 3})
    assert old["software"] == {"name": "jura", "version": "0.1.0"}
    assert (old["version"], old["protocols"]) == ("2.0", ["activitypub"])
    assert (old["usage"]["users"]["total"], old["usage"]["localPosts"]) == (42, 7)
    new = document("2.1", version="0.1.0", users=42, repository="https://code.example/jura")
    assert new["software"] == {"name": "jura", "version": "0.1.0", "repository": "https://code.example/jura"}
    assert software(new) == ("jura", "0.1.0")
    assert (
        content_type("2.1") == 'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'
    )
    assert json.dumps(old)
    with pytest.raises(KeyError):
        document("1.0", version="0.1.0", users=0)


def test_nodeinfo_is_found_from_its_well_known_place() -> None:
    listed = links("https://north.example", "https://north.example/actor")
    assert best_link(listed) == "https://north.example/nodeinfo/2.1"
    assert listed["links"][-1]["rel"] == "https://www.w3.org/ns/activitystreams#Application"
    assert best_link({"links": listed["links"][:1]}) == "https://north.example/nodeinfo/2.0"


@pytest.mark.parametrize(
    "odd", [{}, {"links": 3}, {"links": [3, {"rel": [], "href": 1}]}, {"links": [{"rel": "x"}]}]
)
def test_a_well_known_document_without_what_we_read_leads_nowhere(odd: Json) -> None:
    assert best_link(odd) is None


@pytest.mark.parametrize("odd", [{}, {"software": "x"}, {"software": {"name": 3, "version": "1"}}])
def test_a_server_that_does_not_say_what_it_is_stays_unknown(odd: Json) -> None:
    assert software(odd) is None


def test_a_long_name_of_a_software_is_cut() -> None:
    assert software({"software": {"name": "X" * 100, "version": "1" * 100}}) == ("x" * 64, "1" * 64)
