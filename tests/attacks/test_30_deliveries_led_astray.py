"""Attack 30: inboxes inside or on another server, many followers of one server, absurd wishes to wait. Finer cases:
tests/server/workers/test_delivery.py, tests/activitypub/test_network.py."""

from datetime import timedelta

from models.follows import follower_inboxes
from models.people import Actor
from models.queues import Delivery, Destination
from server.workers.delivery import deliveries_due
from tests.server.peers.world import Stranger, World
from tests.server.workers.test_delivery import publish

OAK = "http://oak.test/c/oak"


async def test_attack_30_an_inbox_elsewhere_makes_no_actor_and_one_inside_gets_nothing(
    world: World, masto: Stranger
) -> None:
    victim = await world.stranger("victim")
    ana = masto.person("ana", inbox=f"{victim.url}/inbox")
    ben = masto.person("ben", endpoints={"sharedInbox": f"{victim.url}/inbox"})
    assert await world.post(ana, ana.activity("Follow", object=OAK)) == 401
    assert await world.count(Actor, Actor.uri == ana.uri) == 0
    assert await world.tell(ben, ben.activity("Follow", object=OAK)) == "done"
    await publish(world, "https://127.0.0.1/inbox", "https://169.254.169.254/inbox", ben.document()["inbox"])
    await deliveries_due(world.of().app)
    assert victim.asked == []
    assert len(masto.posts("Create")) == 1
    assert await world.count(Delivery, Delivery.dead_at.is_not(None)) == 2


async def test_attack_30_who_asks_us_to_wait_for_years_is_tried_again_within_a_day(
    world: World, masto: Stranger
) -> None:
    masto.inbox_status, masto.inbox_headers = 429, {"Retry-After": "99999999"}
    await publish(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    async with world.database().READ() as session:
        host = await session.get_one(Destination, "masto.test")
    assert host.due_at is not None
    assert host.due_at - world.clock.now() <= timedelta(days=1)


async def test_attack_30_many_followers_behind_one_shared_inbox_cost_one_delivery(
    world: World, masto: Stranger
) -> None:
    shared = {"endpoints": {"sharedInbox": f"{masto.url}/inbox"}}
    for number in range(5):
        fan = masto.person(f"fan{number}", **shared)
        assert await world.tell(fan, fan.activity("Follow", object=OAK)) == "done"
    async with world.database().READ() as session:
        collective = await world.collective()
        assert await follower_inboxes(session, collective.id) == [f"{masto.url}/inbox"]
