"""Feeds and what they pass on, for stories: what members do, and posts of a collective as any software would publish them."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import vocabulary
from activitypub.addressing import Audience, direct, public, unlisted
from models import follows, people
from models.people import Actor
from models.rules.records import stamp
from server.actions import feeds, outbox, speaking
from server.actions import people as joining
from server.keys import DATABASE, HOME
from server.remote import find
from server.translate_posts import Words
from server.viewer import Viewer
from tests.federation.people import Collective
from tests.server.peers.world import Person, Stranger, World

FEED = "http://oak.test/c/valley"


async def member_does(one: Collective, act: Callable[[AsyncSession, Viewer], Awaitable[Any]]) -> Any:
    """The first member of a collective does something, in one transaction."""
    async with one.app[DATABASE].ACT.begin() as session:
        member = await people.member_by_login(session, "ana")
        assert member is not None
        return await act(session, await joining.viewer_for(session, member, one.now))


async def make_feed(one: Collective, *others: str, handle: str = "valley") -> None:
    """A feed of this collective and others, by name."""
    keys = one.meeting.key_pairs(1)[0]
    home = one.app[HOME]
    await member_does(one, lambda s, v: feeds.make(s, home, v, handle, "The Valley", keys, one.now))
    for other in others:
        await add(one, f"@{other}@{other}.test", handle)


async def add(one: Collective, address: str, handle: str = "valley") -> None:
    source = await find(one.app, address)
    await member_does(one, lambda s, v: feeds.add(s, one.app[HOME], v, handle, source, one.now))


async def remove(one: Collective, source: str, handle: str = "valley") -> None:
    await member_does(one, lambda s, v: feeds.remove(s, one.app[HOME], v, handle, source, one.now))


async def end(one: Collective, handle: str = "valley") -> None:
    await member_does(one, lambda s, v: feeds.end(s, one.app[HOME], v, handle, one.now))


async def set_budget(one: Collective, most: int) -> None:
    await member_does(one, lambda s, v: feeds.set_budget(s, v, most, one.now))


async def three(world: World) -> Person:
    """Oak has a feed of itself, Elm and Ash; a stranger's ana follows it."""
    for name in ("oak", "elm", "ash"):
        await world[name].members(1)
    await make_feed(world.oak, "elm", "ash")
    await world.settle()
    masto = await world.stranger("masto")
    ana = masto.person("ana")
    assert await world.tell(ana, ana.activity("Follow", object=FEED)) == "done"
    await world.settle()
    return ana


async def speak(one: Collective, words: str) -> str:
    """A member posts as the collective; returns the id of the post."""
    said = Words(words, "en")
    row = await member_does(one, lambda s, v: speaking.speak(s, one.app[HOME], v, said, one.now))
    return str(row.uri)


async def speak_anew(one: Collective, uri: str, words: str) -> None:
    """A member edits a post of the collective."""
    token, said = uri.rpartition("/")[2], Words(words, "en")
    await member_does(one, lambda s, v: speaking.edit(s, one.app[HOME], v, token, said, one.now))


async def withdraw(one: Collective, uri: str) -> None:
    """A member deletes it."""
    token = uri.rpartition("/")[2]
    await member_does(one, lambda s, v: speaking.withdraw(s, one.app[HOME], v, token, one.now))


async def post(
    one: Collective, words: str, *, to: str = "public", again: str | None = None, **fields: Any
) -> str:
    """The collective publishes a Note for its followers; returns its id. `again`: a new activity about this one."""
    uri = again or f"http://{one.name}.test/o/{secrets.token_hex(32)}"
    async with one.app[DATABASE].ACT.begin() as session:
        actor, inboxes = await _speaker(session)
        audience = {
            "public": public(actor.followers),
            "unlisted": unlisted(actor.followers),
            "followers": direct([actor.followers]),
        }[to]
        note = _note(uri, actor, words, one, audience) | fields
        if again is None:
            kept = {"is_public": to != "followers"}
            await outbox.keep_post(session, actor, note, "post", one.now, **kept)
        create = vocabulary.create(f"http://{one.name}.test/a/{secrets.token_hex(32)}", note)
        is_public = to != "followers"
        await outbox.publish(session, one.app[HOME], actor, create, inboxes, one.now, is_public=is_public)
    return uri


async def edit(one: Collective, uri: str, words: str) -> None:
    async with one.app[DATABASE].ACT.begin() as session:
        actor, inboxes = await _speaker(session)
        note = _note(uri, actor, words, one, public(actor.followers)) | {"updated": stamp(one.now)}
        update = vocabulary.update(f"{uri}/edited/{secrets.token_hex(4)}", note, stamp(one.now))
        await outbox.publish(session, one.app[HOME], actor, update, inboxes, one.now)


async def delete(one: Collective, uri: str) -> None:
    async with one.app[DATABASE].ACT.begin() as session:
        actor, inboxes = await _speaker(session)
        gone = vocabulary.tombstone(uri, "Note")
        act = vocabulary.delete(f"{uri}/gone", actor.uri, gone, public(actor.followers), stamp(one.now))
        await outbox.publish(session, one.app[HOME], actor, act, inboxes, one.now)


async def _speaker(session: AsyncSession) -> tuple[Actor, Sequence[str]]:
    actor = await people.local_actor(session, "collective")
    assert actor is not None
    return actor, await follows.follower_inboxes(session, actor.id)


def _note(uri: str, actor: Actor, words: str, one: Collective, audience: Audience) -> dict[str, Any]:
    content = f"<p>{words}</p><p>More about it.</p>"
    return vocabulary.note(id=uri, by=actor.uri, content=content, published=stamp(one.now), audience=audience)


def shown(stranger: Stranger) -> list[str]:
    """The ids of what was shown to a stranger's server, in the order of arrival."""
    return [activity["object"] for activity in stranger.posts("Announce")]


def digests(stranger: Stranger) -> list[dict[str, Any]]:
    return [a["object"] for a in stranger.posts("Create") if a["actor"] == FEED]
