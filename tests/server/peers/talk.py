"""Posts of ours for strangers to talk about, and what they say."""

import hashlib
from typing import Any

import orjson
from sqlalchemy import select

from models.people import Actor, local_actor
from models.posts import Post
from models.talk import PulseVote, Reaction, Reply
from tests.server.peers.world import PUBLIC, Person, World

OPTIONS = ("Agree", "Unsure", "Disagree")
CLOSES = "2026-11-29T10:00:00Z"


async def ours(
    world: World, name: str = "one", type_: str = "Note", *, public: bool = True, **fields: Any
) -> str:
    """A post of our collective that exists; returns its id."""
    uri = f"http://oak.test/o/{hashlib.sha256(name.encode()).hexdigest()}"
    async with world.database().ACT.begin() as session:
        await put(session, uri, type_, world.clock.now(), public=public, **fields)
    return uri


async def put(session: Any, uri: str, type_: str, now: Any, *, public: bool = True, **fields: Any) -> Post:
    speaker = await local_actor(session, "collective")
    assert speaker is not None
    to = [PUBLIC] if public else ["http://elm.test/c/elm"]
    options = {"oneOf": [{"type": "Note", "name": n} for n in OPTIONS], "endTime": CLOSES}
    body = {"id": uri, "type": type_, "attributedTo": speaker.uri, "to": to, "content": "<p>Hello.</p>"}
    post = Post(
        uri=uri,
        actor_id=speaker.id,
        kind="round" if type_ == "Question" else "option",
        is_public=public,
        scope=fields.pop("scope", None),
        body=orjson.dumps({**body, **(options if type_ == "Question" else {}), **fields}),
        published_at=now,
    )
    session.add(post)
    return post


def note(by: Person, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    """A public Note by somebody, with an id of its own."""
    number = by.activity("x")["id"].rpartition("/")[2]
    said = {
        "id": f"{by.uri}/notes/{number}",
        "type": "Note",
        "attributedTo": by.uri,
        "content": "<p>I think so.</p>",
        "to": [PUBLIC],
        "published": "2026-11-22T10:00:00Z",
    }
    return {**said, **({"inReplyTo": parent} if parent else {}), **fields}


def create(by: Person, said: Any, **fields: Any) -> dict[str, Any]:
    return by.activity("Create", object=said, **fields)


def vote(by: Person, round_: str, name: str = "Agree", **fields: Any) -> dict[str, Any]:
    """An answer as Mastodon sends it: `to` a string, no content, no date."""
    number = by.activity("x")["id"].rpartition("/")[2]
    said = {
        "id": f"{by.uri}#votes/{number}",
        "type": "Note",
        "name": name,
        "attributedTo": by.uri,
        "inReplyTo": round_,
        "to": "http://oak.test/c/oak",
        **fields,
    }
    return by.activity(
        "Create", id=f"{by.uri}#votes/{number}/activity", to="http://oak.test/c/oak", object=said
    )


async def replies(world: World) -> list[Reply]:
    async with world.database().READ() as session:
        return list((await session.scalars(select(Reply).order_by(Reply.id))).all())


async def reactions(world: World) -> list[tuple[str, str, str]]:
    async with world.database().READ() as session:
        rows = (await session.scalars(select(Reaction).order_by(Reaction.id))).all()
        return [(row.kind, row.actor.rpartition("/")[2], row.content) for row in rows]


async def votes(world: World) -> list[tuple[str, str]]:
    async with world.database().READ() as session:
        rows = (await session.scalars(select(PulseVote).order_by(PulseVote.id))).all()
        return [(row.voter.rpartition("/")[2], row.option) for row in rows]


async def actor(world: World, uri: str) -> Actor:
    async with world.database().READ() as session:
        found = await session.scalar(select(Actor).where(Actor.uri == uri))
    assert found is not None
    return found
