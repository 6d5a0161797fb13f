"""How others find us: WebFinger and NodeInfo."""

from importlib.metadata import version
from typing import Final

from aiohttp import web

from activitypub import codec, nodeinfo, webfinger
from activitypub.errors import Malformed
from models import people, posts
from models.people import Actor
from server.keys import DATABASE, HOME

OPEN: Final = {"Access-Control-Allow-Origin": "*"}


async def find_actor(request: web.Request) -> web.Response:
    """GET /.well-known/webfinger: an actor by acct:name@host, by its id or its page; the instance by its address."""
    resources = request.query.getall("resource", [])
    if len(resources) != 1:
        raise web.HTTPBadRequest(text="Ask with one resource=acct:name@host.", headers=OPEN)
    home, resource = request.app[HOME], resources[0]
    async with request.app[DATABASE].READ() as session:
        if resource.rstrip("/") == home.url:
            instance = await people.local_actor(session, "instance")
            if instance is None:
                raise web.HTTPNotFound(headers=OPEN)
            return _jrd(webfinger.service_answer(home.url, instance.uri))
        handle = _handle(resource, home.url, home.authority)
        row = None if handle is None else await people.local_actor_by_handle(session, handle)
    if row is None or row.gone_at is not None:
        raise web.HTTPNotFound(headers=OPEN)
    return _jrd(_answer(row))


def _handle(resource: str, base: str, authority: str) -> str | None:
    """The handle that is meant, if it is one of this server."""
    if resource.startswith(f"{base}/"):
        path = resource.removeprefix(f"{base}/")
        name = path.removeprefix("c/") if path.startswith("c/") else path.removeprefix("@")
        return name if name != path and "/" not in name else None
    if not resource.startswith("acct:"):
        return None
    try:
        asked = webfinger.Handle.read(resource)
    except Malformed:
        return None
    return asked.name if asked.host == authority else None


def _answer(row: Actor) -> codec.Json:
    page = row.url or row.uri
    return webfinger.answer(f"{row.handle}@{row.authority}", row.uri, page=page, aliases=[page])


def _jrd(document: codec.Json) -> web.Response:
    headers = {**OPEN, "Content-Type": webfinger.CONTENT_TYPE}
    return web.Response(body=codec.encode(document), headers=headers)


async def node_links(request: web.Request) -> web.Response:
    """GET /.well-known/nodeinfo."""
    home = request.app[HOME]
    async with request.app[DATABASE].READ() as session:
        instance = await people.local_actor(session, "instance")
    uri = instance.uri if instance is not None else home.url
    return web.Response(
        body=codec.encode(nodeinfo.links(home.url, uri)),
        headers={**OPEN, "Content-Type": "application/json"},
    )


async def node_info(request: web.Request) -> web.Response:
    """GET /nodeinfo/2.0 and 2.1: software, how many members, how many public posts."""
    schema = request.match_info["schema"]
    if schema not in nodeinfo.PATHS:
        raise web.HTTPNotFound(headers=OPEN)
    async with request.app[DATABASE].READ() as session:
        members = await people.member_count(session)
        published = await posts.public_count(session)
        collective = await people.local_actor(session, "collective")
    name = collective.name if collective is not None else request.app[HOME].authority
    found = nodeinfo.document(
        schema,
        version=version("jura"),
        users=members,
        posts=published,
        metadata={"nodeName": name},
    )
    return web.Response(
        body=codec.encode(found), headers={**OPEN, "Content-Type": nodeinfo.content_type(schema)}
    )
