"""What is left of somebody who was erased: the whole database is searched for what they typed, on both databases."""

from typing import Final

from sqlalchemy import select, update

from models import people
from models.accounts import JoinRequest
from models.decisions import Decision
from models.follows import Follow
from models.remarks import Remark
from server.actions import accounts, appearing, balloting, departing, lost, remarks
from server.actions import people as joining

from .conftest import Place
from .filling import everywhere, fill, referring_to
from .test_accounts import ALONE

TYPED: Final = {
    "log-in name": "bobolink",
    "name": "Bo Warbler-Finch",
    "name before": "Bobo Starling",
    "about": "I repair accordions",
    "position": "Only if the geese agree",
    "draft": "We all like geese a great deal",
    "room": "Between us: the geese are loud",
    "talk": "Has anybody fed the geese?",
    "deleted": "Geese are dreadful",
    "asked": "Let me in, I know geese",
}
HANDLE: Final = "gooseherd"
ADDRESS_STAYS: Final = {
    "actors.uri": "the address answers that it is gone, and nobody else may get it",
    "actors.handle": "the same",
    "actors.url": "the same",
    "actors.inbox": "the same",
    "actors.key_id": "the same",
    "activities.uri": "followers are told that it is gone",
    "activities.body": "followers are told that it is gone",
}
STAYS: Final = {
    "drafts.position": "which of the positions on offer: others in the circle may have confirmed it; no words",
    "drafts.lang": "the language of a draft whose words are gone",
    "mandates.powers": "the register of mandates is public; it names the row, which has no name any more",
    "mandates.instruction": "the same: these are words of the collective",
    "mandates.source": "the same: the decision that granted it",
    "remarks.form": "the number of a form, by chance; what is sent again is not said twice",
    "uploads.name": "a number by chance; its address may stand in a post of the collective",
    "uploads.media_type": "of a picture in a post of the collective",
    "uploads.body": "a picture in a post of the collective, which stays as the post does",
    "uploads.alt": "the words that stand for such a picture",
    "invitations.token_hash": "nobody can join by it any more",
    "invitations.kind": "the same",
    "recoveries.token_hash": "a link that they made for somebody else, whose record it is",
}


async def type_everywhere(place: Place) -> tuple[int, str]:
    """Bo writes something in every form. Returns the number of their row, and the decision."""
    await place.join("ana", "bobolink", "cem")
    name = await place.convene("ana", ALONE)
    await place.work(name)
    place.now = (await place.view(name)).opens
    await place.work(name)
    async with place.database.ACT.begin() as session:
        await lost.ask(session, TYPED["log-in name"].upper(), place.now)
        session.add(
            JoinRequest(
                login="bobolink",
                name=TYPED["name before"],
                words=TYPED["asked"],
                password_hash="x",
                place="0" * 64,
                at=place.now,
                declined_at=place.now,
            )
        )
    async with place.acting("bobolink") as (session, viewer):
        mine = await appearing.appear(session, place.home, viewer, HANDLE, place.pairs.pop(), place.now)
        follower = {"follower": "https://far.example/zoe", "activity_uri": "https://far.example/1"}
        session.add(Follow(followed_id=mine.id, inbox="https://far.example/inbox", at=place.now, **follower))
        for called in ("name before", "name"):
            about = TYPED["about"]
            await accounts.describe(session, place.home, viewer, TYPED[called], about, place.now)
        scope = await place.scope(session, name)
        said = {"position": "consent"}
        await balloting.note_position(session, viewer, scope, said, TYPED["position"], place.now)
        drafted = balloting.Words(said, reason=TYPED["draft"])
        await balloting.save_draft(session, viewer, scope, drafted, 0, place.now)
        for where in ("room", "talk", "deleted"):
            form, in_circle = where.ljust(32, "-"), where == "room"
            row = await remarks.say(
                session, viewer, scope, TYPED[where], form, place.now, in_circle=in_circle
            )
        await remarks.delete(session, viewer, scope, row.id, place.now)
        return viewer.require_member().id, name


def left_in(found: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Where something stands that Bo typed, and what."""
    return {
        (where, what)
        for where, text in found
        for what, words in TYPED.items()
        if words.lower() in text.lower()
    }


async def test_the_whole_database_says_nothing_of_who_was_erased(place: Place):
    number, name = await type_everywhere(place)
    async with place.database.READ() as session:
        before = left_in(await everywhere(session))
    assert {what for _, what in before} == set(TYPED) - {"deleted"}
    async with place.acting("bobolink") as (session, viewer):
        await departing.leave(session, place.home, viewer, place.now, erased=True)
    async with place.database.READ() as session:
        after = await everywhere(session)
        assert (await session.get_one(people.Member, number)).name == departing.NAMELESS
    assert left_in(after) == {("drafts.reason", "draft")}  # the others may be confirming it
    assert {where for where, text in after if HANDLE in text} <= set(ADDRESS_STAYS)
    while not await is_over(place, name):
        place.later(hours=1)
        await place.work(name)
    async with place.database.READ() as session:
        assert left_in(await everywhere(session)) == set()


async def is_over(place: Place, name: str) -> bool:
    async with place.database.READ() as session:
        return (await session.get_one(Decision, (await place.scope(session, name)).id)).is_over


async def test_no_row_that_refers_to_who_was_erased_says_more_than_it_must(place: Place):
    await place.join("ana")
    await place.convene("ana", ALONE)
    await place.join("bo", "cem")
    place.later(minutes=1)
    async with place.acting("bo") as (session, viewer):
        bo = viewer.require_member().id
        words = await fill(session, referring_to("members"), bo, place.now)
    assert set(words.values()) >= {"mailboxes.address", "positions.note", "remarks.hidden_why", "mails.text"}
    async with place.database.ACT.begin() as session:
        viewer = await joining.viewer_for(session, await session.get_one(people.Member, bo), place.now)
        await departing.leave(session, place.home, viewer, place.now, erased=True)
    async with place.database.READ() as session:
        after = [text for _, text in await everywhere(session)]
    left = {where for word, where in words.items() if any(word in text for text in after)}
    assert left == set(STAYS)


async def test_a_remark_that_its_author_deletes_keeps_no_reason_for_which_it_was_hidden(place: Place):
    await place.join("ana", "bo")
    name = await place.convene("ana", ALONE)
    async with place.acting("bo") as (session, viewer):
        scope = await place.scope(session, name)
        said = await remarks.say(session, viewer, scope, "Quack", "f" * 32, place.now, in_circle=False)
        await session.execute(update(Remark).values(hidden_at=place.now, hidden_why="It names Zoe"))
        await session.refresh(said)
        await remarks.delete(session, viewer, scope, said.id, place.now)
    async with place.database.READ() as session:
        row = (await session.scalars(select(Remark))).one()
        assert (row.words, row.hidden_why, row.deleted_at) == ("", "", place.now)
