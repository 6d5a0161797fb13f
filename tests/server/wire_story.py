"""One story from which `tests.server.test_wire_rules` takes its documents: everything that goes out, as strangers got it.

Two collectives decide something in public and something among themselves. Somebody on a server with a shared inbox follows, answers
the pulse and replies; somebody on a server without one only answers the pulse. The collective posts, changes, deletes, replies.
"""

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from PIL import Image
from sqlalchemy import select

from activitypub.webfinger import answer as jrd
from models import people
from models.posts import Post
from server import pictures
from server.actions import images, speaking
from server.actions import people as joining
from server.keys import DATABASE, HOME
from server.mentions import mentioned_in
from server.translate_posts import Words
from server.viewer import Viewer
from tests.federation import feeding
from tests.server.peers.world import PUBLIC, Person, Stranger, World

Json = dict[str, Any]
OAK = "http://oak.test/c/oak"
SECRET = "Whom do we ask for the money?"
SECRET_PROPOSAL = "Old Mrs. Vogel, quietly"
MINUTE = timedelta(minutes=1)


@dataclass
class Arrived:
    """One activity as a stranger got it."""

    server: str
    target: str
    at: datetime
    activity: Json

    @property
    def object(self) -> Any:
        return self.activity.get("object")


@dataclass
class Fetched:
    """One answer to a GET."""

    url: str
    status: int
    headers: Any
    document: Any


@dataclass
class Story:
    """What strangers got, and what they were answered when they asked."""

    arrived: list[Arrived] = field(default_factory=list)
    fetched: dict[str, Fetched] = field(default_factory=dict)
    afterwards: list[Json] = field(default_factory=list)  # answers, and what a feed passes on
    removal: list[Json] = field(default_factory=list)  # once a text of the decision was removed
    goodbye: list[Json] = field(default_factory=list)  # once a feed is over
    follow: Json = field(default_factory=dict)
    follow_again: Json = field(default_factory=dict)
    ana: str = ""
    bob: str = ""

    def of(self, *types: str, inner: str = "") -> list[Arrived]:
        """What arrived of these types, about an object of this type."""
        return [
            one
            for one in self.arrived
            if one.activity["type"] in types
            and (not inner or (isinstance(one.object, dict) and one.object["type"] == inner))
        ]

    @property
    def objects(self) -> list[Json]:
        """Every Note and Question, as it was created or changed."""
        return [
            one.object
            for one in self.of("Create", "Update")
            if isinstance(one.object, dict) and one.object["type"] in ("Note", "Question")
        ]

    @property
    def questions(self) -> list[Json]:
        return [one for one in self.objects if one["type"] == "Question"]

    @property
    def post(self) -> Json:
        """The post with a picture, a tag and a name, as it was at first."""
        return next(one for one in self.objects if "attachment" in one)

    def document(self, name: str) -> Any:
        return self.fetched[name].document


class Teller:
    """Plays the story."""

    def __init__(self, world: World) -> None:
        self.world, self.story = world, Story()

    async def play(self) -> Story:
        masto, plain = await self.world.stranger("masto"), await self.world.stranger("plain")
        shared = {"endpoints": {"sharedInbox": "http://masto.test/inbox"}}
        ana, cem = masto.person("ana", **shared), masto.person("cem", **shared)
        bob = plain.person("bob", key=1)
        self.story.ana, self.story.bob = ana.uri, bob.uri
        found = orjson.dumps(jrd("ana@masto.test", ana.uri))
        masto.says(
            "/.well-known/webfinger?resource=acct:ana@masto.test",
            orjson.loads(found),
            type_="application/jrd+json",
        )
        for name in ("oak", "elm"):
            await self.world[name].members(1)
        for who in (ana, cem):
            follow = who.activity("Follow", object=OAK)
            self.story.follow = self.story.follow or follow
            await self.world.tell(who, follow)
        await self._settle(masto, plain)
        await self._decide(masto, plain, ana, bob, cem)
        await self._speak(masto, plain, ana)
        await self._among_themselves(masto, plain)
        await self._fetch_the_rest()
        await self._answer_and_pass_on(masto, ana)
        await self._remove_words(masto)
        await self._end_the_feed(masto)
        return self.story

    async def _answer_and_pass_on(self, masto: Stranger, ana: Person) -> None:
        """A Follow that is rejected, a quote, and a feed whose post is deleted again."""
        oak = self.world.oak
        await feeding.make_feed(oak, "elm")
        for whom in ("instance", "valley"):
            await self.world.tell(ana, ana.activity("Follow", object=f"http://oak.test/c/{whom}"))
        post = await feeding.speak(oak, "Who has a pump?")
        quoting = {
            "id": f"{ana.uri}/quoting",
            "type": "Note",
            "attributedTo": ana.uri,
            "quote": post,
            "content": "?",
        }
        await self.world.tell(ana, ana.activity("QuoteRequest", object=post, instrument=quoting))
        await self.world.settle()
        [announce], [stamp] = (
            masto.posts("Announce"),
            [one for one in masto.posts("Accept") if "result" in one],
        )
        for name, url in (("announce", announce["id"]), ("stamp", stamp["result"])):
            await self.fetch(name, url)
        await feeding.withdraw(oak, post)
        await self.world.settle()
        follow = ana.activity("Follow", object=OAK)
        self.story.follow_again = follow
        await self.world.tell(ana, follow)
        await self.world.settle()
        self.story.afterwards = masto.posts()
        await self.fetch("stamp of the deleted", stamp["result"])
        await self.fetch("feed", feeding.FEED)
        await self.fetch("followers of the feed", f"{feeding.FEED}/followers")
        masto.asked.clear()

    async def _remove_words(self, masto: Stranger) -> None:
        """A text of the decision that is over is removed for good."""
        oak, secret = self.world.oak, self.world.decision
        self.world.decision = self.decision
        [title] = [record["title"] for record in await oak.records("Option")]
        self.world.clock.advance(MINUTE)
        await oak.redact(title)
        await self.world.settle()
        self.world.decision, self.story.removal = secret, masto.posts()
        masto.asked.clear()
        for name, url in (("note", self.story.objects[0]["id"]), ("page", self.story.objects[0]["url"])):
            kind = "text/html" if name == "page" else "application/activity+json"
            await self.fetch(f"{name} without words", url, kind)
        await self.fetch("outbox in the end", f"{OAK}/outbox?page=1")
        await self.fetch("thread without words", self.story.questions[0]["context"])

    async def _end_the_feed(self, masto: Stranger) -> None:
        await feeding.end(self.world.oak)
        await self.world.settle()
        self.story.goodbye = masto.posts()
        await self.fetch("feed afterwards", feeding.FEED)

    async def _settle(self, *strangers: Stranger) -> None:
        """Settle, and note what has arrived since."""
        await self.world.settle()
        for one in strangers:
            for asked in [a for a in one.asked if a.method == "POST"]:
                place = (one.name, asked.target, self.world.clock.now(), asked.activity)
                self.story.arrived.append(Arrived(*place))
            one.asked.clear()

    async def _decide(self, masto: Stranger, plain: Stranger, *voters: Person) -> None:
        ana, bob, cem = voters
        world = self.world
        await world.oak.convene("elm", proposals=("One used cargo bike & <all> its bags",))
        await self._settle(masto, plain)
        await world.elm.answer("binding")
        await self._settle(masto, plain)
        await world.reach("opens")
        await self._settle(masto, plain)
        question = self.story.questions[0]["id"]
        await self.fetch("featured while open", f"{OAK}/featured")
        for who, name, after in (
            (ana, "Agree", 1),
            (bob, "Unsure", 4),
            (cem, "Agree", 4),
            (ana, "Disagree", 4),
        ):
            await world.tell(who, vote(who, question, name))
            await self._settle(masto, plain)
            world.clock.advance(after * MINUTE)
            await self._settle(masto, plain)
        await self.fetch("question", question)
        await world.oak.ballot("consent")
        await world.elm.ballot("concern")
        await world.tell(ana, reply(ana, question))
        await self._settle(masto, plain)
        for moment in ("closes", "grace_ends", "challenge_ends"):
            await world.reach(moment, MINUTE)
            await self._settle(masto, plain)
        await self.fetch("featured afterwards", f"{OAK}/featured")
        await self.fetch("question afterwards", question)
        await self.fetch("replies", f"{question}/replies?page=1")
        await self.fetch("thread", self.story.questions[0]["context"])
        await self.fetch("page of the decision", self.story.questions[0]["url"], "text/html")
        self.decision = world.decision

    async def _speak(self, masto: Stranger, plain: Stranger, ana: Person) -> None:
        out = io.BytesIO()
        Image.new("RGB", (40, 30), (9, 99, 9)).save(out, "PNG")
        name = await self._upload(out.getvalue())
        text = "We met @ana@masto.test.\n\nThe #Orchard is <ours>: https://oak.test/orchard"
        post = await self.speak(text, pictures=[name])
        gone = await self.speak("A mistake")
        self.world.clock.advance(MINUTE)
        await self._settle(masto, plain)
        for change in ("The #Garden is ours, @ana@masto.test", "The garden is ours"):
            words = await self._words(change)
            async with self.world.of().app[DATABASE].ACT.begin() as session:
                viewer = await self._viewer(session)
                token = post.uri.rpartition("/")[2]
                await speaking.edit(session, self.world.of().app[HOME], viewer, token, words, self.now)
        async with self.world.of().app[DATABASE].ACT.begin() as session:
            viewer = await self._viewer(session)
            token = gone.uri.rpartition("/")[2]
            await speaking.withdraw(session, self.world.of().app[HOME], viewer, token, self.now)
        await self.speak("Thank you for asking.", reply_to=f"{ana.uri}/notes/1")
        await self._settle(masto, plain)
        await self.fetch("deleted", gone.uri)
        await self.fetch("picture", f"http://oak.test/media/{name}")
        await self.fetch("tag", "http://oak.test/tags/orchard", "text/html")
        await self.fetch("page of the post", orjson.loads(post.body)["url"], "text/html")

    async def _among_themselves(self, masto: Stranger, plain: Stranger) -> None:
        world = self.world
        secret_plan = {"visibility": "federation", "proposals": (SECRET_PROPOSAL,)}
        await world.oak.convene("elm", question=SECRET, **secret_plan)
        await self._settle(masto, plain)
        await world.elm.answer("binding")
        await self._settle(masto, plain)
        await world.reach("opens")
        await world.oak.ballot("consent")
        await world.elm.ballot("consent")
        await self._settle(masto, plain)
        await world.finish()
        await self._settle(masto, plain)
        async with world.oak.session() as session:
            query = select(Post.uri).where(Post.scope == world.decision)
            secret = [*(await session.scalars(query)).all()]
        assert len(secret) > 3
        for number, uri in enumerate(secret):
            await self.fetch(f"secret {number}", uri)
            await self.fetch(f"secret replies {number}", f"{uri}/replies")
        await self.fetch("secret thread", f"http://oak.test/threads/{world.decision}")

    async def _fetch_the_rest(self) -> None:
        await self.fetch("actor", OAK)
        await self.fetch("instance", "http://oak.test/c/instance")
        await self.fetch("webfinger", "http://oak.test/.well-known/webfinger?resource=acct:oak@oak.test")
        for name in ("followers", "outbox", "moderators"):
            await self.fetch(name, f"{OAK}/{name}")
        await self.fetch("outbox page", f"{OAK}/outbox?page=1")
        await self.fetch("icon", self.story.document("actor")["icon"]["url"])
        await self.fetch("profile", "http://oak.test/@oak", "text/html")
        for number, one in enumerate(self.story.objects):
            await self.fetch(f"object {number}", one["id"])

    async def fetch(self, name: str, url: str, accept: str = "application/activity+json") -> None:
        self.story.fetched[name] = Fetched(url, *(await self.world.get(url.partition("#")[0], accept=accept)))

    # The member who speaks

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    async def _viewer(self, session: Any) -> Viewer:
        member = await people.member_by_login(session, "ana")
        assert member is not None
        return await joining.viewer_for(session, member, self.now)

    async def _words(self, text: str) -> Words:
        return Words(text, "en", await mentioned_in(self.world.of().app, text))

    async def _upload(self, body: bytes) -> str:
        async with self.world.of().app[DATABASE].ACT.begin() as session:
            row = await images.keep(
                session, await self._viewer(session), pictures.mend(body), "The orchard in May", self.now
            )
            return row.name

    async def speak(self, text: str, **about: Any) -> Post:
        words = await self._words(text)
        async with self.world.of().app[DATABASE].ACT.begin() as session:
            viewer = await self._viewer(session)
            return await speaking.speak(session, self.world.of().app[HOME], viewer, words, self.now, **about)


def vote(who: Person, question: str, name: str) -> Json:
    """An answer to a poll as Mastodon sends it."""
    thing = {
        "id": f"{who.uri}#votes/{name}",
        "type": "Note",
        "name": name,
        "attributedTo": who.uri,
        "inReplyTo": question,
        "to": OAK,
    }
    return {**who.activity("Create", object=thing, to=OAK), "id": f"{who.uri}#votes/{name}/activity"}


def reply(who: Person, question: str) -> Json:
    """A public comment under a poll."""
    thing = {
        "id": f"{who.uri}/notes/1",
        "type": "Note",
        "attributedTo": who.uri,
        "inReplyTo": question,
        "content": "<p>Who repairs it?</p>",
        "to": [PUBLIC],
        "cc": [OAK],
    }
    return who.activity("Create", object=thing, to=[PUBLIC], cc=[OAK])


async def told(folder: Path) -> Story:
    """The story, played to its end."""
    async with World("oak", "elm", folder=folder) as world:
        return await Teller(world).play()
