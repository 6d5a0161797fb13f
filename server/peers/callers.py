"""Who signed a request that another server makes of us. Answers *who*; what they may is the caller's question."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from activitypub import keypairs
from activitypub.errors import NotAuthentic, Unreachable, WireError
from activitypub.signatures import Claim, read_signature, verify_request
from models import ledger
from models.ledger import Scope
from models.people import Actor
from server import fetching, remote
from server.actions import dealing
from server.keys import CLOCK, DATABASE, HOME
from server.networks import sender_of

FOR_THEM_ALONE: Final = {
    "Vary": "Accept, Signature",
    "Cache-Control": "no-store",
}  # no cache shows it to others
NEW_KEY_MAY_HELP: Final = frozenset({"wrong-signature", "unfit-key"})


async def signer_of(request: web.Request, claim: Claim, body: bytes, known: Actor | None = None) -> Actor:
    """The actor whose key signed this request, in full; with a key that changed, after one look at its server.

    `known` is who has this key as far as we know, if that was looked up before. Raises NotAuthentic, Forbidden for a
    blocked server, and Unreachable if the key cannot be had at the moment.
    """
    actor = known or await _key_holder(request, claim, refresh=False)
    try:
        _verify(request, claim, body, actor)
    except NotAuthentic as error:
        if error.code not in NEW_KEY_MAY_HELP or actor.is_local:
            raise
        before = actor.rsa_pem
        actor = await _key_holder(request, claim, refresh=True)
        if actor.rsa_pem == before:
            raise
        _verify(request, claim, body, actor)
    return actor


def _verify(request: web.Request, claim: Claim, body: bytes, actor: Actor) -> None:
    verify_request(
        claim,
        request.method,
        request.raw_path,
        request.headers,
        body,
        request.app[HOME].authority,
        request.app[CLOCK].now(),
        keypairs.public_from_pem(actor.rsa_pem),
        request.app[HOME].url.partition(":")[0],
    )


async def _key_holder(request: web.Request, claim: Claim, *, refresh: bool) -> Actor:
    app = request.app
    known, _ = await remote.known_by_key(app, claim.key_id)
    if known is not None and (known.is_local or not refresh):
        return known
    try:
        with app[fetching.DOOR].place(claim.key_id):
            named_by = sender_of(request)
            return await remote.actor_of_key(app, claim.key_id, refresh=refresh, named_by=named_by)
    except (NotAuthentic, Unreachable):
        raise
    except WireError as error:
        if error.code in ("blocked", "not-listed"):
            raise
        raise NotAuthentic("no-key", "The key of the signature cannot be had.") from error


async def caller(request: web.Request) -> Actor | None:
    """Who makes this GET, or None: unsigned, wrongly signed, with a key that cannot be had, or of a server with which we do
    not deal."""
    try:
        actor = await signer_of(request, read_signature(request.headers), b"")
    except WireError:
        return None
    async with request.app[DATABASE].READ() as session:
        refused = await dealing.refused(session, request.app[HOME], [actor.authority])
    return None if refused else actor


async def may_read(request: web.Request, scope: Scope | None) -> bool:
    """May whoever asks see what this scope holds? A public one everybody, another one its participants by their signature.

    A signature is looked at even where there is nothing, so that nobody learns from our doing so what there is.
    """
    if scope is not None and scope.visibility == "public":
        return True
    if "Signature" not in request.headers:
        return False
    actor = await caller(request)
    if actor is None or scope is None:
        return False
    async with request.app[DATABASE].READ() as session:
        return await ledger.takes_part(session, scope.id, actor.authority)


@web.middleware
async def closed_to_the_shut_out(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Who signs a GET as a server with which we do not deal finds nothing, whatever is there and whether or not the signature
    is right: nobody is fetched or verified for it, and nobody else is harmed by saying so."""
    if request.method in ("GET", "HEAD") and "Signature" in request.headers and await _is_shut_out(request):
        raise web.HTTPNotFound(headers=FOR_THEM_ALONE)
    return await handler(request)


async def _is_shut_out(request: web.Request) -> bool:
    try:
        key_id = read_signature(request.headers).key_id
    except WireError:
        return False
    _, refused = await remote.known_by_key(request.app, key_id)
    return refused is not None
