"""Attack 7: redirects without end, and bodies too large, too deep or of two readings, where we fetch and at the door. The
tables, gzip bombs and dripping answers: tests/activitypub/test_fetch.py and test_codec.py, tests/server/peers/test_inbox.py."""

import pytest
from aiohttp import web

from activitypub.errors import WireError
from models.queues import InboxItem
from server import remote
from tests.server.peers.world import ACTIVITY, Answer, Stranger, World

INBOX = "http://oak.test/inbox"
ODD = [
    b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"a":[' + b"1," * 100_000 + b"1]}",
    b'{"a":' + b"9" * 400 + b"}",
    b'{"type":"Follow","type":"Delete"}',
    b'{"a":NaN}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\u0000"}',
    b'{"a":"' + b"x" * 1_000_001 + b'"}',
]


async def test_attack_07_an_endless_or_odd_answer_is_cut_and_an_odd_body_turned_away(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")

    async def round_and_round(request: web.Request) -> web.Response:
        number = int(request.path.removeprefix("/r/") or 0)
        raise web.HTTPFound(f"/r/{number + 1}")

    for number in range(9):
        masto.answers[f"/r/{number}"] = round_and_round
    with pytest.raises(WireError) as error:
        await remote.document(world.of().app, f"{masto.url}/r/0")
    assert error.value.code == "too-many-redirects"
    assert len(masto.asked) == 4
    for number, body in enumerate(ODD):
        masto.answers[f"/odd/{number}"] = _says(body)
        with pytest.raises(WireError):
            await remote.document(world.of().app, f"{masto.url}/odd/{number}")
        status, _, _ = await world.request(
            "POST", INBOX, headers=world.signed("POST", INBOX, body, ana), body=body
        )
        assert status in (400, 413)
    assert await world.count(InboxItem) == 0


def _says(body: bytes) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": ACTIVITY})

    return answer
