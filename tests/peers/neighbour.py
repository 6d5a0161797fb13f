"""What every neighbour can be asked to do in a test, whatever software it is."""

from typing import Any, Protocol

Json = dict[str, Any]

LOGINS = (
    *(
        "ana",
        "bo",
        "cem",
        "dara",
        "eli",
        "fay",
        "gus",
        "hana",
        "ivo",
        "jo",
        "kim",
        "lu",
        "mo",
        "nia",
        "oda",
        "pia",
    ),
    *("quin", "rosa", "sol", "tia"),
)


class Person(Protocol):
    """Somebody who has an account there. What they send is signed by their server's software, as it does by itself."""

    uri: str
    login: str

    async def look_up(self, handle: str) -> Json:
        """The actor that their software finds by a handle."""

    async def fetch(self, uri: str) -> Json:
        """A document, by their software's signed GET."""

    async def status(self, uri: str) -> int:
        """What the same request is answered with."""

    async def follow(self, actor: str) -> str: ...
    async def unfollow(self, actor: str, follow: str) -> str: ...
    async def publish(self, words: str) -> str:
        """A public Note for their followers; returns its id."""

    async def reply(self, post: Json, words: str) -> tuple[str, str]:
        """The ids of the Note and of the activity that brought it."""

    async def vote(self, question: Json, option: str) -> str: ...
    async def boost(self, post: Json) -> str: ...
    async def like(self, post: Json) -> str: ...
    async def edit(self, note: str, words: str) -> str: ...
    async def delete(self, note: str) -> str: ...

    async def heard(self) -> list[Json]:
        """The activities that arrived for them and that their software believed, as it read them, in order."""


class Neighbour(Protocol):
    """Another server."""

    host: str
    first_knock: str
    """How it signs first: cavage or rfc9421."""

    async def person(self, *, kin: bool = False) -> Person:
        """Somebody new; with `kin` a group whose document says that it is a collective of our kind."""

    async def turned_away(self, *, forget: bool = False) -> list[str]:
        """What was not believed since somebody last said to forget it."""
