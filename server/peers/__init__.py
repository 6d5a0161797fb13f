"""What other servers may ask of us: deliver to an inbox, read actors, objects and scopes, find us."""

from aiohttp import web

from server import remote
from server.peers import actors, callers, carriers, discovery, inbox, objects, pace, quotes, scopes, threads


def add_routes(app: web.Application) -> None:
    """All paths for other servers; also gives the application what they and the workers keep in memory."""
    remote.prepare(app)
    app[actors.DOCUMENTS] = {}
    app[pace.PACE] = pace.Pace()
    app[inbox.DOOR] = inbox.Door(app)
    app[carriers.SCOPES] = carriers.know_scopes(app)
    app.middlewares.append(callers.closed_to_the_shut_out)
    app.router.add_routes(
        [
            web.post("/inbox", inbox.receive),
            web.post("/c/{handle}/inbox", inbox.receive),
            web.get("/c/{handle}", actors.actor),
            web.get("/c/{handle}/outbox", actors.outbox),
            web.get("/c/{handle}/followers", actors.followers),
            web.get("/c/{handle}/following", actors.following),
            web.get("/c/{handle}/featured", actors.featured),
            web.get("/c/{handle}/moderators", actors.moderators),
            web.get("/c/{handle}/icon.png", actors.icon),
            web.get("/o/{digest}", objects.object_),
            web.get("/o/{digest}/replies", threads.replies),
            web.get("/threads/{name}", threads.thread),
            web.get("/a/{digest}", objects.activity),
            web.get("/scopes/{name}", scopes.scope),
            web.get("/stamps/{digest}", quotes.stamp),
            web.get("/.well-known/webfinger", discovery.find_actor),
            web.get("/.well-known/nodeinfo", discovery.node_links),
            web.get("/nodeinfo/{schema}", discovery.node_info),
        ]
    )
