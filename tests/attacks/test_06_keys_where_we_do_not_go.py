"""Attack 6: a keyId that leads inside, to odd schemes or ports, or by a redirect to a private place, in both schemes. Every
address form: tests/activitypub/test_network.py (also names that resolve anew); each keyId: tests/server/peers/test_inbox.py."""

import orjson
import pytest
from aiohttp import web

from activitypub import signatures
from activitypub.claims import Scheme
from models.people import Actor
from tests.server.peers.world import Stranger, World

INBOX = "http://oak.test/inbox"
INSIDE = [
    "https://localhost/key",
    "https://169.254.169.254/key",
    "https://0.0.0.0/key",
    "https://[::]/key",
    "https://[::127.0.0.1]/key",
    "https://[64:ff9b::7f00:1]/key",
    "https://[2002:7f00:1::]/key",
    "https://100.64.0.1/key",
    "https://198.18.0.1/key",
    "https://017700000001/key",
    "http://oak.test:25/key",
    "http://ana:pass@masto.test/users/ana",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_attack_06_no_key_makes_us_ask_inside(world: World, masto: Stranger, scheme: Scheme) -> None:
    ana = masto.person("ana")

    async def inside(_: web.Request) -> web.Response:
        raise web.HTTPFound("https://127.0.0.1:22/key")

    masto.answers["/moved"] = inside
    for key_id in (*INSIDE, "http://masto.test/moved"):
        body = orjson.dumps(ana.activity("Follow", object="http://oak.test/c/oak"))
        headers = signatures.sign_request(
            "POST", INBOX, body, key_id, ana.rsa, world.clock.now(), scheme=scheme
        )
        status, _, _ = await world.request("POST", INBOX, headers=headers, body=body)
        assert status in (401, 503), key_id
    assert {asked.target for asked in masto.asked} == {"/moved"}
    assert await world.count(Actor, Actor.kind == "remote") == 0
