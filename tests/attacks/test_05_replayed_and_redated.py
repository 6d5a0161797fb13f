"""Attack 5: replays, dates, digests and headers said twice, in both schemes. Finer tables: tests/activitypub/test_signatures.py
and test_message_signatures.py, tests/server/peers/test_inbox.py."""

from datetime import timedelta
from typing import Literal

import orjson
import pytest
from multidict import CIMultiDict

from models.queues import InboxItem
from tests.server.peers.world import Stranger, World

INBOX = "http://oak.test/inbox"


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_attack_05_what_is_replayed_redated_or_signed_in_part_is_refused(
    world: World, masto: Stranger, scheme: Literal["cavage", "rfc9421"]
) -> None:
    ana = masto.person("ana")
    digest = "Digest" if scheme == "cavage" else "Content-Digest"
    body = orjson.dumps(ana.activity("Follow", object="http://oak.test/c/oak"))
    headers = CIMultiDict(world.signed("POST", INBOX, body, ana, scheme))

    async def sent(changed: CIMultiDict[str], what: bytes = body) -> int:
        return (await world.request("POST", INBOX, headers=changed, body=what))[0]

    twice, two_digests = CIMultiDict(headers), CIMultiDict(headers)
    twice.add("Signature", headers["Signature"])
    two_digests.add(digest, headers[digest])
    plain = CIMultiDict({name: value for name, value in headers.items() if name != digest})
    nothing = CIMultiDict(headers)
    if scheme == "cavage":
        nothing["Signature"] = f'keyId="{ana.key_id}",headers="",signature="AAAA"'
    else:
        nothing["Signature-Input"] = f'sig1=();created=1;keyid="{ana.key_id}"'
    for wrong in (twice, two_digests, plain, nothing):
        assert await sent(wrong) == 401
    assert await sent(headers, body.replace(b"Follow", b"Create")) == 401
    assert await world.count(InboxItem) == 0

    assert await sent(headers) == 202
    assert await sent(headers) == 202, "within the hour a repeat is known by its id"
    assert await world.count(InboxItem) == 1
    for away in (timedelta(hours=2), timedelta(hours=-4)):
        world.clock.advance(away)
        assert await sent(headers) == 401
    assert await world.count(InboxItem) == 1
