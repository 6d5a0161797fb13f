"""“Everything about me”: each column that refers to a member, or to a mandate of theirs, is in it or left out for a reason."""

from typing import Final

from server.actions.exporting import Json, everything

from .conftest import Place
from .filling import fill, name_of, referring_to
from .test_accounts import ALONE

TOPICS: Final = {
    "passkeys.member_id": "passkeys",
    "recoveries.member_id": "recovery links made for you",
    "recoveries.made_by": "recovery links that you made for others",
    "seats.member_id": "decisions with a seat",
    "positions.member_id": "positions",
    "drafts.by_member_id": "drafts written",
    "confirmations.member_id": "drafts confirmed",
    "mailboxes.member_id": "e-mail",
    "mails.member_id": "mail that waits or was given up",
    "mandates.member_id": "mandates",
    "notices.member_id": "notices",
    "mutes.member_id": "decisions of which you are told nothing",
    "secret_addresses.member_id": "secret address of your feed and calendar",
    "logins.member_id": "log-ins",
    "invitations.made_by": "invitations made",
    "memberships.member_id": "circles",
    "remarks.member_id": "remarks",
    "looks.member_id": "visits",
    "uploads.member_id": "pictures that you uploaded",
    "removals.member_id": "questions whether you stay a member",
}
UNDER_A_MANDATE: Final = {
    "join_requests.mandate_id": "words written under your mandates",
    "reports.mandate_id": "words written under your mandates",
    "reports.closed_under": "words written under your mandates",
    "remarks.hidden_under": "words written under your mandates",
    "choices.mandate_id": "settings made under your mandates",
    "posts.mandate_id": "posts made under your mandates",
}
LEFT_OUT: Final = {
    "recovery_codes.member_id": "only digests are kept, and how many are left is in the account",
    "recoveries.mandate_id": "in the file by who made the link",
    "invitations.mandate_id": "in the file by who made the link",
    "events.mandate_id": "in the file as the acts of each mandate",
    "feeds.mandate_id": "an act of the mandate, and in its acts",
    "peers.changed_under": "an act of the mandate, and in its acts",
    "replies.hidden_under": "an act of the mandate, and in its acts",
}
NOT_SAID: Final = {
    "logins.token_hash": "of a secret",
    "invitations.token_hash": "of a secret",
    "recoveries.token_hash": "of a secret",
    "secret_addresses.token_hash": "of a secret",
    "mailboxes.pending_hash": "of a secret",
    "recovery_codes.digest": "of a secret",
    "passkeys.credential": "of no use without the device",
    "passkeys.public_key": "the same",
    "mails.message_id": "made for the mail by chance",
    "mails.html": "the same words as its text",
    "mails.stop": "whoever has this address can end the mail",
    "notices.key": "kind, decision and instant, once more",
    "remarks.form": "a number of a form, by chance",
    "looks.upto": "numbers of rows",
    "looks.before": "numbers of rows",
    "uploads.body": "a file of its own, beside this one",
    "invitations.kind": "always the same, but for the founder’s",
    "drafts.lang": "the language of the words, which are there",
}


def test_each_column_that_refers_to_members_is_exported_or_left_out_for_a_reason() -> None:
    columns = {name_of(one) for table in ("members", "mandates") for one in referring_to(table)}
    assert columns == set(TOPICS) | set(UNDER_A_MANDATE) | set(LEFT_OUT)


async def test_what_there_is_about_a_member_is_in_their_file_and_in_nobody_elses(place: Place):
    await place.join("ana")
    await place.convene("ana", ALONE)
    await place.join("bo", "cem")
    place.later(minutes=1)
    async with place.acting("bo") as (session, viewer):
        mine = viewer.require_member().id
        words = await fill(session, referring_to("members"), mine, place.now)
    told, others = await told_to(place, "bo"), await told_to(place, "cem")
    assert [topic for topic in TOPICS.values() if not told[topic]] == []
    assert [topic for topic in TOPICS.values() if others[topic]] == ["circles"]
    unsaid = {where for word, where in words.items() if word not in str(told)}
    assert unsaid == set(NOT_SAID)
    assert [where for word, where in words.items() if word in str(others)] == []


async def test_what_was_written_under_a_mandate_is_in_the_file_of_who_had_it(place: Place):
    await place.join("ana")
    await place.convene("ana", ALONE)
    await place.join("bo")
    columns = [one for one in referring_to("mandates") if name_of(one) in UNDER_A_MANDATE]
    async with place.acting("ana") as (session, viewer):
        words = await fill(session, columns, viewer.mandates[0].id, place.now)
    told, others = await told_to(place, "ana"), await told_to(place, "bo")
    for topic in set(UNDER_A_MANDATE.values()):
        assert (bool(told[topic]), bool(others[topic])) == (True, False), topic
    said = {where for word, where in words.items() if word in str(told)}
    assert said == {
        "choices.name",
        "choices.value",
        "join_requests.answer",
        "posts.source",
        "posts.uri",
        "remarks.hidden_why",
        "remarks.words",  # it is their own remark, too
        "reports.closed_note",
        "reports.comment",
    }


async def told_to(place: Place, login: str) -> Json:
    async with place.acting(login) as (session, viewer):
        return await everything(session, place.home, viewer, place.now)
