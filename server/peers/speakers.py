"""Whose an activity is: its actor's, shown by a proof in it, or by the actor having signed the request. Answers *who*.

A proof goes before the request: with one, anybody may carry the activity; one that does not hold refuses it, whoever carries it.
"""

from datetime import timedelta
from typing import Final

from aiohttp import web

from activitypub import keypairs, proofs
from activitypub.codec import Activity
from activitypub.errors import Forbidden, NotAuthentic, Unreachable, WireError
from activitypub.keypairs import DID_KEY, did_key
from activitypub.origin import same_origin
from activitypub.signatures import WINDOW
from activitypub.sites import site_of
from models.people import Actor, actor_by_uri
from server import fetching, remote
from server.actions import dealing
from server.keys import CLOCK, DATABASE, HOME

CARRIED_FOR: Final = timedelta(days=14)  # well within the time for which it is known what was handled before
NEW_KEY_MAY_HELP: Final = frozenset({"wrong-proof", "no-key", "foreign-key"})


async def speaker_of(app: web.Application, activity: Activity, carrier: Actor) -> Actor | None:
    """The actor of an activity that `carrier` brought by a request that it signed.

    None where somebody whom we never met says goodbye: that means nothing to us, and nobody is asked for it. Raises NotAuthentic
    where it is not shown to be the actor's, Forbidden for an actor of a server with which we do not deal or of our own,
    Unreachable for now.
    """
    if activity.raw.get("proof") is None:
        if activity.actor != carrier.uri:
            raise NotAuthentic(
                "foreign-actor", "The request is signed by another actor than the activity names."
            )
        return carrier
    proofs.verification_method(activity.raw)  # nobody is asked for a proof that is none
    if activity.actor != carrier.uri:
        _check_age(app, activity)
    speaker = carrier if activity.actor == carrier.uri else await _absent(app, activity, carrier)
    if speaker is None:
        return None
    if speaker.uri != activity.actor:
        raise NotAuthentic("foreign-actor", "The activity names its actor by an address that is not its id.")
    try:
        _check(app, activity, speaker)
    except NotAuthentic as error:
        if error.code not in NEW_KEY_MAY_HELP or speaker.is_local:
            raise
        before, speaker = speaker.ed25519, await _asked_again(app, speaker, error)
        if speaker.ed25519 == before:
            raise
        _check(app, activity, speaker)
    return speaker


def _check_age(app: web.Application, activity: Activity) -> None:
    """Raises NotAuthentic for what was not said lately: who brings it again when we have forgotten that it came would else have it
    done again, against the will of whoever said it once."""
    said, now = proofs.made_at(activity.raw), app[CLOCK].now()
    if said is None or not now - CARRIED_FOR <= said <= now + WINDOW:
        raise NotAuthentic(
            "not-lately", "What others carry needs a proof that was made within the last two weeks."
        )


def says_goodbye(activity: Activity) -> bool:
    """Does an actor delete or change itself (or delete anything)? From one that we never met, this means nothing to us."""
    about_itself = activity.object_id == activity.actor
    return activity.type == "Delete" or (activity.type == "Update" and about_itself)


async def _absent(app: web.Application, activity: Activity, carrier: Actor) -> Actor | None:
    """Who is said to speak through somebody else, from our rows or from where they live."""
    async with app[DATABASE].READ() as session:
        known = await actor_by_uri(session, activity.actor)
        if known is not None:
            await dealing.check(session, app[HOME], known.authority)
    if known is None and says_goodbye(activity):
        return None
    if known is not None and known.is_local:
        raise Forbidden("ours", "What our own actors say is not brought to us by others.")
    if known is not None and known.gone_at is None:
        return known
    try:
        with app[fetching.DOOR].place(activity.actor):
            return await remote.remote_actor(app, activity.actor, named_by=site_of(carrier.authority))
    except (NotAuthentic, Unreachable):
        raise
    except WireError as error:
        if error.code in ("blocked", "not-listed", "ours"):
            raise
        raise NotAuthentic("no-key", "The key of the proof cannot be had.") from error


def _check(app: web.Application, activity: Activity, speaker: Actor) -> None:
    """Returns if the proof is by the key that the speaker lists for what it says, and holds now."""
    if speaker.ed25519 is None:
        raise NotAuthentic("no-key", "The activity's actor lists no key for proofs.")
    method = proofs.verification_method(activity.raw)
    plain = (did_key(speaker.ed25519), f"{DID_KEY}{speaker.ed25519}")
    if method not in plain and not same_origin(method, speaker.uri):
        raise NotAuthentic("foreign-key", "The proof is by a key that is not the actor's.")
    proofs.verify(activity.raw, keypairs.public_from_multikey(speaker.ed25519), app[CLOCK].now())


async def _asked_again(app: web.Application, speaker: Actor, error: NotAuthentic) -> Actor:
    """The actor as its server describes it now; `error` again if that was asked a moment ago, or cannot be had."""
    try:
        with app[fetching.DOOR].place(speaker.key_id):
            named_by = speaker.authority
            return await remote.actor_of_key(app, speaker.key_id, refresh=True, named_by=named_by)
    except Unreachable:
        raise
    except WireError:
        raise error from None
