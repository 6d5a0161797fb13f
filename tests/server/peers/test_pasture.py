"""The objects of fediverse-pasture-inputs as replies to a post of ours: all are handled; of what is not kept, the reasons."""

import json
import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from models.queues import InboxItem
from models.talk import Reply
from server.workers.inbox import inbox_due
from tests.server.peers.talk import create, note, ours
from tests.server.peers.world import Person, Stranger, World

HOUR = timedelta(hours=1, seconds=1)


def _inputs() -> dict[str, Any]:
    """The inputs; their module asks for one of another package, for an annotation only."""
    for name in ("fediverse_pasture", "fediverse_pasture.runner", "fediverse_pasture.runner.entry"):
        sys.modules.setdefault(name, ModuleType(name))
    sys.modules["fediverse_pasture.runner.entry"].Entry = object  # type: ignore[attr-defined]
    return dict(pytest.importorskip("fediverse_pasture_inputs").available)


INPUTS = _inputs()

NOT_OURS = "names no post of ours, or several, as what it answers"
NOBODYS = "has no author, or several"
NAMELESS = "has no id"
NO_POST = "is of no type that is a post"
EMPTY = "has nothing to read once it is sanitised"

# Of each input, by number: why it is not kept. All others are.
NOT_KEPT: dict[str, dict[int, str]] = {
    "html_tags": {26: EMPTY, 27: EMPTY},  # a script, a picture
    "html_tags_article": {26: EMPTY, 27: EMPTY},
    "necessary_properties": {1: NAMELESS, 3: NOBODYS, 4: NO_POST},
    "object_types": dict.fromkeys(
        (7, 8, 9, 10, 13), NO_POST
    ),  # Place, Profile, Relationship, Tombstone, none
    "in_reply_to": dict.fromkeys((1, 3, 4, 5), NOT_OURS),  # elsewhere, a Link, two, a Collection
    "attributed_to": {2: NOBODYS},
}


def example_of(by: Person, post: str, example: dict[str, Any]) -> dict[str, Any]:
    """An example as a reply by somebody; hosts of the pasture lie on a test name. What examples answer is our post."""
    text = json.dumps(example).replace("http://pasture-one-actor/actor", by.uri)
    if "inReplyTo" in example:
        text = text.replace("http://pasture-one-actor/assets/note1.jsonap", post)
    for host in ("pasture-one-actor", "remote.example", "invalid.example"):
        text = text.replace(f"http://{host}", by.server.url)
    return note(by, post) | json.loads(text)


@pytest.fixture
async def found(world: World, masto: Stranger) -> dict[str, dict[int, tuple[str, str]]]:
    """How each ended that was not kept: outcome and reason."""
    ana, post = masto.person("ana"), await ours(world)
    ended: dict[str, dict[int, tuple[str, str]]] = {}
    for name, each in INPUTS.items():
        sent = [create(ana, example_of(ana, post, example)) for example in each.examples]
        statuses = [await world.post(ana, one) for one in sent]
        assert set(statuses) == {202}, name
        await inbox_due(world.of().app)
        world.clock.advance(HOUR)
        async with world.database().READ() as session:
            rows = {row.activity_uri: row for row in (await session.scalars(select(InboxItem))).all()}
        items = [rows[one["id"]] for one in sent]
        ended[name] = {
            number: (item.outcome or "waits", item.reason or "")
            for number, item in enumerate(items)
            if item.outcome != "done"
        }
    return {name: items for name, items in ended.items() if items}


async def test_each_is_handled_and_what_is_not_kept_has_its_reason(
    world: World, found: dict[str, dict[int, tuple[str, str]]]
) -> None:
    assert sum(len(each.examples) for each in INPUTS.values()) == 262
    assert {name: set(items) for name, items in found.items()} == {n: set(r) for n, r in NOT_KEPT.items()}
    assert await world.count(Reply) == 262 - sum(map(len, NOT_KEPT.values()))
