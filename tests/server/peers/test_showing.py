"""Authorised fetch: off by default; where it is chosen, every document needs a signature, and the blocked find nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from models.mandates import MandateRow
from models.peers import Peer
from models.people import Member
from models.rules.refusals import Conflict, NotAllowed
from server.actions import peers
from server.actions.showing import show_to_signed_only
from server.keys import HOME
from server.peers import showing
from server.viewer import Viewer
from tests.federation.stock import Stock
from tests.server.peers.world import ACTIVITY, Stranger, World

OAK = "http://oak.test/c/oak"
LATER = 2 * showing.KEPT_FOR
HTML = "text/html,application/xhtml+xml"
OPEN = [
    "/c/instance",
    "/.well-known/nodeinfo",
    "/nodeinfo/2.1",
    "/.well-known/webfinger?resource=acct:oak@oak.test",
]


async def moderator(world: World, name: str = "oak") -> Viewer:
    """A member who holds the power to moderate."""
    now = world.clock.now()
    async with world.database(name).ACT.begin() as session:
        member = Member(login="mo", name="Mo", password_hash="x", joined_at=now)
        session.add(member)
        await session.flush()
        ends = now + timedelta(days=30)
        mandate = MandateRow(
            member_id=member.id, powers=["moderate"], starts_at=now, ends_at=ends, accepted_at=now
        )
        mandate.source, mandate.instruction = "founding", ""
        session.add(mandate)
    return Viewer(now, member, [mandate])


async def choose(world: World, viewer: Viewer, demanded: bool, name: str = "oak") -> None:
    async with world.database(name).ACT.begin() as session:
        await show_to_signed_only(session, viewer, demanded, world.clock.now())
    world.clock.advance(LATER)


async def test_documents_are_shown_to_everybody_unless_the_collective_chose_otherwise(
    world: World, masto: Stranger
) -> None:
    ana, viewer = masto.person("ana"), await moderator(world)
    assert (await world.get(OAK))[0] == 200
    await choose(world, viewer, True)
    status, headers, _ = await world.get(OAK)
    assert (status, headers["Vary"]) == (401, "Accept, Signature")
    status, headers, document = await world.get(OAK, by=ana)
    assert (status, headers["Vary"], document["id"]) == (200, "Accept, Signature", OAK)
    assert headers["Cache-Control"] == "private, no-store"
    await choose(world, viewer, False)
    assert (await world.get(OAK))[0] == 200


async def test_every_document_for_other_servers_needs_a_signature_and_what_leads_to_them_does_not(
    world: World, masto: Stranger
) -> None:
    await choose(world, await moderator(world), True)
    routes = [
        route.resource.canonical
        for route in world.of().app.router.routes()
        if route.method == "GET" and route.resource and route.handler.__module__.startswith("server.peers.")
    ]
    documents = [
        r for r in routes if not r.startswith(("/.well-known", "/nodeinfo")) and not r.endswith(".png")
    ]
    assert len(documents) >= 8
    for path in documents:
        url = "http://oak.test" + path.format(handle="oak", digest="0" * 64, name="0" * 64, schema="2.1")
        for accept in (ACTIVITY, "*/*"):
            assert (await world.get(url, accept=accept))[0] == 401, path
    for path in OPEN:
        assert (await world.get(f"http://oak.test{path}"))[0] == 200, path


async def test_a_browser_is_led_to_the_page_and_shown_no_document(world: World) -> None:
    await choose(world, await moderator(world), True)
    assert (await world.get(OAK, accept=HTML))[0] == 303
    for path in ("outbox", "followers", "featured"):
        assert (await world.get(f"{OAK}/{path}", accept=HTML))[0] == 401


async def test_a_signature_has_to_hold_and_the_blocked_find_nothing(world: World, masto: Stranger) -> None:
    ana = masto.person("ana")
    await choose(world, await moderator(world), True)
    headers = world.signed("GET", OAK, None, ana)
    status, said, _ = await world.request("GET", f"{OAK}/outbox", headers={**headers, "Accept": ACTIVITY})
    assert status == 401, "signed for another document"
    assert (said["Cache-Control"], said["Vary"]) == ("no-store", "Accept, Signature")
    signed = world.signed("GET", f"{OAK}/outbox", None, ana, "rfc9421")
    status, _, _ = await world.request("GET", f"{OAK}/outbox", headers={**signed, "Accept": ACTIVITY})
    assert status == 200
    async with world.database().ACT.begin() as session:
        (await session.get_one(Peer, "masto.test")).is_blocked = True
    status, said, _ = await world.get(OAK, by=ana)
    assert (status, said["Cache-Control"], said["Vary"]) == (404, "no-store", "Accept, Signature")
    assert (await world.get(f"{OAK}/nothing", by=ana))[0] == 404


async def test_two_instances_that_both_demand_signatures_still_hear_each_other(
    tmp_path: Path, stock: Stock
) -> None:
    async with World("oak", "elm", folder=tmp_path, stock=stock) as two:
        for name in two.names:
            await two[name].members(1)
            await choose(two, await moderator(two, name), True, name)
        await two.oak.convene("elm")
        await two.settle()
        await two.elm.answer("binding")
        await two.settle()
        assert await two.events("activity received", "elm")
        assert await two.events("activity received", "oak")


async def test_only_who_may_moderate_chooses_and_not_against_the_allow_list(world: World) -> None:
    viewer = await moderator(world)
    now = world.clock.now()
    async with world.database().ACT.begin() as session:
        with pytest.raises(NotAllowed):
            await show_to_signed_only(session, Viewer(now), True, now)
        await peers.deal_only_with_allowed(session, world.of().app[HOME], viewer, 0, now)
        with pytest.raises(Conflict):
            await show_to_signed_only(session, viewer, False, now)
    world.clock.advance(LATER)
    assert (await world.get(OAK))[0] == 401
