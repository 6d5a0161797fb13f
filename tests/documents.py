"""A short story for the documentation: everything that an instance sends, once, over real HTTP; and the shapes of documents.

Three instances: one convenes, one takes part, one declines; somebody follows, is refused, and a member's profile goes. Called by
`tests.test_documents` only.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from activitypub import vocabulary
from models import people
from server import pictures
from server.actions import appearing, images, outbox, speaking
from server.actions import people as joining
from server.keys import DATABASE, HOME
from server.mentions import mentioned_in
from server.translate_posts import Words
from tests.federation import feeding
from tests.federation.harness import HOUR, Federation

Json = dict[str, Any]
LOGIN = "ana"  # who joins first


class Story:
    """What was posted, and what can be fetched, of one small federation."""

    def __init__(self, fed: Federation) -> None:
        self.fed = fed
        self.fetched: dict[str, Json] = {}

    @property
    def posted(self) -> list[Json]:
        """Activities in the order of arrival."""
        return [said.activity for said in self.fed.said]

    async def play(self) -> None:
        for name in self.fed.names:
            await self.fed[name].members(1)
        await self._followers()
        await self._decision()
        await self._posts()
        await self._feed()
        await self._farewell()
        for name, path in self._addresses().items():
            self.fetched[name] = await self._get(path)

    async def _decision(self) -> None:
        await self.fed.oak.convene("elm", "ash")
        await self.fed.settle()
        await self.fed.elm.answer("binding")
        await self.fed.ash.answer("declines")
        await self.fed.settle()
        await self._talk_of_the_proposal()
        await self.fed.reach("opens")
        await self.fed.oak.ballot("consent")
        await self.fed.elm.ballot("concern")
        await self.fed.settle()
        await self.fed.finish()
        assert set((await self.fed.stand()).values()) == {"final adopted"}

    async def _talk_of_the_proposal(self) -> None:
        """Elm's circle has a concern and would change the proposal; Oak declines."""
        option = next(iter((await self.fed.elm.options()).values()))
        await self.fed.elm.support(option, "concern", "A used one would be in the workshop every month.")
        await self.fed.elm.amend(option, "One new cargo bike")
        await self.fed.settle()
        changed = (await self.fed.oak.options())["One new cargo bike"]
        await self.fed.oak.decline(changed, "There is no money for a new one this year.")
        await self.fed.settle()

    async def _followers(self) -> None:
        """Elm's collective follows Oak's, and tries to follow its instance. (Our software follows nobody: the test asks.)"""
        for whom in ("oak", "instance"):
            await self._follow(f"http://oak.test/c/{whom}")

    async def _follow(self, whom: str) -> None:
        async with self.fed.elm.app[DATABASE].ACT.begin() as session:
            elm = await people.local_actor(session, "collective")
            assert elm is not None
            follow = vocabulary.follow(f"http://elm.test/a/{secrets.token_hex(32)}", elm.uri, whom)
            await outbox.publish(
                session, self.fed.elm.app[HOME], elm, follow, [f"{whom}/inbox"], self.fed.elm.now
            )
        await self.fed.settle()

    async def _feed(self) -> None:
        """Ash makes a feed of itself and Oak, which Elm follows; it is busy, something is deleted, and it ends."""
        oak, ash = self.fed.oak, self.fed.ash
        await feeding.make_feed(ash, "oak", handle="valley")
        await feeding.set_budget(ash, 1)
        await self.fed.settle()
        await self._follow("http://ash.test/c/valley")
        posts = [await feeding.post(oak, words) for words in ("Announced", "In the digest", "In it too")]
        await self.fed.settle()
        await self.fed.advance(2 * HOUR)
        for post in posts[:2]:
            await feeding.delete(oak, post)
        await self.fed.settle()
        await feeding.end(ash, "valley")
        await self.fed.settle()

    async def _posts(self) -> None:
        """Oak says something, with a picture; says it otherwise; and takes it back."""
        app, home, now = self.fed.oak.app, self.fed.oak.app[HOME], self.fed.oak.now
        mentioned = await mentioned_in(app, "@elm@elm.test")
        async with app[DATABASE].ACT.begin() as session:
            member = await people.member_by_login(session, LOGIN)
            assert member is not None
            viewer = await joining.viewer_for(session, member, now)
            drawn = pictures.mend(pictures.pattern("oak"))
            picture = await images.keep(session, viewer, drawn, "The bike in front of the bakery", now)
            words = Words("It is here, @elm@elm.test! #bike", "en", mentioned)
            post = await speaking.speak(session, home, viewer, words, now, pictures=[picture.name])
        await self.fed.settle()
        token = post.uri.rpartition("/")[2]
        async with app[DATABASE].ACT.begin() as session:
            words = Words("It is here, @elm@elm.test, and it is blue! #bike", "en", mentioned)
            await speaking.edit(session, home, viewer, token, words, now)
        await self.fed.settle()
        self.fetched["thread"] = await self._get(f"/threads/{token}")
        self.fetched["thread page"] = await self._get(f"/threads/{token}?page=1")
        async with app[DATABASE].ACT.begin() as session:
            await speaking.withdraw(session, home, viewer, token, now)
        await self.fed.settle()

    async def _farewell(self) -> None:
        """A member of Oak gets a public profile, is followed, and takes it back."""
        app, now = self.fed.oak.app, self.fed.oak.now
        async with app[DATABASE].ACT.begin() as session:
            member = await people.member_by_login(session, LOGIN)
            assert member is not None
            viewer = await joining.viewer_for(session, member, now)
            await appearing.appear(session, app[HOME], viewer, "ana", self.fed.key_pairs(1)[0], now)
        self.fetched["person"] = await self._get("/c/ana")
        await self._follow("http://oak.test/c/ana")
        async with app[DATABASE].ACT.begin() as session:
            await appearing.disappear(session, app[HOME], viewer, now)
        await self.fed.settle()

    def _addresses(self) -> dict[str, str]:
        scope = f"/scopes/{self.fed.decision}"
        return {
            "group": "/c/oak",
            "application": "/c/instance",
            "webfinger": "/.well-known/webfinger?resource=acct:oak@oak.test",
            "nodeinfo": "/nodeinfo/2.1",
            "head": scope,
            "page": f"{scope}?bucket={self.fed.decision[0]}",
        }

    async def _get(self, path: str) -> Json:
        port = self.fed.instances["oak"].settings.listen_port
        headers = {"Accept": "application/activity+json"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as response,
        ):
            assert response.status == 200, path
            found: Json = await response.json(content_type=None)
            return found


async def told(folder: Path) -> Story:
    """The story, played to its end."""
    async with Federation("oak", "elm", "ash", folder=folder) as fed:
        story = Story(fed)
        await story.play()
        return story


def kind(document: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Type, type of the object, and types of the records that a document carries, itself or in its object or items."""
    inner = document.get("object")
    items = document.get("orderedItems", [])
    parts = [
        document,
        *([inner] if isinstance(inner, dict) else []),
        *(i for i in items if isinstance(i, dict)),
    ]
    found = [record for part in parts for record in _listed(part.get("jura:record"))]
    inner_type = str(inner.get("type")) if isinstance(inner, dict) else ""
    return (
        str(document.get("type", "")),
        inner_type,
        tuple(sorted({str(r["type"]) for r in found if isinstance(r, dict)})),
    )


def misfits(example: Any, real: Any, where: str) -> list[str]:
    """Where an example is not like the real thing: other names, other kinds of values. `…` in the example fits everything,
    @context too; of lists the first items are compared."""
    if example == "…" or where.endswith("@context"):
        return []
    if isinstance(example, dict) and isinstance(real, dict):
        mine, theirs = _named(example, where), _named(real, where)
        if mine.keys() != theirs.keys():
            return [f"{where}: {sorted(mine.keys() ^ theirs.keys())}"]
        return [line for name in mine for line in misfits(mine[name], theirs[name], f"{where}.{name}")]
    if isinstance(example, list) and isinstance(real, list):
        if not example or not real:
            return [] if example == real else [f"{where}: a list with and one without items"]
        return misfits(example[0], _counterpart(example[0], real), f"{where}[]")
    return [] if type(example) is type(real) else [f"{where}: {example!r} and {real!r}"]


def _named(value: Json, where: str) -> Json:
    """Members by name; those that are named by digests, or by a digit of one, count as one."""
    any_name = where.endswith((".jura:texts", ".buckets"))
    return {"<digest>" if any_name else name: inner for name, inner in value.items()}


def _counterpart(example: Any, real: list[Any]) -> Any:
    """The item of a list that an example shows: one with the same members if there is one."""
    if isinstance(example, dict):
        return next((one for one in real if isinstance(one, dict) and one.keys() == example.keys()), real[0])
    return real[0]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
