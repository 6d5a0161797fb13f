"""What is tried with every neighbour, in both directions. Each neighbour has a class that inherits it, and so runs all of it.

Every test is somebody new over there, and looks at what their software read, or at what our instance made of what they sent.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from models.feeds import Following
from models.follows import Follow
from models.people import Actor
from models.talk import PulseVote, Reaction, Reply
from server.peers.showing import KEPT_FOR
from tests.federation.people import PROPOSAL, QUESTION
from tests.peers import pages
from tests.peers.neighbour import Neighbour, Person
from tests.peers.town import Town

Json = dict[str, Any]

ACTIVITY = "application/activity+json"


def is_of(type_: str, of: str = "", id: str = "") -> Callable[[Json], bool]:
    """Is this activity of that type, and what it carries of that type and id?"""

    def holds(activity: Json) -> bool:
        inner = activity.get("object")
        inner = inner if isinstance(inner, dict) else {"id": inner}
        fits = not of or inner.get("type") == of
        return activity["type"] == type_ and fits and (not id or inner.get("id") == id)

    return holds


class Beginnings:
    """Meeting. `town` and `neighbour` are fixtures of the class that inherits the tests."""

    async def test_the_collective_is_found_by_its_handle(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        found = await ana.look_up(town.handle)
        assert found["id"] == town.oak_uri
        assert found["type"] == "Group"
        assert found["preferredUsername"] == "oak"
        assert found["inbox"] == f"{town.oak_uri}/inbox"

    async def test_a_follow_is_accepted_and_ends_with_an_undo(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        follow = await followed(town, ana)
        undo = await ana.unfollow(town.oak_uri, follow)
        assert await town.outcome(undo) == "done"
        async with town.looking() as session:
            assert await session.scalar(select(Follow).where(Follow.follower == ana.uri)) is None

    async def test_who_shows_actors_only_to_those_who_sign_can_follow(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        ana = await neighbour.person()
        async with town.client() as nobody, nobody.get(ana.uri, headers={"Accept": ACTIVITY}) as refused:
            assert refused.status == 401
        await neighbour.turned_away(forget=True)
        await followed(town, ana)

    async def test_proposals_and_the_pulse_arrive(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        await followed(town, ana)
        await decide(town)
        note = (await heard(town, ana, is_of("Create", "Note")))["object"]
        assert note["attributedTo"].startswith(f"https://{town.host}/c/")
        assert PROPOSAL in note["content"]
        question = (await heard(town, ana, is_of("Create", "Question")))["object"]
        assert QUESTION in question["content"]
        assert [option["name"] for option in question["oneOf"]] == ["Agree", "Unsure", "Disagree"]
        assert question["endTime"]


class Flows(Beginnings):
    """And everything that comes after meeting."""

    async def test_an_answer_to_the_pulse_is_counted(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        await decide(town)
        question = await ana.fetch((await town.post("round")).uri)
        vote = await ana.vote(question, question["oneOf"][0]["name"])
        assert await town.outcome(vote) == "done"
        async with town.looking() as session:
            (found,) = await session.scalars(select(PulseVote).where(PulseVote.voter == ana.uri))
        assert found.option == question["oneOf"][0]["name"]

    async def test_a_reply_is_shown_changed_and_taken_back(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        await decide(town)
        post = await ana.fetch((await town.post("option")).uri)
        note, activity = await ana.reply(post, "<p>We tried that in <b>June</b>.</p>")
        assert await town.outcome(activity) == "done"
        assert "We tried that in" in (await reply(town, note)).content
        assert await town.outcome(await ana.edit(note, "<p>We tried that in July.</p>")) == "done"
        assert (await reply(town, note)).content == "<p>We tried that in July.</p>"
        assert await town.outcome(await ana.delete(note)) == "done"
        assert (await reply(town, note)).deleted_at is not None

    async def test_boosts_and_likes_are_noted(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        await decide(town)
        post = await ana.fetch((await town.post("option")).uri)
        assert await town.outcome(await ana.boost(post)) == "done"
        assert await town.outcome(await ana.like(post)) == "done"
        async with town.looking() as session:
            found = await session.scalars(select(Reaction.kind).where(Reaction.actor == ana.uri))
            assert sorted(found) == ["announce", "like"]

    async def test_a_post_its_change_and_its_end_arrive(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        await followed(town, ana)
        note = await pages.write(town, "The #Orchard is ours now.")
        first = await heard(town, ana, is_of("Create", "Note", note))
        assert "The <a" in first["object"]["content"]
        assert "Orchard" in (await ana.fetch(note))["content"]
        await pages.edit(town, note, "The orchard was sold to others.")
        second = await heard(town, ana, is_of("Update", "Note", note))
        assert "sold to others" in second["object"]["content"]
        await pages.delete(town, note)
        last = await heard(town, ana, is_of("Delete", "Tombstone", note))
        assert last["actor"] == town.oak_uri
        async with town.client() as nobody, nobody.get(note, headers={"Accept": ACTIVITY}) as gone:
            assert gone.status == 410

    async def test_who_is_named_in_a_post_is_found_by_handle_and_told(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        ana = await neighbour.person()
        note = await pages.write(town, f"Thanks to @{ana.login}@{neighbour.host} for the seeds.")
        told = (await heard(town, ana, is_of("Create", "Note", note)))["object"]
        assert ana.uri in [*told["to"], *told["cc"]]

    async def test_a_reply_is_answered(self, town: Town, neighbour: Neighbour) -> None:
        ana = await neighbour.person()
        first = await pages.write(town, "Who has seeds?")
        reply, activity = await ana.reply(await ana.fetch(first), "<p>I have.</p>")
        assert await town.outcome(activity) == "done"
        answer = await pages.write(town, "Thank you.", f"/posts/new?reply_to={quote(reply, safe='')}")
        told = (await heard(town, ana, is_of("Create", "Note", answer)))["object"]
        assert told["inReplyTo"] == reply

    async def test_a_feed_of_ours_follows_them_and_passes_on_what_they_publish(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        """Feeds follow kin only, so they say over there that they are a collective of our kind."""
        ana, elm = await neighbour.person(), await neighbour.person(kin=True)
        feed = await pages.make_feed(town, "harvest")
        await pages.add_source(town, "harvest", f"@{elm.login}@{neighbour.host}")
        follow = await heard(town, elm, is_of("Follow"))
        assert (follow["actor"], follow["object"]) == (feed, elm.uri)
        await town.until("it is accepted", lambda: is_accepted(town, elm.uri))
        await followed(town, ana, feed)
        note = await elm.publish("<p>The apples are ripe.</p>")
        announce = await heard(town, ana, is_of("Announce", "", note))
        assert announce["actor"] == feed
        await pages.remove_source(town, "harvest", elm.uri)
        undo = await heard(town, elm, is_of("Undo", "", follow["id"]))
        assert undo["actor"] == feed


class Endings:
    """What holds over all that was said before. Named first by the class that inherits it: its tests are then the last."""

    async def test_requests_were_signed_as_this_neighbour_signs_first(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        """No request had to be signed in another way."""
        asked = [one for one in town.door.asked if one.scheme and one.headers["user-agent"] != "Jura"]
        assert {(one.scheme, one.status // 100) for one in asked if one.status} == {
            (neighbour.first_knock, 2)
        }
        assert {one.method for one in asked} == {"GET", "POST"}

    async def test_what_is_for_members_only_is_shown_to_no_neighbour(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        ana = await neighbour.person()
        await followed(town, ana)
        await decide(town, visibility="collective")
        hidden = (await town.post("option")).uri
        await decide(town)
        await heard(town, ana, is_of("Create", "Note", (await town.post("option")).uri))
        assert not [one for one in await ana.heard() if is_of("Create", "", hidden)(one)]
        assert await ana.status(hidden) == 404

    async def test_nothing_was_turned_away_and_nothing_failed(self, town: Town, neighbour: Neighbour) -> None:
        """Nobody disbelieved anybody."""
        assert await neighbour.turned_away() == []
        assert await town.given_up() == []
        assert town.complaints() == []


class FlowsInTime:
    """What needs minutes. `behind` says how far the instance's clock is behind at first; neighbours allow five minutes."""

    behind = timedelta(minutes=4)

    async def test_the_counts_of_a_round_are_told_and_then_its_end(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        ana, bo = await neighbour.person(), await neighbour.person()
        await followed(town, ana)
        await decide(town, window=timedelta(minutes=5))
        round_ = (await town.post("round")).uri
        vote = await bo.vote(await bo.fetch(round_), "Disagree")
        assert await town.outcome(vote) == "done"
        assert counts(await bo.fetch(round_)) == {"Agree": 0, "Unsure": 0, "Disagree": 1}
        town.advance(timedelta(minutes=3, seconds=10))
        told = (await heard(town, ana, is_of("Update", "Question", round_)))["object"]
        assert counts(told) == {"Agree": 0, "Unsure": 0, "Disagree": 1}
        assert told["votersCount"] == 1
        assert not told.get("closed")
        town.advance(timedelta(minutes=2))
        await heard(town, ana, is_closed)
        late = await ana.vote(await ana.fetch(round_), "Agree")
        assert await town.outcome(late) != "done"
        assert counts(await ana.fetch(round_)) == {"Agree": 0, "Unsure": 0, "Disagree": 1}

    async def test_where_documents_need_a_signature_they_read_them_still(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        await decide(town)
        proposal = (await town.post("option")).uri
        await pages.demand_signatures(town)
        town.advance(2 * KEPT_FOR)
        async with town.client() as nobody, nobody.get(proposal, headers={"Accept": ACTIVITY}) as refused:
            assert refused.status == 401
        ana = await neighbour.person()
        await ana.look_up(town.handle)
        await followed(town, ana)
        assert PROPOSAL in (await ana.fetch(proposal))["content"]

    async def test_new_keys_are_believed_by_who_knew_the_old_ones(
        self, town: Town, neighbour: Neighbour
    ) -> None:
        ana = await neighbour.person()
        await followed(town, ana)
        before = await key_of(town)
        assert "have new keys" in await town.command("keys", "rotate", "--yes")
        await heard(town, ana, is_of("Update", "Group", town.oak_uri))
        town.advance(2 * KEPT_FOR)
        assert await key_of(town) != before
        note = await pages.write(town, "We have changed the locks.")
        await heard(town, ana, is_of("Create", "Note", note))


def is_closed(activity: Json) -> bool:
    return is_of("Update", "Question")(activity) and bool(activity["object"].get("closed"))


def counts(question: Json) -> dict[str, int]:
    """How many chose each option, whether as JSON or as Fedify's classes say it."""
    return {
        one["name"]: one["replies"]["totalItems"] if "replies" in one else one["totalItems"]
        for one in question["oneOf"]
    }


async def key_of(town: Town) -> str:
    """The key by which the collective signs requests now."""
    async with town.looking() as session:
        return str(await session.scalar(select(Actor.rsa_pem).where(Actor.uri == town.oak_uri)))


async def is_accepted(town: Town, followed: str) -> bool:
    async with town.looking() as session:
        state = await session.scalar(select(Following.state).where(Following.followed == followed))
    return state == "accepted"


async def followed(town: Town, person: Person, whom: str = "") -> str:
    """Somebody follows the collective, or a feed, and has read its Accept; returns the id of the Follow."""
    whom = whom or town.oak_uri
    follow = await person.follow(whom)
    accept = await heard(town, person, is_of("Accept"))
    assert accept["actor"] == whom
    inner = accept["object"]
    assert (inner["id"] if isinstance(inner, dict) else inner) == follow
    return follow


async def heard(town: Town, person: Person, fits: Callable[[Json], bool]) -> Json:
    """The first such activity that arrived over there."""

    async def found() -> Json | None:
        return next((activity for activity in await person.heard() if fits(activity)), None)

    return await town.until(f"{person.uri} hears it", found)


async def decide(town: Town, **plan: Any) -> None:
    """The collective begins a decision of its own, which is open at once."""
    await town.oak.convene(gather=timedelta(), **plan)
    await town.post("round")


async def reply(town: Town, note: str) -> Reply:
    async with town.looking() as session:
        found = await session.scalar(select(Reply).where(Reply.uri == note))
    assert found is not None
    return found
