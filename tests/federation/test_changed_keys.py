"""Keys that sign requests change while a decision runs: it goes on, whether or not the others heard of it."""

import pytest
from sqlalchemy import delete

from models import people
from models.queues import Delivery
from server.actions import rotating
from server.keys import CLOCK, DATABASE, HOME
from tests.federation.harness import MINUTE, Federation
from tests.federation.meetings import Meetings


async def rotate(fed: Federation, name: str, *, told: bool) -> None:
    """The instance gets new request keys; if not `told`, what announces them is lost."""
    app = fed.app_of(name)
    async with app[DATABASE].ACT.begin() as session:
        actors = await rotating.actors_with_keys(session)
        keys = {actor.id: rotating.make_request_key() for actor in actors}
        await rotating.rotate_keys(session, app[HOME], keys, app[CLOCK].now())
        if not told:
            await session.flush()
            await session.execute(delete(Delivery))


async def key_of(fed: Federation, uri: str, known_to: str) -> str:
    async with fed.app_of(known_to)[DATABASE].READ() as session:
        actor = await people.actor_by_uri(session, uri)
        assert actor is not None
        return actor.rsa_pem


@pytest.mark.parametrize("told", [True, False])
async def test_a_decision_goes_on_with_new_keys_of_both(meetings: Meetings, told: bool) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        where = {"oak": "http://oak.test/c/oak", "elm": "http://elm.test/c/elm"}
        before = {name: await key_of(fed, uri, name) for name, uri in where.items()}
        await fed.advance(2 * MINUTE)
        for name in where:
            await rotate(fed, name, told=told)
        await fed.settle()
        await fed.finish()
        assert (await fed.agree()).startswith("final")
        for name, other in (("oak", "elm"), ("elm", "oak")):
            now = await key_of(fed, where[name], name)
            assert before[name] != now == await key_of(fed, where[name], other)
