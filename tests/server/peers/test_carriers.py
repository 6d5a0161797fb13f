"""Activities that carry records: what is taken in, from whom; twice, late, before its cause; and by impostors."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activitypub import proofs
from models import ledger
from models.ledger import Participant, RecordRow, Scope, TextRow
from models.rules import records
from server import remote
from server.actions import hearing, signers
from tests.server.peers.joint import Joint, words
from tests.server.peers.world import Person, Stranger, World

Json = dict[str, Any]


@pytest.fixture
async def elm(world: World) -> Stranger:
    """Another instance of our kind."""
    return await world.stranger("elm")


@pytest.fixture
async def joint(world: World, elm: Stranger) -> Joint:
    """A decision that elm's collective offers to ours; it has not arrived yet."""
    return Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or ""])


async def held(world: World, name: str) -> set[str]:
    """The types of the records that oak holds of a scope."""
    query = select(RecordRow.type).join(Scope, Scope.id == RecordRow.scope_id).where(Scope.name == name)
    async with world.database().READ() as session:
        return set((await session.scalars(query)).all())


async def participants(world: World) -> dict[str, str]:
    async with world.database().READ() as session:
        return {p.key: p.authority for p in (await session.scalars(select(Participant))).all()}


# Offer


async def test_an_offer_that_invites_us_opens_its_scope_with_record_and_text(
    world: World, joint: Joint
) -> None:
    assert await world.tell(joint.convener, joint.offering()) == "done"
    assert await held(world, joint.name) == {"Offer"}
    async with world.database().READ() as session:
        scope = await ledger.scope_named(session, joint.name)
        [text] = (await session.scalars(select(TextRow.text))).all()
    assert scope is not None
    assert scope.visibility == "federation"
    assert scope.repair_at == world.clock.now()
    assert text == "Shall we buy a van together?"


async def test_the_other_invited_become_participants_where_they_can_be_had(
    world: World, elm: Stranger
) -> None:
    ash, fir = await world.stranger("ash"), await world.stranger("fir")
    there, gone, bystander = ash.kin("ash"), fir.kin("fir"), ash.person("bystander")
    ours = await world.collective()
    joint = Joint(world, elm.kin("elm"), [ours.ed25519 or "", there.key, gone.key])
    del fir.people["fir"]
    offering = joint.offering(to=[ours.uri, there.uri, gone.uri, bystander.uri])
    assert await world.tell(joint.convener, offering) == "done"
    assert await participants(world) == {
        ours.ed25519: "oak.test",
        joint.convener.key: "elm.test",
        there.key: "ash.test",
    }


async def test_at_most_fifty_of_the_addressed_are_asked(world: World, elm: Stranger, masto: Stranger) -> None:
    ours = await world.collective()
    joint = Joint(world, elm.kin("elm"), [ours.ed25519 or ""])
    offering = joint.offering(to=[f"{masto.url}/users/p{n}" for n in range(60)])
    assert await world.tell(joint.convener, offering) == "done"
    assert len(masto.gets()) == 50


async def test_who_invites_us_too_often_is_refused_and_nobody_is_asked_for_it(
    world: World, elm: Stranger, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "OFFERS_A_DAY", 2)
    ours = await world.collective()

    async def invite(convener: Person, number: int) -> str | None:
        joint = Joint(world, convener, [ours.ed25519 or ""], changed={"grace": 3600 + number})
        return await world.tell(convener, joint.offering(to=[f"{masto.url}/users/p{number}"]))

    loud = elm.kin("loud")
    assert [await invite(loud, number) for number in range(1, 5)] == ["done", "done", "refused", "refused"]
    assert len(masto.gets()) == 2
    assert await invite(elm.kin("beside"), 5) == "refused"
    assert await invite((await world.stranger("ash")).kin("ash"), 5) == "done"
    world.clock.advance(timedelta(days=1, seconds=1))
    assert await invite(loud, 6) == "done"
    below = [(await world.stranger(f"s{n}.evil")).kin("eve") for n in range(6)]
    monkeypatch.setattr(hearing, "OFFERS_A_DAY", 1)
    assert [await invite(one, 7) for one in below] == ["done"] * 5 + ["refused"]


async def test_an_offer_to_others_opens_nothing_and_asks_nobody(
    world: World, elm: Stranger, masto: Stranger
) -> None:
    joint = Joint(world, elm.kin("elm"), [masto.person("ana").key])
    offering = joint.offering(to=[f"{masto.url}/users/ana"])
    assert await world.tell(joint.convener, offering) == "ignored"
    assert await world.count(Scope) == 0
    assert masto.gets() == []


async def test_the_same_offer_twice_is_ignored_the_second_time(world: World, joint: Joint) -> None:
    await world.tell(joint.convener, joint.offering())
    assert await world.tell(joint.convener, joint.offering()) == "ignored"
    assert await world.count(Scope) == 1


async def test_only_the_convening_collective_delivers_its_offer(
    world: World, joint: Joint, elm: Stranger
) -> None:
    circle = elm.person("circle")
    eve = (await world.stranger("evil")).kin("eve")
    for impostor in (circle, eve):
        assert await world.tell(impostor, joint.offering(impostor)) == "refused"
    assert await world.count(Scope) == 0


async def test_an_offer_that_names_another_address_than_its_sender_is_refused(
    world: World, elm: Stranger
) -> None:
    ours = await world.collective()
    joint = Joint(
        world, elm.kin("elm"), [ours.ed25519 or ""], changed={"actor": "http://elm.test/users/other"}
    )
    assert await world.tell(joint.convener, joint.offering()) == "refused"


async def test_an_offer_wrapped_as_somebody_elses_object_is_refused(world: World, joint: Joint) -> None:
    offering = joint.offering()
    for owner in ("http://elm.test/users/other", [], 7, {"type": "Group"}, None):
        wrapped = {**joint.offering(), "object": {**offering["object"], "attributedTo": owner}}
        assert await world.tell(joint.convener, wrapped) == "refused"
    assert await world.count(Scope) == 0


# Records and their proofs


def forged(record: Json) -> Json:
    return {**record, "at": "2026-11-22T10:00:01Z"}


def by_another(record: Json) -> Json:
    return {**record, "by": "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"}


def unproved(record: Json) -> Json:
    return {k: v for k, v in record.items() if k != "proof"}


def unknown(record: Json) -> Json:
    return {**record, "type": "Poem"}


def swollen(record: Json) -> Json:
    return {**record, "more": "x" * 17_000}


@pytest.mark.parametrize("change", [forged, by_another, unproved, unknown, swollen])
async def test_a_record_that_is_not_proved_is_refused_with_all_that_came_along(
    world: World, joint: Joint, elm: Stranger, change: Any
) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    good = joint.answer(joint.convener)
    for activity in (
        joint.adding(joint.convener, good, change(option), texts=texts),
        joint.noting(joint.convener, good, change(option), texts=texts),
    ):
        assert await world.tell(joint.convener, activity) == "refused"
    assert await held(world, joint.name) == {"Offer"}


async def test_texts_are_kept_only_if_a_record_names_them_and_they_are_not_absurd(
    world: World, joint: Joint
) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    long, long_texts = words("x" * 50_000)
    absurd = joint.convener.record("Option", joint.name, title=long, round=1)
    _, unnamed = words("nobody names me")
    (digest, text), *_ = texts.items()
    lies = {digest: {**text, "text": "other words"}}
    everything = {**long_texts, **unnamed, **lies}
    assert (
        await world.tell(joint.convener, joint.adding(joint.convener, option, absurd, texts=everything))
        == "done"
    )
    assert await world.tell(joint.convener, joint.adding(joint.convener, option, texts=texts)) == "ignored"
    async with world.database().READ() as session:
        kept = set((await session.scalars(select(TextRow.text))).all())
    assert kept == {"Shall we buy a van together?", "Buy the blue van"}


@pytest.mark.parametrize(
    "changed",
    [{"lang": "e" * 36}, {"lang": "<b>"}, {"salt": "73 " * 16}, {"salt": "7" * 31}, {"salt": "73" * 17}],
    ids=str,
)
async def test_texts_of_another_form_are_not_kept_and_hold_up_no_record(
    world: World, joint: Joint, changed: Json
) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    odd = {digest: {**text, **changed} for digest, text in texts.items()}
    assert await world.tell(joint.convener, joint.adding(joint.convener, option, texts=odd)) == "done"
    assert await world.count(TextRow) == 1


@pytest.mark.parametrize(
    "actor", ["http://[", "http://" + "a." * 200 + "test/c", "http://x@elm.test/c", "https://:/"]
)
async def test_an_answer_that_names_no_possible_address_makes_no_participant(
    world: World, elm: Stranger, actor: str
) -> None:
    ash = (await world.stranger("ash")).kin("ash")
    joint = Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or "", ash.key])
    await world.tell(joint.convener, joint.offering())
    odd = joint.answer(ash, actor=actor)
    assert await world.tell(joint.convener, joint.adding(joint.convener, odd)) == "done"
    assert ash.key not in await participants(world)


# Add and Create


async def test_what_participants_add_or_publish_is_taken_in(
    world: World, joint: Joint, elm: Stranger
) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    assert await world.tell(joint.convener, joint.noting(joint.convener, option, texts=texts)) == "done"
    circle = elm.person("circle")
    assert await world.tell(circle, joint.adding(circle, joint.answer(joint.convener))) == "done"
    assert await held(world, joint.name) == {"Offer", "Option", "Answer"}


async def test_the_same_record_by_two_carriers_is_one(world: World, joint: Joint) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    assert await world.tell(joint.convener, joint.noting(joint.convener, option, texts=texts)) == "done"
    assert await world.tell(joint.convener, joint.adding(joint.convener, option, texts=texts)) == "ignored"


async def test_records_for_a_scope_that_we_do_not_know_are_ignored(world: World, joint: Joint) -> None:
    option, texts = joint.option(joint.convener)
    for activity in (
        joint.adding(joint.convener, option, texts=texts),
        joint.noting(joint.convener, option, texts=texts),
    ):
        assert await world.tell(joint.convener, activity) == "ignored"
    assert await world.count(RecordRow) == 0


async def test_who_takes_no_part_puts_nothing_into_a_scope(world: World, joint: Joint) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    eve = (await world.stranger("evil")).kin("eve")
    for activity in (joint.adding(eve, option, texts=texts), joint.noting(eve, option, texts=texts)):
        assert await world.tell(eve, activity) == "refused"
    assert await held(world, joint.name) == {"Offer"}


async def test_who_invites_many_that_are_not_there_parts_us_from_nobody_whom_we_look_for(
    world: World, elm: Stranger, masto: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MISSES_PER_HOUR", 2)
    joint = Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or ""])
    offering = joint.offering(to=[f"{masto.url}/users/no{n}" for n in range(3)])
    assert await world.tell(joint.convener, offering) == "done"
    assert await remote.remote_actor(world.of().app, masto.person("ana").uri)


async def test_an_invited_collective_that_could_not_be_looked_up_comes_in_by_its_answer(
    world: World, elm: Stranger
) -> None:
    fir = await world.stranger("fir")
    late, ours = fir.kin("fir"), await world.collective()
    joint = Joint(world, elm.kin("elm"), [ours.ed25519 or "", late.key])
    at_home = fir.people.pop("fir")
    await world.tell(joint.convener, joint.offering(to=[ours.uri, late.uri]))
    fir.people["fir"] = at_home
    option, texts = joint.option(late)
    assert await world.tell(late, joint.adding(late, option, texts=texts)) == "refused"
    said = late.activity("Accept", object="x", **{"jura:record": joint.answer(late)})
    assert await world.tell(late, said) == "done"
    assert (await participants(world))[late.key] == "fir.test"
    assert await world.tell(late, joint.adding(late, option, texts=texts)) == "done"


async def test_nobody_comes_in_by_an_answer_that_is_not_an_invited_one_of_its_own_server(
    world: World, elm: Stranger
) -> None:
    fir, evil = await world.stranger("fir"), await world.stranger("evil")
    late, eve, ours = fir.kin("fir"), evil.kin("eve"), await world.collective()
    joint = Joint(world, elm.kin("elm"), [ours.ed25519 or "", late.key])
    fir.people.clear()
    await world.tell(joint.convener, joint.offering(to=[ours.uri, late.uri]))
    stolen, own = joint.answer(late), joint.answer(eve)
    option, texts = joint.option(late)
    for brought in ([stolen], [own], [{**stolen, "actor": eve.uri}], [own, option]):
        assert await world.tell(eve, joint.adding(eve, *brought, texts=texts)) == "refused"
    assert await held(world, joint.name) == {"Offer"}


async def test_the_proofs_of_what_strangers_bring_are_not_even_looked_at(world: World, joint: Joint) -> None:
    await world.tell(joint.convener, joint.offering())
    eve = (await world.stranger("evil")).kin("eve")
    lie = forged(joint.option(joint.convener)[0])
    known, unknown_scope = joint.adding(eve, lie), joint.adding(eve, {**lie, "scope": "0" * 64})
    assert await world.tell(eve, known) == "refused"
    assert (
        await world.item(known["id"])
    ).reason == "participant: Only participants put records into a scope."
    assert await world.tell(eve, unknown_scope) == "ignored"


async def test_an_offer_comes_alone(world: World, elm: Stranger, joint: Joint) -> None:
    other = Joint(world, joint.convener, joint.invited, changed={"grace": 7200})
    both = joint.quiet(joint.convener, [joint.offer, other.offer])
    assert await world.tell(joint.convener, {**joint.offering(), "object": both}) == "refused"
    option, texts = joint.option(joint.convener)
    with_more = joint.quiet(joint.convener, [joint.offer, option], joint.texts | texts)
    assert await world.tell(joint.convener, {**joint.offering(), "object": with_more}) == "done"
    assert await held(world, joint.name) == {"Offer"}


async def test_nobody_publishes_in_anothers_name(world: World, joint: Joint, elm: Stranger) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    circle = elm.person("circle")
    theirs = joint.noting(joint.convener, option, texts=texts)["object"]
    elsewhere = {**joint.noting(circle, option, texts=texts)["object"], "id": "http://other.test/notes/1"}
    for thing in (theirs, elsewhere, {**theirs, "attributedTo": [circle.uri, joint.convener.uri]}):
        assert await world.tell(circle, circle.activity("Create", object=thing)) == "refused"
    foreign = {**joint.adding(circle, option), "target": "http://other.test/scopes/1"}
    assert await world.tell(circle, foreign) == "refused"
    assert await held(world, joint.name) == {"Offer"}


async def test_notes_and_votes_that_answer_nothing_of_ours_mean_nothing_here(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    reply = {"type": "Note", "id": f"{ana.uri}/1", "attributedTo": ana.uri, "content": "I agree"}
    votes = [{**reply, "id": f"{ana.uri}/{n}", "content": None, "name": "Agree"} for n in (2, 3)]
    for thing in (reply, votes, f"{ana.uri}/1", None):
        assert await world.tell(ana, ana.activity("Create", object=thing)) == "ignored"


# Accept and Reject


@pytest.mark.parametrize(
    ("kind", "takes"), [("Accept", "binding"), ("Accept", "advisory"), ("Reject", "declines")]
)
async def test_an_answer_is_taken_in(world: World, elm: Stranger, kind: str, takes: str) -> None:
    ash = (await world.stranger("ash")).kin("ash")
    joint = Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or "", ash.key])
    await world.tell(joint.convener, joint.offering(to=["http://oak.test/c/oak", ash.uri]))
    said = ash.activity(kind, object=f"{elm.url}/a/{joint.name}", **{"jura:record": joint.answer(ash, takes)})
    assert await world.tell(ash, said) == "done"
    assert await held(world, joint.name) == {"Offer", "Answer"}
    assert await world.tell(ash, {**said, "id": f"{ash.uri}/again"}) == "ignored"


async def test_an_answer_can_only_be_given_by_the_collective_itself(
    world: World, joint: Joint, elm: Stranger
) -> None:
    await world.tell(joint.convener, joint.offering())
    circle = elm.person("circle")
    carried = {"jura:record": joint.answer(joint.convener)}
    said = circle.activity("Accept", object=f"{elm.url}/a/{joint.name}", **carried)
    assert await world.tell(circle, said) == "refused"
    other = {"jura:record": joint.option(joint.convener)[0]}
    assert await world.tell(joint.convener, joint.convener.activity("Accept", **other)) == "refused"


async def test_an_answer_by_somebody_who_was_not_invited_is_refused(world: World, joint: Joint) -> None:
    await world.tell(joint.convener, joint.offering())
    eve = (await world.stranger("evil")).kin("eve")
    said = eve.activity("Accept", object="x", **{"jura:record": joint.answer(eve)})
    assert await world.tell(eve, said) == "refused"
    assert "evil.test" not in (await participants(world)).values()


async def test_an_answer_that_comes_before_its_offer_is_ignored_and_the_offer_is_taken_in_later(
    world: World, elm: Stranger
) -> None:
    ash = (await world.stranger("ash")).kin("ash")
    joint = Joint(world, elm.kin("elm"), [(await world.collective()).ed25519 or "", ash.key])
    said = ash.activity("Accept", object="x", **{"jura:record": joint.answer(ash)})
    assert await world.tell(ash, said) == "ignored"
    assert await world.tell(joint.convener, joint.offering(to=[ash.uri])) == "done"
    assert await held(world, joint.name) == {"Offer"}


# What others change or take back


async def test_an_update_brings_records_but_only_of_ones_own_object(
    world: World, joint: Joint, elm: Stranger
) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    circle = elm.person("circle")
    note = joint.noting(joint.convener, option, texts=texts)["object"]
    assert await world.tell(circle, circle.activity("Update", object=note)) == "refused"
    assert await world.tell(joint.convener, joint.convener.activity("Update", object=note)) == "done"
    assert await world.tell(joint.convener, joint.convener.activity("Update", object=note)) == "ignored"


async def test_records_stay_whatever_becomes_of_the_note_that_carried_them(
    world: World, joint: Joint
) -> None:
    await world.tell(joint.convener, joint.offering())
    option, texts = joint.option(joint.convener)
    create = joint.noting(joint.convener, option, texts=texts)
    gone: Person = joint.convener
    assert await world.tell(gone, gone.activity("Delete", object=create["object"]["id"])) == "done"
    assert await world.tell(gone, create) == "done"
    assert await held(world, joint.name) == {"Offer", "Option"}


# Whose records are taken in


async def test_what_overtakes_the_answer_that_names_its_signer_is_not_lost(
    world: World, joint: Joint
) -> None:
    elm = joint.convener
    await world.tell(elm, joint.offering())
    option, texts = joint.option(elm.server.person("circle"))
    assert await world.tell(elm, joint.adding(elm, option, texts=texts)) == "done"
    assert await held(world, joint.name) == {"Offer", "Option"}


async def test_of_keys_that_nobody_named_only_so_much_is_taken_in_and_of_all_others_everything(
    world: World, joint: Joint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signers, "MOST_UNNAMED", 2)
    elm = joint.convener
    await world.tell(elm, joint.offering())
    thrown_away = [elm.server.person(f"key{number}") for number in range(5)]
    garbage = [who.record("Leave", joint.name) for who in thrown_away]
    genuine = elm.record("Leave", joint.name)
    assert await world.tell(elm, joint.adding(elm, *garbage, genuine)) == "done"
    more = elm.server.person("another").record("Leave", joint.name)
    assert await world.tell(elm, joint.adding(elm, more)) == "ignored"
    assert await world.count(RecordRow, RecordRow.type == "Leave") == 3
    event, _ = await world.events("records passed over")
    assert (event.actor, event.scope, event.detail) == ("elm.test", joint.name, {"records": 3})


async def test_circles_that_only_somebody_uninvited_names_are_nobody(
    world: World, joint: Joint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An Answer by a throw-away key would name as many keys as it likes."""
    monkeypatch.setattr(signers, "MOST_UNNAMED", 0)
    elm = joint.convener
    await world.tell(elm, joint.offering())
    stranger, circle = elm.server.person("stranger"), elm.server.person("circle")
    sitting = proofs.sign_bytes(records.sitting_input(joint.name, stranger.key), circle.ed25519)
    name, _ = words("A circle")
    answer = stranger.record(
        "Answer",
        joint.name,
        takes="binding",
        circles=[{"key": circle.key, "name": name, "size": 3, "signature": sitting}],
        keeps=True,
        instance=stranger.key,
        actor=stranger.uri,
        round=1,
    )
    assert await world.tell(elm, joint.adding(elm, answer, circle.record("Leave", joint.name))) == "ignored"
    assert await world.count(RecordRow) == 1


async def test_of_one_key_only_so_many_records_are_taken_in(
    world: World, joint: Joint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signers, "MOST_BY_ONE_KEY", 4)
    elm = joint.convener
    await world.tell(elm, joint.offering())
    listed = [
        elm.record("Receipt", joint.name, held=[{"record": f"{n:064x}", "received": "2026-11-22T10:00:00Z"}])
        for n in range(6)
    ]
    await world.tell(elm, joint.adding(elm, *listed[:2]))
    await world.tell(elm, joint.adding(elm, *listed[2:]))
    assert await world.count(RecordRow, RecordRow.by == elm.key) == 4
