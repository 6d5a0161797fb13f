"""Servers that are blocked, limited or not listed: nothing in, nothing out, nothing fetched, nothing found; and back again."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import event, select, update

from activitypub.errors import Forbidden
from models import choices, follows, talk
from models.follows import Follow
from models.peers import Peer
from models.people import Actor
from models.posts import Post
from models.queues import Delivery, InboxItem
from models.rules.peering import ALLOW_LIST, AUTHORIZED_FETCH, FEDERATION
from models.rules.refusals import Conflict, Invalid
from server import remote
from server.actions import peers, pulse
from server.actions.outbox import publish
from server.keys import HOME
from server.viewer import Viewer
from server.workers.delivery import deliveries_due
from server.workers.inbox import inbox_due
from server.workers.pulses import pulses_due
from tests.server.peers.joint import Joint
from tests.server.peers.talk import OPTIONS, create, note, ours, vote, votes
from tests.server.peers.world import Person, Stranger, World

OAK = "http://oak.test/c/oak"


async def decide(world: World, act: peers.Act, host: str, note: str = "Spam.") -> str:
    async with world.database().ACT.begin() as session:
        home, now = world.of().app[HOME], world.clock.now()
        return await peers.decide(session, home, None, act, host, note, now)


async def follow(world: World, who: Person) -> int:
    return await world.post(who, who.activity("Follow", object=OAK))


async def say(world: World, *inboxes: str) -> None:
    oak = await world.collective()
    async with world.database().ACT.begin() as session:
        note = {"id": f"http://oak.test/a/{len(inboxes)}", "type": "Create", "actor": oak.uri}
        await publish(session, world.of().app[HOME], oak, note, inboxes, world.clock.now())


async def only_allowed(world: World) -> None:
    async with world.database().ACT.begin() as session:
        await choices.choose(session, FEDERATION, ALLOW_LIST, world.clock.now(), None)


async def shut(world: World, how: str) -> None:
    """Masto is not dealt with any more, in one way or the other."""
    if how == "not listed":
        await only_allowed(world)
    else:
        await decide(world, "block", how)


@pytest.mark.parametrize("how", ["masto.test", "not listed"])
async def test_with_whom_we_do_not_deal_nothing_comes_in_goes_out_or_is_fetched(
    world: World, masto: Stranger, how: str
) -> None:
    ana, bo = masto.person("ana"), masto.person("bo")
    assert await follow(world, ana) == 202
    await inbox_due(world.of().app)
    await deliveries_due(world.of().app)
    await shut(world, how)
    masto.asked.clear()
    assert await follow(world, ana) == 403
    assert await follow(world, bo) == 403
    await say(world, "http://masto.test/inbox")
    await deliveries_due(world.of().app)
    assert await world.count(Delivery) == 0
    with pytest.raises(Forbidden):
        await remote.remote_actor(world.of().app, bo.uri)
    with pytest.raises(Forbidden):
        await remote.document(world.of().app, ana.uri)
    with pytest.raises(Forbidden):
        await remote.find(world.of().app, "@bo@masto.test")
    assert masto.asked == []


@pytest.mark.parametrize("how", ["masto.test", "not listed"])
async def test_to_whom_we_do_not_deal_with_there_is_nothing_here_and_to_others_there_is(
    world: World, masto: Stranger, how: str
) -> None:
    ana, other = masto.person("ana"), (await world.stranger("other")).person("cy")
    await shut(world, how)
    await decide(world, "allow", "other.test")
    for path in ("c/oak", "c/oak/outbox", "c/oak/followers", "nodeinfo/2.0", "c/nobody"):
        url = f"http://oak.test/{path}"
        status, headers, _ = await world.get(url, by=ana)
        assert (status, headers["Cache-Control"]) == (404, "no-store"), "no cache shows it to others"
        assert (await world.get(url, by=other))[0] == (404 if "nobody" in path else 200)
    assert masto.asked == []


async def test_a_block_holds_for_what_lies_below_a_host_and_not_for_its_neighbours(world: World) -> None:
    below, beside = await world.stranger("a.masto"), await world.stranger("notmasto")
    await decide(world, "block", "masto.test")
    assert await follow(world, below.person("ana")) == 403
    assert await follow(world, beside.person("ana")) == 202


async def test_a_block_ends_follows_deliveries_and_what_waits_and_spares_everybody_else(
    world: World, masto: Stranger
) -> None:
    ana, other = masto.person("ana"), (await world.stranger("other")).person("cy")
    for who in (ana, other):
        await follow(world, who)
    await inbox_due(world.of().app)
    await deliveries_due(world.of().app)
    await say(world, "http://masto.test/inbox", "http://other.test/inbox")
    for who in (ana, other):
        await world.post(who, who.activity("Undo", object=f"{who.uri}/x"))
    await decide(world, "block", "masto.test")
    assert await world.count(Follow) == await world.count(Delivery) == 1
    assert await world.count(InboxItem, InboxItem.outcome == "refused", InboxItem.body.is_(None)) == 1
    assert await world.count(InboxItem, InboxItem.outcome.is_(None)) == 1
    assert await inbox_due(world.of().app) == 1
    assert await deliveries_due(world.of().app) == 1


async def test_what_would_end_is_told_before_with_the_decisions_that_run(
    world: World, masto: Stranger
) -> None:
    ana, elm = masto.person("ana"), masto.kin("elm")
    await follow(world, ana)
    joint = Joint(world, elm, [(await world.collective()).ed25519 or ""])
    assert await world.tell(elm, joint.offering()) == "done"
    await world.settle()
    await say(world, "http://masto.test/inbox")
    async with world.database().READ() as session:
        found = await peers.reach(session, "masto.test")
        nothing = await peers.reach(session, "quiet.test")
    assert (found.followers, found.deliveries, list(found.decisions)) == (1, 1, [joint.name])
    assert nothing.is_nothing
    assert not found.is_nothing


async def test_forgetting_undoes_a_block_and_follows_do_not_come_back_by_themselves(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await follow(world, ana)
    await inbox_due(world.of().app)
    await decide(world, "block", "masto.test")
    await decide(world, "forget", "masto.test", "")
    assert await world.count(Follow) == 0
    assert await follow(world, ana) == 202
    [blocked] = await world.events("server blocked")
    [forgotten] = await world.events("server forgotten")
    assert (blocked.actor, blocked.detail) == ("operator", {"host": "masto.test", "note": "Spam."})
    assert forgotten.detail["host"] == "masto.test"


async def test_who_is_limited_is_heard_and_not_counted(world: World, masto: Stranger) -> None:
    ana, other = masto.person("ana"), (await world.stranger("other")).person("cy")
    for who in (ana, other):
        await follow(world, who)
    await inbox_due(world.of().app)
    await decide(world, "limit", "masto.test")
    oak = await world.collective()
    async with world.database().READ() as session:
        assert await follows.follower_count(session, oak.id) == 1
        assert len(await follows.follower_inboxes(session, oak.id)) == 2
    assert await follow(world, ana) == 202


@pytest.mark.parametrize("host", ["oak.test", "nothing", "", "test"])
async def test_our_own_server_and_what_is_none_cannot_be_blocked(world: World, host: str) -> None:
    with pytest.raises(Invalid):
        await decide(world, "block", host)
    assert await world.count(Peer) == 0


async def test_an_act_needs_a_reason_and_a_mandate(world: World) -> None:
    with pytest.raises(Invalid):
        await decide(world, "block", "masto.test", "  ")
    visitor: Any = Viewer(world.clock.now())
    async with world.database().ACT.begin() as session:
        with pytest.raises(Exception, match="moderate"):
            await peers.decide(
                session, world.of().app[HOME], visitor, "block", "masto.test", "Spam.", world.clock.now()
            )
    assert await world.count(Peer) == 0


async def test_the_list_is_begun_only_by_who_was_told_whom_it_cuts_off(world: World, masto: Stranger) -> None:
    ana, other = masto.person("ana"), (await world.stranger("other")).person("cy")
    for who in (ana, other):
        await follow(world, who)
    await inbox_due(world.of().app)
    await deliveries_due(world.of().app)
    await decide(world, "allow", "other.test", "Our neighbours.")
    home, now = world.of().app[HOME], world.clock.now()
    async with world.database().ACT.begin() as session:
        viewer: Any = _Moderator()
        assert [one.host for one in await peers.would_cut_off(session, home)] == ["masto.test"]
        with pytest.raises(Conflict):
            await peers.deal_only_with_allowed(session, home, viewer, 0, now)
        await peers.deal_only_with_allowed(session, home, viewer, 1, now)
        assert await choices.choice(session, AUTHORIZED_FETCH) is True
        with pytest.raises(Conflict):
            await peers.deal_only_with_allowed(session, home, viewer, 0, now)
    assert await world.count(Follow) == 1
    assert await follow(world, ana) == 403
    assert await follow(world, other) == 202
    async with world.database().ACT.begin() as session:
        await peers.deal_with_all(session, viewer, now + timedelta(hours=1))
        assert await choices.choice(session, AUTHORIZED_FETCH) is False
    assert await follow(world, ana) == 202


class _Moderator:
    """Somebody who holds the power; that it is asked for is shown elsewhere."""

    def require(self, power: str) -> Any:
        assert power == "moderate"
        return Actor(id=None)


async def test_a_list_of_others_is_taken_over_and_changes_nothing_that_was_decided_here(
    world: World, masto: Stranger
) -> None:
    ana = masto.person("ana")
    await follow(world, ana)
    await inbox_due(world.of().app)
    await decide(world, "allow", "other.test", "Our neighbours.")
    listed = [
        peers.Line("masto.test", "block", "Spam."),
        peers.Line("other.test", "block"),
        peers.Line("loud.test", "limit"),
        peers.Line("oak.test", "block"),
        peers.Line("h*dden.test", "", problem="hidden"),
    ]
    async with world.database().ACT.begin() as session:
        assert await peers.take_over(session, world.of().app[HOME], None, listed, world.clock.now()) == 2
        assert await peers.take_over(session, world.of().app[HOME], None, listed, world.clock.now()) == 0
        assert await peers.lines(session) == [
            peers.Line("loud.test", "limit", "From a list."),
            peers.Line("masto.test", "block", "Spam."),
        ]
    assert await world.count(Follow) == 0
    assert await follow(world, ana) == 403


async def test_whom_an_unblocked_server_leads_to_is_not_asked_either(world: World, masto: Stranger) -> None:
    ana, other = masto.person("ana"), await world.stranger("other")
    other.says("/named", ana.document())

    async def lead(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": ana.uri})

    other.answers["/led"] = lead
    await decide(world, "block", "masto.test")
    for path in ("/named", "/led"):
        with pytest.raises(Forbidden):
            await remote.remote_actor(world.of().app, f"{other.url}{path}")
    assert masto.asked == []
    assert await world.count(Actor, Actor.uri == ana.uri) == 0


async def test_words_from_below_a_limited_name_are_in_no_collection(world: World, masto: Stranger) -> None:
    ana, ben = (await world.stranger("a.limited")).person("ana"), masto.person("ben")
    post = await ours(world)
    said = [note(by, post) for by in (ana, ben)]
    for by, one in zip((ana, ben), said, strict=True):
        await world.tell(by, create(by, one))
    for act, total in (("limit", 1), ("forget", 2), ("block", 1)):
        await decide(world, act, "limited.test")
        assert (await world.get(f"{post}/replies"))[2]["totalItems"] == total
    _, _, page = await world.get(f"{post}/replies?page=1")
    assert page["orderedItems"] == [said[1]["id"]]


@pytest.mark.parametrize("spelt", ["MASTO.test", "masto.test:80"])
async def test_a_host_is_the_same_however_its_inbox_spells_it(
    world: World, masto: Stranger, spelt: str
) -> None:
    await say(world, f"http://{spelt}/inbox", "http://masto.test/other")
    assert await world.count(Delivery, Delivery.host == "masto.test") == 2
    await decide(world, "block", "masto.test")
    assert await world.count(Delivery) == 0
    await say(world, f"http://{spelt}/inbox", "http://masto.test/inbox", "http://masto.test/other")
    await deliveries_due(world.of().app)
    assert await world.count(Delivery) == 0
    assert masto.asked == []


async def test_the_list_cuts_off_a_host_and_not_the_listed_one_below_it(world: World) -> None:
    below, host = (
        (await world.stranger("a.masto")).person("ana"),
        (await world.stranger("masto")).person("bo"),
    )
    for who in (below, host):
        await follow(world, who)
    await inbox_due(world.of().app)
    await say(world, below.document()["inbox"], host.document()["inbox"])
    await decide(world, "allow", "a.masto.test", "Our neighbours.")
    home, now = world.of().app[HOME], world.clock.now()
    async with world.database().ACT.begin() as session:
        [ends] = await peers.would_cut_off(session, home)
        assert (ends.host, ends.followers) == ("masto.test", 1)
        viewer: Any = _Moderator()
        await peers.deal_only_with_allowed(session, home, viewer, 1, now)
    assert await world.count(Follow, Follow.follower == below.uri) == 1
    assert await world.count(Follow) == 1
    assert await world.count(Delivery, Delivery.host == "masto.test") == 0
    assert await world.count(Delivery, Delivery.host == "a.masto.test") > 0


async def test_whom_the_list_would_cut_off_is_found_in_a_few_queries_however_many_are_known(
    world: World,
) -> None:
    home, database, asked = world.of().app[HOME], world.database(), list[str]()
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))

    async def queries() -> int:
        asked.clear()
        async with database.READ() as session:
            ends = await peers.would_cut_off(session, home)
        assert [(one.host, one.followers, one.is_nothing) for one in ends] == [
            (host, 1, False) for host in sorted(hosts)
        ]
        return len(asked)

    hosts = set[str]()
    few = await queries()
    for name in ("ash", "elm", "fir"):
        await follow(world, (await world.stranger(name)).person("ana"))
        hosts.add(f"{name}.test")
    await inbox_due(world.of().app)
    assert await queries() == few


@pytest.mark.parametrize("how", ["allow-list", "list of others"])
async def test_many_are_cut_off_with_as_few_statements_as_one(world: World, how: str) -> None:
    home, database, asked = world.of().app[HOME], world.database(), list[str]()
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    viewer: Any = _Moderator()

    async def statements(*names: str) -> int:
        """How many it takes to cut off who follows from all of these."""
        listed = [peers.Line(f"{name}.test", "block") for name in names]
        for name in names:
            assert await follow(world, (await world.stranger(name)).person("ana")) == 202
        await inbox_due(world.of().app)
        await say(world, *(f"http://{name}.test/inbox" for name in names))
        async with database.ACT.begin() as session:
            asked.clear()
            if how == "allow-list":
                await peers.deal_only_with_allowed(session, home, viewer, len(names), world.clock.now())
            else:
                assert [one.host for one in await peers.would_end(session, home, listed)] == sorted(
                    f"{name}.test" for name in names
                )
                assert await peers.take_over(session, home, None, listed, world.clock.now()) == len(names)
        many = len(asked)
        assert (await world.count(Follow), await world.count(Delivery)) == (0, 0)
        if how == "allow-list":
            async with database.ACT.begin() as session:
                await peers.deal_with_all(session, viewer, world.clock.now())
        return many

    assert await statements("ash") >= await statements("elm", "fir", "oaks", "yew")


# What was counted before


async def only_listed(world: World) -> None:
    """From now on the collective deals with listed servers only, as its page does it."""
    home = world.of().app[HOME]
    async with world.database().ACT.begin() as session:
        viewer: Any = _Moderator()
        seen = len(await peers.would_cut_off(session, home))
        await peers.deal_only_with_allowed(session, home, viewer, seen, world.clock.now())


async def told(world: World, who: Stranger) -> tuple[int, dict[str, int]]:
    """The latest count of a round that this server was told: of how many, and by option."""
    await pulses_due(world.of().app)
    await world.settle()
    question = who.posts("Update")[-1]["object"]
    return question["votersCount"], {one["name"]: one["replies"]["totalItems"] for one in question["oneOf"]}


@pytest.mark.parametrize("act", ["block", "limit", "allow-list"])
async def test_answers_and_likes_of_a_server_do_not_count_while_it_is_shut_out_or_limited(
    world: World, masto: Stranger, act: Any
) -> None:
    other = await world.stranger("other")
    ana, cy = masto.person("ana"), other.person("cy")
    await decide(world, "allow", "other.test")
    none = {"type": "Collection", "totalItems": 0}
    options = [{"type": "Note", "name": name, "replies": none} for name in OPTIONS]
    round_ = await ours(world, type_="Question", oneOf=options)
    async with world.database().ACT.begin() as session:
        await session.execute(update(Post).values(featured_until=world.clock.now() + timedelta(days=1)))
    for who, name in ((ana, "Agree"), (cy, "Unsure")):
        assert await world.tell(who, vote(who, round_, name)) == "done"
        assert await world.tell(who, who.activity("Like", object=round_)) == "done"
    await follow(world, cy)
    await world.settle()
    world.clock.advance(timedelta(minutes=3))
    assert await told(world, other) == (2, {"Agree": 1, "Unsure": 1, "Disagree": 0})
    world.clock.advance(timedelta(seconds=1))
    if act == "allow-list":
        await only_listed(world)
    else:
        await decide(world, act, "masto.test")
    alone = (1, {"Agree": 0, "Unsure": 1, "Disagree": 0})
    assert await told(world, other) == alone
    async with world.database().READ() as session:
        post = (await session.scalars(select(Post))).one()
        found = await pulse.counts(session, post)
        assert (found.voters, found.servers) == (1, [("other.test", 1)])
        assert await talk.reactions_to(session, [post.id]) == {"like": 1}
    assert await votes(world) == [("ana", "Agree"), ("cy", "Unsure")], "kept: a block can be a mistake"
    world.clock.advance(timedelta(seconds=1))
    await decide(world, "allow" if act == "allow-list" else "forget", "masto.test")
    assert await told(world, other) == (2, {"Agree": 1, "Unsure": 1, "Disagree": 0})
