"""Which scheme a server takes is found by a second knock, and remembered: for deliveries in its row, for GETs in memory."""

from aiohttp import web

from activitypub import keypairs, signatures
from activitypub.claims import Scheme
from models.queues import Delivery
from server import remote
from server.workers.delivery import deliveries_due
from tests.server.peers.world import ACTIVITY, Asked, Stranger, World
from tests.server.workers.test_delivery import host, publish

INBOX = "http://masto.test/inbox"


def scheme_of(asked: Asked) -> Scheme:
    return signatures.read_signature(asked.headers).scheme


def takes(server: Stranger, scheme: Scheme | None, status: int = 401) -> None:
    """From now on the inbox takes only what is signed so, and says `status` to everything else."""

    async def answer(request: web.Request) -> web.Response:
        said = "rfc9421" if "Signature-Input" in request.headers else "cavage"
        return web.Response(status=202 if said == scheme else status)

    server.answers["/inbox"] = answer


async def send(world: World, server: Stranger) -> list[Scheme]:
    """Deliver one activity; returns the schemes in which it was tried."""
    before = len(server.asked)
    await publish(world, INBOX)
    await deliveries_due(world.of().app)
    return [scheme_of(asked) for asked in server.asked[before:]]


async def test_what_a_server_takes_is_found_remembered_and_forgotten_when_it_is_refused(
    world: World, masto: Stranger
) -> None:
    for status in (400, 401, 403):
        takes(masto, "rfc9421", status)
        assert await send(world, masto) == ["cavage", "rfc9421"], status
        assert (await host(world)).scheme == "rfc9421"
        assert await send(world, masto) == ["rfc9421"], "what was taken is asked first"
        takes(masto, "cavage", status)
        assert await send(world, masto) == ["rfc9421", "cavage"], status
        assert (await host(world)).scheme == "cavage"
        assert await send(world, masto) == ["cavage"]
    takes(masto, None, 403)
    assert await send(world, masto) == ["cavage", "rfc9421"], "one second knock and no third"
    assert (await host(world)).scheme is None
    assert await world.count(Delivery, Delivery.dead_at.is_not(None)) == 1


async def test_each_knock_is_signed_for_itself_by_the_actor(world: World, masto: Stranger) -> None:
    takes(masto, "rfc9421")
    await send(world, masto)
    oak = await world.collective()
    key = keypairs.public_from_pem(oak.rsa_pem)
    first, second = masto.asked
    assert first.body == second.body
    assert ("Digest" in first.headers, "Digest" in second.headers) == (True, False)
    for asked in (first, second):
        claim = signatures.read_signature(asked.headers)
        how = (
            asked.method,
            asked.target,
            asked.headers,
            asked.body,
            "masto.test",
            world.clock.now(),
            key,
            "http",
        )
        assert signatures.verify_request(claim, *how) == oak.key_id


async def test_another_no_is_no_reason_to_knock_again(world: World, masto: Stranger) -> None:
    for status in (404, 410, 500):
        takes(masto, None, status)
        assert await send(world, masto) == ["cavage"], status


async def test_a_document_is_asked_for_again_in_the_other_scheme_and_then_in_that_first(
    world: World, masto: Stranger
) -> None:
    ana, ben = masto.person("ana"), masto.person("ben")

    def only(scheme: Scheme, status: int) -> None:
        for person in (ana, ben):

            async def answer(request: web.Request, person: object = person) -> web.Response:
                said = "rfc9421" if "Signature-Input" in request.headers else "cavage"
                if said != scheme:
                    return web.Response(status=status)
                return web.json_response(person.document(), content_type=ACTIVITY)  # type: ignore[attr-defined]

            masto.answers[f"/users/{person.handle}"] = answer

    app = world.of().app
    only("rfc9421", 401)
    await remote.remote_actor(app, ana.uri)
    await remote.remote_actor(app, ben.uri)
    assert [scheme_of(asked) for asked in masto.asked] == ["cavage", "rfc9421", "rfc9421"]
    only("cavage", 403)
    await remote.remote_actor(app, ana.uri, refresh=True)
    assert [scheme_of(asked) for asked in masto.asked[3:]] == ["rfc9421", "cavage"]
    assert {signatures.read_signature(a.headers).key_id for a in masto.asked} == {
        "http://oak.test/c/instance#main-key"
    }
