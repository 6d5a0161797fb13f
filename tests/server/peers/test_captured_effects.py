"""Real requests between independent servers, sent to the inbox of a real instance that stands where their receiver stood.

Nothing that was signed is changed: the instance has the receiver's name, its collective the receiver's id, and its clock shows
when each was sent. What each must bring about stands in `EFFECTS`. The captures lie beside the repository, or where
JURA_CAPTURES says.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict
from sqlalchemy import delete, func, select, update

from activitypub import signatures
from models import tables
from models.feeds import Following
from models.follows import Follow
from models.peers import Tombstone
from models.people import Actor
from models.queues import Delivery, InboxItem
from models.reports import Report
from models.talk import PulseVote, Reaction, Reply
from server.actions.founding import make_key_pair
from server.app import create_app
from server.cli.founding import found_instance
from server.clock import MovableClock
from server.keys import DATABASE
from server.peers import inbox
from server.settings import Settings
from server.workers.inbox import inbox_due
from tests.activitypub.test_captures import CAPTURES
from tests.server.peers.talk import put

Json = dict[str, Any]

POSTED = {name: each for name, each in CAPTURES.items() if each["method"] == "POST" and "signature" in each}
HOSTS = sorted({each["to_host"] for each in POSTED.values()})
PAIRS = [make_key_pair() for _ in range(3)]
NOT_SENT = {"content-length", "connection", "accept-encoding", "transfer-encoding"}
CLEARED = (
    *(
        "deliveries",
        "destinations",
        "activities",
        "follows",
        "followings",
        "reactions",
        "pulse_votes",
        "replies",
    ),
    *("reports", "tombstones", "inbox_items", "posts"),
)

# Activity and what it is about: what it brings about if that is ours, and if it is not.
EFFECTS = {
    ("Follow", "actor"): ("done: 1 follow, 1 delivery", "refused:"),
    ("Undo", "Follow"): ("done:", "ignored:"),  # the follow that was there is gone, and may come again
    ("Undo", "Like"): ("done: 1 tombstone", "ignored: 1 tombstone"),
    ("Undo", "Announce"): ("done: 1 tombstone", "ignored: 1 tombstone"),
    ("Undo", "Block"): ("ignored:", "ignored:"),
    ("Undo", "actor"): ("status 403", "status 403"),  # snac, after a block, under an id of another server
    ("Accept", "Follow"): ("ignored:", "ignored:"),  # we asked for nothing
    ("Block", "actor"): ("done:", "ignored:"),
    ("Flag", "actor"): ("done: 1 report", "ignored:"),
    ("Like", "post"): ("done: 1 reaction", "ignored:"),
    ("Announce", "post"): ("done: 1 reaction", "ignored:"),
    ("Create", "vote"): ("done: 1 vote", "ignored:"),
    ("Create", "reply"): ("done: 1 reply", "ignored:"),
    ("Create", "mention"): ("done: 1 reply", "ignored:"),
    ("Create", "post"): ("ignored:", "ignored:"),
    ("Update", "post"): ("ignored:", "ignored:"),
    ("Update", "profile"): ("asked for it anew", "asked for it anew"),
    ("Delete", "post"): ("done: 1 tombstone", "done: 1 tombstone"),
}


def ids(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [one["id"] if isinstance(one, dict) else one for one in found if one]


def about(activity: Json) -> tuple[str, str]:
    """What an activity is about: a word, and the id on which it depends whether that is ours."""
    thing, kind = activity.get("object"), activity["type"]
    [what] = ids(thing)
    if kind in ("Follow", "Block", "Flag"):
        return "actor", what
    if kind in ("Like", "Announce"):
        return "post", what
    if kind in ("Accept", "Undo"):
        inner = thing if isinstance(thing, dict) else {"type": "actor" if kind == "Undo" else "Follow"}
        return inner["type"], ids(inner.get("object", what))[0]
    if kind == "Delete":
        return "post", what
    return said(activity, what)


def said(activity: Json, what: str) -> tuple[str, str]:
    thing = activity["object"]
    if what == activity["actor"]:
        return "profile", what
    if parent := thing.get("inReplyTo"):
        return ("vote" if thing.get("name") else "reply"), parent
    tags = thing.get("tag") or []
    mentioned = [
        tag["href"] for tag in ([tags] if isinstance(tags, dict) else tags) if tag["type"] == "Mention"
    ]
    return ("mention", " ".join(mentioned)) if mentioned else ("post", what)


@dataclass
class Receiver:
    """Our instance in the place of a captured receiver."""

    host: str
    app: web.Application
    clock: MovableClock
    port: int
    asked: list[str] = field(default_factory=list)

    async def effect_of(self, capture: Json) -> str:
        """What one capture brings about here, in a database that knows its sender and what it speaks of, and nothing else."""
        sent = datetime.fromtimestamp(capture["sent_at"], UTC) + timedelta(milliseconds=1)
        self.clock.advance(sent - self.clock.now())
        activity = json.loads(capture["body"])
        await self.prepare(capture, activity)
        self.asked.clear()
        status = await self.post(capture)
        if status != 202:
            return f"status {status}"
        await inbox_due(self.app)
        async with self.app[DATABASE].READ() as session:
            item = (await session.scalars(select(InboxItem))).one()
            if item.outcome is None:
                return "asked for it anew" if activity["actor"].split("/")[2] in self.asked else "waits"
            found = []
            for name, table in KEPT.items():
                if many := await session.scalar(select(func.count()).select_from(table)):
                    found.append(f"{many} {name}")
        return f"{item.outcome}: {', '.join(found)}".rstrip()

    async def post(self, capture: Json) -> int:
        headers = CIMultiDict((k, v) for k, v in capture["headers"] if k.lower() not in NOT_SENT)
        url = f"http://127.0.0.1:{self.port}{capture['path']}"
        async with (
            aiohttp.ClientSession(skip_auto_headers=["User-Agent", "Accept", "Content-Type"]) as http,
            http.post(url, headers=headers, data=capture["body"].encode()) as response,
        ):
            return response.status

    async def prepare(self, capture: Json, activity: Json) -> None:
        """The sender is known; what the activity speaks of is ours if it lay on the receiver's server."""
        kind, what = about(activity)
        async with self.app[DATABASE].ACT.begin() as session:
            for name in CLEARED:
                await session.execute(tables.metadata.tables[name].delete())
            await session.execute(delete(Actor).where(Actor.kind == "remote"))
            session.add(self.sender(capture, activity))
            ours = next((one for one in what.split() if f"//{self.host}/" in f"{one}/"), None)
            if ours is not None and (kind in ("actor", "mention", "Follow", "Block")):
                await session.execute(update(Actor).where(Actor.kind == "collective").values(uri=ours))
            elif ours is not None and kind in ("post", "reply", "vote", "Like", "Announce"):
                await self.ours(session, ours, activity)
            if activity["type"] in ("Undo", "Block") and ours is not None:
                await self.undoable(session, activity)

    def sender(self, capture: Json, activity: Json) -> Actor:
        document = capture["actor"] or {"id": activity["actor"]}
        uri = activity["actor"]
        listed = [key["publicKeyMultibase"] for key in document.get("assertionMethod", ())]
        return Actor(
            uri=uri,
            kind="remote",
            type=document.get("type", "Application"),
            handle=document.get("preferredUsername", "instance"),
            authority=signatures.authority(uri),
            inbox=document.get("inbox", f"{uri}/inbox"),
            key_id=capture["signature"]["keyId"],
            rsa_pem=capture["public_key_pem"],
            ed25519=next((key for key in listed if key.startswith("z6Mk")), None),
            created_at=self.clock.now(),
        )

    async def ours(self, session: Any, uri: str, activity: Json) -> None:
        thing = activity["object"]
        name = thing.get("name") if isinstance(thing, dict) else None
        changed = (
            {"oneOf": [{"name": name}, {"name": "Other"}], "endTime": "2027-01-01T00:00:00Z"} if name else {}
        )
        await put(session, uri, "Question" if name else "Note", self.clock.now(), **changed)

    async def undoable(self, session: Any, activity: Json) -> None:
        """What is undone or ended is there."""
        thing, now = activity["object"], self.clock.now()
        inner = thing if isinstance(thing, dict) else {}
        who = {"actor": activity["actor"], "authority": signatures.authority(activity["actor"]), "at": now}
        await session.flush()
        if inner.get("type") in ("Like", "Announce"):
            [post] = (await session.scalars(select(tables.metadata.tables["posts"].c.id))).all()
            session.add(Reaction(uri="as it was noted", kind=inner["type"].lower(), post_id=post, **who))
        elif inner.get("type") != "Block":
            collective = (await session.scalars(select(Actor).where(Actor.kind == "collective"))).one()
            follow = {"followed_id": collective.id, "activity_uri": inner.get("id", "x"), "inbox": "x"}
            session.add(Follow(follower=activity["actor"], at=now, **follow))


KEPT: dict[str, Any] = {
    "follow": Follow,
    "following": Following,
    "delivery": Delivery,
    "report": Report,
    "reaction": Reaction,
    "vote": PulseVote,
    "reply": Reply,
    "tombstone": Tombstone,
}


@asynccontextmanager
async def standing_for(host: str, folder: Path) -> AsyncIterator[Receiver]:
    """An instance of ours under a captured receiver's name, which also takes what was sent to that one's own paths."""
    clock, asked = MovableClock(datetime(2026, 11, 22, tzinfo=UTC)), list[str]()

    def names(name: str, _port: int) -> None:
        asked.append(name)

    database = f"sqlite+aiosqlite:///{folder / 'jura.sqlite'}"
    settings = Settings(f"https://{host}", folder, database, "s" * 40, "127.0.0.1", 0, development=True)
    await found_instance(settings, "here", "Here", "", clock.now(), (PAIRS[0], PAIRS[1], PAIRS[2]))
    app = create_app(settings, clock, names, workers=False)
    for path in sorted({each["path"] for each in POSTED.values() if each["to_host"] == host} - {"/inbox"}):
        app.router.add_post(path, inbox.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Receiver(host, app, clock, runner.addresses[0][1], asked)
    finally:
        await runner.cleanup()


def expected(capture: Json) -> str:
    activity = json.loads(capture["body"])
    kind, what = about(activity)
    ours, others = EFFECTS[activity["type"], kind]
    return ours if any(f"//{capture['to_host']}/" in f"{one}/" for one in what.split()) else others


@pytest.mark.skipif(not POSTED, reason="no captured traffic here: it lies beside the repository")
@pytest.mark.parametrize("host", HOSTS)
async def test_what_was_captured_has_the_right_effect(host: str, tmp_path: Path) -> None:
    theirs = {name: each for name, each in POSTED.items() if each["to_host"] == host}
    async with standing_for(host, tmp_path) as receiver:
        found = {name: await receiver.effect_of(each) for name, each in theirs.items()}
    assert found == {name: expected(each) for name, each in theirs.items()}


@pytest.mark.skipif(not POSTED, reason="no captured traffic here: it lies beside the repository")
def test_every_row_of_the_table_was_captured() -> None:
    seen = {
        (json.loads(each["body"])["type"], about(json.loads(each["body"]))[0]) for each in POSTED.values()
    }
    assert seen == set(EFFECTS)
