"""What other servers may ask of us: deliver to an inbox, read actors, objects and scopes, find us."""

from aiohttp import web

from server import fetching, remote
from server.peers import (
    actors,
    callers,
    carriers,
    discovery,
    heard,
    inbox,
    objects,
    pace,
    quotes,
    scopes,
    threads,
)
from server.peers.showing import DEMAND, Demand, to_signed


def add_routes(app: web.Application) -> None:
    """All paths for other servers; also gives the application what they and the workers keep in memory."""
    remote.prepare(app)
    fetching.prepare(app)
    app[actors.DOCUMENTS] = {}
    app[pace.PACE] = pace.Pace()
    app[inbox.DOOR] = inbox.Door(app)
    app[heard.HEARD] = heard.Heard()
    app[carriers.SCOPES] = carriers.know_scopes(app)
    app[DEMAND] = Demand()
    app.middlewares.append(callers.closed_to_the_shut_out)
    app.router.add_routes(
        [
            web.post("/inbox", inbox.receive),
            web.post("/c/{handle}/inbox", inbox.receive),
            web.get("/c/{handle}", to_signed(actors.actor)),
            web.get("/c/{handle}/outbox", to_signed(actors.outbox)),
            web.get("/c/{handle}/followers", to_signed(actors.followers)),
            web.get("/c/{handle}/following", to_signed(actors.following)),
            web.get("/c/{handle}/featured", to_signed(actors.featured)),
            web.get("/c/{handle}/moderators", to_signed(actors.moderators)),
            web.get("/c/{handle}/icon.png", actors.icon),
            web.get("/o/{digest}", to_signed(objects.object_)),
            web.get("/o/{digest}/replies", to_signed(threads.replies)),
            web.get("/threads/{name}", to_signed(threads.thread)),
            web.get("/a/{digest}", to_signed(objects.activity)),
            web.get("/scopes/{name}", to_signed(scopes.scope)),
            web.get("/stamps/{digest}", to_signed(quotes.stamp)),
            web.get("/.well-known/webfinger", discovery.find_actor),
            web.get("/.well-known/nodeinfo", discovery.node_links),
            web.get("/nodeinfo/{schema}", discovery.node_info),
        ]
    )
