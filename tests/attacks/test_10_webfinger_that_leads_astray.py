"""Attack 10: WebFinger about somebody elsewhere, to another actor, twice, or by a look-alike name. The forms of answers:
tests/activitypub/test_webfinger.py."""

import pytest

from activitypub.errors import WireError
from server import remote
from tests.server.peers.world import Stranger, World

JRD = "application/jrd+json"


async def test_attack_10_a_handle_leads_to_one_actor_and_back_or_nowhere(
    world: World, masto: Stranger
) -> None:
    ana, evil = masto.person("ana"), await world.stranger("evil")
    eve = evil.person("eve")
    app, self_ = world.of().app, {"rel": "self", "type": "application/activity+json"}
    asked = "/.well-known/webfinger?resource=acct:eve@evil.test"
    answers = {
        "a subject of another server": {
            "subject": "acct:ana@masto.test",
            "links": [{**self_, "href": eve.uri}],
        },
        "an actor of another server": {
            "subject": "acct:eve@evil.test",
            "links": [{**self_, "href": ana.uri}],
        },
        "two actors": {
            "subject": "acct:eve@evil.test",
            "links": [{**self_, "href": eve.uri}, {**self_, "href": f"{eve.uri}2"}],
        },
        "nobody": {"subject": "acct:eve@evil.test", "links": []},
    }
    for why, answer in answers.items():
        evil.says(asked, answer, type_=JRD)
        with pytest.raises(WireError):
            await remote.find(app, "@eve@evil.test")
        assert why
    for lookalike in ("@ana@m\u0430sto.test", "@\u0430na@masto.test"):
        with pytest.raises(WireError):
            await remote.find(app, lookalike)
    evil.says(asked, {"subject": "acct:EVE@Evil.test", "links": [{**self_, "href": eve.uri}]}, type_=JRD)
    assert (await remote.find(app, "@Eve@EVIL.test")).uri == eve.uri
